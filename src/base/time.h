// Instants and clocks. Instants are microseconds since the Unix epoch, always UTC; people see
// RFC 3339 with milliseconds. Clocks are handed to constructors.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tipflow {

using Duration = std::chrono::microseconds;

/// An instant in microseconds since 1970-01-01T00:00:00Z.
struct Time {
  std::int64_t us = 0;

  friend auto operator<=>(const Time&, const Time&) = default;
  friend Time operator+(Time t, Duration d) { return Time{t.us + d.count()}; }
  friend Time operator-(Time t, Duration d) { return Time{t.us - d.count()}; }
  friend Duration operator-(Time a, Time b) { return Duration{a.us - b.us}; }
};

inline constexpr std::int64_t kUsPerMs = 1'000;
inline constexpr std::int64_t kUsPerSecond = 1'000'000;
inline constexpr std::int64_t kUsPerHour = 3'600 * kUsPerSecond;
inline constexpr std::int64_t kUsPerDay = 24 * kUsPerHour;

/// `2026-01-31T08:30:00.125Z`; microseconds are cut, not rounded.
std::string formatTime(Time time);
/// Reads RFC 3339 with any offset and up to nine fractional digits (cut to microseconds); nullopt
/// when it is not that or lies outside the years 1970 to 9999.
std::optional<Time> parseTime(std::string_view text);

/// The start of the UTC hour that holds `time`.
Time startOfHour(Time time);
/// `time` moved up to the next whole millisecond, when it is not on one.
Time roundUpToMs(Time time);

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override;
};

/// A clock that stands until it is moved; for tests and the simulator.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_(start) {}
  [[nodiscard]] Time now() const override { return now_; }
  void advance(Duration by) { now_ = now_ + by; }
  void set(Time to) { now_ = to; }

 private:
  Time now_;
};

}  // namespace tipflow
