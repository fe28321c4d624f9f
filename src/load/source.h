// What the connections send, and who learns what became of it. A source is a state machine without
// I/O or clock: it is asked for requests and told of answers. The driver has the sockets.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "load/wire.h"

namespace tipflow::load {

/// A point on the monotonic clock, in microseconds.
using MonotonicUs = std::int64_t;
inline constexpr MonotonicUs kNever = std::numeric_limits<MonotonicUs>::max();

/// Names a request under way; meaningless to the driver.
using Ticket = std::uint64_t;

/// Why a request that was sent has no answer. Whether it was carried out is not known. Stale: on a
/// connection that had been used before and on which not a byte of the answer came: as a rule the
/// server had just closed it, being idle.
enum class Loss { broken, stale, timedOut };

class Source {
 public:
  virtual ~Source() = default;

  /// Appends the next request that is due to `out`; nullopt, and nothing appended, when none is.
  virtual std::optional<Ticket> next(MonotonicUs now, std::string& out) = 0;
  /// From when on next() has a request; kNever while only an answer can bring one.
  [[nodiscard]] virtual MonotonicUs dueUs() const = 0;
  virtual void answered(Ticket ticket, const Answer& answer, MonotonicUs now) = 0;
  virtual void lost(Ticket ticket, Loss loss, MonotonicUs now) = 0;
  /// A connection could not be made.
  virtual void unreachable(std::string_view why, MonotonicUs now) = 0;
  /// Whether there is nothing left to send or to wait for. Asked often, also while nothing happens.
  virtual bool done(MonotonicUs now) = 0;
};

}  // namespace tipflow::load
