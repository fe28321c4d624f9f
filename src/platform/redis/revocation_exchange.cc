#include "platform/redis/revocation_exchange.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "platform/redis/redis_bus.h"

namespace tipflow::redis {
namespace {

constexpr const char* kKey = "tipflow:revoked";
constexpr std::int64_t kPage = 2'000;
constexpr Duration kCompareEvery{60 * kUsPerSecond};
constexpr const char* kHeard = "tipflow:revoked:heard:";
constexpr const char* kHeardKeptMs = "10000";
constexpr auto kHeardWithin = std::chrono::milliseconds(100);
constexpr double kLookEverySeconds = 0.002;

using Revoked = Revocations::Revoked;

std::string secondsOf(Time time) { return std::to_string(time.us / kUsPerSecond); }

Command added(const Revoked& revoked) {
  return {"ZADD", kKey, secondsOf(revoked.expiresAt), revoked.tokenId};
}

// Members and scores, one after the other. Scores are whole seconds here.
void append(std::vector<Revoked>& all, const std::vector<Reply>& page) {
  for (std::size_t i = 0; i + 1 < page.size(); i += 2) {
    const auto& score = page[i + 1].text;
    std::int64_t seconds = 0;
    const auto* last = score.data() + score.size();
    const auto [end, error] = std::from_chars(score.data(), last, seconds);
    if (error == std::errc{} && end == last) {
      all.push_back({page[i].text, Time{seconds * kUsPerSecond}});
    }
  }
}

std::int64_t countOf(const Reply& reply) {
  std::int64_t count = 0;
  std::from_chars(reply.text.data(), reply.text.data() + reply.text.size(), count);
  return count;
}

bool byId(const Revoked& a, const Revoked& b) { return a.tokenId < b.tokenId; }

}  // namespace

RevocationExchange::RevocationExchange(Client& client, Bus& bus, Revocations& revocations,
                                       const Clock& clock)
    : client_(client), revocations_(revocations), clock_(clock) {
  client_.onChange([this](bool) { doubtful_ = true; });
  bus.onGap({topic::kTokenRevoked}, [this] { doubtful_ = true; });
  // Revocations listens since before: here it is known already.
  bus.subscribe(topic::kTokenRevoked, [this](std::string_view message) {
    const auto key = kHeard + std::string(message.substr(0, message.find(' ')));
    client_.submit({{"INCR", key}, {"PEXPIRE", key, kHeardKeptMs}}, [](const auto&) {});
  });
  revocations_.shareBy([this](Revoked revoked) { return share(std::move(revoked)); });
}

// Behind the message of the bus.
drogon::Task<> RevocationExchange::share(Revoked revoked) {
  const auto channel = channelOf(client_.url().database, topic::kTokenRevoked);
  std::vector<Command> commands{added(revoked), {"PUBSUB", "NUMSUB", channel}};
  const auto replies = co_await client_.run(std::move(commands));
  if (replies.empty() || replies.front().isError()) {
    doubtful_ = true;
    co_return;
  }
  const auto& listeners = replies.back().list;
  if (listeners.size() == 2) co_await heardBy(listeners.back().integer, std::move(revoked.tokenId));
}

drogon::Task<> RevocationExchange::heardBy(std::int64_t nodes, std::string tokenId) {
  auto* loop = trantor::EventLoop::getEventLoopOfCurrentThread();
  if (loop == nullptr) co_return;
  const auto until = std::chrono::steady_clock::now() + kHeardWithin;
  while (std::chrono::steady_clock::now() < until) {
    std::vector<Command> ask{{"GET", kHeard + tokenId}};
    const auto replies = co_await client_.run(std::move(ask));
    if (replies.empty() || countOf(replies.front()) >= nodes) co_return;
    co_await drogon::sleepCoro(loop, kLookEverySeconds);
  }
}

drogon::Task<> RevocationExchange::exchange() {
  const Time now = clock_.now();
  std::vector<Command> count{{"ZREMRANGEBYSCORE", kKey, "-inf", secondsOf(now)}, {"ZCARD", kKey}};
  const auto counted = co_await client_.run(std::move(count));
  if (counted.empty()) co_return;
  const bool same = counted.back().integer == static_cast<std::int64_t>(revocations_.count());
  if (!doubtful_.exchange(false) && same && now - compared_ < kCompareEvery) co_return;
  std::vector<Revoked> theirs;
  bool done = co_await learn(&theirs);
  if (done) done = co_await teach(std::move(theirs));
  if (done) {
    compared_ = now;
  } else {
    doubtful_ = true;
  }
}

drogon::Task<bool> RevocationExchange::learn(std::vector<Revoked>* theirs) {
  for (std::int64_t first = 0;; first += kPage) {
    std::vector<Command> ask{
        {"ZRANGE", kKey, std::to_string(first), std::to_string(first + kPage - 1), "WITHSCORES"}};
    const auto page = co_await client_.run(std::move(ask));
    if (page.empty() || page.front().isError()) co_return false;
    append(*theirs, page.front().list);
    if (page.front().list.size() < 2 * kPage) break;
  }
  revocations_.learn(*theirs);
  co_return true;
}

drogon::Task<bool> RevocationExchange::teach(std::vector<Revoked> theirs) {
  auto ours = revocations_.all();
  std::sort(ours.begin(), ours.end(), byId);
  std::sort(theirs.begin(), theirs.end(), byId);
  std::vector<Revoked> missing;
  std::set_difference(ours.begin(), ours.end(), theirs.begin(), theirs.end(),
                      std::back_inserter(missing), byId);
  for (std::size_t first = 0; first < missing.size(); first += kPage) {
    const auto last = std::min(missing.size(), first + kPage);
    std::vector<Command> commands;
    for (auto i = first; i < last; ++i) commands.push_back(added(missing[i]));
    const auto replies = co_await client_.run(std::move(commands));
    if (replies.empty() || replies.front().isError()) co_return false;
  }
  co_return true;
}

}  // namespace tipflow::redis
