#include "platform/redis/revocation_exchange.h"

#include <algorithm>
#include <charconv>

namespace tipflow::redis {
namespace {

constexpr const char* kKey = "tipflow:revoked";
constexpr std::int64_t kPage = 2'000;
constexpr Duration kCompareEvery{60 * kUsPerSecond};

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

bool byId(const Revoked& a, const Revoked& b) { return a.tokenId < b.tokenId; }

}  // namespace

RevocationExchange::RevocationExchange(Client& client, Bus& bus, Revocations& revocations,
                                       const Clock& clock)
    : client_(client), revocations_(revocations), clock_(clock) {
  client_.onChange([this](bool) { doubtful_ = true; });
  bus.onGap([this] { doubtful_ = true; });
  // Behind the message of the bus, so that whoever waits for this knows that the other nodes were
  // told.
  revocations_.shareBy([this](Revoked revoked) -> drogon::Task<> {
    std::vector<Command> commands{added(revoked)};
    const auto replies = co_await client_.run(std::move(commands));
    if (replies.empty() || replies.front().isError()) doubtful_ = true;
  });
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
