// Nonces that were used. Unlike a cache it never forgets one before its time: when there is no room
// for another, that is said, and the request is refused. In process here; for all nodes:
// platform/redis/redis_nonces.h.
#pragma once

#include <drogon/utils/coroutine.h>

#include <cstddef>
#include <deque>
#include <fstream>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/time.h"

namespace tipflow {

class Nonces {
 public:
  enum class Taken {
    fresh,  ///< it was not used, and now is
    used,
    stale,  ///< sent before the store began: it may be a replay of what the store does not know
    full,   ///< nothing is known of it, and nothing can be kept
    away,   ///< whether another node has seen it cannot be asked now
  };
  /// A nonce that came with a request.
  struct Use {
    std::string nonce;
    Time sent;  ///< by the client's clock, as it signed
    /// The request bears being repeated at another node: it does nothing a second time.
    bool repeatable = false;
  };
  virtual ~Nonces() = default;
  virtual drogon::Task<Taken> take(Use use) = 0;
};

class LocalNonces final : public Nonces {
 public:
  /// Each is kept for `lifetime`, at most `most` at a time. What was sent before now is stale.
  LocalNonces(const Clock& clock, Duration lifetime, std::size_t most)
      : clock_(clock), lifetime_(lifetime), most_(most), began_(clock.now()) {}
  /// Those stamped ahead of our clock will not be older than the next process: writes them to this
  /// file, having read what the last process wrote. Throws std::runtime_error when it cannot. The
  /// file outlives the process, not a loss of power.
  void keepIn(const std::string& file);

  drogon::Task<Taken> take(Use use) override;
  /// As `take`, with no regard to when the store began.
  Taken takeHere(const std::string& nonce, Time sent);
  /// All that are kept, and when each may be forgotten.
  [[nodiscard]] std::vector<std::pair<std::string, Time>> known();

 private:
  struct Kept {
    Time expires;
    const std::string* nonce;  ///< in used_, whose elements stay where they are
    bool lasting;
  };

  void add(const std::string& nonce, Time expires, bool lasting);
  void forgetOld(Time now);
  bool write(const std::string& nonce, Time expires);
  bool rewrite();

  const Clock& clock_;
  Duration lifetime_;
  std::size_t most_;
  Time began_;
  std::mutex mutex_;
  std::unordered_set<std::string> used_;
  std::deque<Kept> byAge_;
  std::string path_;
  std::ofstream file_;
  std::size_t lasting_ = 0;  // of those in byAge_
  std::size_t lines_ = 0;    // in the file, of which some are of no use any more
};

}  // namespace tipflow
