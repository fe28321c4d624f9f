// The list of logged-out tokens in Redis, a sorted set by their end. It and what this node knows
// are brought to the same state every few seconds, in both directions: so a node that missed a
// message learns it, and a Redis that was emptied is filled again by the nodes. Each node that
// heard of a revocation counts itself, so that whoever logged out is answered when all did.
#pragma once

#include <atomic>

#include "platform/redis/client.h"
#include "platform/security/revocations.h"

namespace tipflow::redis {

class RevocationExchange {
 public:
  /// Before the client is started.
  RevocationExchange(Client& client, Bus& bus, Revocations& revocations, const Clock& clock);

  /// One round: cheap when both know as many and nothing can have been missed.
  drogon::Task<> exchange();

 private:
  drogon::Task<> share(Revocations::Revoked revoked);
  /// Until so many nodes heard of it; not for long: one of them may hang.
  drogon::Task<> heardBy(std::int64_t nodes, std::string tokenId);
  drogon::Task<bool> learn(std::vector<Revocations::Revoked>* theirs);
  drogon::Task<bool> teach(std::vector<Revocations::Revoked> theirs);

  Client& client_;
  Revocations& revocations_;
  const Clock& clock_;
  std::atomic<bool> doubtful_{true};  // whether they may differ though they count the same
  Time compared_;                     // when all of it was last compared
};

}  // namespace tipflow::redis
