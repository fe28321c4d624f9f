// The lock in Redis: SET NX PX with the owner as value; renewed and released by its owner alone, by
// scripts. With Redis away every owner gets it, since a lock saves work and protects nothing.
#pragma once

#include "platform/lock.h"
#include "platform/redis/client.h"

namespace tipflow::redis {

class RedisLock final : public Lock {
 public:
  explicit RedisLock(Client& client) : client_(client) {}

  drogon::Task<bool> acquire(std::string name, std::string owner, Duration lifetime) override;
  drogon::Task<> release(std::string name, std::string owner) override;

 private:
  Client& client_;
};

}  // namespace tipflow::redis
