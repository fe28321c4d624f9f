// Nonces that were used. Unlike a cache it never forgets one before its time: when there is no room
// for another, that is said, and the request is refused. In process here.
#pragma once

#include <cstddef>
#include <deque>
#include <fstream>
#include <mutex>
#include <string>
#include <unordered_set>

#include "base/time.h"

namespace tipflow {

class Nonces {
 public:
  enum class Taken {
    fresh,  ///< it was not used, and now is
    used,
    full,  ///< nothing is known of it, and nothing can be kept
  };
  virtual ~Nonces() = default;
  /// `lasting`: to be remembered by the next process too. The others may be forgotten when this
  /// one ends; whoever asks must then refuse what is older than the store.
  virtual Taken take(const std::string& nonce, bool lasting) = 0;
};

class LocalNonces final : public Nonces {
 public:
  /// Each is kept for `lifetime`, at most `most` at a time.
  LocalNonces(const Clock& clock, Duration lifetime, std::size_t most)
      : clock_(clock), lifetime_(lifetime), most_(most) {}
  /// Writes lasting ones to this file, having read what the last process wrote. Throws
  /// std::runtime_error when it cannot. The file outlives the process, not a loss of power.
  void keepIn(const std::string& file);

  Taken take(const std::string& nonce, bool lasting) override;

 private:
  struct Use {
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
  std::mutex mutex_;
  std::unordered_set<std::string> used_;
  std::deque<Use> byAge_;
  std::string path_;
  std::ofstream file_;
  std::size_t lasting_ = 0;  // of those in byAge_
  std::size_t lines_ = 0;    // in the file, of which some are of no use any more
};

}  // namespace tipflow
