#include "platform/security/revocations.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>

namespace tipflow {
namespace {

// Nobody logs out so many within the life of a token; beyond it, what ends first is forgotten.
constexpr std::size_t kMost = 1'000'000;
constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999

// One token as the bus and the file have it: its id and when it ends, in seconds.
std::string lineOf(const Revocations::Revoked& revoked) {
  return fmt::format("{} {}", revoked.tokenId, revoked.expiresAt.us / kUsPerSecond);
}

std::optional<Revocations::Revoked> fromLine(std::string_view line) {
  const auto blank = line.find(' ');
  if (blank == 0 || blank == std::string_view::npos) return std::nullopt;
  const auto digits = line.substr(blank + 1);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (error != std::errc{} || end != digits.data() + digits.size() || seconds < 0 ||
      seconds > kLastSecond) {
    return std::nullopt;
  }
  return Revocations::Revoked{std::string(line.substr(0, blank)), Time{seconds * kUsPerSecond}};
}

}  // namespace

Revocations::Revocations(const Clock& clock, Bus& bus) : clock_(clock), bus_(bus) {
  bus_.subscribe(topic::kTokenRevoked, [this](std::string_view message) {
    if (const auto revoked = fromLine(message)) learn({*revoked});
  });
}

void Revocations::keepIn(const std::string& file) {
  std::vector<Revoked> kept;
  {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      const auto revoked = fromLine(line);
      if (revoked && revoked->expiresAt > clock_.now()) kept.push_back(*revoked);
    }
  }
  learn(kept);
  // Written beside and moved over, so that a crash in between forgets nothing.
  const std::lock_guard lock(fileMutex_);
  const auto fresh = file + ".new";
  std::ofstream out(fresh, std::ios::trunc);
  for (const auto& revoked : all()) out << lineOf(revoked) << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + fresh);
  std::filesystem::rename(fresh, file);
  path_ = file;
}

void Revocations::onRevoked(std::function<void(const std::string& tokenId)> listener) {
  const std::unique_lock lock(mutex_);
  listeners_.push_back(std::move(listener));
}

drogon::Task<> Revocations::revoke(std::string tokenId, Time expiresAt) {
  Revoked revoked{std::move(tokenId), Time{expiresAt.us / kUsPerSecond * kUsPerSecond}};
  // Here too it comes over the bus.
  bus_.publish(topic::kTokenRevoked, lineOf(revoked));
  if (share_) co_await share_(std::move(revoked));
}

bool Revocations::has(const std::string& tokenId) const {
  const std::shared_lock lock(mutex_);
  return ends_.contains(tokenId);
}

void Revocations::learn(const std::vector<Revoked>& others) {
  std::vector<Revoked> news;
  std::vector<std::function<void(const std::string&)>> listeners;
  {
    const std::unique_lock lock(mutex_);
    forgetEnded();
    for (const auto& revoked : others) {
      if (add(revoked)) news.push_back(revoked);
    }
    listeners = listeners_;
  }
  if (news.empty()) return;
  for (const auto& revoked : news) {
    for (const auto& listener : listeners) listener(revoked.tokenId);
  }
  write(news);
}

std::vector<Revocations::Revoked> Revocations::all() {
  const std::unique_lock lock(mutex_);
  forgetEnded();
  std::vector<Revoked> all;
  all.reserve(byEnd_.size());
  for (const auto& [end, tokenId] : byEnd_) all.push_back({tokenId, end});
  return all;
}

std::size_t Revocations::count() {
  const std::unique_lock lock(mutex_);
  forgetEnded();
  return byEnd_.size();
}

// Under the lock.
bool Revocations::add(const Revoked& revoked) {
  if (revoked.expiresAt <= clock_.now()) return false;
  if (!ends_.emplace(revoked.tokenId, revoked.expiresAt).second) return false;
  byEnd_.emplace(revoked.expiresAt, revoked.tokenId);
  return true;
}

// Under the lock.
void Revocations::forgetEnded() {
  const Time now = clock_.now();
  while (!byEnd_.empty() && (byEnd_.begin()->first <= now || byEnd_.size() > kMost)) {
    ends_.erase(byEnd_.begin()->second);
    byEnd_.erase(byEnd_.begin());
  }
}

void Revocations::write(const std::vector<Revoked>& news) {
  const std::lock_guard lock(fileMutex_);
  if (path_.empty()) return;
  std::ofstream file(path_, std::ios::app);
  for (const auto& revoked : news) file << lineOf(revoked) << '\n';
}

}  // namespace tipflow
