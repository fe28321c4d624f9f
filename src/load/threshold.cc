#include "load/threshold.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "load/stages.h"

namespace tipflow::load {
namespace {

constexpr std::array kMetrics{
    std::pair{std::string_view{"rate"}, Metric::rate},
    std::pair{std::string_view{"errors"}, Metric::errors},
    std::pair{std::string_view{"failed"}, Metric::failed},
    std::pair{std::string_view{"dropped"}, Metric::dropped},
    std::pair{std::string_view{"late"}, Metric::late},
    std::pair{std::string_view{"p50"}, Metric::p50},
    std::pair{std::string_view{"p90"}, Metric::p90},
    std::pair{std::string_view{"p99"}, Metric::p99},
    std::pair{std::string_view{"p99.9"}, Metric::p999},
    std::pair{std::string_view{"p99.99"}, Metric::p9999},
    std::pair{std::string_view{"max"}, Metric::max},
};

std::optional<double> numberOf(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) ||
      value < 0) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> boundOf(std::string_view text, Unit unit) {
  constexpr double kPercent = 100;
  constexpr double kMsPerSecond = 1'000;
  switch (unit) {
    case Unit::perSecond:
      if (text.ends_with("/s")) text.remove_suffix(2);
      return numberOf(text);
    case Unit::fraction: {
      const bool percent = text.ends_with('%');
      if (percent) text.remove_suffix(1);
      const auto value = numberOf(text);
      return value && percent ? *value / kPercent : value;
    }
    case Unit::milliseconds: {
      const auto seconds = parseDuration(text);
      return seconds ? std::optional(*seconds * kMsPerSecond) : std::nullopt;
    }
  }
  return std::nullopt;
}

double part(std::uint64_t count, std::uint64_t of) {
  return of == 0 ? 0 : static_cast<double>(count) / static_cast<double>(of);
}

double percentileMs(const Histogram& histogram, double percent) {
  return static_cast<double>(histogram.percentile(percent).count()) / 1'000.0;
}

double figureOf(const Threshold& threshold, const RunSummary& summary) {
  const auto& tally = summary.tally;
  const auto& latency = threshold.service ? tally.service : tally.latency;
  const auto ended = tally.acknowledged() + tally.failed();
  switch (threshold.metric) {
    case Metric::rate:
      return summary.tipsPerSecond();
    case Metric::errors:
      return part(tally.errors(), tally.sent);
    case Metric::failed:
      return part(tally.failed(), ended);
    case Metric::dropped:
      return part(tally.dropped, ended + tally.dropped);
    case Metric::late:
      return part(tally.late, ended + tally.dropped);
    case Metric::p50:
      return percentileMs(latency, 50);
    case Metric::p90:
      return percentileMs(latency, 90);
    case Metric::p99:
      return percentileMs(latency, 99);
    case Metric::p999:
      return percentileMs(latency, 99.9);
    case Metric::p9999:
      return percentileMs(latency, 99.99);
    case Metric::max:
      return percentileMs(latency, 100);
  }
  return 0;
}

bool compares(double figure, Comparison comparison, double bound) {
  switch (comparison) {
    case Comparison::less:
      return figure < bound;
    case Comparison::lessOrEqual:
      return figure <= bound;
    case Comparison::greater:
      return figure > bound;
    case Comparison::greaterOrEqual:
      return figure >= bound;
  }
  return false;
}

}  // namespace

Unit unitOf(Metric metric) {
  switch (metric) {
    case Metric::rate:
      return Unit::perSecond;
    case Metric::errors:
    case Metric::failed:
    case Metric::dropped:
    case Metric::late:
      return Unit::fraction;
    case Metric::p50:
    case Metric::p90:
    case Metric::p99:
    case Metric::p999:
    case Metric::p9999:
    case Metric::max:
      return Unit::milliseconds;
  }
  return Unit::milliseconds;
}

std::string_view thresholdSyntax() {
  return "p50, p90, p99, p99.9, p99.99 or max (service.p99 for the service time) with ms or s; "
         "errors, failed, dropped or late with %; rate in tips/s; <, <=, > or >= between";
}

std::optional<Threshold> parseThreshold(std::string_view text) {
  std::string dense;
  std::copy_if(text.begin(), text.end(), std::back_inserter(dense),
               [](char c) { return c != ' ' && c != '\t'; });
  const std::string_view all = dense;
  const auto at = all.find_first_of("<>");
  if (at == std::string_view::npos) return std::nullopt;
  Threshold threshold{.text = std::string(text)};
  auto name = all.substr(0, at);
  auto bound = all.substr(at + 1);
  const bool orEqual = bound.starts_with('=');
  if (orEqual) bound.remove_prefix(1);
  threshold.comparison = all[at] == '<'
                             ? (orEqual ? Comparison::lessOrEqual : Comparison::less)
                             : (orEqual ? Comparison::greaterOrEqual : Comparison::greater);
  constexpr std::string_view kService = "service.";
  threshold.service = name.starts_with(kService);
  if (threshold.service) name.remove_prefix(kService.size());
  const auto known = std::find_if(kMetrics.begin(), kMetrics.end(),
                                  [&](const auto& metric) { return metric.first == name; });
  if (known == kMetrics.end()) return std::nullopt;
  threshold.metric = known->second;
  const auto unit = unitOf(threshold.metric);
  if (threshold.service && unit != Unit::milliseconds) return std::nullopt;
  const auto value = boundOf(bound, unit);
  if (!value) return std::nullopt;
  threshold.bound = *value;
  return threshold;
}

Verdict judge(const Threshold& threshold, const RunSummary& summary) {
  Verdict verdict{threshold, figureOf(threshold, summary), false};
  const bool measured =
      unitOf(threshold.metric) != Unit::milliseconds || summary.tally.latency.count() > 0;
  verdict.holds = measured && summary.tally.sent > 0 &&
                  compares(verdict.figure, threshold.comparison, threshold.bound);
  return verdict;
}

std::string describe(const Verdict& verdict) {
  const auto& text = verdict.threshold.text;
  switch (unitOf(verdict.threshold.metric)) {
    case Unit::perSecond:
      return fmt::format("{}: {:.0f}/s", text, verdict.figure);
    case Unit::fraction:
      return fmt::format("{}: {:.4g} %", text, verdict.figure * 100);
    case Unit::milliseconds:
      return fmt::format("{}: {:.2f} ms", text, verdict.figure);
  }
  return text;
}

}  // namespace tipflow::load
