#include "analysis/portrait_store.h"

#include <fmt/format.h>

#include <unordered_map>

namespace tipflow::analysis::store {
namespace {

constexpr std::int64_t kPortraitsDropped = 20'000;

constexpr const char* kPortrait = R"(
  SELECT r.round, r.viewers, r.published_at, p.total, p.tips, p.place, p.tier
  FROM portrait_round r LEFT JOIN portrait p ON p.round = r.round AND p.viewer_id = ?
  WHERE r.round = (SELECT round FROM portrait_round WHERE published_at IS NOT NULL
                   ORDER BY round DESC LIMIT 1))";
constexpr const char* kTiers = R"(
  SELECT viewer_id, tier FROM portrait
  WHERE round = (SELECT round FROM portrait_round WHERE published_at IS NOT NULL
                 ORDER BY round DESC LIMIT 1) AND viewer_id IN ()";
constexpr const char* kRounds = R"(
  SELECT round, started_at, cutoff_at, tips, viewers, published_at FROM portrait_round)";
constexpr const char* kPublish = R"(
  UPDATE portrait_round SET cutoff_at = ?, tips = ?, viewers = ?, published_at = ?
  WHERE round = ? AND published_at IS NULL)";
constexpr const char* kAboveCutoff = R"(
  SELECT viewer_id, amount FROM ledger WHERE tip_id > ? AND tip_id <= ?)";

Round roundOf(const db::Row& row) {
  Round round{row.integer(0), row.time(1),    std::nullopt,
              row.integer(3), row.integer(4), row.optionalTime(5)};
  if (round.publishedAt) round.cutoffAt = row.time(2);
  return round;
}

/// The spans that the marks are beyond the cutoff; nullopt when they are not that far.
std::optional<std::vector<LaneSpan>> beyond(const LaneMarks& marks, const LaneMarks& cutoff) {
  std::vector<LaneSpan> spans;
  for (const auto& [lane, seq] : cutoff) {
    const auto mark = marks.find(lane);
    if (mark == marks.end() || mark->second < seq) return std::nullopt;
  }
  for (const auto& [lane, mark] : marks) {
    const auto found = cutoff.find(lane);
    const LaneSeq seq = found == cutoff.end() ? LaneSeq{0} : found->second;
    if (mark > seq) spans.push_back({lane, seq, mark});
  }
  return spans;
}

void takeBack(db::Connection& connection, const LaneSpan& span,
              std::unordered_map<ViewerId, LifetimeTotal*>& byViewer) {
  connection.query(kAboveCutoff, {tipIdOf(span.lane, span.after), tipIdOf(span.lane, span.to)},
                   [&](const db::Row& row) {
                     const auto found = byViewer.find(row.id<ViewerId>(0));
                     if (found == byViewer.end()) {
                       throw BrokenInvariant("a tip that was counted is in no viewer's total");
                     }
                     found->second->total = found->second->total - Fen{row.integer(1)};
                     --found->second->tips;
                   });
}

}  // namespace

std::int64_t beginRound(db::Connection& connection, const Cutoff& cutoff) {
  std::int64_t round = 0;
  connection.query("SELECT COALESCE(MAX(round), 0) + 1 FROM portrait_round", {},
                   [&](const db::Row& row) { round = row.integer(0); });
  connection.exec(
      "INSERT INTO portrait_round (round, started_at, cutoff_at, tips, viewers, published_at) "
      "VALUES (?, ?, 0, 0, 0, NULL)",
      {round, cutoff.readAt});
  std::vector<db::Param> values;
  for (const auto& [lane, seq] : cutoff.lanes) values.insert(values.end(), {round, lane, seq});
  connection.insertRows("INSERT INTO portrait_cutoff (round, lane_id, last_seq)", 3, values, "");
  return round;
}

std::optional<std::vector<LifetimeTotal>> totalsAt(db::Connection& connection,
                                                   const LaneMarks& cutoff) {
  const auto spans = beyond(progress(connection), cutoff);
  if (!spans || state(connection).clearing) return std::nullopt;
  std::vector<LifetimeTotal> totals;
  connection.query("SELECT viewer_id, total, tips FROM viewer_total", {}, [&](const db::Row& row) {
    totals.push_back({row.id<ViewerId>(0), Fen{row.integer(1)}, row.integer(2)});
  });
  if (spans->empty()) return totals;
  std::unordered_map<ViewerId, LifetimeTotal*> byViewer;
  for (auto& total : totals) byViewer.emplace(total.viewer, &total);
  for (const auto& span : *spans) takeBack(connection, span, byViewer);
  std::erase_if(totals, [](const LifetimeTotal& total) { return total.tips == 0; });
  return totals;
}

void writePortraits(db::Connection& connection, std::int64_t round, std::span<const Ranked> part) {
  std::vector<db::Param> values;
  values.reserve(part.size() * 6);
  for (const auto& one : part) {
    values.insert(values.end(),
                  {round, one.of.viewer, one.of.total, one.of.tips, one.rank, one.tier});
  }
  connection.insertRows("INSERT INTO portrait (round, viewer_id, total, tips, place, tier)", 6,
                        values, "");
}

void publish(db::Connection& connection, const RoundEnd& end) {
  std::vector<db::Param> values;
  for (const auto& sum : end.tiers) {
    values.insert(values.end(), {end.round, sum.tier, sum.viewers, sum.total, sum.least, sum.most});
  }
  connection.insertRows("INSERT INTO portrait_tier (round, tier, viewers, total, least, most)", 6,
                        values, "");
  const auto published =
      connection.exec(kPublish, {end.cutoffAt, end.tips, end.viewers, connection.now(), end.round});
  if (published.matched != 1) throw BrokenInvariant("a round is not there to be published");
}

bool dropSomePortraits(db::Connection& connection) {
  std::vector<std::int64_t> kept;
  connection.query(
      fmt::format("{} WHERE published_at IS NOT NULL ORDER BY round DESC LIMIT 2", kRounds), {},
      [&](const db::Row& row) { kept.push_back(row.integer(0)); });
  std::int64_t last = 0;
  for (;;) {
    std::optional<std::int64_t> round;
    connection.query("SELECT MIN(round) FROM portrait WHERE round > ?", {last},
                     [&](const db::Row& row) { round = row.optionalInteger(0); });
    if (!round) break;
    last = *round;
    if (std::find(kept.begin(), kept.end(), last) != kept.end()) continue;
    return deleteSome(connection, "portrait", "viewer_id", fmt::format("round = {}", last),
                      kPortraitsDropped);
  }
  if (!kept.empty()) {
    connection.exec("DELETE FROM portrait_cutoff WHERE round < ?", {kept.back()});
  }
  return false;
}

std::optional<Portrait> portrait(db::Connection& connection, ViewerId viewer) {
  std::optional<Portrait> found;
  connection.query(kPortrait, {viewer}, [&](const db::Row& row) {
    auto& portrait = found.emplace();
    portrait.viewerId = viewer;
    portrait.round = row.integer(0);
    portrait.viewers = row.integer(1);
    portrait.updatedAt = row.time(2);
    if (row.isNull(3)) return;
    portrait.total = Fen{row.integer(3)};
    portrait.tips = row.integer(4);
    portrait.rank = row.integer(5);
    portrait.tier = static_cast<Tier>(row.integer(6));
  });
  return found;
}

std::map<ViewerId, Tier> tiers(db::Connection& connection, const std::vector<ViewerId>& viewers) {
  std::map<ViewerId, Tier> found;
  if (viewers.empty()) return found;
  std::string sql = kTiers;
  for (std::size_t i = 0; i < viewers.size(); ++i) sql += i == 0 ? "?" : ",?";
  sql += ")";
  const std::vector<db::Param> params(viewers.begin(), viewers.end());
  connection.query(sql, params, [&](const db::Row& row) {
    found.emplace(row.id<ViewerId>(0), static_cast<Tier>(row.integer(1)));
  });
  return found;
}

std::vector<Round> rounds(db::Connection& connection, std::int64_t before, int limit) {
  std::vector<Round> found;
  connection.query(fmt::format("{} WHERE round < ? ORDER BY round DESC LIMIT ?", kRounds),
                   {before, limit}, [&](const db::Row& row) { found.push_back(roundOf(row)); });
  return found;
}

std::optional<Round> publishedRound(db::Connection& connection) {
  std::optional<Round> found;
  connection.query(
      fmt::format("{} WHERE published_at IS NOT NULL ORDER BY round DESC LIMIT 1", kRounds), {},
      [&](const db::Row& row) { found = roundOf(row); });
  return found;
}

std::vector<TierSum> tierSums(db::Connection& connection, std::int64_t round) {
  std::vector<TierSum> sums;
  connection.query(
      "SELECT tier, viewers, total, least, most FROM portrait_tier WHERE round = ? "
      "ORDER BY tier DESC",
      {round}, [&](const db::Row& row) {
        sums.push_back({static_cast<Tier>(row.integer(0)), row.integer(1), Fen{row.integer(2)},
                        Fen{row.integer(3)}, Fen{row.integer(4)}});
      });
  return sums;
}

}  // namespace tipflow::analysis::store
