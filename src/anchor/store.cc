#include "anchor/store.h"

#include <fmt/format.h>

#include <unordered_map>

#include "anchor/rules.h"
#include "platform/db/dialect.h"
#include "platform/db/like.h"

namespace tipflow::anchor::store {
namespace {

const TagTable kAnchorTags{"anchor_tag", "anchor_id"};
const TagTable kRoomTags{"room_tag", "room_id"};

constexpr const char* kInsertAnchor = R"(
  INSERT INTO anchor (name, password_hash, gender, age, region, created_at)
  VALUES (?, ?, ?, ?, ?, ?))";
constexpr const char* kInsertRoom = R"(
  INSERT INTO room (id, anchor_id, title, category, state) VALUES (?, ?, ?, ?, 0))";
constexpr const char* kAnchorColumns = R"(
  SELECT a.id, a.name, a.gender, a.age, a.region, a.created_at, r.id
  FROM anchor a JOIN room r ON r.anchor_id = a.id)";
constexpr const char* kRoomColumns = R"(
  SELECT r.id, r.anchor_id, a.name, r.title, r.category, r.state, r.session_id, r.banned_until,
         r.ban_reason
  FROM room r JOIN anchor a ON a.id = r.anchor_id)";
constexpr const char* kCards = R"(
  SELECT a.id, a.name, a.gender, r.id, r.state, r.session_id, r.banned_until
  FROM room r JOIN anchor a ON a.id = r.anchor_id)";
constexpr const char* kSessionColumns = R"(
  SELECT s.id, s.room_id, s.opened_at, s.closed_at, s.tips, s.revenue, a.peak_viewers, a.joins,
         a.chats
  FROM room_session s LEFT JOIN session_audience a ON a.session_id = s.id)";
// A ban whose time is over is none.
constexpr const char* kOffAt = " AND (r.state = 0 OR (r.state = 2 AND r.banned_until <= ?))";
constexpr const char* kBannedAt =
    " AND r.state = 2 AND (r.banned_until IS NULL OR r.banned_until > ?)";

// The room of anchor n is number kFirstRoom + n: one is never taken for the other.
constexpr std::int64_t kFirstRoom = 1'000'000;

std::optional<std::string> orNull(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(std::string(text));
}

Anchor readAnchor(const db::Row& row) {
  Anchor anchor;
  anchor.id = row.id<AnchorId>(0);
  anchor.name = row.text(1);
  anchor.gender = static_cast<Gender>(row.integer(2));
  anchor.age = row.integer(3);
  anchor.region = orNull(row.text(4));
  anchor.createdAt = row.time(5);
  anchor.roomId = row.id<RoomId>(6);
  return anchor;
}

Room readRoom(const db::Row& row) {
  Room room;
  room.id = row.id<RoomId>(0);
  room.anchorId = row.id<AnchorId>(1);
  room.anchorName = row.text(2);
  room.title = row.text(3);
  room.category = orNull(row.text(4));
  room.state = static_cast<RoomState>(row.integer(5));
  if (!row.isNull(6)) room.sessionId = row.id<SessionId>(6);
  if (room.state == RoomState::banned) {
    room.ban = Ban{row.isNull(8) ? std::string{} : std::string(row.text(8)), row.optionalTime(7)};
  }
  return room;
}

RoomSession readSession(const db::Row& row) {
  RoomSession session;
  session.id = row.id<SessionId>(0);
  session.roomId = row.id<RoomId>(1);
  session.openedAt = row.time(2);
  session.closedAt = row.optionalTime(3);
  session.tips = row.optionalInteger(4).value_or(0);
  session.revenue = Fen{row.optionalInteger(5).value_or(0)};
  session.peakViewers = row.optionalInteger(6);
  session.joins = row.optionalInteger(7);
  session.chats = row.optionalInteger(8);
  return session;
}

template <class T>
void addTags(db::Connection& connection, const TagTable& table, std::vector<T>& items) {
  std::vector<std::int64_t> ids;
  for (const auto& item : items) ids.push_back(item.id.value);
  auto tags = table.of(connection, ids);
  for (auto& item : items) item.tags = std::move(tags[item.id.value]);
}

/// `SET` clauses of a partial change.
class Changes {
 public:
  void set(const char* column, db::Param value) {
    text_ += fmt::format("{}{} = ?", text_.empty() ? "" : ", ", column);
    params_.push_back(value);
  }
  void apply(db::Connection& connection, const char* table, std::int64_t id) {
    if (params_.empty()) return;
    params_.emplace_back(id);
    connection.exec(fmt::format("UPDATE {} SET {} WHERE id = ?", table, text_), params_);
  }

 private:
  std::string text_;
  std::vector<db::Param> params_;
};

bool exists(db::Connection& connection, const char* table, std::int64_t id) {
  bool found = false;
  connection.query(fmt::format("SELECT 1 FROM {} WHERE id = ?", table), {id},
                   [&](const db::Row&) { found = true; });
  return found;
}

}  // namespace

AnchorId insertAnchor(db::Connection& connection, const NewAnchor& anchor) {
  const AnchorId id{connection
                        .exec(kInsertAnchor, {anchor.name, anchor.passwordHash, anchor.gender,
                                              anchor.age, anchor.region, anchor.createdAt})
                        .lastId};
  const RoomId room{id.value + kFirstRoom};
  connection.exec(kInsertRoom, {room, id, anchor.name, anchor.category});
  kAnchorTags.replace(connection, id.value, anchor.tags);
  kRoomTags.replace(connection, room.value, anchor.tags);
  return id;
}

bool changeAnchor(db::Connection& connection, AnchorId id, const ChangeAnchor& change,
                  const std::optional<std::string>& passwordHash) {
  if (!exists(connection, "anchor", id.value)) return false;
  Changes changes;
  if (change.name) changes.set("name", change.name->value);
  if (passwordHash) changes.set("password_hash", *passwordHash);
  if (change.gender) changes.set("gender", *change.gender);
  if (change.age) changes.set("age", change.age->value);
  if (change.region) changes.set("region", change.region->value);
  changes.apply(connection, "anchor", id.value);
  if (change.category) {
    connection.exec("UPDATE room SET category = ? WHERE anchor_id = ?",
                    {change.category->value, id});
  }
  if (change.tags) kAnchorTags.replace(connection, id.value, tagsOf(*change.tags));
  return true;
}

bool changeRoom(db::Connection& connection, RoomId id, const ChangeRoom& change) {
  if (!exists(connection, "room", id.value)) return false;
  Changes changes;
  if (change.title) changes.set("title", change.title->value);
  if (change.category) changes.set("category", change.category->value);
  changes.apply(connection, "room", id.value);
  if (change.tags) kRoomTags.replace(connection, id.value, tagsOf(*change.tags));
  return true;
}

std::optional<Anchor> anchor(db::Connection& connection, AnchorId id) {
  std::vector<Anchor> found;
  connection.query(fmt::format("{} WHERE a.id = ?", kAnchorColumns), {id},
                   [&](const db::Row& row) { found.push_back(readAnchor(row)); });
  if (found.empty()) return std::nullopt;
  addTags(connection, kAnchorTags, found);
  return std::move(found.front());
}

std::vector<Anchor> anchors(db::Connection& connection, const std::optional<std::string>& namePart,
                            std::int64_t before, int limit) {
  std::vector<Anchor> found;
  std::string sql = fmt::format("{} WHERE a.id < ?", kAnchorColumns);
  std::vector<db::Param> params{before};
  const auto pattern = namePart ? db::containsPattern(*namePart) : std::string{};
  if (namePart) {
    sql += " AND a.name LIKE ? ESCAPE '!'";
    params.emplace_back(pattern);
  }
  sql += " ORDER BY a.id DESC LIMIT ?";
  params.emplace_back(limit);
  connection.query(sql, params, [&](const db::Row& row) { found.push_back(readAnchor(row)); });
  addTags(connection, kAnchorTags, found);
  return found;
}

std::optional<Account> account(db::Connection& connection, const std::string& name) {
  std::optional<Account> found;
  connection.query("SELECT id, password_hash FROM anchor WHERE name = ?", {name},
                   [&](const db::Row& row) {
                     found = Account{row.integer(0), Role::anchor, std::string(row.text(1))};
                   });
  return found;
}

std::optional<Room> room(db::Connection& connection, RoomId id) {
  std::vector<Room> found;
  connection.query(fmt::format("{} WHERE r.id = ?", kRoomColumns), {id},
                   [&](const db::Row& row) { found.push_back(readRoom(row)); });
  if (found.empty()) return std::nullopt;
  addTags(connection, kRoomTags, found);
  return std::move(found.front());
}

std::vector<Room> rooms(db::Connection& connection, const RoomFilter& filter, std::int64_t before,
                        int limit) {
  std::string sql = fmt::format("{} WHERE r.id < ?", kRoomColumns);
  std::vector<db::Param> params{before};
  const auto narrow = [&](const char* condition, db::Param value) {
    sql += condition;
    params.push_back(value);
  };
  if (filter.state == RoomState::live) narrow(" AND r.state = ?", RoomState::live);
  if (filter.state == RoomState::off) narrow(kOffAt, filter.now);
  if (filter.state == RoomState::banned) narrow(kBannedAt, filter.now);
  if (filter.category) narrow(" AND r.category = ?", *filter.category);
  if (filter.anchor) narrow(" AND r.anchor_id = ?", *filter.anchor);
  if (filter.tag) {
    narrow(" AND r.id IN (SELECT room_id FROM room_tag WHERE tag = ?)", *filter.tag);
  }
  narrow(" ORDER BY r.id DESC LIMIT ?", limit);
  std::vector<Room> found;
  connection.query(sql, params, [&](const db::Row& row) { found.push_back(readRoom(row)); });
  addTags(connection, kRoomTags, found);
  return found;
}

std::vector<Cards> cards(db::Connection& connection, std::optional<RoomId> one) {
  std::vector<Cards> found;
  const auto add = [&](const db::Row& row) {
    Cards cards;
    cards.anchor = {row.id<AnchorId>(0), std::string(row.text(1)),
                    static_cast<Gender>(row.integer(2)), row.id<RoomId>(3)};
    cards.room = {row.id<RoomId>(3), row.id<AnchorId>(0), cards.anchor.gender,
                  static_cast<RoomState>(row.integer(4)),
                  SessionId{row.optionalInteger(5).value_or(0)}};
    cards.bannedUntil = row.optionalTime(6);
    found.push_back(std::move(cards));
  };
  std::unordered_map<std::int64_t, std::vector<std::string>> tags;
  const auto addTag = [&](const db::Row& row) { tags[row.integer(0)].emplace_back(row.text(1)); };
  if (one) {
    connection.query(fmt::format("{} WHERE r.id = ?", kCards), {*one}, add);
    connection.query("SELECT room_id, tag FROM room_tag WHERE room_id = ? ORDER BY place", {*one},
                     addTag);
  } else {
    connection.query(kCards, {}, add);
    connection.query("SELECT room_id, tag FROM room_tag ORDER BY room_id, place", {}, addTag);
  }
  for (auto& cards : found) cards.tags = std::move(tags[cards.room.id.value]);
  return found;
}

std::vector<audience::TagUse> tagUse(db::Connection& connection,
                                     const std::optional<std::string>& part,
                                     const std::string& after, int limit) {
  std::vector<audience::TagUse> found;
  kRoomTags.use(connection, part, after, limit, [&](std::string_view tag, std::int64_t count) {
    found.push_back({std::string(tag), count});
  });
  return found;
}

std::optional<LockedRoom> lockRoom(db::Connection& connection, RoomId id) {
  std::optional<LockedRoom> found;
  connection.query(fmt::format("SELECT state, session_id, banned_until FROM room WHERE id = ?{}",
                               db::forUpdate(connection.dialect())),
                   {id}, [&](const db::Row& row) {
                     found = LockedRoom{static_cast<RoomState>(row.integer(0)), std::nullopt,
                                        row.optionalTime(2)};
                     if (!row.isNull(1)) found->session = row.id<SessionId>(1);
                   });
  return found;
}

void endSession(db::Connection& connection, SessionId session, Time now) {
  connection.exec("UPDATE room_session SET closed_at = ? WHERE id = ?", {now, session});
}

Transition openRoom(db::Connection& connection, RoomId id, Time now) {
  const auto room = lockRoom(connection, id);
  if (!room) return Transition::notFound;
  const auto state = stateAt(room->state, room->bannedUntil, now);
  if (state == RoomState::banned) return Transition::banned;
  if (state == RoomState::live) return Transition::already;
  const SessionId session{
      connection.exec("INSERT INTO room_session (room_id, opened_at) VALUES (?, ?)", {id, now})
          .lastId};
  connection.exec(
      "UPDATE room SET state = ?, session_id = ?, banned_until = NULL, ban_reason = NULL "
      "WHERE id = ?",
      {RoomState::live, session, id});
  return Transition::done;
}

Transition closeRoom(db::Connection& connection, RoomId id, Time now) {
  const auto room = lockRoom(connection, id);
  if (!room) return Transition::notFound;
  if (room->state != RoomState::live) return Transition::already;
  connection.exec("UPDATE room SET state = ?, session_id = NULL WHERE id = ?",
                  {RoomState::off, id});
  if (room->session) endSession(connection, *room->session, now);
  return Transition::done;
}

std::vector<StoredSession> sessions(db::Connection& connection, RoomId room, std::int64_t before,
                                    int limit) {
  std::vector<StoredSession> found;
  connection.query(fmt::format("{} WHERE s.room_id = ? AND s.id < ? ORDER BY s.id DESC LIMIT ?",
                               kSessionColumns),
                   {room, before, limit}, [&](const db::Row& row) {
                     found.push_back({readSession(row), !row.isNull(4)});
                   });
  return found;
}

std::optional<RoomSession> session(db::Connection& connection, SessionId id) {
  std::optional<RoomSession> found;
  connection.query(fmt::format("{} WHERE s.id = ?", kSessionColumns), {id},
                   [&](const db::Row& row) { found = readSession(row); });
  return found;
}

void keepAttendance(db::Connection& connection, const Attendance& a) {
  connection.exec(
      "INSERT INTO session_audience (session_id, peak_viewers, joins, chats) VALUES (?, ?, ?, ?)" +
          db::orKeep(connection.dialect(), "session_id"),
      {a.session, a.peakViewers, a.joins, a.chats});
}

void keepSums(db::Connection& connection, SessionId session, std::int64_t tips, Fen revenue) {
  connection.exec("UPDATE room_session SET tips = ?, revenue = ? WHERE id = ?",
                  {tips, revenue, session});
}

}  // namespace tipflow::anchor::store
