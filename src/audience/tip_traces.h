// What becomes of a tip after its answer, told under the trace of its request: committed, pushed,
// settled. Holds only tips of traces whose spans are kept, and forgets the oldest when there are
// too many: a trace may end early, a tip never does.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "audience/tip.h"
#include "base/random.h"
#include "base/trace_context.h"
#include "finance/ledger.h"

namespace tipflow::audience {

class TipTraces {
 public:
  TipTraces(const Clock& clock, Random& random, std::size_t most = 10'000)
      : clock_(clock), random_(random), most_(most) {}

  /// A tip of `request` is on its way to a lane.
  void watch(const TraceId& tip, const TraceContext& request);
  /// It was not written by that request.
  void forget(const TraceId& tip);

  /// A lane committed these.
  void onCommitted(LaneId lane, const std::vector<NumberedTip>& tips, Time at);
  /// The watched ones of a batch that goes to finance now, each under the span of its push.
  std::vector<finance::TracedTip> onPush(LaneId lane, LaneSeq from, LaneSeq to, Time at);
  /// How that batch ended.
  void onPushed(LaneId lane, LaneSeq from, LaneSeq to, bool settled, Time at);

 private:
  struct Asked {
    TraceContext request;
    Time at;
  };
  struct Committed {
    TraceId tip;
    TipId id;
    TraceContext request;
    std::uint64_t push = 0;  // span of the push under way
    Time pushedAt{};
  };
  using Place = std::pair<LaneId, LaneSeq>;

  const Clock& clock_;
  Random& random_;
  std::size_t most_;
  std::atomic<bool> any_{false};
  std::mutex mutex_;
  std::unordered_map<TraceId, Asked> asked_;
  std::map<Place, Committed> committed_;
};

}  // namespace tipflow::audience
