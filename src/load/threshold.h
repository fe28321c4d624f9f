// `--threshold 'p99<25ms'`: what a run must reach, judged when it is over. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/summary.h"

namespace tipflow::load {

enum class Metric { rate, errors, failed, dropped, late, p50, p90, p99, p999, p9999, max };
enum class Unit { perSecond, fraction, milliseconds };
enum class Comparison { less, lessOrEqual, greater, greaterOrEqual };

struct Threshold {
  std::string text;  ///< as it was asked for
  Metric metric = Metric::rate;
  bool service = false;  ///< `service.p99`: of the service time, not from the intended start
  Comparison comparison = Comparison::less;
  double bound = 0;  ///< in unitOf(metric)
};

Unit unitOf(Metric metric);
/// What may be written, for help and errors.
std::string_view thresholdSyntax();
/// Reads `p99<25ms`, `service.p99.9<=1s`, `errors<0.1%`, `rate>=25000`; blanks do not count.
/// nullopt for anything else.
std::optional<Threshold> parseThreshold(std::string_view text);

struct Verdict {
  Threshold threshold;
  double figure = 0;
  bool holds = false;
};
/// A percentile of nothing holds under no bound: a run without answers passes nothing.
Verdict judge(const Threshold& threshold, const RunSummary& summary);
/// `p99<25ms: 31.2 ms`.
std::string describe(const Verdict& verdict);

}  // namespace tipflow::load
