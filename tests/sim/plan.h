// What happens in a run: its settings, and a list of operations and faults, all drawn from the seed
// before it starts. A plan can be made smaller, which is how a failing seed is shrunk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audience/lane.h"
#include "audience/pusher.h"
#include "base/time.h"

namespace tipflow::sim {

struct Settings {
  int audienceNodes = 1;
  int lanes = 1;  ///< a node
  int financeNodes = 1;
  int anchors = 2;
  audience::LaneLimits lane;
  audience::PusherLimits pusher;
  Duration laneLease{5'000'000};
  Duration jobLease{3'000'000};
  Duration providerTimeout{1'000'000};
  Duration financeAnswer{5'000'000};
  Duration latency{200};
  Duration commitTime{500};
};

enum class OpKind {
  tip,            ///< target: node; trace, content
  withdraw,       ///< target: anchor; trace, amount
  setRate,        ///< target: anchor (0: the platform); amount: bp; extra: ms from now, or 0
  room,           ///< target: anchor; amount: state
  audit,          ///< of what stands, beside the traffic
  crashAudience,  ///< target: node; extra: points it may still pass
  crashFinance,
  freezeAudience,  ///< target: node; extra: ms
  freezeFinance,
  clockAudience,  ///< target: node; extra: ms, either way
  clockFinance,
  cut,         ///< target: database 1 or 2; extra: points
  delay,       ///< target: database; the next statement is executed late, its client gone
  down,        ///< target: database; extra: ms
  rollBack,    ///< target: database; extra: statements
  refuse,      ///< target: database; extra: statements
  slow,        ///< target: database; extra: ms of slow statements
  badNetwork,  ///< extra: ms
  provider,    ///< amount: how it behaves; extra: ms
};

struct Op {
  Time at;
  OpKind kind = OpKind::tip;
  int target = 0;
  int trace = 0;    ///< which traceId, of tips and of withdrawals
  int content = 0;  ///< 0: the traceId's own; else altered
  std::int64_t amount = 0;
  std::int64_t extra = 0;
  bool insists = false;  ///< the client asks again until it knows
};

struct Plan {
  std::uint64_t seed = 0;
  Settings settings;
  std::vector<Op> ops;  // in order of time
};

Plan planOf(std::uint64_t seed);
std::string shown(const Settings& settings);
std::string shown(const Op& op);

}  // namespace tipflow::sim
