#include "analysis/sum_store.h"

#include <fmt/format.h>

#include <array>

#include "platform/db/dialect.h"

namespace tipflow::analysis::store {
namespace {

// A lane that was settled so short a time ago is under way: it is complete up to its newest tip.
// All tips of the others were settled so long after they were accepted, at most, or are not known
// here.
constexpr Duration kUnderWay{5 * kUsPerSecond};
constexpr Duration kSettlingAtMost{2 * kUsPerSecond};

constexpr std::size_t kRowsAStatement = 5'000;
constexpr std::int64_t kRowsCleared = 20'000;

constexpr const char* kState = "SELECT as_of, zone, clearing FROM analysis_state WHERE id = 1";
constexpr const char* kLedgerRows = R"(
  SELECT accepted_at, anchor_id, viewer_id, anchor_gender, viewer_gender, amount, anchor_units
  FROM ledger WHERE tip_id > ? AND tip_id <= ? ORDER BY tip_id)";
constexpr const char* kAdvance = R"(
  UPDATE analysis_progress SET last_seq = ?, amount = amount + ?, moved_at = ?
  WHERE lane_id = ? AND last_seq = ?)";
constexpr const char* kBadMarks = R"(
  SELECT COUNT(*) FROM analysis_progress p LEFT JOIN sync_cursor c ON c.lane_id = p.lane_id
  WHERE c.lane_id IS NULL OR p.last_seq > c.last_seq
     OR (p.last_seq = c.last_seq AND p.amount <> c.amount))";

/// The tables that are emptied, each with the column that its rows lie in order of.
constexpr std::array<std::pair<const char*, const char*>, 6> kCleared{
    {{"hourly_tip", "hour"},
     {"hourly_sum", "hour"},
     {"daily_tip", "day"},
     {"daily_payer", "day"},
     {"viewer_total", "viewer_id"},
     {"analysis_progress", "lane_id"}}};

std::int64_t one(db::Connection& connection, std::string_view sql) {
  std::int64_t value = 0;
  connection.query(sql, {}, [&](const db::Row& row) { value = row.integer(0); });
  return value;
}

State readState(db::Connection& connection, std::string_view tail) {
  State state;
  connection.query(std::string(kState) + std::string(tail), {}, [&](const db::Row& row) {
    state = {row.time(0), std::string(row.text(1)), row.integer(2) != 0};
  });
  return state;
}

/// Rows of values, sent a few thousand at once.
class Rows {
 public:
  Rows(db::Connection& connection, std::string head, std::size_t columns, std::string tail)
      : connection_(connection),
        head_(std::move(head)),
        columns_(columns),
        tail_(std::move(tail)) {}
  void add(std::initializer_list<db::Param> row) {
    values_.insert(values_.end(), row);
    if (values_.size() >= kRowsAStatement * columns_) send();
  }
  void send() {
    connection_.insertRows(head_, columns_, values_, tail_);
    values_.clear();
  }

 private:
  db::Connection& connection_;
  std::string head_;
  std::size_t columns_;
  std::string tail_;
  std::vector<db::Param> values_;
};

std::string addSums(db::Connection& connection, std::string_view key) {
  return db::upsertAdd(connection.dialect(), key, {"amount", "tips", "anchor_units"});
}

void addCells(db::Connection& connection, const Gathering& gathering) {
  Rows rows(connection,
            "INSERT INTO hourly_tip (hour, anchor_id, anchor_gender, viewer_gender, amount, tips, "
            "anchor_units)",
            7, addSums(connection, "hour, anchor_id, anchor_gender, viewer_gender"));
  for (const auto& [key, sum] : gathering.cells()) {
    rows.add({key.hour, key.anchor, key.anchorGender, key.viewerGender, sum.amount, sum.tips,
              sum.anchorUnits});
  }
  rows.send();
}

void addHours(db::Connection& connection, const Gathering& gathering) {
  Rows rows(connection,
            "INSERT INTO hourly_sum (hour, anchor_gender, viewer_gender, amount, tips, "
            "anchor_units)",
            6, addSums(connection, "hour, anchor_gender, viewer_gender"));
  for (const auto& [key, sum] : gathering.hours()) {
    rows.add({key.hour, key.anchorGender, key.viewerGender, sum.amount, sum.tips, sum.anchorUnits});
  }
  rows.send();
}

void addDays(db::Connection& connection, const Gathering& gathering) {
  Rows rows(connection,
            "INSERT INTO daily_tip (day, anchor_id, anchor_gender, viewer_gender, amount, tips, "
            "anchor_units)",
            7, addSums(connection, "day, anchor_id, anchor_gender, viewer_gender"));
  for (const auto& [key, sum] : gathering.days()) {
    rows.add({key.day, key.anchor, key.anchorGender, key.viewerGender, sum.amount, sum.tips,
              sum.anchorUnits});
  }
  rows.send();
}

void addViewers(db::Connection& connection, const Gathering& gathering) {
  Rows rows(connection, "INSERT INTO viewer_total (viewer_id, total, tips, first_at, last_at)", 5,
            db::upsert(connection.dialect(), "viewer_id",
                       {{"total", db::Merge::add},
                        {"tips", db::Merge::add},
                        {"first_at", db::Merge::least},
                        {"last_at", db::Merge::greatest}}));
  for (const auto& sum : gathering.viewers()) {
    rows.add({sum.viewer, sum.total, sum.tips, sum.firstAt, sum.lastAt});
  }
  rows.send();
}

void addPayers(db::Connection& connection, const Gathering& gathering) {
  for (const auto& [day, added] : gathering.payers()) {
    ViewerSet all = added;
    for (const auto& [block, _] : added.blocks()) {
      connection.query(
          "SELECT bits FROM daily_payer WHERE day = ? AND block = ?", {day, block},
          [&, number = block](const db::Row& row) { all.addBlock(number, row.text(0)); });
    }
    for (const auto& [block, bits] : all.blocks()) {
      connection.exec("INSERT INTO daily_payer (day, block, bits) VALUES (?, ?, ?)" +
                          db::upsertSet(connection.dialect(), "day, block", {"bits"}),
                      {day, block, db::Bytes{bits}});
    }
  }
}

}  // namespace

void seedState(db::Connection& connection, const std::string& zone) {
  connection.exec("INSERT INTO analysis_state (id, as_of, zone, clearing) VALUES (1, 0, ?, 0)" +
                      db::orKeep(connection.dialect(), "id"),
                  {zone});
}

State state(db::Connection& connection) { return readState(connection, {}); }

State holdState(db::Connection& connection) {
  return readState(connection, db::forUpdate(connection.dialect()));
}

void setAsOf(db::Connection& connection, Time asOf) {
  connection.exec("UPDATE analysis_state SET as_of = ? WHERE id = 1", {asOf});
}

Cutoff cursors(db::Connection& connection) {
  Cutoff cutoff;
  cutoff.readAt = connection.now();
  connection.query(
      "SELECT lane_id, last_seq FROM sync_cursor WHERE last_seq > 0", {},
      [&](const db::Row& row) { cutoff.lanes.emplace(row.id<LaneId>(0), row.id<LaneSeq>(1)); });
  return cutoff;
}

LaneMarks progress(db::Connection& connection) {
  LaneMarks marks;
  connection.query("SELECT lane_id, last_seq FROM analysis_progress", {}, [&](const db::Row& row) {
    marks.emplace(row.id<LaneId>(0), row.id<LaneSeq>(1));
  });
  return marks;
}

std::optional<Time> countedBy(db::Connection& connection, TipId tip) {
  std::optional<Time> by;
  connection.query("SELECT moved_at FROM analysis_progress WHERE lane_id = ? AND last_seq >= ?",
                   {laneOf(tip), seqOf(tip)}, [&](const db::Row& row) { by = row.time(0); });
  return by;
}

Time completeUntil(db::Connection& connection, const Cutoff& cutoff) {
  std::vector<LaneId> underWay;
  connection.query("SELECT lane_id FROM analysis_progress WHERE moved_at > ?",
                   {cutoff.readAt - kUnderWay},
                   [&](const db::Row& row) { underWay.push_back(row.id<LaneId>(0)); });
  Time until = cutoff.readAt - kSettlingAtMost;
  for (const auto lane : underWay) {
    const auto mark = cutoff.lanes.find(lane);
    if (mark == cutoff.lanes.end()) continue;
    connection.query("SELECT accepted_at FROM ledger WHERE tip_id = ?",
                     {tipIdOf(lane, mark->second)},
                     [&](const db::Row& row) { until = std::min(until, row.time(0)); });
  }
  return until;
}

Fen gather(db::Connection& connection, const LaneSpan& span, Gathering& gathering) {
  Fen amount;
  std::int64_t found = 0;
  connection.query(kLedgerRows, {tipIdOf(span.lane, span.after), tipIdOf(span.lane, span.to)},
                   [&](const db::Row& row) {
                     LedgerTip tip;
                     tip.acceptedAt = row.time(0);
                     tip.anchor = row.id<AnchorId>(1);
                     tip.viewer = row.id<ViewerId>(2);
                     tip.anchorGender = static_cast<Gender>(row.integer(3));
                     tip.viewerGender = static_cast<Gender>(row.integer(4));
                     tip.amount = Fen{row.integer(5)};
                     tip.anchorUnits = Units{row.integer(6)};
                     gathering.add(tip);
                     amount += tip.amount;
                     ++found;
                   });
  if (found != span.tips()) {
    throw BrokenInvariant(fmt::format("lane {}: {} ledger rows above {} up to {}", span.lane.value,
                                      found, span.after.value, span.to.value));
  }
  return amount;
}

void advance(db::Connection& connection, const LaneSpan& span, Fen amount, Time movedAt) {
  if (span.after == LaneSeq{0}) {
    connection.exec(
        "INSERT INTO analysis_progress (lane_id, last_seq, amount, moved_at) VALUES (?, 0, 0, 0)" +
            db::orKeep(connection.dialect(), "lane_id"),
        {span.lane});
  }
  const auto moved =
      connection.exec(kAdvance, {span.to, amount, movedAt, span.lane, span.after}).matched;
  if (moved != 1) throw Outpaced("another node has counted these tips");
}

void add(db::Connection& connection, const Gathering& gathering) {
  addCells(connection, gathering);
  addHours(connection, gathering);
  addDays(connection, gathering);
  addViewers(connection, gathering);
  addPayers(connection, gathering);
}

void beginClearing(db::Connection& connection, const std::string& zone) {
  connection.exec("UPDATE analysis_state SET as_of = 0, zone = ?, clearing = 1 WHERE id = 1",
                  {zone});
}

bool clearSome(db::Connection& connection) {
  for (const auto& [table, key] : kCleared) {
    if (deleteSome(connection, table, key, "1 = 1", kRowsCleared)) return true;
  }
  connection.exec("UPDATE analysis_state SET clearing = 0 WHERE id = 1");
  return false;
}

bool deleteSome(db::Connection& connection, const std::string& table, const std::string& key,
                const std::string& where, std::int64_t rows) {
  std::optional<std::int64_t> last;
  connection.query(fmt::format("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT 1 OFFSET ?", key,
                               table, where, key),
                   {rows - 1}, [&](const db::Row& row) { last = row.integer(0); });
  const auto upTo = last ? fmt::format(" AND {} <= {}", key, *last) : std::string{};
  return connection.exec(fmt::format("DELETE FROM {} WHERE {}{}", table, where, upTo)).matched > 0;
}

std::optional<std::int64_t> disagreement(db::Connection& connection) {
  if (state(connection).clearing) return std::nullopt;
  Sum expected;
  connection.query(
      "SELECT COALESCE(SUM(last_seq), 0), COALESCE(SUM(amount), 0) FROM analysis_progress", {},
      [&](const db::Row& row) { expected = {Fen{row.integer(1)}, row.integer(0), {}}; });
  std::int64_t figure = one(connection, kBadMarks);
  for (const auto& [table, amount] :
       {std::pair{"hourly_sum", "amount"}, std::pair{"daily_tip", "amount"},
        std::pair{"viewer_total", "total"}}) {
    connection.query(
        fmt::format("SELECT COALESCE(SUM(tips), 0), COALESCE(SUM({}), 0) FROM {}", amount, table),
        {}, [&](const db::Row& row) {
          figure += std::abs(row.integer(0) - expected.tips);
          figure += std::abs((Fen{row.integer(1)} - expected.amount).value);
        });
  }
  return figure;
}

}  // namespace tipflow::analysis::store
