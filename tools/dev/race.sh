# ThreadSanitizer: tests, the simulator, and a whole node under load. Sourced by ./dev.
# shellcheck shell=bash

# Drogon and trantor come without instrumentation: tests/race says what ThreadSanitizer must know of them.
raceOptions() { echo "suppressions=$root/tests/race/suppressions.txt exitcode=66 history_size=4"; }

# raceNode SECONDS: a node with all roles takes tips at a fixed rate, and every one is looked up at the end. Fails when
# a tip is missing, the node does not stop by itself, or ThreadSanitizer says anything at all.
raceNode() {
  local seconds=$1 data port=18479 pid status=0
  data=$(mktemp -d)
  local binary=$root/build/race/tipflow
  while portTaken "$port"; do port=$((port + 1)); done
  export TIPFLOW_DATA_DIR=$data TIPFLOW_HTTP_PORT=$port TIPFLOW_ADMIN_PASSWORD=race-admin-password
  "$binary" serve &
  pid=$!
  for _ in $(seq 300); do
    if ready "$port" || ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.1
  done
  "$binary" load --url "http://127.0.0.1:$port" --rate 500 --seconds "$seconds" --rooms 5 --viewers 100 \
    --registered-most 5 --connections 16 --duplicates 0.05 --password "$TIPFLOW_ADMIN_PASSWORD" || status=1
  kill -TERM "$pid" || status=1
  wait "$pid" || status=1
  "$binary" audit || status=1
  rm -rf "$data"
  return "$status"
}

# The short way: tests with threads of their own, and the simulator.
testThreads() {
  setupTest
  buildPreset tsan tipflow_threads tipflow_sim
  export TSAN_OPTIONS; TSAN_OPTIONS=$(raceOptions)
  runGoogleTest threads "$root/build/tsan/tipflow_threads"
  simSweep tsan --seeds 100 --jobs 2
  unset TSAN_OPTIONS
}

# raceAll SUITE SECONDS SEEDS TESTS...: the test programs TESTS, the simulator, then the node for SECONDS.
raceAll() {
  local suite=$1 seconds=$2 seeds=$3 tests; shift 3
  setupTest
  buildPreset race tipflow tipflow_sim "$@"
  export TSAN_OPTIONS; TSAN_OPTIONS=$(raceOptions)
  for tests in "$@"; do runGoogleTest "$suite" "$root/build/race/$tests"; done
  simSweep race --seeds "$seeds" --jobs 2
  say "Testing: $suite, a node under load for $seconds s"
  # In a shell of its own: what it exports is nobody else's.
  runCheck "a node under ThreadSanitizer" eval "(raceNode $seconds)"
  unset TSAN_OPTIONS
}

testRace() { raceAll race 5 200 tipflow_unit; }
testRaceLong() { raceAll race-long 60 3000 tipflow_unit tipflow_store; }
