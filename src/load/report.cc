#include "load/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <iterator>
#include <locale>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kTerminalUs = 1'000'000;
constexpr MonotonicUs kElsewhereUs = 5'000'000;

// 12,345,678, whatever the locale.
std::string grouped(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

double inMs(Histogram::Value value) { return static_cast<double>(value.count()) / 1'000.0; }

std::string perSecond(std::uint64_t count, MonotonicUs duringUs) {
  if (duringUs <= 0) return "0";
  const double rate = static_cast<double>(count) * 1e6 / static_cast<double>(duringUs);
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
  table.countIfAny("rejected", tally.rejected);
  for (const auto& [code, count] : tally.rejections) table.count("", count, code);
  table.countIfAny("not accepted", tally.unavailable, "refused until given up; not written");
  table.countIfAny("unknown", tally.unknown, "whether they are written could not be found out");
  table.countIfAny("left open", open, "the run was cut short");
  table.countIfAny("dropped starts", tally.dropped, "no connection was free in time");
  if (tally.refusals + tally.errors() == 0) return;
  table.title("On the way");
  table.countIfAny("refused", tally.refusals, "503 or 429, sent again later");
  table.countIfAny("broken", tally.broken, "connections, under a request");
  table.countIfAny("timed out", tally.timedOut);
  table.countIfAny("server errors", tally.serverErrors, "5xx that leave the outcome open");
  table.countIfAny("resolved", tally.resolved, "unknown at first, known after asking again");
}

void writeRates(Table& table, const LoadOptions& options, const RunSummary& summary) {
  const auto& tally = summary.tally;
  table.title("Rate, acknowledged tips/s");
  const auto asked = options.rate > 0
                         ? fmt::format("asked for {:g}", options.rate)
                         : fmt::format("{} connections, closed loop", options.connections);
  table.row("tips", perSecond(tally.measured - tally.measuredRepeats, summary.measuredUs), asked);
  if (tally.measuredRepeats != 0) {
    table.row("with repeats", perSecond(tally.measured, summary.measuredUs));
  }
  table.title(options.rate > 0 ? "Latency of acknowledged tips from the intended start, ms"
                               : "Latency of acknowledged tips from the sending, ms");
  for (const auto& [name, percent] :
       {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}}) {
    table.row(name, fmt::format("{:.2f}", inMs(tally.latency.percentile(percent))));
  }
  table.row("max", fmt::format("{:.2f}", inMs(tally.latency.max())));
}

void writeFindings(Table& table, const Findings& findings) {
  table.title("Acknowledged tips, looked up");
  table.count("there", findings.there);
  table.count("missing", findings.missing);
  table.count("different", findings.different);
  table.countIfAny("not checked", findings.unchecked);
  table.countIfAny("not kept", findings.notKept, "the oldest of a long run are not looked up");
  table.countIfAny("doubtful: there", findings.doubtfulThere,
                   "rejected, but an earlier try was written");
  table.countIfAny("doubtful: not", findings.doubtfulAbsent, "rejected, and not written");
  for (const auto& example : findings.examples) table.title("  " + example);
}

}  // namespace

Progress::Progress(std::ostream& out, bool quiet)
    : out_(out), quiet_(quiet), terminal_(&out == &std::cout && isatty(STDOUT_FILENO) == 1) {}

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
  auto line = fmt::format("{:>4} s  {:>7}/s  created {}  exists {}", moment.elapsedUs / 1'000'000,
                          perSecond(recent.sent, moment.recentUs), grouped(total.created),
                          grouped(total.exists));
  const auto add = [&](std::string_view name, std::uint64_t count) {
    line += fmt::format("  {} {}", name, grouped(count));
  };
  add("rejected", total.rejected + total.conflicts);
  add("errors", total.errors());
  if (total.refusals != 0) add("refused", total.refusals);
  if (total.dropped != 0) add("dropped", total.dropped);
  add("open", moment.open);
  if (moment.waiting != 0) add("waiting", moment.waiting);
  if (recent.latency.count() != 0) {
    line += fmt::format("  p50 {:.1f} ms  p99 {:.1f} ms", inMs(recent.latency.percentile(50)),
                        inMs(recent.latency.percentile(99)));
  }
  return line;
}

std::string report(const LoadOptions& options, const RunSummary& summary) {
  Table table;
  writeOutcomes(table, summary.tally, summary.open);
  writeRates(table, options, summary);
  if (summary.findings) writeFindings(table, *summary.findings);
  table.title(exitCode(summary) == kLoadFine
                  ? (summary.findings ? "Every acknowledged tip is there." : "Not looked up.")
                  : "NOT FINE: see the rows above.");
  return table.take();
}

int exitCode(const RunSummary& summary) {
  const auto& tally = summary.tally;
  if (tally.unknown != 0 || tally.conflicts != 0 || summary.open != 0) return kLoadBroken;
  if (!summary.findings) return tally.doubtful == 0 ? kLoadFine : kLoadBroken;
  const auto& findings = *summary.findings;
  return findings.missing + findings.different + findings.unchecked == 0 ? kLoadFine : kLoadBroken;
}

}  // namespace tipflow::load
