#include "load/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <iterator>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kTerminalUs = 1'000'000;
constexpr MonotonicUs kElsewhereUs = 5'000'000;

std::string shownRate(double rate) {
  return rate < 100 ? fmt::format("{:.1f}", rate) : grouped(static_cast<std::uint64_t>(rate + 0.5));
}

class Table {
 public:
  void title(std::string_view text) { text_ += fmt::format("{}\n", text); }
  void row(std::string_view name, std::string_view value, std::string_view note = {}) {
    text_ += fmt::format("  {:<18}{:>14}", name, value);
    if (!note.empty()) text_ += fmt::format("  {}", note);
    text_ += '\n';
  }
  void count(std::string_view name, std::uint64_t value, std::string_view note = {}) {
    row(name, grouped(value), note);
  }
  /// Only when there is something to say.
  void countIfAny(std::string_view name, std::uint64_t value, std::string_view note = {}) {
    if (value != 0) count(name, value, note);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void writeOutcomes(Table& table, const Tally& tally, std::size_t open) {
  table.title("Tips by outcome");
  table.count("created", tally.created);
  table.count("exists", tally.exists);
  table.countIfAny("conflict", tally.conflicts,
                   "our own traceId, other content: a fault of the server");
  table.countIfAny("refused", tally.rejected);
  for (const auto& [code, count] : tally.rejections) table.count("", count, code);
  table.countIfAny("unavailable", tally.unavailable, "503 until given up; not written");
  table.countIfAny("unknown", tally.unknown, "whether they are written could not be found out");
  table.countIfAny("left open", open, "the run was cut short");
  table.countIfAny("late starts", tally.late,
                   "made over 10 ms after their instant; latency counts it");
  table.countIfAny("dropped starts", tally.dropped, "never made: no connection was free in time");
  if (tally.refusals + tally.broken + tally.stale + tally.timedOut + tally.serverErrors == 0)
    return;
  table.title("On the way, requests");
  table.countIfAny("turned away", tally.refusals, "503 or 429, sent again later");
  table.countIfAny("broken", tally.broken, "connections, under a request");
  table.countIfAny("stale", tally.stale,
                   "met a connection that was just being closed; sent again, no errors");
  table.countIfAny("timed out", tally.timedOut);
  table.countIfAny("server errors", tally.serverErrors, "5xx that leave the outcome open");
  table.countIfAny("resolved", tally.resolved, "tips unknown at first, known after asking again");
}

void writeRates(Table& table, const Settings& settings, const RunSummary& summary) {
  const auto& tally = summary.tally;
  const auto& options = settings.options;
  table.title("Rate, acknowledged tips/s");
  const auto asked = !settings.stages.empty() ? fmt::format("stages {}", options.stages)
                     : options.rate > 0
                         ? fmt::format("asked for {:g}", options.rate)
                         : fmt::format("{} connections, closed loop", options.connections);
  table.row("tips", shownRate(summary.tipsPerSecond()), asked);
  if (tally.measuredRepeats != 0) {
    table.row("with repeats", shownRate(summary.perSecond(tally.measured)));
  }
  table.title(fmt::format("Latency of acknowledged tips, ms: from the {}; from the last sending",
                          latencyFrom(settings)));
  const auto row = [&](std::string_view name, double percent) {
    table.row(name, fmt::format("{:.2f}", inMs(tally.latency.percentile(percent))),
              fmt::format("{:>10.2f}", inMs(tally.service.percentile(percent))));
  };
  for (const auto& [percent, _, name] : kPercentiles) row(name, percent);
  row("max", 100);
}

void writeCost(Table& table, const RunSummary& summary) {
  const auto& cost = summary.cost;
  table.title("This generator");
  table.row("CPU per request", fmt::format("{:.1f}", cost.usPerRequest(summary.tally.sent)),
            fmt::format("µs; {:.2f} cores, {:.1f} s user, {:.1f} s system, {:.0f} MiB",
                        cost.cores(), cost.userSeconds, cost.systemSeconds, cost.memoryMiB));
}

void writeFindings(Table& table, const RunSummary& summary) {
  const auto& findings = *summary.findings;
  if (findings.lookedUp() + findings.unchecked != 0) {
    table.title(summary.verified == Verify::sample ? "A sample of the acknowledged tips, looked up"
                                                   : "Acknowledged tips, looked up");
    table.count("there", findings.there);
    table.count("missing", findings.missing);
    table.count("different", findings.different);
    table.countIfAny("not checked", findings.unchecked);
    table.countIfAny("not kept", summary.verified == Verify::sums ? 0 : findings.notKept,
                     "the oldest of a long run are not looked up");
    table.countIfAny("in doubt: there", findings.doubtfulThere, "not acknowledged, and written");
    table.countIfAny("in doubt: not", findings.doubtfulAbsent, "not acknowledged, not written");
    for (const auto& example : findings.examples) table.title("  " + example);
  }
  if (!summary.sums) return;
  table.title("Sums");
  table.title("  " + sentence("the rooms", summary.sums->rooms));
  if (summary.sums->books) table.title("  " + sentence("the books", *summary.sums->books));
}

void writeVerdicts(Table& table, const Settings& settings, const RunSummary& summary) {
  const auto all = verdicts(settings, summary);
  if (all.empty()) return;
  table.title("Thresholds");
  for (const auto& verdict : all) {
    table.title(fmt::format("  {}  {}", verdict.holds ? "holds " : "FAILED", describe(verdict)));
  }
}

// The last line: what a person has to know.
std::string conclusion(const Settings& settings, const RunSummary& summary) {
  switch (exitCode(settings, summary)) {
    case kLoadBroken:
      return summary.tally.acknowledged() == 0 ? "NOT FINE: no tip was acknowledged."
                                               : "NOT FINE: see the rows above.";
    case kLoadThreshold:
      return "The books are right; a threshold does not hold.";
    default:
      break;
  }
  if (!summary.findings) return "Not looked up.";
  if (summary.verified == Verify::all) return "Every acknowledged tip is there.";
  if (summary.verified == Verify::sample) return "Every tip of the sample is there.";
  return "Nothing was lost, as far as sums tell.";
}

}  // namespace

Progress::Progress(std::ostream& out, bool quiet, MonotonicUs now)
    : out_(out),
      quiet_(quiet),
      terminal_(&out == &std::cout && isatty(STDOUT_FILENO) == 1),
      shownUs_(now) {}

bool Progress::due(MonotonicUs now) const {
  return now - shownUs_ >= (terminal_ ? kTerminalUs : kElsewhereUs);
}

void Progress::show(const std::string& line, MonotonicUs now) {
  shownUs_ = now;
  if (quiet_) return;
  if (terminal_) {
    out_ << '\r' << line << "\x1b[K" << std::flush;
    unfinished_ = true;
  } else {
    out_ << line << std::endl;
  }
}

void Progress::finish() {
  if (unfinished_) out_ << std::endl;
  unfinished_ = false;
}

std::string progressLine(const Moment& moment, const Tally& total, const Tally& recent) {
  auto line =
      fmt::format("{:>4} s  {:>7}/s  created {}  exists {}", moment.elapsedUs / 1'000'000,
                  shownRate(moment.recentUs > 0 ? static_cast<double>(recent.acknowledged()) * 1e6 /
                                                      static_cast<double>(moment.recentUs)
                                                : 0),
                  grouped(total.created), grouped(total.exists));
  const auto add = [&](std::string_view name, std::uint64_t count) {
    line += fmt::format("  {} {}", name, grouped(count));
  };
  if (total.rejected + total.conflicts != 0) add("refused", total.rejected + total.conflicts);
  add("errors", total.errors());
  if (total.dropped != 0) add("dropped", total.dropped);
  add("open", moment.open);
  if (moment.waiting != 0) add("waiting", moment.waiting);
  if (recent.latency.count() != 0) {
    line += fmt::format("  p50 {:.1f} ms  p99 {:.1f} ms", inMs(recent.latency.percentile(50)),
                        inMs(recent.latency.percentile(99)));
  }
  return line;
}

std::string report(const Settings& settings, const RunSummary& summary) {
  Table table;
  writeOutcomes(table, summary.tally, summary.open);
  writeRates(table, settings, summary);
  writeCost(table, summary);
  if (summary.findings) writeFindings(table, summary);
  writeVerdicts(table, settings, summary);
  table.title(conclusion(settings, summary));
  return table.take();
}

int exitCode(const Settings& settings, const RunSummary& summary) {
  const auto books = booksExitCode(summary, settings.options.alone);
  if (books != kLoadFine) return books;
  for (const auto& verdict : verdicts(settings, summary)) {
    if (!verdict.holds) return kLoadThreshold;
  }
  return kLoadFine;
}

std::vector<Verdict> verdicts(const Settings& settings, const RunSummary& summary) {
  std::vector<Verdict> all;
  for (const auto& text : settings.options.thresholds) {
    if (const auto threshold = parseThreshold(text)) all.push_back(judge(*threshold, summary));
  }
  return all;
}

std::string_view latencyFrom(const Settings& settings) {
  return settings.isOpenLoop() ? "intended start" : "first sending";
}

std::string_view verifyName(Verify verify) {
  switch (verify) {
    case Verify::automatic:
      return "auto";
    case Verify::all:
      return "all";
    case Verify::sample:
      return "sample";
    case Verify::sums:
      return "sums";
    case Verify::none:
      return "none";
  }
  return "none";
}

std::string sentence(std::string_view what, const SumFinding& finding) {
  const auto fen = [](std::int64_t amount) {
    return (amount < 0 ? "-" : "") + grouped(static_cast<std::uint64_t>(std::abs(amount)));
  };
  const auto told = [&](const Sums& sums) {
    return fmt::format("{} fen{}", fen(sums.amountFen),
                       sums.tips == 0 ? "" : fmt::format(" in {} tips", grouped(sums.tips)));
  };
  switch (finding.outcome) {
    case SumOutcome::equal:
      return fmt::format("sum of acknowledged = sum in {}: {}", what, told(finding.held));
    case SumOutcome::less:
      return fmt::format("LESS in {} than was acknowledged: {} of {}{}{}", what, told(finding.held),
                         told(finding.acknowledged), finding.detail.empty() ? "" : "; ",
                         finding.detail);
    case SumOutcome::more:
      return fmt::format("more in {} than was acknowledged here: {}, of which {} ours{}{}", what,
                         told(finding.held), told(finding.acknowledged),
                         finding.detail.empty() ? "" : "; ", finding.detail);
    case SumOutcome::unavailable:
      return fmt::format("{} could not be compared{}{}", what, finding.detail.empty() ? "" : ": ",
                         finding.detail);
  }
  return {};
}

std::string grouped(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

double inMs(Histogram::Value value) { return static_cast<double>(value.count()) / 1'000.0; }

std::vector<CurvePoint> percentileCurve(const Histogram& times) {
  // Half of what is left to 100 %, cut into five, down to a single value.
  constexpr int kStepsPerHalf = 5;
  std::vector<CurvePoint> curve;
  if (times.count() == 0) return curve;
  for (double left = 100; left * static_cast<double>(times.count()) >= 100; left /= 2) {
    for (int step = 0; step < kStepsPerHalf; ++step) {
      const double percent = 100 - left + left / 2 * step / kStepsPerHalf;
      curve.push_back({percent, inMs(times.percentile(percent))});
    }
  }
  curve.push_back({100, inMs(times.max())});
  return curve;
}

}  // namespace tipflow::load
