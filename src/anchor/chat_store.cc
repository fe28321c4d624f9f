#include "anchor/chat_store.h"

#include <algorithm>

namespace tipflow::anchor::store {
namespace {

std::string_view cut(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t characters = 0; end < text.size() && characters < kChatCharacters;
       ++characters) {
    end += std::max<std::size_t>(1, firstCharacter(text.substr(end)).size);
  }
  return text.substr(0, end);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

void insertChats(db::Connection& connection, const std::vector<ChatLine>& lines) {
  if (lines.empty()) return;
  constexpr std::size_t kColumns = 5;
  std::vector<db::Param> values;
  values.reserve(lines.size() * kColumns);
  for (const auto& line : lines) {
    values.insert(values.end(), {line.room, line.session, line.viewer, cut(line.text), line.at});
  }
  connection.insertRows("INSERT INTO chat_message (room_id, session_id, viewer_id, text, at)",
                        kColumns, values, "");
}

FoundChats chats(db::Connection& connection, const ChatFilter& filter,
                 std::optional<ChatPlace> after, std::size_t limit, std::size_t scan) {
  std::string sql =
      "SELECT id, session_id, viewer_id, text, at FROM chat_message WHERE room_id = ?";
  std::vector<db::Param> params{filter.room};
  const auto narrow = [&](const char* condition, db::Param value) {
    sql += condition;
    params.push_back(value);
  };
  if (filter.viewer) narrow(" AND viewer_id = ?", *filter.viewer);
  if (filter.from) narrow(" AND at >= ?", *filter.from);
  if (filter.to) narrow(" AND at < ?", *filter.to);
  if (after) {
    narrow(" AND at <= ?", after->at);  // what the index can use
    narrow(" AND (at < ?", after->at);
    narrow(" OR id < ?)", after->id);
  }
  const std::size_t read = filter.part.empty() ? limit + 1 : scan;
  narrow(" ORDER BY at DESC, id DESC LIMIT ?", read);
  FoundChats found;
  const auto part = lower(filter.part);
  std::size_t seen = 0;
  ChatPlace last;
  connection.query(sql, params, [&](const db::Row& row) {
    ++seen;
    const auto text = row.text(3);
    if (found.continues) return;
    const bool fits = part.empty() || lower(text).find(part) != std::string::npos;
    if (fits && found.chats.size() == limit) {
      found.continues = last;
      return;
    }
    last = {row.time(4), row.integer(0)};
    if (!fits) return;
    found.chats.push_back({row.integer(0), row.id<SessionId>(1), row.id<ViewerId>(2), std::nullopt,
                           std::string(text), row.time(4)});
  });
  if (!found.continues && !part.empty() && seen == scan) found.continues = last;
  return found;
}

std::int64_t dropChats(db::Connection& connection, Time before, int limit) {
  std::vector<std::int64_t> old;
  connection.query("SELECT id FROM chat_message WHERE at < ? ORDER BY at LIMIT ?", {before, limit},
                   [&](const db::Row& row) { old.push_back(row.integer(0)); });
  if (old.empty()) return 0;
  std::string sql = "DELETE FROM chat_message WHERE id IN (?";
  for (std::size_t i = 1; i < old.size(); ++i) sql += ",?";
  sql += ")";
  const std::vector<db::Param> params(old.begin(), old.end());
  return static_cast<std::int64_t>(connection.exec(sql, params).matched);
}

}  // namespace tipflow::anchor::store
