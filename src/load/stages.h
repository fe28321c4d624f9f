// The shape of a run's rate: stages, each a ramp from the last stage's rate to its own. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace tipflow::load {

/// In `seconds` the rate goes in a straight line from where it was to `perSecond`; the first stage
/// starts from 0. A stage of 0 s is a jump.
struct Stage {
  double seconds = 0;
  double perSecond = 0;

  friend bool operator==(const Stage&, const Stage&) = default;
};

/// Reads `10s:1000,1m:5000,10s:0` (ms, s, m, h); nullopt for anything else, and for a shape without
/// any start in it.
std::optional<std::vector<Stage>> parseStages(std::string_view text);

/// `250ms`, `10s`, `1.5m`, `2h` in seconds; nullopt for anything else.
std::optional<double> parseDuration(std::string_view text);

/// How many starts a schedule has up to an instant, and at which instant each lies.
class Schedule {
 public:
  /// One rate for ever, > 0.
  explicit Schedule(double perSecond);
  /// Stages of which each has its rate multiplied by `part`, for one thread of several.
  Schedule(const std::vector<Stage>& stages, double part);

  /// Starts intended before `seconds` from the start, as a fraction: the integral of the rate.
  [[nodiscard]] double startsBy(double seconds) const;
  /// When the integral reaches `starts`, in seconds; infinite when it never does.
  [[nodiscard]] double instantOf(double starts) const;
  [[nodiscard]] double seconds() const;  ///< of all stages; infinite for one rate

 private:
  struct Ramp {
    double fromSeconds = 0;
    double seconds = 0;
    double from = 0;  // starts a second at its beginning
    double to = 0;
    double startsBefore = 0;
    [[nodiscard]] double startsIn(double part) const;
  };
  std::vector<Ramp> ramps_;
};

}  // namespace tipflow::load
