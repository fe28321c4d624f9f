# Measures what docs/benchmarks.md shows; the work is done by tests/bench/bench.py. Sourced by ./dev.
# shellcheck shell=bash

commandBench() {
  local argument programs=built
  for argument in "$@"; do
    case $argument in -h | --help | --report-only | --programs | --programs=*) programs=given ;; esac
  done
  case " $* " in *' nodes '*) setupCluster ;; esac
  if [ "$programs" = built ]; then
    setupTest
    buildPreset release tipflow tipflow_ceilings
  fi
  # Ctrl-C goes to the benchmark itself, which ends what it started.
  exec python3 -B "$root/tests/bench/bench.py" "$@"
}
