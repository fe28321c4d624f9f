#include "platform/http/operator_log.h"

#include <algorithm>
#include <array>

#include "platform/db/like.h"
#include "platform/mask.h"

namespace tipflow::http {
namespace {

constexpr std::size_t kLongestJson = 4'096;
constexpr std::size_t kLongestObject = 255;
constexpr std::size_t kLongestAction = 160;

constexpr const char* kInsert = R"(
  INSERT INTO operator_action (at, operator_id, operator_name, action, object, before_json,
                               after_json, address, trace_id, outcome)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?))";
constexpr const char* kNewest = R"(
  SELECT id, at, operator_id, operator_name, action, object, before_json, after_json, address,
         trace_id, outcome
  FROM operator_action WHERE (at < ? OR (at = ? AND id < ?)))";

/// Cut between characters.
std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  text.resize(most);
  return text;
}

/// Masked JSON that fits; instead of what does not, or is none, a note of its length.
std::optional<JsonText> masked(std::string_view text) {
  if (text.empty()) return std::nullopt;
  auto out = maskedJson(text);
  const bool isJson = out.starts_with('{') || out.starts_with('[');
  if (isJson && out.size() <= kLongestJson) return JsonText{std::move(out)};
  return JsonText{fmt::format("\"({} bytes)\"", text.size())};
}

std::optional<std::string_view> textOf(const std::optional<JsonText>& json) {
  return json ? std::optional<std::string_view>(json->text) : std::nullopt;
}

std::optional<JsonText> readJson(const db::Row& row, int column) {
  if (row.isNull(column)) return std::nullopt;
  return JsonText{std::string(row.text(column))};
}

/// A path as it was sent may hold any bytes.
std::string visible(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

void operator_store::add(db::Connection& connection, const OperatorAction& action) {
  connection.exec(kInsert, {action.at, action.operatorId, action.operatorName, action.action,
                            action.object, textOf(action.before), textOf(action.after),
                            action.address, action.traceId, action.outcome});
}

std::vector<OperatorAction> operator_store::newest(db::Connection& connection,
                                                   const OperatorActionFilter& filter,
                                                   const OperatorActionPlace& before, int limit) {
  std::string sql = kNewest;
  std::vector<db::Param> params{before.at, before.at, before.id};
  const auto narrow = [&](const char* condition, db::Param value) {
    sql += condition;
    params.push_back(value);
  };
  std::string pattern;
  if (filter.action) {
    pattern = db::containsPattern(*filter.action);
    narrow(" AND action LIKE ? ESCAPE '!'", pattern);
  }
  if (filter.operatorId) narrow(" AND operator_id = ?", *filter.operatorId);
  if (filter.from) narrow(" AND at >= ?", *filter.from);
  if (filter.to) narrow(" AND at < ?", *filter.to);
  narrow(" ORDER BY at DESC, id DESC LIMIT ?", limit);
  std::vector<OperatorAction> found;
  connection.query(sql, params, [&](const db::Row& row) {
    found.push_back({row.integer(0), row.time(1), row.integer(2), std::string(row.text(3)),
                     std::string(row.text(4)), std::string(row.text(5)), readJson(row, 6),
                     readJson(row, 7), std::string(row.text(8)), TraceId::fromBytes(row.text(9)),
                     std::string(row.text(10))});
  });
  return found;
}

bool isKept(std::optional<ErrorCode> refusal) {
  constexpr std::array kNot{400, 401, 413, 415, 429, 503};
  return !refusal || std::find(kNot.begin(), kNot.end(), info(*refusal).status) == kNot.end();
}

OperatorAction actionOf(const Route& route, const Call& call, std::optional<ErrorCode> refusal,
                        std::string operatorName, Time now) {
  OperatorAction action;
  action.at = now;
  action.operatorId = call.principal->id;
  action.operatorName = std::move(operatorName);
  action.action = cut(fmt::format("{} {}", name(route.method), route.path), kLongestAction);
  action.object = cut(call.change ? call.change->object : visible(call.request->getOriginalPath()),
                      kLongestObject);
  action.before = call.change ? masked(call.change->before) : std::nullopt;
  action.after = masked(call.change ? call.change->after : call.request->body());
  action.address = call.address.text();
  action.traceId = call.context.trace;
  action.outcome = refusal ? info(*refusal).code : "done";
  return action;
}

Task<> OperatorLog::add(OperatorAction action) {
  auto work = [&action](db::Connection& connection) {
    operator_store::add(connection, action);
    return true;
  };
  co_await database_.write(work);
}

Task<std::vector<OperatorAction>> OperatorLog::newest(OperatorActionFilter filter,
                                                      OperatorActionPlace before, int limit) {
  auto work = [&](db::Connection& connection) {
    return operator_store::newest(connection, filter, before, limit);
  };
  co_return co_await database_.read(work);
}

}  // namespace tipflow::http
