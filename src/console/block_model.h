// Blocked networks as the API shows them.
#pragma once

#include <optional>
#include <string>

#include "platform/json.h"

namespace tipflow::console {

struct NewBlock {
  Text<1, 64> network;
  Text<1, 200> reason;
  std::optional<Time> until;  ///< for good when absent
};
BOOST_DESCRIBE_STRUCT(NewBlock, (), (network, reason, until))

struct Block {
  std::int64_t id = 0;
  std::string network;
  std::string reason;
  std::optional<Time> until;
  Time createdAt;
  std::string createdBy;
};
BOOST_DESCRIBE_STRUCT(Block, (), (id, network, reason, until, createdAt, createdBy))

}  // namespace tipflow::console
