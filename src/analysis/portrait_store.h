// Rounds and their portraits in DB2: SQL in, types out. What readers see of a round they see in one
// statement, so that none sees parts of two.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "analysis/rules.h"
#include "analysis/sum_store.h"

namespace tipflow::analysis::store {

// A round, step by step ---------------------------------------------------------------------------
/// Numbers the round and notes which ledger rows it counts.
std::int64_t beginRound(db::Connection& connection, const Cutoff& cutoff);
/// What each viewer gave up to `cutoff`, exactly: the totals, less what they count beyond it. To be
/// called in a snapshot; nullopt when the totals are not that far.
std::optional<std::vector<LifetimeTotal>> totalsAt(db::Connection& connection,
                                                   const LaneMarks& cutoff);
void writePortraits(db::Connection& connection, std::int64_t round, std::span<const Ranked> part);
struct RoundEnd {
  std::int64_t round = 0;
  Time cutoffAt;
  std::int64_t tips = 0;
  std::int64_t viewers = 0;
  std::array<TierSum, 3> tiers;
};
/// From the commit on, readers see this round.
void publish(db::Connection& connection, const RoundEnd& end);
/// Deletes some portraits of rounds other than the published one and the one that was before it;
/// false when there are none.
bool dropSomePortraits(db::Connection& connection);

// What readers see --------------------------------------------------------------------------------
/// See AnalysisClient.
std::optional<Portrait> portrait(db::Connection& connection, ViewerId viewer);
std::map<ViewerId, Tier> tiers(db::Connection& connection, const std::vector<ViewerId>& viewers);

struct Round {
  std::int64_t number = 0;
  Time startedAt;
  std::optional<Time> cutoffAt;
  std::int64_t tips = 0;
  std::int64_t viewers = 0;
  std::optional<Time> publishedAt;  ///< nullopt: under way, or broken off
};
/// Newest first, below the round `before`.
std::vector<Round> rounds(db::Connection& connection, std::int64_t before, int limit);
/// The published round.
std::optional<Round> publishedRound(db::Connection& connection);
std::vector<TierSum> tierSums(db::Connection& connection, std::int64_t round);

}  // namespace tipflow::analysis::store
