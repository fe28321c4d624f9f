// How many failed log-ins are borne: of one name from one address, of one name, and from one
// address, in a sliding window. This node's own count.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "platform/http/address.h"

namespace tipflow::http {

struct LoginLimit {
  std::int64_t perNameAndAddress = 10;
  std::int64_t perName = 100;
  std::int64_t perAddress = 100;
  Duration window{300 * kUsPerSecond};
};

/// Thread-safe.
class LoginLimits {
 public:
  LoginLimits(LoginLimit limit, const Clock& clock) : limit_(limit), clock_(clock) {}

  /// An attempt under way. It counts as failed unless it is given back.
  class Attempt {
   public:
    /// It did not fail: the password was right, or was not looked at.
    void giveBack();

   private:
    friend class LoginLimits;
    LoginLimits* limits_ = nullptr;
    std::array<std::string, 3> keys_;
    Time at_;
  };

  /// Counts an attempt to log in as `name` (of `kind`). Throws Refused (too_many_attempts) with the
  /// time after which the next may be made. Counted before the password is looked at, so that many
  /// at once are no way around it; names that nobody has are counted like others.
  Attempt begin(std::string_view kind, std::string_view name, const Address& client);

  /// How many names and addresses are counted.
  [[nodiscard]] std::size_t counted();

 private:
  /// When each of the counted attempts was made, oldest first.
  using Attempts = std::vector<Time>;

  void forgetOld(Time now);

  LoginLimit limit_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Attempts> attempts_;
  Time swept_;
};

}  // namespace tipflow::http
