// What a run of viewers comes to: figures, whether all is well, and how it is told. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "base/time.h"
#include "load/watch/servers.h"
#include "load/watch/shared.h"
#include "load/watch/watch.h"

namespace tipflow::load::watch {

/// What came of one span of tips.
struct Traffic {
  double seconds = 0;  ///< from the first tip until the last was seen
  std::uint64_t frames = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t mostDeliveriesInASecond = 0;
  std::uint64_t bytes = 0;
};

struct WatchSummary {
  Time startedAt;
  std::size_t processes = 0;
  std::uint64_t open = 0;  ///< before the first tip
  double openSeconds = 0;
  Findings findings;

  std::uint64_t tipsSent = 0;
  std::uint64_t tipsAcknowledged = 0;
  std::uint64_t tipsRefused = 0;
  std::uint64_t tipsInDoubt = 0;
  std::map<std::string, std::uint64_t> tipRefusals = {};

  Histogram seen;       ///< from the first sending of a timed tip until one viewer sees it
  Histogram seenByAll;  ///< until the last viewer who saw it did
  Traffic timed;        ///< while these were given
  Traffic burst;        ///< afterwards; its tips are counted and not timed

  Usage serversBefore;  ///< nobody is connected yet
  Usage serversOpen;    ///< all are, nobody tips
  Usage serversAfter;
  double ownCpuSeconds = 0;
};

/// A bound on one of the figures that `figuresOf` names.
struct Bound {
  std::string text;
  std::string figure;
  std::string relation;  ///< <, <=, >, >=
  double value = 0;
};
/// `p99<500ms`, `seen-by-all.max<=2s`, `deliveries>=150000`, `memory<9`; nullopt for anything else.
std::optional<Bound> parseBound(const std::string& text);
std::string boundSyntax();

/// Milliseconds, KiB, numbers a second; by the names that bounds use.
std::map<std::string, double> figuresOf(const WatchSummary& summary);
[[nodiscard]] bool holds(const Bound& bound, double figure);

/// What is wrong, in words; empty when every viewer saw what it should have seen.
std::vector<std::string> faultsOf(const WatchSummary& summary);
/// As of runLoad.
int exitCode(const WatchOptions& options, const WatchSummary& summary);

std::string report(const WatchOptions& options, const WatchSummary& summary);
std::string reportJson(const WatchOptions& options, const WatchSummary& summary);

}  // namespace tipflow::load::watch
