// Tokens that were logged out, until they would have ended by themselves: kept in memory, told to
// the other nodes over the bus, and in a file for this node's next process.
#pragma once

#include <drogon/utils/coroutine.h>

#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "platform/bus.h"

namespace tipflow {

/// Thread-safe.
class Revocations {
 public:
  struct Revoked {
    std::string tokenId;
    Time expiresAt;  ///< whole seconds
    friend bool operator==(const Revoked&, const Revoked&) = default;
  };

  Revocations(const Clock& clock, Bus& bus);
  virtual ~Revocations() = default;
  Revocations(const Revocations&) = delete;
  Revocations& operator=(const Revocations&) = delete;

  /// Also in this file, which outlives the process; reads what it holds. Throws std::runtime_error
  /// when it cannot be written.
  void keepIn(const std::string& file);
  /// Called for every token that is dead from now on, wherever it was logged out.
  void onRevoked(std::function<void(const std::string& tokenId)> listener);
  /// Besides the bus, every token logged out here is told to this.
  using Share = std::function<drogon::Task<>(Revoked)>;
  void shareBy(Share share) { share_ = std::move(share); }

  /// Dead here when it returns, and on the other nodes as soon as they hear of it.
  drogon::Task<> revoke(std::string tokenId, Time expiresAt);
  /// Virtual so that a test can act between a look and what follows from it.
  [[nodiscard]] virtual bool has(const std::string& tokenId) const;

  /// Takes in what other nodes know.
  void learn(const std::vector<Revoked>& others);
  /// All that have not ended yet.
  [[nodiscard]] std::vector<Revoked> all();
  [[nodiscard]] std::size_t count();

 private:
  bool add(const Revoked& revoked);
  void forgetEnded();
  void write(const std::vector<Revoked>& news);

  const Clock& clock_;
  Bus& bus_;
  Share share_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Time> ends_;
  std::multimap<Time, std::string> byEnd_;
  std::vector<std::function<void(const std::string&)>> listeners_;
  std::mutex fileMutex_;
  std::string path_;
};

}  // namespace tipflow
