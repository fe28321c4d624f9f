#include "analysis/association_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/db/dialect.h"

namespace tipflow::analysis::tagstore {
namespace {

constexpr const char* kBehind = R"(
  SELECT c.lane_id, COALESCE(p.last_seq, 0), c.last_seq FROM sync_cursor c
  LEFT JOIN association_progress p ON p.lane_id = c.lane_id
  WHERE c.last_seq > COALESCE(p.last_seq, 0) ORDER BY c.lane_id)";
constexpr const char* kLedgerActivity = R"(
  SELECT viewer_id, anchor_id, COUNT(*), 0, MAX(accepted_at) FROM ledger
  WHERE tip_id > ? AND tip_id <= ? GROUP BY viewer_id, anchor_id)";
constexpr const char* kInsertActivity = R"(INSERT INTO viewer_activity
  (viewer_id, anchor_id, tips, watched_seconds, last_at))";
constexpr const char* kActivityColumns =
    "SELECT viewer_id, anchor_id, tips, watched_seconds, last_at FROM viewer_activity";
// By another name: in what follows a duplicate key, MySQL would take viewer_id for that of either
// table. The outer WHERE keeps SQLite from taking ON CONFLICT for the condition of a join.
constexpr const char* kMarkViewersOf = R"(INSERT INTO association_dirty (viewer_id)
  SELECT viewer FROM (SELECT viewer_id AS viewer FROM viewer_activity WHERE anchor_id = ?) AS active
  WHERE viewer > 0)";
constexpr const char* kGenerations = R"(
  SELECT generation, rules, base_day, published, counted_to, as_of FROM association_generation)";
constexpr const char* kPartners = R"(
  SELECT tag_b AS tag, weight, viewers FROM association_pair
  WHERE generation = ? AND tag_a = ? AND weight > 0
  UNION ALL
  SELECT tag_a AS tag, weight, viewers FROM association_pair
  WHERE generation = ? AND tag_b = ? AND weight > 0
  ORDER BY weight DESC, tag LIMIT ?)";

std::string places(std::size_t count) {
  std::string text = "?";
  for (std::size_t i = 1; i < count; ++i) text += ",?";
  return text;
}

Activity activityIn(const db::Row& row) {
  return {row.id<ViewerId>(0), row.id<AnchorId>(1), row.integer(2), row.integer(3), row.time(4)};
}

Generation generationIn(const db::Row& row) {
  return {row.integer(0),      row.integer(1),      row.integer(2),
          row.integer(3) != 0, row.id<ViewerId>(4), row.time(5)};
}

/// Tail of an INSERT into viewer_activity: adds to a row that is there, and keeps the newer
/// instant.
std::string addingActivity(db::Dialect dialect) {
  auto tail = db::upsertAdd(dialect, "viewer_id, anchor_id", {"tips", "watched_seconds"});
  const auto* fresh = dialect == db::Dialect::mysql ? "VALUES(last_at)" : "excluded.last_at";
  const auto* kept = dialect == db::Dialect::mysql ? "last_at" : "viewer_activity.last_at";
  tail += fmt::format(", last_at = CASE WHEN {0} > {1} THEN {0} ELSE {1} END", fresh, kept);
  return tail;
}

std::map<TagPair, TagSum> pairsInOrder(db::Connection& connection, std::int64_t generation,
                                       const std::vector<std::string>& first,
                                       const std::vector<std::string>& second) {
  std::map<TagPair, TagSum> pairs;
  if (first.empty() || second.empty()) return pairs;
  std::vector<db::Param> params{generation};
  params.insert(params.end(), first.begin(), first.end());
  params.insert(params.end(), second.begin(), second.end());
  connection.query(
      fmt::format("SELECT tag_a, tag_b, weight, viewers FROM association_pair WHERE generation = ? "
                  "AND tag_a IN ({}) AND tag_b IN ({}) AND weight > 0",
                  places(first.size()), places(second.size())),
      params, [&](const db::Row& row) {
        pairs[{std::string(row.text(0)), std::string(row.text(1))}] = {row.integer(2),
                                                                       row.integer(3)};
      });
  return pairs;
}

}  // namespace

// What viewers did ------------------------------------------------------------------------------

void addActivity(db::Connection& connection, std::vector<Activity> activity) {
  // In one order, so that two who add to the same rows wait for each other and do not deadlock.
  std::sort(activity.begin(), activity.end(), [](const Activity& a, const Activity& b) {
    return std::pair(a.viewer, a.anchor) < std::pair(b.viewer, b.anchor);
  });
  std::vector<db::Param> values;
  values.reserve(activity.size() * 5);
  std::vector<ViewerId> viewers;
  for (const auto& one : activity) {
    values.insert(values.end(), {one.viewer, one.anchor, one.tips, one.watchedSeconds, one.lastAt});
    viewers.push_back(one.viewer);
  }
  connection.insertRows(kInsertActivity, 5, values, addingActivity(connection.dialect()));
  markDirty(connection, std::move(viewers));
}

std::vector<LaneStretch> lanesBehind(db::Connection& connection) {
  std::vector<LaneStretch> lanes;
  connection.query(kBehind, {}, [&](const db::Row& row) {
    lanes.push_back({row.id<LaneId>(0), row.id<LaneSeq>(1), row.id<LaneSeq>(2)});
  });
  return lanes;
}

std::vector<Activity> ledgerActivity(db::Connection& connection, const LaneStretch& stretch) {
  std::vector<Activity> activity;
  connection.query(kLedgerActivity,
                   {tipIdOf(stretch.lane, stretch.after), tipIdOf(stretch.lane, stretch.to)},
                   [&](const db::Row& row) { activity.push_back(activityIn(row)); });
  return activity;
}

void setProgress(db::Connection& connection, LaneId lane, LaneSeq seq) {
  connection.exec("INSERT INTO association_progress (lane_id, last_seq) VALUES (?, ?)" +
                      db::upsertSet(connection.dialect(), "lane_id", {"last_seq"}),
                  {lane, seq});
}

std::map<ViewerId, std::vector<Activity>> activityOf(db::Connection& connection,
                                                     const std::vector<ViewerId>& viewers) {
  std::map<ViewerId, std::vector<Activity>> activity;
  if (viewers.empty()) return activity;
  const std::vector<db::Param> params(viewers.begin(), viewers.end());
  connection.query(
      fmt::format("{} WHERE viewer_id IN ({})", kActivityColumns, places(viewers.size())), params,
      [&](const db::Row& row) { activity[row.id<ViewerId>(0)].push_back(activityIn(row)); });
  return activity;
}

std::vector<Activity> newestActivity(db::Connection& connection, ViewerId viewer, int limit) {
  std::vector<Activity> activity;
  connection.query(std::string(kActivityColumns) +
                       " WHERE viewer_id = ? ORDER BY last_at DESC, anchor_id LIMIT ?",
                   {viewer, limit},
                   [&](const db::Row& row) { activity.push_back(activityIn(row)); });
  return activity;
}

// Who is to be counted again --------------------------------------------------------------------

std::vector<ViewerId> dirtyViewers(db::Connection& connection, int limit) {
  std::vector<ViewerId> viewers;
  connection.query("SELECT viewer_id FROM association_dirty ORDER BY viewer_id LIMIT ?", {limit},
                   [&](const db::Row& row) { viewers.push_back(row.id<ViewerId>(0)); });
  return viewers;
}

std::vector<ViewerId> holdDirty(db::Connection& connection, const std::vector<ViewerId>& viewers) {
  std::vector<ViewerId> held;
  if (viewers.empty()) return held;
  const std::vector<db::Param> params(viewers.begin(), viewers.end());
  connection.query(
      fmt::format(
          "SELECT viewer_id FROM association_dirty WHERE viewer_id IN ({}) ORDER BY viewer_id{}",
          places(viewers.size()), db::forUpdate(connection.dialect())),
      params, [&](const db::Row& row) { held.push_back(row.id<ViewerId>(0)); });
  return held;
}

void clearDirty(db::Connection& connection, const std::vector<ViewerId>& viewers) {
  if (viewers.empty()) return;
  const std::vector<db::Param> params(viewers.begin(), viewers.end());
  connection.exec(
      fmt::format("DELETE FROM association_dirty WHERE viewer_id IN ({})", places(viewers.size())),
      params);
}

void markDirty(db::Connection& connection, std::vector<ViewerId> viewers) {
  std::sort(viewers.begin(), viewers.end());
  viewers.erase(std::unique(viewers.begin(), viewers.end()), viewers.end());
  const std::vector<db::Param> values(viewers.begin(), viewers.end());
  connection.insertRows("INSERT INTO association_dirty (viewer_id)", 1, values,
                        db::orKeep(connection.dialect(), "viewer_id"));
}

void markViewersOf(db::Connection& connection, AnchorId anchor) {
  connection.exec(kMarkViewersOf + db::orKeep(connection.dialect(), "viewer_id"), {anchor});
}

// Rooms -----------------------------------------------------------------------------------------

std::map<AnchorId, std::vector<std::string>> roomTags(db::Connection& connection) {
  std::map<AnchorId, std::vector<std::string>> tags;
  connection.query("SELECT anchor_id, tags FROM association_room", {}, [&](const db::Row& row) {
    tags[row.id<AnchorId>(0)] = decodeTags(row.text(1));
  });
  return tags;
}

void setRoomTags(db::Connection& connection, AnchorId anchor,
                 const std::vector<std::string>& tags) {
  const auto text = encode(tags);
  connection.exec("INSERT INTO association_room (anchor_id, tags) VALUES (?, ?)" +
                      db::upsertSet(connection.dialect(), "anchor_id", {"tags"}),
                  {anchor, text});
}

// Generations and their sums --------------------------------------------------------------------

std::vector<Generation> generations(db::Connection& connection) {
  std::vector<Generation> all;
  connection.query(std::string(kGenerations) + " ORDER BY generation", {},
                   [&](const db::Row& row) { all.push_back(generationIn(row)); });
  return all;
}

std::optional<Generation> publishedGeneration(db::Connection& connection) {
  std::optional<Generation> found;
  connection.query(std::string(kGenerations) + " WHERE published = 1", {},
                   [&](const db::Row& row) { found = generationIn(row); });
  return found;
}

void addGeneration(db::Connection& connection, const Generation& one) {
  connection.exec(
      "INSERT INTO association_generation (generation, rules, base_day, published, counted_to, "
      "as_of) VALUES (?, ?, ?, ?, ?, ?)",
      {one.number, one.rules, one.baseDay, one.published ? 1 : 0, one.countedTo, one.asOf});
}

void setCountedTo(db::Connection& connection, std::int64_t generation, ViewerId viewer) {
  connection.exec("UPDATE association_generation SET counted_to = ? WHERE generation = ?",
                  {viewer, generation});
}

void publish(db::Connection& connection, std::int64_t generation, Time asOf) {
  connection.exec(
      "UPDATE association_generation SET published = CASE WHEN generation = ? THEN 1 ELSE 0 END",
      {generation});
  setAsOf(connection, generation, asOf);
}

void setAsOf(db::Connection& connection, std::int64_t generation, Time asOf) {
  connection.exec("UPDATE association_generation SET as_of = ? WHERE generation = ?",
                  {asOf, generation});
}

bool dropSome(db::Connection& connection, std::int64_t generation, int limit) {
  const auto viewers = countedAfter(connection, generation, ViewerId{0}, limit);
  if (!viewers.empty()) {
    connection.exec("DELETE FROM association_viewer WHERE generation = ? AND viewer_id <= ?",
                    {generation, viewers.back()});
    return true;
  }
  connection.exec("DELETE FROM association_pair WHERE generation = ?", {generation});
  connection.exec("DELETE FROM association_tag WHERE generation = ?", {generation});
  connection.exec("DELETE FROM association_generation WHERE generation = ?", {generation});
  return false;
}

std::map<ViewerId, CountedViewer> countedViewers(db::Connection& connection,
                                                 std::int64_t generation,
                                                 const std::vector<ViewerId>& viewers) {
  std::map<ViewerId, CountedViewer> counted;
  if (viewers.empty()) return counted;
  std::vector<db::Param> params{generation};
  params.insert(params.end(), viewers.begin(), viewers.end());
  connection.query(fmt::format("SELECT viewer_id, carried, weights FROM association_viewer "
                               "WHERE generation = ? AND viewer_id IN ({})",
                               places(viewers.size())),
                   params, [&](const db::Row& row) {
                     counted[row.id<ViewerId>(0)] = {decodeTags(row.text(1)),
                                                     decodeWeights(row.text(2))};
                   });
  return counted;
}

std::vector<ViewerId> countedAfter(db::Connection& connection, std::int64_t generation,
                                   ViewerId after, int limit) {
  std::vector<ViewerId> viewers;
  connection.query(
      "SELECT viewer_id FROM association_viewer WHERE generation = ? AND viewer_id > ? "
      "ORDER BY viewer_id LIMIT ?",
      {generation, after, limit},
      [&](const db::Row& row) { viewers.push_back(row.id<ViewerId>(0)); });
  return viewers;
}

void setCountedViewers(db::Connection& connection, std::int64_t generation,
                       const std::map<ViewerId, CountedViewer>& viewers) {
  std::vector<std::string> texts;
  texts.reserve(viewers.size() * 2);  // what the parameters view stays where it is
  std::vector<db::Param> values;
  for (const auto& [viewer, counted] : viewers) {
    texts.push_back(encode(counted.carried));
    texts.push_back(encode(counted.weights));
    values.insert(values.end(), {generation, viewer, texts[texts.size() - 2], texts.back()});
  }
  connection.insertRows(
      "INSERT INTO association_viewer (generation, viewer_id, carried, weights)", 4, values,
      db::upsertSet(connection.dialect(), "generation, viewer_id", {"carried", "weights"}));
}

void addSums(db::Connection& connection, std::int64_t generation, const TagSums& sums) {
  const auto dialect = connection.dialect();
  std::vector<db::Param> values;
  for (const auto& [tag, sum] : sums.tags()) {
    if (sum == TagSum{}) continue;
    values.insert(values.end(), {generation, tag, sum.weight, sum.viewers});
  }
  connection.insertRows("INSERT INTO association_tag (generation, tag, weight, viewers)", 4, values,
                        db::upsertAdd(dialect, "generation, tag", {"weight", "viewers"}));
  values.clear();
  for (const auto& [pair, sum] : sums.pairs()) {
    if (sum == TagSum{}) continue;
    values.insert(values.end(), {generation, pair.first, pair.second, sum.weight, sum.viewers});
  }
  connection.insertRows("INSERT INTO association_pair (generation, tag_a, tag_b, weight, viewers)",
                        5, values,
                        db::upsertAdd(dialect, "generation, tag_a, tag_b", {"weight", "viewers"}));
}

// What readers ask ------------------------------------------------------------------------------

std::vector<std::pair<std::string, TagSum>> heaviestTags(db::Connection& connection,
                                                         std::int64_t generation, int limit) {
  std::vector<std::pair<std::string, TagSum>> tags;
  connection.query(
      "SELECT tag, weight, viewers FROM association_tag WHERE generation = ? AND weight > 0 "
      "ORDER BY weight DESC, tag LIMIT ?",
      {generation, limit}, [&](const db::Row& row) {
        tags.emplace_back(row.text(0), TagSum{row.integer(1), row.integer(2)});
      });
  return tags;
}

std::map<std::string, TagSum> sumsOf(db::Connection& connection, std::int64_t generation,
                                     const std::vector<std::string>& tags) {
  std::map<std::string, TagSum> sums;
  if (tags.empty()) return sums;
  std::vector<db::Param> params{generation};
  params.insert(params.end(), tags.begin(), tags.end());
  connection.query(fmt::format("SELECT tag, weight, viewers FROM association_tag "
                               "WHERE generation = ? AND tag IN ({}) AND weight > 0",
                               places(tags.size())),
                   params, [&](const db::Row& row) {
                     sums[std::string(row.text(0))] = {row.integer(1), row.integer(2)};
                   });
  return sums;
}

std::vector<std::pair<std::string, TagSum>> partnersOf(db::Connection& connection,
                                                       std::int64_t generation,
                                                       const std::string& tag, int limit) {
  std::vector<std::pair<std::string, TagSum>> partners;
  connection.query(kPartners, {generation, tag, generation, tag, limit}, [&](const db::Row& row) {
    partners.emplace_back(row.text(0), TagSum{row.integer(1), row.integer(2)});
  });
  return partners;
}

std::map<TagPair, TagSum> pairsBetween(db::Connection& connection, std::int64_t generation,
                                       const std::vector<std::string>& some,
                                       const std::vector<std::string>& others) {
  auto pairs = pairsInOrder(connection, generation, some, others);
  pairs.merge(pairsInOrder(connection, generation, others, some));
  return pairs;
}

}  // namespace tipflow::analysis::tagstore
