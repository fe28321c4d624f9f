// The sums over the ledger in DB2: how far they are, adding to them, and emptying them. SQL in,
// types out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/gathering.h"
#include "platform/db/connection.h"

namespace tipflow::analysis::store {

/// How far lanes are, or are to be, counted.
using LaneMarks = std::map<LaneId, LaneSeq>;

struct State {
  Time asOf;  ///< 0: never complete yet
  std::string zone;
  bool clearing = false;
};
/// Makes the row of the state if there is none.
void seedState(db::Connection& connection, const std::string& zone);
State state(db::Connection& connection);
/// Holds the state alone until the transaction ends: whoever adds to the sums does so one after the
/// other.
State holdState(db::Connection& connection);
void setAsOf(db::Connection& connection, Time asOf);

/// Where the ledger's cursors stood at `readAt`, by DB2's clock.
struct Cutoff {
  Time readAt;
  LaneMarks lanes;
};
Cutoff cursors(db::Connection& connection);
LaneMarks progress(db::Connection& connection);
/// When the sums were last brought forward in the tip's lane, which was to the tip or beyond;
/// nullopt when they do not hold it yet.
std::optional<Time> countedBy(db::Connection& connection, TipId tip);
/// Until when all tips up to `cutoff` are all there are (see README.md, asOf).
Time completeUntil(db::Connection& connection, const Cutoff& cutoff);

/// The rows of a lane above `after`, up to `to`.
struct LaneSpan {
  LaneId lane;
  LaneSeq after;
  LaneSeq to;
  [[nodiscard]] std::int64_t tips() const { return to.value - after.value; }
};
/// Adds the span's rows to `gathering`; their sum. Throws BrokenInvariant when they are not all
/// there.
Fen gather(db::Connection& connection, const LaneSpan& span, Gathering& gathering);

/// Somebody else has counted these rows meanwhile: nothing of it may be added.
class Outpaced : public std::runtime_error {
  using std::runtime_error::runtime_error;
};
// In one transaction that holds the state:
/// Moves the lane's mark from exactly `after` to `to`. Throws Outpaced.
void advance(db::Connection& connection, const LaneSpan& span, Fen amount, Time movedAt);
void add(db::Connection& connection, const Gathering& gathering);

/// In a transaction that holds the state: from now on the sums are emptied.
void beginClearing(db::Connection& connection, const std::string& zone);
/// In such a transaction: empties a part; when nothing is left, ends the clearing and answers
/// false.
bool clearSome(db::Connection& connection);
/// Deletes at least `rows` rows of a table, or all, in the order of `key`; whether there were any.
bool deleteSome(db::Connection& connection, const std::string& table, const std::string& key,
                const std::string& where, std::int64_t rows);

/// By how much the sums disagree with each other and with the cursors; nullopt while they are
/// emptied. To be called in a snapshot.
std::optional<std::int64_t> disagreement(db::Connection& connection);

}  // namespace tipflow::analysis::store
