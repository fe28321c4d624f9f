// Password hashing off the event loops, with a check that takes the same time for an unknown name.
#pragma once

#include <optional>
#include <string>

#include "platform/http/call.h"
#include "platform/security/crypto.h"
#include "platform/workers.h"

namespace tipflow {

class Passwords {
 public:
  Passwords(Workers& workers, crypto::PasswordCost cost)
      : workers_(workers), cost_(cost), decoy_(crypto::hashPassword("decoy", cost)) {}

  drogon::Task<std::string> hash(std::string password) {
    auto work = [this, &password] { return crypto::hashPassword(password, cost_); };
    co_return co_await guarded(work);
  }
  /// False for a wrong password, and for no hash at all after the same work.
  drogon::Task<bool> verify(std::optional<std::string> hash, std::string password) {
    auto work = [this, &hash, &password] {
      const bool fits = crypto::verifyPassword(hash.value_or(decoy_), password);
      return fits && hash.has_value();
    };
    co_return co_await guarded(work);
  }

 private:
  template <class Work>
  drogon::Task<std::invoke_result_t<Work>> guarded(Work work) {
    try {
      co_return co_await workers_.run(std::move(work));
    } catch (const Workers::Full&) {
      throw http::Refused(ErrorCode::overloaded);
    }
  }

  Workers& workers_;
  crypto::PasswordCost cost_;
  std::string decoy_;
};

}  // namespace tipflow
