// Nonces that were used, known to all nodes through Redis. What was lost there is noticed: the
// store then counts as begun anew, and every node puts back those it took itself
// (docs/decisions/0009-redis.md).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "platform/nonces.h"
#include "platform/redis/client.h"

namespace tipflow::redis {

class RedisNonces final : public Nonces {
 public:
  /// `own`: those that came to this node, `lifetime` as theirs. Before the client is started.
  RedisNonces(Client& client, LocalNonces& own, const Clock& clock, Duration lifetime);

  /// With Redis away only what bears being repeated at another node goes on, on what this node
  /// knows.
  drogon::Task<Taken> take(Use use) override;

 private:
  /// A store as it was found: from when on it knows every nonce, and the key that says so. Redis
  /// loses the key when it is emptied, and never has it after it was started again.
  struct Store {
    std::string marker;
    Time since;
  };
  using StorePtr = std::shared_ptr<const Store>;

  [[nodiscard]] StorePtr store();
  void forgetStore();
  drogon::Task<> findStore();
  drogon::Task<> putBack();
  drogon::Task<Taken> takeFrom(StorePtr asked, Use use);
  [[nodiscard]] Taken takeAlone(const Use& use);

  Client& client_;
  LocalNonces& own_;
  const Clock& clock_;
  Duration lifetime_;
  std::mutex mutex_;
  StorePtr store_;                 // none until it is known
  std::uint64_t connections_ = 0;  // what was found over an earlier one is not to be trusted
};

}  // namespace tipflow::redis
