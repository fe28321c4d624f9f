// What a node's report changes about the alerts that are kept. Pure.
#pragma once

#include <optional>
#include <vector>

#include "console/alert_store.h"
#include "platform/condition_sink.h"

namespace tipflow::console {

/// Who counts as gone. Whoever keeps alerts can say so only after it has listened for as long: what
/// nobody took while it was away itself proves nothing.
class Attention {
 public:
  explicit Attention(Duration gone) : gone_(gone) {}

  struct Bounds {
    Time fresh;                ///< a node heard since then need not be noted again
    std::optional<Time> gone;  ///< a node not heard since then is gone; nullopt: it cannot be said
  };
  /// A report is taken now.
  Bounds taken(Time now);

 private:
  Duration gone_;
  std::optional<Time> since_;  ///< it has listened since then
  Time last_;
};

struct AlertChanges {
  /// ended: as its node says. unwatched: its node watches for it no more. gone: its node is.
  enum class Why { ended, unwatched, gone };
  struct Over {
    std::int64_t alert = 0;
    Time at;
    Why why = Why::ended;
    friend bool operator==(const Over&, const Over&) = default;
  };
  std::vector<Condition> raise;
  std::vector<Over> resolve;
  bool note = false;  ///< that the node was heard is to be written down
};

/// `open`: all alerts that are open. A rule and subject has one of them at most, so what is raised
/// already stays as it is; what is settling too. Other nodes' alerts are left alone unless their
/// node is gone.
[[nodiscard]] AlertChanges changesOf(const ConditionReport& report,
                                     const std::vector<store::OpenAlert>& open,
                                     const Attention::Bounds& bounds);

}  // namespace tipflow::console
