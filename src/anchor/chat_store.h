// What was said in rooms, in DB1.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "anchor/model.h"
#include "platform/db/connection.h"

namespace tipflow::anchor::store {

/// Texts longer than kChatCharacters are cut there.
void insertChats(db::Connection& connection, const std::vector<ChatLine>& lines);

struct ChatFilter {
  RoomId room;
  std::optional<ViewerId> viewer;
  std::optional<Time> from;  ///< inclusive
  std::optional<Time> to;    ///< exclusive
  std::string part;  ///< the text holds it, small and capital ASCII letters alike; empty: any
};
/// Where a page ended.
struct ChatPlace {
  Time at;
  std::int64_t id = 0;
};
struct FoundChats {
  std::vector<ShownChat> chats;        ///< newest first, without names
  std::optional<ChatPlace> continues;  ///< there may be more beyond it
};
/// At most `limit` lines, of the newest `scan` that the other filters let through: a rare word in a
/// loud room gives short pages, never a long wait.
FoundChats chats(db::Connection& connection, const ChatFilter& filter,
                 std::optional<ChatPlace> after, std::size_t limit, std::size_t scan);

/// Drops up to `limit` lines from before `before`; says how many.
std::int64_t dropChats(db::Connection& connection, Time before, int limit);

}  // namespace tipflow::anchor::store
