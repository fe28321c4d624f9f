#include "anchor/card_store.h"

#include <unordered_map>

namespace tipflow::anchor::store {
namespace {

constexpr const char* kCards = R"(
  SELECT a.id, a.name, a.gender, r.id, r.state, r.session_id, r.banned_until
  FROM room r JOIN anchor a ON a.id = r.anchor_id)";
constexpr const char* kTags =
    "SELECT room_id, tag FROM room_tag WHERE room_id >= ? AND room_id <= ? ORDER BY room_id, place";

Cards readCards(const db::Row& row) {
  Cards cards;
  cards.anchor = {row.id<AnchorId>(0), std::string(row.text(1)),
                  static_cast<Gender>(row.integer(2)), row.id<RoomId>(3)};
  cards.room = {row.id<RoomId>(3), row.id<AnchorId>(0), cards.anchor.gender,
                static_cast<RoomState>(row.integer(4)),
                SessionId{row.optionalInteger(5).value_or(0)}};
  cards.bannedUntil = row.optionalTime(6);
  return cards;
}

}  // namespace

std::vector<Cards> cardPage(db::Connection& connection, const CardFilter& filter,
                            std::size_t limit) {
  std::string sql = std::string(kCards) + " WHERE r.id > ?";
  std::vector<db::Param> params{filter.after};
  if (filter.room) {
    sql += " AND r.id = ?";
    params.emplace_back(*filter.room);
  }
  if (filter.anchor) {
    sql += " AND r.anchor_id = ?";
    params.emplace_back(*filter.anchor);
  }
  params.emplace_back(limit);
  std::vector<Cards> found;
  connection.query(sql + " ORDER BY r.id LIMIT ?", params,
                   [&](const db::Row& row) { found.push_back(readCards(row)); });
  if (found.empty()) return found;
  std::unordered_map<RoomId, std::vector<std::string>> tags;
  connection.query(kTags, {found.front().room.id, found.back().room.id},
                   [&](const db::Row& row) { tags[row.id<RoomId>(0)].emplace_back(row.text(1)); });
  for (auto& cards : found) cards.tags = std::move(tags[cards.room.id]);
  return found;
}

}  // namespace tipflow::anchor::store
