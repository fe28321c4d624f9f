#include "platform/redis/redis_nonces.h"

#include <algorithm>
#include <charconv>

#include "platform/log.h"

namespace tipflow::redis {
namespace {

// Within this time of a loss every node that lives has put back what it knows.
constexpr Duration kPutBackWithin{2 * kUsPerSecond};
// Longer than Redis runs without being started again, or else a loss too many is seen.
constexpr Duration kMarkerLifetime{365 * kUsPerDay};
constexpr std::size_t kAtOnce = 500;

std::string keyOf(const std::string& nonce) { return "tipflow:nonce:" + nonce; }

Command setIfAbsent(std::string key, std::string value, Duration lifetime) {
  const auto ms = std::max<std::int64_t>(lifetime.count() / kUsPerMs, 1);
  return {"SET", std::move(key), std::move(value), "NX", "PX", std::to_string(ms)};
}

// A new one each time Redis starts; empty where it is not said.
std::string runIdIn(const std::string& info) {
  constexpr std::string_view kLine = "run_id:";
  const auto at = info.find(kLine);
  if (at == std::string::npos) return {};
  const auto begin = at + kLine.size();
  return info.substr(begin, info.find_first_of("\r\n", begin) - begin);
}

std::optional<Time> instantIn(const std::string& text) {
  Time time;
  const auto* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, time.us);
  if (error != std::errc{} || end != last) return std::nullopt;
  return time;
}

}  // namespace

RedisNonces::RedisNonces(Client& client, LocalNonces& own, const Clock& clock, Duration lifetime)
    : client_(client), own_(own), clock_(clock), lifetime_(lifetime) {
  client_.onChange([this](bool up) {
    forgetStore();
    if (up) drogon::async_run([this]() -> drogon::Task<> { co_await findStore(); });
  });
}

RedisNonces::StorePtr RedisNonces::store() {
  const std::lock_guard lock(mutex_);
  return store_;
}

void RedisNonces::forgetStore() {
  const std::lock_guard lock(mutex_);
  store_ = nullptr;
  ++connections_;
}

// Whoever comes first to a new or emptied Redis says since when it knows every nonce.
drogon::Task<> RedisNonces::findStore() {
  std::uint64_t connection = 0;
  {
    const std::lock_guard lock(mutex_);
    connection = connections_;
  }
  std::vector<Command> ask{{"INFO", "server"}};
  const auto info = co_await client_.run(std::move(ask));
  if (info.empty()) co_return;
  auto found = std::make_shared<Store>();
  found->marker = "tipflow:nonces.since:" + runIdIn(info.front().text);
  std::vector<Command> mark{
      setIfAbsent(found->marker, std::to_string(clock_.now().us), kMarkerLifetime),
      {"GET", found->marker}};
  const auto marked = co_await client_.run(std::move(mark));
  if (marked.empty()) co_return;
  const auto since = instantIn(marked.back().text);
  if (!since) {
    log::warn("platform", "Redis cannot keep nonces",
              log::field("why", std::string_view(marked.front().text)));
    co_return;
  }
  found->since = *since;
  co_await putBack();
  const std::lock_guard lock(mutex_);
  if (connection == connections_) store_ = std::move(found);
}

drogon::Task<> RedisNonces::putBack() {
  const auto known = own_.known();
  const Time now = clock_.now();
  std::vector<Command> commands;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto& [nonce, expires] = known[i];
    commands.push_back(setIfAbsent(keyOf(nonce), "1", expires - now));
    if (commands.size() < kAtOnce && i + 1 < known.size()) continue;
    co_await client_.run(std::move(commands));
    commands.clear();
  }
}

drogon::Task<Nonces::Taken> RedisNonces::take(Use use) {
  auto found = store();
  if (!found) co_return takeAlone(use);
  co_return co_await takeFrom(std::move(found), std::move(use));
}

drogon::Task<Nonces::Taken> RedisNonces::takeFrom(StorePtr asked, Use use) {
  std::vector<Command> commands{setIfAbsent(keyOf(use.nonce), "1", lifetime_),
                                {"GET", asked->marker}};
  const auto replies = co_await client_.run(std::move(commands));
  if (replies.empty()) co_return takeAlone(use);
  if (replies.front().isError()) co_return Taken::full;
  // Emptied, or not the Redis any more that was asked for.
  if (store() != asked || instantIn(replies.back().text) != asked->since) {
    co_await findStore();
    co_return takeAlone(use);
  }
  if (replies.front().kind == Reply::Kind::nil) co_return Taken::used;
  if (use.sent + Duration{kUsPerMs} < asked->since) co_return Taken::stale;
  if (clock_.now() < asked->since + kPutBackWithin && !use.repeatable) co_return Taken::away;
  co_return own_.takeHere(use.nonce, use.sent) == Taken::used ? Taken::used : Taken::fresh;
}

Nonces::Taken RedisNonces::takeAlone(const Use& use) {
  return use.repeatable ? own_.takeHere(use.nonce, use.sent) : Taken::away;
}

}  // namespace tipflow::redis
