#include "load/summary.h"

namespace tipflow::load {
namespace {

bool isWrong(const SumFinding& finding, bool alone) {
  return finding.outcome == SumOutcome::less || (alone && finding.outcome != SumOutcome::equal);
}

std::optional<double> inMs(const Histogram& histogram, double percent) {
  if (histogram.count() == 0) return std::nullopt;
  return static_cast<double>(histogram.percentile(percent).count()) / 1'000.0;
}

}  // namespace

SeriesRow makeRow(const RowMoment& moment, const Tally& tally) {
  const auto seconds = static_cast<double>(moment.untilUs - moment.fromUs) / 1e6;
  const auto rate = [&](double count) { return seconds > 0 ? count / seconds : 0; };
  return {
      .atSeconds = static_cast<double>(moment.untilUs) / 1e6,
      .intendedPerSecond = moment.intended ? std::optional(rate(*moment.intended)) : std::nullopt,
      .perSecond = rate(static_cast<double>(tally.acknowledged())),
      .errorsPerSecond = rate(static_cast<double>(tally.errors())),
      .p50Ms = inMs(tally.latency, 50),
      .p99Ms = inMs(tally.latency, 99),
      .maxMs = inMs(tally.latency, 100),
      .serviceP99Ms = inMs(tally.service, 99),
      .open = moment.open,
      .waiting = moment.waiting,
      .droppedStarts = tally.dropped};
}

int booksExitCode(const RunSummary& summary, bool alone) {
  const auto& tally = summary.tally;
  if (tally.unknown != 0 || tally.conflicts != 0 || summary.open != 0) return kLoadBroken;
  if (tally.acknowledged() == 0) return kLoadBroken;  // nothing was shown to work
  if (!summary.findings && tally.doubtful != 0) return kLoadBroken;
  if (summary.findings) {
    const auto& findings = *summary.findings;
    if (findings.missing + findings.different + findings.unchecked != 0) return kLoadBroken;
  }
  if (summary.sums) {
    if (isWrong(summary.sums->rooms, alone)) return kLoadBroken;
    if (summary.sums->books && isWrong(*summary.sums->books, alone)) return kLoadBroken;
  }
  return kLoadFine;
}

}  // namespace tipflow::load
