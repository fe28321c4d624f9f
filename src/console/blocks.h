// Blocked networks: kept here, enforced by each node's gate (platform/http/gate.h), which is told
// of every change and asks again by itself.
#pragma once

#include <memory>

#include "base/result.h"
#include "console/block_model.h"
#include "platform/bus.h"
#include "platform/db/database.h"
#include "platform/http/address.h"
#include "platform/http/call.h"

namespace tipflow::console {

/// Why `network` may not be blocked by somebody at `asker`: it holds that address, or this machine.
[[nodiscard]] std::optional<Rejection> refuseBlock(const Network& network, const Address& asker);

class Blocks {
 public:
  Blocks(db::Database& db2, Bus& bus, const Clock& clock) : db2_(db2), bus_(bus), clock_(clock) {}

  drogon::Task<http::Page<Block>> list(std::int64_t before, int pageSize);
  drogon::Task<Result<Block>> add(NewBlock wanted, Address asker, std::int64_t by);
  /// The block that is no more.
  drogon::Task<Result<Block>> remove(std::int64_t id);

  /// What a gate has to refuse now.
  drogon::Task<std::shared_ptr<const NetworkSet>> networks();
  /// The same before there are event loops.
  static std::shared_ptr<const NetworkSet> networks(db::Connection& connection, Time now);

 private:
  db::Database& db2_;
  Bus& bus_;
  const Clock& clock_;
};

}  // namespace tipflow::console
