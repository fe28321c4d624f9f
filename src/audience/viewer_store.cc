#include "audience/viewer_store.h"

#include <fmt/format.h>

#include "platform/db/like.h"

namespace tipflow::audience::store {
namespace {

const TagTable kTags{"viewer_tag", "viewer_id"};

constexpr const char* kInsert = R"(
  INSERT INTO viewer (kind, login_name, password_hash, gender, age, region, state, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?))";
constexpr const char* kColumns = R"(
  SELECT id, kind, login_name, gender, age, region, state, created_at FROM viewer)";
constexpr const char* kUpgrade = R"(
  UPDATE viewer SET kind = ?, login_name = ?, password_hash = ?, gender = ?, age = ?, region = ?
  WHERE id = ? AND kind = ?)";

std::string shownName(const db::Row& row, ViewerId id, int column) {
  return row.isNull(column) ? guestName(id) : std::string(row.text(column));
}

Viewer readViewer(const db::Row& row) {
  Viewer viewer;
  viewer.id = row.id<ViewerId>(0);
  viewer.kind = static_cast<ViewerKind>(row.integer(1));
  viewer.name = shownName(row, viewer.id, 2);
  viewer.gender = static_cast<Gender>(row.integer(3));
  viewer.age = row.optionalInteger(4);
  if (!row.text(5).empty()) viewer.region = row.text(5);
  viewer.state = static_cast<ViewerState>(row.integer(6));
  viewer.createdAt = row.time(7);
  return viewer;
}

void addTags(db::Connection& connection, std::vector<Viewer>& viewers) {
  std::vector<std::int64_t> ids;
  for (const auto& viewer : viewers) ids.push_back(viewer.id.value);
  auto tags = kTags.of(connection, ids);
  for (auto& viewer : viewers) viewer.tags = std::move(tags[viewer.id.value]);
}

std::optional<ViewerKind> kindOf(db::Connection& connection, ViewerId id) {
  std::optional<ViewerKind> kind;
  connection.query("SELECT kind FROM viewer WHERE id = ?", {id},
                   [&](const db::Row& row) { kind = static_cast<ViewerKind>(row.integer(0)); });
  return kind;
}

}  // namespace

ViewerId insertViewer(db::Connection& connection, const NewViewer& viewer) {
  const ViewerId id{
      connection
          .exec(kInsert, {viewer.kind, viewer.name, viewer.passwordHash, viewer.gender, viewer.age,
                          viewer.region, ViewerState::active, viewer.createdAt})
          .lastId};
  if (!viewer.tags.empty()) kTags.replace(connection, id.value, viewer.tags);
  return id;
}

Changed changeViewer(db::Connection& connection, ViewerId id, const ChangeViewer& change,
                     const std::optional<std::string>& passwordHash) {
  const auto kind = kindOf(connection, id);
  if (!kind) return Changed::notFound;
  if (*kind == ViewerKind::guest && (change.name || change.password)) return Changed::notAllowed;
  const auto set = [&](const char* column, db::Param value) {
    connection.exec(fmt::format("UPDATE viewer SET {} = ? WHERE id = ?", column), {value, id});
  };
  if (change.name) set("login_name", change.name->value);
  if (passwordHash) set("password_hash", *passwordHash);
  if (change.gender) set("gender", *change.gender);
  if (change.age) set("age", change.age->value);
  if (change.region) set("region", change.region->value);
  if (change.tags) kTags.replace(connection, id.value, tagsOf(*change.tags));
  return Changed::done;
}

Changed upgradeViewer(db::Connection& connection, ViewerId id, const NewViewer& viewer) {
  if (!kindOf(connection, id)) return Changed::notFound;
  const auto changed =
      connection.exec(kUpgrade, {ViewerKind::registered, viewer.name, viewer.passwordHash,
                                 viewer.gender, viewer.age, viewer.region, id, ViewerKind::guest});
  if (changed.matched != 1) return Changed::notAllowed;
  if (!viewer.tags.empty()) kTags.replace(connection, id.value, viewer.tags);
  return Changed::done;
}

bool setState(db::Connection& connection, ViewerId id, ViewerState state) {
  return connection.exec("UPDATE viewer SET state = ? WHERE id = ?", {state, id}).matched == 1;
}

std::optional<Viewer> viewer(db::Connection& connection, ViewerId id) {
  std::vector<Viewer> found;
  connection.query(fmt::format("{} WHERE id = ?", kColumns), {id},
                   [&](const db::Row& row) { found.push_back(readViewer(row)); });
  if (found.empty()) return std::nullopt;
  addTags(connection, found);
  return std::move(found.front());
}

std::vector<Viewer> viewers(db::Connection& connection, const std::optional<std::string>& name,
                            std::optional<ViewerKind> kind, std::int64_t before, int limit) {
  std::string sql = fmt::format("{} WHERE id < ?", kColumns);
  std::vector<db::Param> params{before};
  const auto pattern = name ? db::containsPattern(*name) : std::string{};
  if (name) {
    sql += " AND login_name LIKE ? ESCAPE '!'";
    params.emplace_back(pattern);
  }
  if (kind) {
    sql += " AND kind = ?";
    params.emplace_back(*kind);
  }
  sql += " ORDER BY id DESC LIMIT ?";
  params.emplace_back(limit);
  std::vector<Viewer> found;
  connection.query(sql, params, [&](const db::Row& row) { found.push_back(readViewer(row)); });
  addTags(connection, found);
  return found;
}

std::vector<ViewerCard> cards(db::Connection& connection, const std::vector<ViewerId>& ids) {
  std::vector<ViewerCard> found;
  if (ids.empty()) return found;
  std::string sql = fmt::format("{} WHERE id IN (?", kColumns);
  for (std::size_t i = 1; i < ids.size(); ++i) sql += ",?";
  sql += ")";
  const std::vector<db::Param> params(ids.begin(), ids.end());
  connection.query(sql, params, [&](const db::Row& row) {
    const auto viewer = readViewer(row);
    found.push_back({viewer.id, viewer.kind, viewer.state, viewer.gender, viewer.age, viewer.name});
  });
  return found;
}

std::vector<ViewerFacts> facts(db::Connection& connection, const std::vector<ViewerId>& ids) {
  std::vector<ViewerFacts> found;
  if (ids.empty()) return found;
  std::string sql = "SELECT id, login_name, state FROM viewer WHERE id IN (?";
  for (std::size_t i = 1; i < ids.size(); ++i) sql += ",?";
  sql += ")";
  const std::vector<db::Param> params(ids.begin(), ids.end());
  std::vector<std::int64_t> numbers;
  connection.query(sql, params, [&](const db::Row& row) {
    const auto id = row.id<ViewerId>(0);
    numbers.push_back(id.value);
    const bool disabled = row.integer(2) == static_cast<std::int64_t>(ViewerState::disabled);
    found.push_back({id, shownName(row, id, 1), {}, disabled});
  });
  auto tags = kTags.of(connection, numbers);
  for (auto& one : found) one.tags = std::move(tags[one.id.value]);
  return found;
}

std::vector<TagUse> tagUse(db::Connection& connection, const std::optional<std::string>& part,
                           const std::string& after, int limit) {
  std::vector<TagUse> found;
  kTags.use(connection, part, after, limit, [&](std::string_view tag, std::int64_t count) {
    found.push_back({std::string(tag), count});
  });
  return found;
}

std::optional<Account> account(db::Connection& connection, const std::string& name) {
  std::optional<Account> found;
  connection.query("SELECT id, password_hash FROM viewer WHERE login_name = ?", {name},
                   [&](const db::Row& row) {
                     found = Account{row.integer(0), Role::viewer, std::string(row.text(1))};
                   });
  return found;
}

}  // namespace tipflow::audience::store
