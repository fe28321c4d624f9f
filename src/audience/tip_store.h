// The tips' and lanes' tables in DB1: SQL in, model types out.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audience/client.h"
#include "audience/tip.h"
#include "finance/ledger.h"
#include "platform/db/connection.h"

namespace tipflow::audience::store {

// Tips ----------------------------------------------------------------------------------------
/// One statement, one transaction. Throws db::DuplicateKey when any of them is there already.
void insertTips(db::Connection& connection, std::span<const NumberedTip> tips);
std::vector<NumberedTip> tipsByTrace(db::Connection& connection, std::span<const TraceId> traceIds);
bool tipExists(db::Connection& connection, TipId id);
std::optional<NumberedTip> tipByTrace(db::Connection& connection, const TraceId& traceId);

struct TipFilter {
  std::optional<RoomId> room;
  std::optional<AnchorId> anchor;
  std::optional<ViewerId> viewer;
  std::optional<Time> from;  ///< inclusive
  std::optional<Time> to;    ///< exclusive
};
/// Where a page ended.
struct TipPlace {
  Time acceptedAt;
  TipId id;
};
/// Newest first.
std::vector<NumberedTip> tips(db::Connection& connection, const TipFilter& filter,
                              std::optional<TipPlace> after, int limit);
TipSum sessionSum(db::Connection& connection, RoomId room, SessionId session, Time from,
                  Time until);

// Lanes ---------------------------------------------------------------------------------------
enum class LaneState { open = 1, closed = 2, settled = 3 };

struct LaneRow {
  LaneId id;
  std::string node;
  std::int64_t connectionId = 0;
  LaneState state = LaneState::open;
};

LaneId openLane(db::Connection& connection, const std::string& node, const std::string& process,
                Duration lease);
/// Renews all open lanes of the process, by the database's clock.
void renewLanes(db::Connection& connection, const std::string& process, Duration lease);
void setLaneState(db::Connection& connection, LaneId lane, LaneState state, LaneSeq last);
/// Lanes not known to be settled that nobody pushes: closed ones, those of this node's earlier
/// processes, and those whose lease ran out.
std::vector<LaneRow> orphanedLanes(db::Connection& connection, const std::string& node,
                                   const std::string& process);
/// Lanes that were taken for settled, or closed.
std::vector<LaneId> finishedLanes(db::Connection& connection);
LaneSeq lastSeq(db::Connection& connection, LaneId lane);
/// The lane's tips after `after`, in number order.
std::vector<finance::LedgerTip> ledgerTips(db::Connection& connection, LaneId lane, LaneSeq after,
                                           std::size_t limit);
/// Whether a connection of the database's server may still run a statement (false where it cannot).
bool connectionAlive(db::Connection& connection, std::int64_t connectionId);
void noteProgress(db::Connection& connection, LaneId lane, LaneSeq acknowledged, Time at,
                  const std::string& error);
/// What noteProgress said last of the lane; 0 when nothing.
LaneSeq noted(db::Connection& connection, LaneId lane);

/// See AudienceClient::laneSums; to be called in a snapshot. Moves the seals forward in `advance`.
struct Seal {
  LaneId lane;
  LaneSeq seq;
  TipSum sum;
};
std::vector<LaneSum> laneSums(db::Connection& connection, const std::map<LaneId, LaneSeq>& cursors,
                              std::vector<Seal>& advance);
void keepSeals(db::Connection& connection, const std::vector<Seal>& seals);

}  // namespace tipflow::audience::store
