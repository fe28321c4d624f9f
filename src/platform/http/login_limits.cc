#include "platform/http/login_limits.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/http/call.h"

namespace tipflow::http {
namespace {

// A bound for the worst; what the password workers can refuse in a window stays far below.
constexpr std::size_t kMostKeys = 300'000;
constexpr Duration kSweepEvery{10 * kUsPerSecond};

}  // namespace

LoginLimits::Attempt LoginLimits::begin(std::string_view kind, std::string_view name,
                                        const Address& client) {
  const auto who = fmt::format("{}:{}", kind, name);
  const auto where = client.site().text();
  Attempt attempt;
  attempt.limits_ = this;
  attempt.keys_ = {fmt::format("both:{}:{}", where, who), "name:" + who, "address:" + where};
  const std::array most{limit_.perNameAndAddress, limit_.perName, limit_.perAddress};

  const std::lock_guard lock(mutex_);
  attempt.at_ = clock_.now();
  forgetOld(attempt.at_);
  const Time since = attempt.at_ - limit_.window;
  Duration wait{0};
  for (std::size_t i = 0; i < most.size(); ++i) {
    const auto found = attempts_.find(attempt.keys_[i]);
    if (most[i] == 0 || found == attempts_.end()) continue;
    auto& times = found->second;
    std::erase_if(times, [&](Time at) { return at <= since; });
    const auto allowed = static_cast<std::size_t>(most[i]);
    if (times.size() >= allowed) wait = std::max(wait, times[times.size() - allowed] - since);
  }
  if (wait > Duration{0}) {
    const auto seconds = static_cast<int>((wait.count() + kUsPerSecond - 1) / kUsPerSecond);
    throw Refused(Rejection{ErrorCode::too_many_attempts, {}, {}, seconds});
  }
  if (attempts_.size() + attempt.keys_.size() > kMostKeys) throw Refused(ErrorCode::overloaded);
  for (const auto& key : attempt.keys_) attempts_[key].push_back(attempt.at_);
  return attempt;
}

void LoginLimits::Attempt::giveBack() {
  const std::lock_guard lock(limits_->mutex_);
  for (const auto& key : keys_) {
    const auto found = limits_->attempts_.find(key);
    if (found == limits_->attempts_.end()) continue;
    auto& times = found->second;
    if (const auto own = std::find(times.begin(), times.end(), at_); own != times.end()) {
      times.erase(own);
    }
    if (times.empty()) limits_->attempts_.erase(found);
  }
}

void LoginLimits::forgetOld(Time now) {
  if (now - swept_ < kSweepEvery && now >= swept_) return;
  swept_ = now;
  const Time since = now - limit_.window;
  std::erase_if(attempts_, [&](const auto& entry) {
    return entry.second.empty() || entry.second.back() <= since;
  });
}

std::size_t LoginLimits::counted() {
  const std::lock_guard lock(mutex_);
  return attempts_.size();
}

}  // namespace tipflow::http
