// tipflow_sim: sweeps of seeds, planted mutants, single seeds. Exit 0 when all is as it should be.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "sweep.h"

namespace {

using namespace tipflow::sim;

void print(const std::string& line) { std::cout << line << '\n' << std::flush; }

int listMutants() {
  for (const auto& info : mutants()) {
    print(fmt::format("{:<30} within {:>3} seeds, by {:<12} {}", info.name, info.seeds,
                      info.caughtBy, info.what));
  }
  return 0;
}

int runOne(std::uint64_t seed, Mutant mutant, const Blind& blind, bool trace) {
  const auto plan = planOf(seed);
  const auto result = run(plan, mutant, blind, trace ? 1'000'000 : 0);
  for (const auto& line : result.trace) print(line);
  print(fmt::format("seed {}: {} steps, hash {:016x}", seed, result.steps, result.hash));
  if (!result.violation) return 0;
  print(fmt::format("seed {} breaks {}: {}", seed, result.violation->invariant,
                    result.violation->what));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli{"The protocol cores of Tipflow under a seeded scheduler, with faults."};
  SweepOptions options;
  std::optional<std::uint64_t> seed;
  std::string mutantName;
  std::vector<std::string> blind;
  bool trace = false;
  bool list = false;
  bool allMutants = false;
  bool selfTest = false;
  cli.add_option("--seeds", options.seeds, "how many")->capture_default_str();
  cli.add_option("--from", options.from, "the first one")->capture_default_str();
  cli.add_option("--jobs", options.jobs, "seeds at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  cli.add_option("--mutant", mutantName, "plant this fault, which must be caught");
  cli.add_option("--blind", blind, "switch these checks off (I1 to I11, liveness)")->delimiter(',');
  cli.add_option("--seed", seed, "run this one");
  cli.add_flag("--trace", trace, "with --seed: print what happens");
  cli.add_flag("--list-mutants", list, "print all planted faults");
  cli.add_flag("--mutants", allMutants, "plant each fault in turn");
  cli.add_flag("--self-test", selfTest, "switch off each check in turn: that must be noticed");
  CLI11_PARSE(cli, argc, argv);

  if (list) return listMutants();
  const auto* planted = mutantName.empty() ? nullptr : mutantNamed(mutantName);
  if (!mutantName.empty() && planted == nullptr) {
    std::cerr << "error: there is no mutant '" << mutantName << "'; --list-mutants lists them\n";
    return 2;
  }
  options.blind = Blind(blind.begin(), blind.end());
  options.live = isatty(STDERR_FILENO) == 1;
  if (seed) {
    return runOne(*seed, planted != nullptr ? planted->mutant : Mutant::none, options.blind, trace);
  }
  bool good = true;
  if (planted != nullptr) {
    good = mustBeCaught(*planted, options.blind, print);
  } else if (allMutants) {
    for (const auto& info : mutants()) good = mustBeCaught(info, options.blind, print) && good;
  } else if (selfTest) {
    good = blindnessMustBeNoticed(print);
  } else {
    good = sweep(options, print);
  }
  return good ? 0 : 1;
}
