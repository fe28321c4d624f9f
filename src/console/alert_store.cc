#include "console/alert_store.h"

#include <fmt/format.h>

#include "platform/db/dialect.h"

namespace tipflow::console::store {
namespace {

constexpr std::size_t kLongestDetail = 500;

constexpr const char* kInsert = R"(
  INSERT INTO alert (rule_name, subject, node, severity, detail, raised_at, open_mark)
  VALUES (?, ?, ?, ?, ?, ?, 1))";
constexpr const char* kResolve = R"(
  UPDATE alert SET resolved_at = ?, detail = ?, open_mark = NULL WHERE id = ? AND open_mark = 1)";
constexpr const char* kOpen = R"(
  SELECT a.id, a.rule_name, a.subject, a.node, a.severity, a.raised_at, n.heard_at
  FROM alert a LEFT JOIN alert_node n ON n.node = a.node WHERE a.open_mark = 1 ORDER BY a.id)";
constexpr const char* kForget = R"(
  DELETE FROM alert_node WHERE node = (SELECT node FROM alert WHERE id = ?)
  AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.node = alert_node.node AND a.open_mark = 1))";
constexpr const char* kAcknowledge = R"(
  UPDATE alert SET acknowledged_at = ?, acknowledged_by = ?
  WHERE id = ? AND open_mark = 1 AND acknowledged_at IS NULL)";
constexpr const char* kAlerts = R"(
  SELECT a.id, a.rule_name, a.subject, a.severity, a.detail, a.raised_at, a.acknowledged_at,
         a.acknowledged_by, u.name, a.resolved_at
  FROM alert a LEFT JOIN operator_user u ON u.id = a.acknowledged_by WHERE)";

/// Cut between characters.
std::string shortened(std::string text) {
  if (text.size() <= kLongestDetail) return text;
  std::size_t end = kLongestDetail;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

/// The operator's name; the number of one who is gone.
std::string nameOf(const db::Row& row, int idColumn, int nameColumn) {
  return row.isNull(nameColumn) ? std::to_string(row.integer(idColumn))
                                : std::string(row.text(nameColumn));
}

Alert readAlert(const db::Row& row) {
  Alert alert;
  alert.id = row.integer(0);
  alert.rule = row.text(1);
  alert.subject = row.text(2);
  alert.severity = static_cast<Severity>(row.integer(3));
  alert.detail = row.text(4);
  alert.raisedAt = row.time(5);
  alert.acknowledgedAt = row.optionalTime(6);
  if (!row.isNull(7)) alert.acknowledgedBy = nameOf(row, 7, 8);
  alert.resolvedAt = row.optionalTime(9);
  alert.state = alert.resolvedAt       ? AlertState::resolved
                : alert.acknowledgedAt ? AlertState::acknowledged
                                       : AlertState::raised;
  return alert;
}

const char* conditionOf(AlertState state) {
  switch (state) {
    case AlertState::raised:
      return " a.open_mark = 1 AND a.acknowledged_at IS NULL";
    case AlertState::acknowledged:
      return " a.open_mark = 1 AND a.acknowledged_at IS NOT NULL";
    case AlertState::resolved:
      return " a.open_mark IS NULL";
  }
  throw std::logic_error("an alert without a state");
}

}  // namespace

std::vector<OpenAlert> openAlerts(db::Connection& connection) {
  std::vector<OpenAlert> open;
  connection.query(kOpen, {}, [&](const db::Row& row) {
    open.push_back({row.integer(0), std::string(row.text(1)), std::string(row.text(2)),
                    std::string(row.text(3)), static_cast<Severity>(row.integer(4)),
                    std::max(row.time(5), row.optionalTime(6).value_or(Time{}))});
  });
  return open;
}

std::optional<std::int64_t> raise(db::Connection& connection, const std::string& node,
                                  const Condition& condition) {
  try {
    return connection
        .exec(kInsert, {condition.rule, condition.subject, node, condition.severity,
                        shortened(condition.detail), condition.since})
        .lastId;
  } catch (const db::DuplicateKey&) {
    return std::nullopt;
  }
}

bool resolve(db::Connection& connection, std::int64_t id, Time at, const std::string& more) {
  const auto found = alert(connection, id);
  if (!found) return false;
  const auto detail = shortened(found->detail + more);
  if (connection.exec(kResolve, {std::max(at, found->raisedAt), detail, id}).matched != 1) {
    return false;
  }
  connection.exec(kForget, {id});
  return true;
}

void heard(db::Connection& connection, const std::string& node, Time at) {
  connection.exec("INSERT INTO alert_node (node, heard_at) VALUES (?, ?)" +
                      db::upsertSet(connection.dialect(), "node", {"heard_at"}),
                  {node, at});
}

bool acknowledge(db::Connection& connection, std::int64_t id, std::int64_t by, Time at) {
  return connection.exec(kAcknowledge, {at, by, id}).matched == 1;
}

std::optional<Alert> alert(db::Connection& connection, std::int64_t id) {
  std::optional<Alert> found;
  connection.query(fmt::format("{} a.id = ?", kAlerts), {id},
                   [&](const db::Row& row) { found = readAlert(row); });
  return found;
}

std::vector<Alert> alerts(db::Connection& connection, const AlertFilter& filter,
                          std::int64_t before, int limit) {
  std::string sql = fmt::format("{} a.id < ?", kAlerts);
  std::vector<db::Param> params{before};
  if (filter.state) sql += fmt::format(" AND{}", conditionOf(*filter.state));
  if (filter.severity) {
    sql += " AND a.severity = ?";
    params.emplace_back(*filter.severity);
  }
  sql += " ORDER BY a.id DESC LIMIT ?";
  params.emplace_back(limit);
  std::vector<Alert> found;
  connection.query(sql, params, [&](const db::Row& row) { found.push_back(readAlert(row)); });
  return found;
}

std::map<std::string, StoredSetting> settings(db::Connection& connection) {
  std::map<std::string, StoredSetting> found;
  connection.query(
      "SELECT s.name, s.value, s.changed_at, s.changed_by, u.name FROM setting s "
      "LEFT JOIN operator_user u ON u.id = s.changed_by",
      {}, [&](const db::Row& row) {
        found.emplace(row.text(0),
                      StoredSetting{std::string(row.text(1)), row.time(2), nameOf(row, 3, 4)});
      });
  return found;
}

SettingTexts settingTexts(db::Connection& connection) {
  SettingTexts found;
  connection.query("SELECT name, value FROM setting", {},
                   [&](const db::Row& row) { found.emplace(row.text(0), row.text(1)); });
  return found;
}

void changeSetting(db::Connection& connection, const std::string& name,
                   const std::optional<std::string>& value, std::int64_t by, Time at) {
  if (!value) {
    connection.exec("DELETE FROM setting WHERE name = ?", {name});
    return;
  }
  connection.exec(
      "INSERT INTO setting (name, value, changed_at, changed_by) VALUES (?, ?, ?, ?)" +
          db::upsertSet(connection.dialect(), "name", {"value", "changed_at", "changed_by"}),
      {name, *value, at, by});
}

}  // namespace tipflow::console::store
