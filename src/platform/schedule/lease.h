// The lease: who may do a piece of work that only one should do, and the fencing epoch under which
// its results are written. A protocol core: events in, actions out; no thread, clock or database.
// A lease saves work. What protects the data is the epoch: the store takes a result only in a
// transaction that sees the epoch to be the newest (mayWrite).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/time.h"

namespace tipflow::schedule {

/// Grows with each take-over, also when a holder takes its own lease again.
using Epoch = std::int64_t;

/// A lease as the store keeps it; times are by the store's clock.
struct LeaseRow {
  std::string holder;
  Epoch epoch = 0;
  Time until;
};

// The store's side: decided inside the transaction that holds the row locked ------------------
/// The row to write when `holder` asks for the lease; nullopt while somebody else holds it.
[[nodiscard]] std::optional<LeaseRow> taken(const std::optional<LeaseRow>& row,
                                            const std::string& holder, Time now, Duration length);
/// The row to write when the lease of `epoch` is to be prolonged; nullopt when it is not the
/// newest.
[[nodiscard]] std::optional<LeaseRow> renewed(const std::optional<LeaseRow>& row, Epoch epoch,
                                              Time now, Duration length);
/// Whether a result that was worked out under `epoch` may be written.
[[nodiscard]] bool mayWrite(const std::optional<LeaseRow>& row, Epoch epoch);

struct LeaseLimits {
  Duration length{10'000'000};
  Duration retry{1'000'000};  ///< between two tries to get it
};

/// The holder's side. Times are by the holder's own clock: it counts from before it asked, so that
/// it never believes in its lease for longer than the store does, as long as its clock runs evenly.
class Lease {
 public:
  struct WaitUntil {
    Time time;
  };
  /// Ask the store for the lease (`taken`).
  struct Acquire {};
  /// Ask the store to prolong it (`renewed`).
  struct Renew {
    Epoch epoch;
  };
  using Action = std::variant<WaitUntil, Acquire, Renew>;

  explicit Lease(LeaseLimits limits) : limits_(limits) {}

  /// Work may be started now. Its result must still be written under `epoch`.
  [[nodiscard]] bool held(Time now) const;
  /// Of the lease as last acquired; 0 before the first.
  [[nodiscard]] Epoch epoch() const { return epoch_; }

  Action next(Time now);

  /// The store granted what was asked at `asked`.
  void onAcquired(Epoch epoch, Time asked);
  void onRenewed(Time asked);
  /// Somebody else holds it, or the store refused a result as outdated.
  void onLost(Time now);
  /// The store cannot be reached, or what it did is not known.
  void onFailed(Time now);

 private:
  LeaseLimits limits_;
  Epoch epoch_ = 0;
  bool mine_ = false;
  Time until_{};
  Time since_{};  // when what stands was asked
  Time notBefore_{};
};

}  // namespace tipflow::schedule
