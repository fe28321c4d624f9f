#include "audience/viewers.h"

namespace tipflow::audience {
namespace {

// 300,000 viewers fit; more are read again when they come back.
constexpr std::size_t kCardsPerShard = 8'192;

}  // namespace

ViewerDirectory::ViewerDirectory(db::Database& db1, Bus& bus) : db1_(db1), bus_(bus) {
  bus_.subscribe(topic::kViewerChanged, [this](std::string_view message) {
    if (const auto id = http::Call::parseId(message)) forget(ViewerId{*id});
  });
}

std::optional<ViewerCard> ViewerDirectory::known(ViewerId id) const {
  const auto& shard = shardOf(id);
  const std::shared_lock lock(shard.mutex);
  const auto found = shard.cards.find(id);
  if (found == shard.cards.end()) return std::nullopt;
  counters_.hit();
  return found->second;
}

drogon::Task<std::optional<ViewerCard>> ViewerDirectory::card(ViewerId id) {
  if (auto found = known(id)) co_return found;
  counters_.miss();
  const auto before = forgottenOf(id);
  const auto read = co_await db1_.read(
      [id](db::Connection& connection) { return store::cards(connection, {id}); });
  if (read.empty()) co_return std::nullopt;
  keep(read.front(), before);
  co_return read.front();
}

drogon::Task<std::unordered_map<ViewerId, ViewerCard>> ViewerDirectory::cards(
    std::vector<ViewerId> ids) {
  std::unordered_map<ViewerId, ViewerCard> found;
  std::unordered_map<ViewerId, std::uint64_t> missing;
  for (const auto id : ids) {
    if (auto card = known(id)) {
      found.emplace(id, std::move(*card));
    } else {
      counters_.miss();
      missing.emplace(id, forgottenOf(id));
    }
  }
  if (!missing.empty()) {
    std::vector<ViewerId> wanted;
    for (const auto& [id, before] : missing) wanted.push_back(id);
    auto read = co_await db1_.read(
        [&](db::Connection& connection) { return store::cards(connection, wanted); });
    for (auto& card : read) {
      keep(card, missing[card.id]);
      found.emplace(card.id, std::move(card));
    }
  }
  co_return found;
}

void ViewerDirectory::changed(ViewerId id) {
  forget(id);
  bus_.publish(topic::kViewerChanged, std::to_string(id.value));
}

std::uint64_t ViewerDirectory::forgottenOf(ViewerId id) const {
  const auto& shard = shardOf(id);
  const std::shared_lock lock(shard.mutex);
  return shard.forgotten;
}

void ViewerDirectory::keep(const ViewerCard& card, std::uint64_t forgottenBefore) {
  auto& shard = shardOf(card.id);
  const std::unique_lock lock(shard.mutex);
  if (shard.forgotten != forgottenBefore) return;
  if (shard.cards.size() >= kCardsPerShard) shard.cards.clear();
  shard.cards.insert_or_assign(card.id, card);
}

void ViewerDirectory::forget(ViewerId id) {
  auto& shard = shardOf(id);
  const std::unique_lock lock(shard.mutex);
  ++shard.forgotten;
  shard.cards.erase(id);
}

drogon::Task<store::NewViewer> ViewerService::newRegistered(RegisterViewer request) {
  store::NewViewer viewer;
  viewer.kind = ViewerKind::registered;
  viewer.name = request.name.value;
  viewer.passwordHash = co_await passwords_.hash(request.password.value);
  viewer.gender = request.gender;
  viewer.age = request.age.value;
  if (request.region) viewer.region = request.region->value;
  if (request.tags) viewer.tags = tagsOf(*request.tags);
  viewer.createdAt = clock_.now();
  co_return viewer;
}

drogon::Task<Result<Viewer>> ViewerService::registerViewer(RegisterViewer request) {
  const auto viewer = co_await newRegistered(std::move(request));
  std::optional<Viewer> made;
  try {
    made = co_await db1_.write([&](db::Connection& connection) {
      return store::viewer(connection, store::insertViewer(connection, viewer));
    });
  } catch (const db::DuplicateKey&) {
    co_return ErrorCode::name_taken;
  }
  co_return std::move(*made);
}

drogon::Task<NewGuest> ViewerService::makeGuest() {
  store::NewViewer guest;
  guest.createdAt = clock_.now();
  auto made = co_await db1_.write([&](db::Connection& connection) {
    return store::viewer(connection, store::insertViewer(connection, guest));
  });
  const auto issued = tokens_.issue(PrincipalKind::viewer, made->id.value, Role::viewer);
  co_return NewGuest{std::move(*made), issued.token, issued.expiresAt, issued.signingKey};
}

drogon::Task<Result<Viewer>> ViewerService::viewer(ViewerId id) {
  auto found = co_await db1_.read(
      [id](db::Connection& connection) { return store::viewer(connection, id); });
  if (!found) co_return ErrorCode::viewer_not_found;
  co_return std::move(*found);
}

drogon::Task<http::Page<Viewer>> ViewerService::viewers(std::optional<std::string> name,
                                                        std::optional<ViewerKind> kind,
                                                        std::int64_t before, int limit) {
  http::Page<Viewer> page;
  page.items = co_await db1_.read([&](db::Connection& connection) {
    return store::viewers(connection, name, kind, before, limit + 1);
  });
  if (static_cast<int>(page.items.size()) > limit) {
    page.items.resize(static_cast<std::size_t>(limit));
    page.nextPageToken = http::makePageToken({page.items.back().id.value});
  }
  co_return page;
}

drogon::Task<Result<Viewer>> ViewerService::changeViewer(ViewerId id, ChangeViewer change) {
  std::optional<std::string> hash;
  if (change.password) hash = co_await passwords_.hash(change.password->value);
  auto outcome = store::Changed::notFound;
  try {
    outcome = co_await db1_.write([&](db::Connection& connection) {
      return store::changeViewer(connection, id, change, hash);
    });
  } catch (const db::DuplicateKey&) {
    co_return ErrorCode::name_taken;
  }
  if (outcome == store::Changed::notFound) co_return ErrorCode::viewer_not_found;
  if (outcome == store::Changed::notAllowed) {
    co_return Rejection{ErrorCode::forbidden, "a guest gets a name and a password by upgrading"};
  }
  directory_.changed(id);
  co_return co_await viewer(id);
}

drogon::Task<Result<Viewer>> ViewerService::upgrade(ViewerId id, RegisterViewer request) {
  const auto upgraded = co_await newRegistered(std::move(request));
  auto outcome = store::Changed::notFound;
  try {
    outcome = co_await db1_.write(
        [&](db::Connection& connection) { return store::upgradeViewer(connection, id, upgraded); });
  } catch (const db::DuplicateKey&) {
    co_return ErrorCode::name_taken;
  }
  if (outcome == store::Changed::notFound) co_return ErrorCode::viewer_not_found;
  if (outcome == store::Changed::notAllowed) co_return ErrorCode::not_a_guest;
  directory_.changed(id);
  co_return co_await viewer(id);
}

drogon::Task<Result<Viewer>> ViewerService::setState(ViewerId id, ViewerState state) {
  const bool found = co_await db1_.write(
      [&](db::Connection& connection) { return store::setState(connection, id, state); });
  if (!found) co_return ErrorCode::viewer_not_found;
  directory_.changed(id);
  co_return co_await viewer(id);
}

drogon::Task<std::optional<Account>> ViewerService::account(std::string name) {
  co_return co_await db1_.read(
      [&](db::Connection& connection) { return store::account(connection, name); });
}

}  // namespace tipflow::audience
