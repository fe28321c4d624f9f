// The tables of tags' association in DB2 (sql/db2/0008_association.sql): what viewers did, who is
// to be counted again, and the sums by generation. SQL in, types out; no arithmetic on weights.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/association.h"
#include "base/ids.h"
#include "platform/db/connection.h"

namespace tipflow::analysis::tagstore {

/// Sums that were counted by one set of rules from one base day.
struct Generation {
  std::int64_t number = 0;
  std::int64_t rules = 0;
  std::int64_t baseDay = 0;
  bool published = false;
  ViewerId countedTo;  ///< of one that is not published: viewers up to this one are in it
  Time asOf;           ///< 0: no round came to its end yet
};

/// What one viewer did with one anchor; to be added to what is known.
struct Activity {
  ViewerId viewer;
  AnchorId anchor;
  std::int64_t tips = 0;
  std::int64_t watchedSeconds = 0;
  Time lastAt;
};

/// A stretch of the ledger that is not in viewer_activity yet: (after, to].
struct LaneStretch {
  LaneId lane;
  LaneSeq after;
  LaneSeq to;
};

/// With what a viewer stands in the sums.
struct CountedViewer {
  std::vector<std::string> carried;
  TagWeights weights;
};

// What viewers did ------------------------------------------------------------------------------
/// Adds to viewer_activity and marks the viewers. In a transaction.
void addActivity(db::Connection& connection, std::vector<Activity> activity);
std::vector<LaneStretch> lanesBehind(db::Connection& connection);
std::vector<Activity> ledgerActivity(db::Connection& connection, const LaneStretch& stretch);
void setProgress(db::Connection& connection, LaneId lane, LaneSeq seq);
std::map<ViewerId, std::vector<Activity>> activityOf(db::Connection& connection,
                                                     const std::vector<ViewerId>& viewers);
/// Of one viewer, the newest first.
std::vector<Activity> newestActivity(db::Connection& connection, ViewerId viewer, int limit);

// Who is to be counted again --------------------------------------------------------------------
std::vector<ViewerId> dirtyViewers(db::Connection& connection, int limit);
/// Those of `viewers` that are marked, held until the transaction ends: who marks one of them
/// meanwhile waits, and marks it again.
std::vector<ViewerId> holdDirty(db::Connection& connection, const std::vector<ViewerId>& viewers);
void clearDirty(db::Connection& connection, const std::vector<ViewerId>& viewers);
void markDirty(db::Connection& connection, std::vector<ViewerId> viewers);
/// All who were active in the anchor's room.
void markViewersOf(db::Connection& connection, AnchorId anchor);

// Rooms -----------------------------------------------------------------------------------------
std::map<AnchorId, std::vector<std::string>> roomTags(db::Connection& connection);
void setRoomTags(db::Connection& connection, AnchorId anchor, const std::vector<std::string>& tags);

// Generations and their sums --------------------------------------------------------------------
/// By number.
std::vector<Generation> generations(db::Connection& connection);
std::optional<Generation> publishedGeneration(db::Connection& connection);
void addGeneration(db::Connection& connection, const Generation& generation);
void setCountedTo(db::Connection& connection, std::int64_t generation, ViewerId viewer);
/// From now on readers see `generation`, complete until `asOf`, and no other. In a transaction.
void publish(db::Connection& connection, std::int64_t generation, Time asOf);
void setAsOf(db::Connection& connection, std::int64_t generation, Time asOf);
/// Removes up to `limit` viewers of a generation that is not needed any more, or what else there is
/// of it when none is left; false once nothing is.
bool dropSome(db::Connection& connection, std::int64_t generation, int limit);

std::map<ViewerId, CountedViewer> countedViewers(db::Connection& connection,
                                                 std::int64_t generation,
                                                 const std::vector<ViewerId>& viewers);
std::vector<ViewerId> countedAfter(db::Connection& connection, std::int64_t generation,
                                   ViewerId after, int limit);
void setCountedViewers(db::Connection& connection, std::int64_t generation,
                       const std::map<ViewerId, CountedViewer>& viewers);
void addSums(db::Connection& connection, std::int64_t generation, const TagSums& sums);

// What readers ask ------------------------------------------------------------------------------
/// The heaviest first; of equals the first by name.
std::vector<std::pair<std::string, TagSum>> heaviestTags(db::Connection& connection,
                                                         std::int64_t generation, int limit);
std::map<std::string, TagSum> sumsOf(db::Connection& connection, std::int64_t generation,
                                     const std::vector<std::string>& tags);
/// The tags that go with `tag` and the sums of the pairs, the heaviest first.
std::vector<std::pair<std::string, TagSum>> partnersOf(db::Connection& connection,
                                                       std::int64_t generation,
                                                       const std::string& tag, int limit);
/// Pairs of one of `some` and one of `others`.
std::map<TagPair, TagSum> pairsBetween(db::Connection& connection, std::int64_t generation,
                                       const std::vector<std::string>& some,
                                       const std::vector<std::string>& others);

}  // namespace tipflow::analysis::tagstore
