# The simulator: sweeps of seeds, planted mutants, checks switched off. Sourced by ./dev.
# shellcheck shell=bash

# simLines NAME ARGS...: runs the simulator; each of its lines `ok …` and `FAILED …` is a test.
simLines() {
  local name=$1 log=$logDir/test-sim.log status=0 good bad; shift
  "$root/build/release/tipflow_sim" "$@" >"$log" 2>&1 || status=$?
  good=$(grep -c '^ok ' "$log") || true
  bad=$(grep -c '^FAILED ' "$log") || true
  # A run that died, or says nothing, has failed.
  if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then bad=1; fi
  [ "$bad" -eq 0 ] || cat "$log" >&2
  count "$good" "$bad" sim
  note "$good $name, $bad failed"
}

# simSweep PRESET ARGS...: all seeds must be clean; one test.
simSweep() {
  local preset=$1; shift
  runCheck "sim: $preset build, $*" "$root/build/$preset/tipflow_sim" "$@"
  note "$(tail -n 1 "$logDir/check.log")"
}

buildSim() {
  buildPreset release tipflow_sim
  buildPreset debug tipflow_sim
}

testSim() {
  buildSim
  say "Testing: sim"
  simSweep release --seeds 3000 --jobs 2
  # AddressSanitizer and UndefinedBehaviorSanitizer.
  simSweep debug --seeds 300 --jobs 2
  simLines "mutants caught" --mutants
  simLines "checks missed when switched off" --self-test
}

testSimLong() {
  buildSim
  say "Testing: sim, 100,000 seeds"
  simSweep release --from 1000001 --seeds 100000 --jobs 2
  simSweep debug --from 2000001 --seeds 3000 --jobs 2
}
