#include "analysis/report_store.h"

#include <fmt/format.h>

namespace tipflow::analysis::store {
namespace {

/// A table, and the stretch of its time column that is read.
struct Piece {
  const char* table;
  const char* time;
  std::int64_t from;
  std::int64_t to;
};

std::vector<Piece> piecesOf(const CubeQuestion& question) {
  const auto& range = question.range;
  switch (sourceOf(question.groups, question.filter)) {
    case CubeSource::cube:
      return {{"hourly_tip", "hour", range.from.us, range.to.us}};
    case CubeSource::byHour:
      return {{"hourly_sum", "hour", range.from.us, range.to.us}};
    case CubeSource::byDay:
      break;
  }
  if (!question.wholeDays) return {{"hourly_tip", "hour", range.from.us, range.to.us}};
  const auto& days = *question.wholeDays;
  std::vector<Piece> pieces{{"daily_tip", "day", days.first, days.end}};
  if (range.from < days.hours.from) {
    pieces.push_back({"hourly_tip", "hour", range.from.us, days.hours.from.us});
  }
  if (days.hours.to < range.to) {
    pieces.push_back({"hourly_tip", "hour", days.hours.to.us, range.to.us});
  }
  return pieces;
}

struct Statement {
  std::string sql;
  std::vector<db::Param> params;
};

Statement statementFor(const Piece& piece, const CubeQuestion& question) {
  const auto& groups = question.groups;
  std::vector<std::string_view> by;
  const auto column = [&](bool wanted, std::string_view name) {
    if (wanted) by.push_back(name);
    return wanted ? name : std::string_view{"0"};
  };
  const auto hour = column(groups.hour, "hour");
  const auto anchor = column(groups.anchor, "anchor_id");
  const auto anchorGender = column(groups.anchorGender, "anchor_gender");
  const auto viewerGender = column(groups.viewerGender, "viewer_gender");
  Statement statement;
  statement.sql = fmt::format(
      "SELECT {}, {}, {}, {}, COALESCE(SUM(amount), 0), COALESCE(SUM(tips), 0), "
      "COALESCE(SUM(anchor_units), 0) FROM {} WHERE {} >= ? AND {} < ?",
      hour, anchor, anchorGender, viewerGender, piece.table, piece.time, piece.time);
  statement.params = {piece.from, piece.to};
  const auto where = [&](std::string_view name, db::Param value) {
    statement.sql += fmt::format(" AND {} = ?", name);
    statement.params.push_back(value);
  };
  if (question.filter.anchor) where("anchor_id", *question.filter.anchor);
  if (question.filter.anchorGender) where("anchor_gender", *question.filter.anchorGender);
  if (question.filter.viewerGender) where("viewer_gender", *question.filter.viewerGender);
  if (!by.empty()) {
    const auto list = fmt::format("{}", fmt::join(by, ", "));
    statement.sql += fmt::format(" GROUP BY {} ORDER BY {} LIMIT ?", list, list);
    statement.params.emplace_back(kMostItems + 1);
  }
  return statement;
}

}  // namespace

std::map<CubeKey, Sum> cube(db::Connection& connection, const CubeQuestion& question) {
  std::map<CubeKey, Sum> sums;
  for (const auto& piece : piecesOf(question)) {
    const auto statement = statementFor(piece, question);
    connection.query(statement.sql, statement.params, [&](const db::Row& row) {
      sums[{row.integer(0), row.integer(1), row.integer(2), row.integer(3)}].add(
          {Fen{row.integer(4)}, row.integer(5), Units{row.integer(6)}});
    });
  }
  return sums;
}

std::map<std::int64_t, ViewerSet> payers(db::Connection& connection, std::int64_t first,
                                         std::int64_t end) {
  std::map<std::int64_t, ViewerSet> days;
  connection.query(
      "SELECT day, block, bits FROM daily_payer WHERE day >= ? AND day < ?", {first, end},
      [&](const db::Row& row) { days[row.integer(0)].addBlock(row.integer(1), row.text(2)); });
  return days;
}

}  // namespace tipflow::analysis::store
