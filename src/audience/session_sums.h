// Running sums of open sessions over all nodes. Each lane's sums come from the process that writes
// it: counted here for lanes of this process, told by the bus for others. Lanes that nobody writes
// any more are counted together, from DB1, and take the place of what was told of them. So nothing
// is counted twice, and when traffic stops every node shows the same, exact sums.
//
// All sums are told whole, never as differences: a message that is lost is made good by the next.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "audience/client.h"
#include "audience/sums_wire.h"
#include "audience/tip.h"

namespace tipflow::audience {

/// Thread-safe.
class SessionSums {
 public:
  /// A lane of this process committed these.
  void add(LaneId lane, const std::vector<NumberedTip>& tips);
  void take(const wire::SumsNews& news);
  [[nodiscard]] TipSum of(SessionId session) const;

  /// What this process has to tell: everything, or what changed since it was asked last.
  wire::SumsNews news(bool all);
  /// The lanes of this process.
  [[nodiscard]] std::vector<LaneId> ownLanes() const;
  [[nodiscard]] std::optional<wire::FinishedSums> finished() const;
  /// Whether a lane of this process was taken for finished while it was not: then the finished
  /// lanes are to be counted anew without it, in the next round.
  [[nodiscard]] bool mustRecount() const;
  /// Forgets sessions that are not in `open` and were not when this was called last. From time to
  /// time.
  void forgetClosed(const std::set<SessionId>& open);

 private:
  struct Sum {
    TipSum sum;
    bool told = false;
    bool closed = false;
  };
  struct LaneEntry {
    bool own = false;
    bool fresh = false;  // committed something not long ago
    std::unordered_map<SessionId, Sum> sums;
  };
  struct Finished {
    wire::FinishedSums told;
    std::set<LaneId> except;
    std::unordered_map<SessionId, TipSum> sums;
  };
  void takeFinished(const wire::FinishedSums& told);
  [[nodiscard]] bool isFinished(LaneId lane) const;

  mutable std::shared_mutex mutex_;
  std::map<LaneId, LaneEntry> lanes_;
  std::optional<Finished> finished_;
  bool recount_ = false;
};

}  // namespace tipflow::audience
