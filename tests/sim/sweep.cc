#include "sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <sstream>
#include <thread>

namespace tipflow::sim {
namespace {

constexpr std::uint64_t kTwiceEvery = 20;
// A sweep of fewer seeds may miss what is rare.
constexpr std::uint64_t kCoverageFrom = 2'000;
constexpr std::size_t kTail = 60;

struct Failure {
  std::uint64_t seed = 0;
  Violation violation;
};

struct Totals {
  std::mutex mutex;
  Coverage coverage;
  std::uint64_t steps = 0;
  std::optional<Failure> failure;  // the one with the lowest seed
};

void note(Totals& totals, std::uint64_t seed, const RunResult& result) {
  const std::lock_guard lock(totals.mutex);
  totals.coverage.add(result.coverage);
  totals.steps += result.steps;
  if (result.violation && (!totals.failure || seed < totals.failure->seed)) {
    totals.failure = Failure{seed, *result.violation};
  }
}

void runSeed(std::uint64_t seed, const SweepOptions& options, Totals& totals) {
  const auto plan = planOf(seed);
  auto result = run(plan, Mutant::none, options.blind);
  if (seed % kTwiceEvery == 0) {
    result.coverage.add(Met::sameSeedTwice);
    if (run(plan, Mutant::none, options.blind).hash != result.hash && !result.violation) {
      result.violation = Violation{"same seed, same run", "two runs differ"};
    }
  }
  note(totals, seed, result);
}

std::string timesOf(const Coverage& coverage) {
  std::string text;
  for (std::size_t i = 0; i < kMetKinds; ++i) {
    text += fmt::format("  {:>10}  {}\n", coverage.times[i], nameOf(static_cast<Met>(i)));
  }
  return text;
}

void explain(const Failure& failure, const Blind& blind, const Print& print) {
  const auto plan = planOf(failure.seed);
  print(fmt::format("FAILED seed {} breaks {}: {}", failure.seed, failure.violation.invariant,
                    failure.violation.what));
  print("the end of its trace:");
  for (const auto& line : run(plan, Mutant::none, blind, kTail).trace) print("  " + line);
  print(fmt::format("all of it: tipflow_sim --seed {} --trace", failure.seed));
  const auto small = shrunk(plan, Mutant::none, blind, failure.violation.invariant);
  print(fmt::format("smallest plan found, {} of {} operations ({}):", small.ops.size(),
                    plan.ops.size(), shown(small.settings)));
  for (const auto& op : small.ops) print("  " + shown(op));
  print("which ends with:");
  for (const auto& line : run(small, Mutant::none, blind, kTail).trace) print("  " + line);
}

bool contains(std::string_view list, const std::string& word) {
  std::istringstream words{std::string(list)};
  for (std::string item; std::getline(words, item, ',');) {
    if (item == word) return true;
  }
  return false;
}

/// The first violation of what it is planted against, and where; others are counted.
std::optional<Failure> caughtAt(const MutantInfo& mutant, const Blind& blind, int& astray) {
  for (int seed = 1; seed <= mutant.seeds; ++seed) {
    const auto result = run(planOf(static_cast<std::uint64_t>(seed)), mutant.mutant, blind);
    if (!result.violation) continue;
    if (contains(mutant.caughtBy, result.violation->invariant)) {
      return Failure{static_cast<std::uint64_t>(seed), *result.violation};
    }
    ++astray;
  }
  return std::nullopt;
}

}  // namespace

bool sweep(const SweepOptions& options, const Print& print) {
  const auto started = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  };
  Totals totals;
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> stop{false};
  const auto work = [&] {
    for (std::uint64_t i = next++; i < options.seeds && !stop; i = next++) {
      runSeed(options.from + i, options, totals);
      const std::lock_guard lock(totals.mutex);
      if (totals.failure) stop = true;
      if (options.live && i % 100 == 0) {
        std::cerr << fmt::format("\r\033[K{} of {} seeds, {:.1f} s", i, options.seeds, seconds())
                  << std::flush;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < options.jobs; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
  if (options.live) std::cerr << "\r\033[K";
  if (totals.failure) {
    explain(*totals.failure, options.blind, print);
    return false;
  }
  print(timesOf(totals.coverage));
  bool metAll = true;
  for (std::size_t i = 0; i < kMetKinds && options.seeds >= kCoverageFrom; ++i) {
    if (totals.coverage.times[i] != 0) continue;
    metAll = false;
    print(fmt::format("FAILED never met: {}", nameOf(static_cast<Met>(i))));
  }
  print(fmt::format("{} seeds clean, {:.1f} million steps, {:.1f} s", options.seeds,
                    static_cast<double>(totals.steps) / 1e6, seconds()));
  return metAll;
}

bool mustBeCaught(const MutantInfo& mutant, const Blind& blind, const Print& print) {
  int astray = 0;
  if (const auto caught = caughtAt(mutant, blind, astray)) {
    print(fmt::format("ok {}: caught at seed {} of {}, {}: {}", mutant.name, caught->seed,
                      mutant.seeds, caught->violation.invariant, caught->violation.what));
    return true;
  }
  print(fmt::format("FAILED {}: not caught within {} seeds by {} ({} seeds broke something else)",
                    mutant.name, mutant.seeds, mutant.caughtBy, astray));
  return false;
}

bool blindnessMustBeNoticed(const Print& print) {
  bool good = true;
  for (const char* check :
       {"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "liveness"}) {
    const bool used = std::any_of(mutants().begin(), mutants().end(),
                                  [&](const MutantInfo& m) { return contains(m.caughtBy, check); });
    good = good && used;
    print(fmt::format("{} {} {} planted against", used ? "ok" : "FAILED", check,
                      used ? "has mutants" : "has no mutant"));
  }
  for (const auto& mutant : mutants()) {
    Blind blind;
    std::istringstream words{std::string(mutant.caughtBy)};
    for (std::string item; std::getline(words, item, ',');) blind.insert(item);
    std::string said;
    const bool caught = mustBeCaught(mutant, blind, [&](const std::string& line) { said = line; });
    const bool noticed = !caught && said.starts_with("FAILED");
    good = good && noticed;
    print(fmt::format("{} {} without {}: {}", noticed ? "ok" : "FAILED", mutant.name,
                      mutant.caughtBy, noticed ? "reported as not caught" : said));
  }
  return good;
}

}  // namespace tipflow::sim
