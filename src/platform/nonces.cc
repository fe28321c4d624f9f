#include "platform/nonces.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace tipflow {
namespace {

// The file is written anew when it has this many lines more than twice what it must have.
constexpr std::size_t kIdleLines = 10'000;

}  // namespace

void LocalNonces::keepIn(const std::string& file) {
  const std::lock_guard lock(mutex_);
  path_ = file;
  std::vector<std::pair<std::int64_t, std::string>> kept;
  {
    std::ifstream in(file);
    std::int64_t expiresUs = 0;
    std::string nonce;
    while (in >> expiresUs >> nonce) kept.emplace_back(expiresUs, nonce);
  }
  std::sort(kept.begin(), kept.end());
  for (const auto& [expiresUs, nonce] : kept) {
    if (Time{expiresUs} > clock_.now()) add(nonce, Time{expiresUs}, true);
  }
  if (!rewrite()) throw std::runtime_error("cannot write " + file);
}

drogon::Task<Nonces::Taken> LocalNonces::take(Use use) {
  // Timestamps are whole milliseconds, the beginning is not.
  if (use.sent + Duration{kUsPerMs} < began_) co_return Taken::stale;
  co_return takeHere(use.nonce, use.sent);
}

Nonces::Taken LocalNonces::takeHere(const std::string& nonce, Time sent) {
  const std::lock_guard lock(mutex_);
  const Time now = clock_.now();
  forgetOld(now);
  if (used_.contains(nonce)) return Taken::used;
  const Time expires = now + lifetime_;
  const bool lasting = sent > now;
  if (used_.size() >= most_ || (lasting && !write(nonce, expires))) return Taken::full;
  add(nonce, expires, lasting);
  return Taken::fresh;
}

std::vector<std::pair<std::string, Time>> LocalNonces::known() {
  const std::lock_guard lock(mutex_);
  forgetOld(clock_.now());
  std::vector<std::pair<std::string, Time>> all;
  all.reserve(byAge_.size());
  for (const auto& kept : byAge_) all.emplace_back(*kept.nonce, kept.expires);
  return all;
}

void LocalNonces::add(const std::string& nonce, Time expires, bool lasting) {
  byAge_.push_back({expires, &*used_.insert(nonce).first, lasting});
  if (lasting) ++lasting_;
}

// Should the clock have been set back, what was kept stays longer than it must.
void LocalNonces::forgetOld(Time now) {
  while (!byAge_.empty() && byAge_.front().expires <= now) {
    if (byAge_.front().lasting) --lasting_;
    used_.erase(*byAge_.front().nonce);
    byAge_.pop_front();
  }
}

bool LocalNonces::write(const std::string& nonce, Time expires) {
  if (path_.empty()) return true;
  if ((!file_ || lines_ > 2 * lasting_ + kIdleLines) && !rewrite()) return false;
  file_ << expires.us << ' ' << nonce << '\n' << std::flush;
  if (!file_) return false;
  ++lines_;
  return true;
}

// Written beside and moved over, so that a crash in between forgets nothing.
bool LocalNonces::rewrite() {
  const auto fresh = path_ + ".new";
  file_.close();
  file_.clear();
  file_.open(fresh, std::ios::trunc);
  for (const auto& kept : byAge_) {
    if (kept.lasting) file_ << kept.expires.us << ' ' << *kept.nonce << '\n';
  }
  if (!file_.flush()) return false;
  lines_ = lasting_;
  std::error_code error;
  std::filesystem::rename(fresh, path_, error);
  return !error;
}

}  // namespace tipflow
