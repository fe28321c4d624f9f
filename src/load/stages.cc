#include "load/stages.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace tipflow::load {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kRateMost = 10'000'000;

// Reads a number that must not be negative off the front of `text`.
std::optional<double> numberOf(std::string_view& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value) || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

std::optional<double> parseDuration(std::string_view text) {
  const auto value = numberOf(text);
  if (!value) return std::nullopt;
  for (const auto& [unit, seconds] :
       {std::pair{"ms", 0.001}, {"s", 1.0}, {"m", 60.0}, {"h", 3'600.0}}) {
    if (text == unit) return *value * seconds;
  }
  return std::nullopt;
}

std::optional<std::vector<Stage>> parseStages(std::string_view text) {
  std::vector<Stage> stages;
  double rate = 0;
  bool anyStart = false;
  while (true) {
    const auto comma = text.find(',');
    const auto part = text.substr(0, comma);
    const auto colon = part.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto seconds = parseDuration(part.substr(0, colon));
    auto rest = part.substr(colon + 1);
    const auto perSecond = numberOf(rest);
    if (!seconds || !perSecond || !rest.empty() || *perSecond > kRateMost) return std::nullopt;
    anyStart = anyStart || *seconds * (rate + *perSecond) > 0;
    rate = *perSecond;
    stages.push_back({*seconds, *perSecond});
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (!anyStart) return std::nullopt;
  return stages;
}

Schedule::Schedule(double perSecond)
    : ramps_{{.seconds = kInfinite, .from = perSecond, .to = perSecond}} {}

Schedule::Schedule(const std::vector<Stage>& stages, double part) {
  Ramp last;
  for (const auto& stage : stages) {
    last = {.fromSeconds = last.fromSeconds + last.seconds,
            .seconds = stage.seconds,
            .from = last.to,
            .to = stage.perSecond * part,
            .startsBefore = last.startsBefore + last.startsIn(last.seconds)};
    ramps_.push_back(last);
  }
}

double Schedule::Ramp::startsIn(double part) const {
  if (seconds == 0) return 0;
  if (from == to) return from * part;
  return from * part + (to - from) / (2 * seconds) * part * part;
}

double Schedule::startsBy(double seconds) const {
  if (seconds <= 0) return 0;
  auto ramp = std::upper_bound(ramps_.begin(), ramps_.end(), seconds,
                               [](double at, const Ramp& one) { return at < one.fromSeconds; }) -
              1;
  return ramp->startsBefore + ramp->startsIn(std::min(seconds - ramp->fromSeconds, ramp->seconds));
}

double Schedule::instantOf(double starts) const {
  // The last ramp that begins with no more starts than these: ramps without any are passed over.
  auto ramp = std::upper_bound(ramps_.begin(), ramps_.end(), starts,
                               [](double at, const Ramp& one) { return at < one.startsBefore; }) -
              1;
  const double inside = starts - ramp->startsBefore;
  if (ramp->from == ramp->to) {
    return ramp->from > 0 ? ramp->fromSeconds + inside / ramp->from : kInfinite;
  }
  if (ramp->seconds == 0) return kInfinite;
  // from * t + slope / 2 * t^2 = inside, solved without taking a difference of near numbers.
  const double slope = (ramp->to - ramp->from) / ramp->seconds;
  const double root = std::sqrt(std::max(0.0, ramp->from * ramp->from + 2 * slope * inside));
  const double below = ramp->from + root;
  return ramp->fromSeconds + (below > 0 ? 2 * inside / below : 0);
}

double Schedule::seconds() const { return ramps_.back().fromSeconds + ramps_.back().seconds; }

}  // namespace tipflow::load
