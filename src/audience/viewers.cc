#include "audience/viewers.h"

#include "platform/deadline.h"
#include "platform/log.h"

namespace tipflow::audience {
namespace {

// 300,000 viewers fit; more are read again when they come back.
constexpr std::size_t kCardsPerShard = 8'192;
constexpr std::size_t kReadAtOnce = 500;
constexpr std::chrono::milliseconds kLeaveEvery{1};
// A viewer is shown without a tier rather than late.
constexpr Duration kTierPatience{500 * kUsPerMs};

}  // namespace

ViewerDirectory::ViewerDirectory(db::Database& db1, Bus& bus) : db1_(db1), bus_(bus) {
  bus_.subscribe(topic::kViewerChanged, [this](std::string_view message) {
    if (const auto id = http::Call::parseId(message)) forget(ViewerId{*id});
  });
  bus_.onGap({topic::kViewerChanged}, [this] {
    if (gaps_.fetch_add(1) > 0) return;  // whoever is at it begins again
    drogon::async_run([this]() -> drogon::Task<> {
      for (int seen = 0; gaps_.fetch_sub(seen) > seen;) {
        seen = gaps_.load();
        co_await readAgain();
      }
    });
  });
}

// Not under the feet of whoever reads again.
ViewerDirectory::~ViewerDirectory() {
  leaving_ = true;
  while (gaps_.load() > 0) std::this_thread::sleep_for(kLeaveEvery);
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

drogon::Task<> ViewerDirectory::readAgain() {
  for (std::size_t i = 0; i < shards_.size() && !leaving_; ++i) {
    auto reading = readAgain(shards_[i]);
    co_await reading;
  }
}

drogon::Task<> ViewerDirectory::readAgain(Shard& shard) {
  const auto ids = idsIn(shard);
  for (std::size_t first = 0; first < ids.size() && !leaving_; first += kReadAtOnce) {
    const auto last = std::min(ids.size(), first + kReadAtOnce);
    const std::vector<ViewerId> some(ids.begin() + static_cast<std::ptrdiff_t>(first),
                                     ids.begin() + static_cast<std::ptrdiff_t>(last));
    const auto before = distrust(shard);
    std::vector<ViewerCard> cards;
    try {
      auto reading =
          db1_.read([&some](db::Connection& connection) { return store::cards(connection, some); });
      cards = co_await reading;
    } catch (const db::Error& error) {
      cards.clear();  // those are read when they are asked for
    }
    renew(shard, some, cards, before);
  }
}

std::vector<ViewerId> ViewerDirectory::idsIn(const Shard& shard) {
  std::vector<ViewerId> ids;
  const std::shared_lock lock(shard.mutex);
  for (const auto& [id, card] : shard.cards) ids.push_back(id);
  return ids;
}

// Whoever reads a card now may have read what was before the gap: it is not to be kept.
std::uint64_t ViewerDirectory::distrust(Shard& shard) {
  const std::unique_lock lock(shard.mutex);
  return ++shard.forgotten;
}

void ViewerDirectory::renew(Shard& shard, const std::vector<ViewerId>& ids,
                            const std::vector<ViewerCard>& cards, std::uint64_t before) {
  const std::unique_lock lock(shard.mutex);
  for (const auto id : ids) shard.cards.erase(id);
  if (shard.forgotten != before) return;  // one of them changed since
  for (const auto& card : cards) shard.cards.insert_or_assign(card.id, card);
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
  made->tier = Tier::none;
  co_return std::move(*made);
}

drogon::Task<> ViewerService::addTiers(std::vector<Viewer>& viewers) {
  if (analysis_ == nullptr || viewers.empty()) co_return;
  std::vector<ViewerId> ids;
  for (const auto& viewer : viewers) ids.push_back(viewer.id);
  try {
    auto asking = within(kTierPatience, analysis_->tiers(std::move(ids)));
    const auto tiers = co_await std::move(asking);
    if (!tiers) co_return;
    for (auto& viewer : viewers) {
      const auto found = tiers->find(viewer.id);
      viewer.tier = found == tiers->end() ? Tier::none : found->second;
    }
  } catch (const db::Error& error) {
    log::line(log::Level::debug, "audience", {}, "tiers cannot be asked for",
              log::field("error", std::string_view(error.what())));
  }
}

drogon::Task<NewGuest> ViewerService::makeGuest() {
  store::NewViewer guest;
  guest.createdAt = clock_.now();
  auto made = co_await db1_.write([&](db::Connection& connection) {
    return store::viewer(connection, store::insertViewer(connection, guest));
  });
  made->tier = Tier::none;
  const auto issued = tokens_.issue(PrincipalKind::viewer, made->id.value, Role::viewer);
  co_return NewGuest{std::move(*made), issued.token, issued.expiresAt, issued.signingKey};
}

drogon::Task<Result<Viewer>> ViewerService::viewer(ViewerId id) {
  auto found = co_await db1_.read(
      [id](db::Connection& connection) { return store::viewer(connection, id); });
  if (!found) co_return ErrorCode::viewer_not_found;
  std::vector<Viewer> one{std::move(*found)};
  co_await addTiers(one);
  co_return std::move(one.front());
}

drogon::Task<http::Page<Viewer>> ViewerService::viewers(std::optional<std::string> name,
                                                        std::optional<ViewerKind> kind,
                                                        std::int64_t before, int limit) {
  http::Page<Viewer> page;
  auto reading = db1_.readPage(before == kIdEnd, [&](db::Connection& connection) {
    return store::viewers(connection, name, kind, before, limit + 1);
  });
  page.items = co_await reading;
  if (static_cast<int>(page.items.size()) > limit) {
    page.items.resize(static_cast<std::size_t>(limit));
    page.nextPageToken = http::makePageToken({page.items.back().id.value});
  }
  co_await addTiers(page.items);
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
