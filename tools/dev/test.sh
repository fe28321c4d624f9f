# Runs the tests and adds up what passed. Sourced by ./dev.
# shellcheck shell=bash

passed=0 failed=0 failedSuites=()

testUsage() {
  cat <<'TEXT'
Usage: ./dev test [SUITE...]
Without a suite: lint, unit, store, sim, threads, fuzz and e2e. It ends with one line: N passed, M failed.

  lint    formatting, layers, the contract's own consistency
  unit    rules, protocol cores, platform (clang, AddressSanitizer, UndefinedBehaviorSanitizer)
  store   every store on SQLite and on a real MariaDB (same sanitizers)
  sim     the protocol cores under a seeded scheduler with faults: 3,000 seeds, and every planted mutant must be caught
  threads tests that run threads of their own, and 100 seeds of the simulator, under ThreadSanitizer
  fuzz    each fuzz target over its corpus, then for 3 s (TIPFLOW_FUZZ_SECONDS) on inputs of its own
  e2e     the binary from outside: stories, races, crashes, bad input, contract; SQLite and MariaDB
  cluster a whole cluster: the stories through its edge, then every fault under traffic; some 15 minutes
  cluster-galera, cluster-mysql
          the same with MariaDB Galera (three nodes behind HAProxy) and with MySQL 9 as databases; MySQL is
          Debian sid's, unpacked beside the system
  race    ThreadSanitizer: unit tests, the simulator, and a node under load
  long    about two hours on 2 cores. The binary while things break: hundreds of kill -9 of node and
          server under load, disks that are full or cannot sync, frozen servers, connections cut around commits; then
          1,000,000 tips with kills and 10,000,000 without, on SQLite and MariaDB; 100,000 seeds of the simulator. Smaller for a try:
          TIPFLOW_LONG_KILLS=10 TIPFLOW_LONG_TIPS=100000 ./dev test long
          Then cluster-galera, cluster-mysql, each fuzz target for 3 minutes, all unit and store tests under ThreadSanitizer, clang-tidy over everything.
TEXT
}

# count PASSED FAILED SUITE
count() {
  passed=$((passed + $1)) failed=$((failed + $2))
  [ "$2" -eq 0 ] || failedSuites+=("$3")
}

# runGoogleTest SUITE BINARY: in two halves at the same time, each a process of its own.
runGoogleTest() {
  local suite=$1 binary=$2 started=$SECONDS half status good ran passedHere=0 failedHere=0 halves=()
  say "Testing: $suite"
  for half in 0 1; do
    GTEST_TOTAL_SHARDS=2 GTEST_SHARD_INDEX=$half "$binary" --gtest_brief=1 >"$logDir/test-$suite-$half.log" 2>&1 &
    halves+=($!)
  done
  for half in 0 1; do
    local log=$logDir/test-$suite-$half.log
    status=0
    wait "${halves[$half]}" || status=$?
    good=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -n 1)
    ran=$(sed -n 's/^\[==========\] \([0-9]*\) tests\{0,1\} from .* ran.*/\1/p' "$log" | tail -n 1)
    passedHere=$((passedHere + ${good:-0})) failedHere=$((failedHere + ${ran:-0} - ${good:-0}))
    [ "$status" -ne 0 ] || continue
    cat "$log" >&2
    # A run that died (a sanitizer's finding, a crash) says nothing of what it did not reach.
    if [ "${ran:-0}" -eq "${good:-0}" ]; then failedHere=$((failedHere + 1)); fi
  done
  count "$passedHere" "$failedHere" "$suite"
  note "$passedHere passed, $failedHere failed in $((SECONDS - started)) s"
}

# runCheck NAME COMMAND...: one yes or no.
runCheck() {
  local name=$1 log=$logDir/check.log; shift
  if "$@" >"$log" 2>&1; then count 1 0 "$name"; note "ok: $name"
  else cat "$log" >&2; count 0 1 "$name"; note "${red}failed: $name${plain}"; fi
}

testLint() {
  setupLint
  say "Checking: formatting, layers, contract"
  runCheck "clang-format" checkFormat
  runCheck "layers" python3 "$root/tools/check_layers.py"
  runCheck "openapi.yaml" python3 "$root/tools/openapi_lint.py"
  runCheck "figures of the benchmark" python3 -B "$root/tests/bench/figures_test.py"
}

testTidy() { setupTidy; buildPreset release tipflow; runCheck "clang-tidy" tidyAll; }
testUnit() { setupTest; buildPreset debug tipflow_unit; runGoogleTest unit "$root/build/debug/tipflow_unit"; }
testStore() { setupTest; buildPreset debug tipflow_store; runGoogleTest store "$root/build/debug/tipflow_store"; }

# What the tests in TypeScript need; tests/fault uses the tools of tests/e2e.
npmTools() {
  cd "$root/tests/e2e" || exit 1
  # The lock file decides what is installed; nothing is fetched when it is there already.
  if ! cmp -s package-lock.json node_modules/.installed-lock; then
    step "Fetching the test tools from the npm registry (once)" npm.log npm ci --no-audit --no-fund
    cp package-lock.json node_modules/.installed-lock
  fi
  ln -sfn ../e2e/node_modules "$root/tests/fault/node_modules"
  ln -sfn ../e2e/node_modules "$root/tests/cluster/node_modules"
}

# runVitest SUITE FOLDER
runVitest() {
  local suite=$1 results=$logDir/$1.json status=0 started=$SECONDS
  cd "$root/tests/$2" || exit 1
  runCheck "$suite types" npx tsc --noEmit
  say "Testing: $suite"
  rm -f "$results"
  npx vitest run --reporter=default --reporter=json --outputFile.json="$results" \
    >"$logDir/test-$suite.log" 2>&1 || status=$?
  local good=0 bad=1
  if [ -f "$results" ]; then
    read -r good bad < <(node -e 'const r=JSON.parse(require("fs").readFileSync(process.argv[1]));
      console.log(r.numPassedTests, r.numFailedTests + r.numPendingTests)' "$results")
    # A suite that could not even start counts as one failure.
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  fi
  [ "$status" -eq 0 ] || grep -v '✓' "$logDir/test-$suite.log" >&2
  count "$good" "$bad" "$suite"
  note "$good passed, $bad failed in $((SECONDS - started)) s"
}

testE2e() {
  setupTest
  buildPreset release tipflow
  runCheck "settings in docs/operations" python3 "$root/tools/config_docs.py" "$root/build/release/tipflow" --check
  npmTools
  runVitest e2e e2e
}

# testCluster SUITE DATABASES
testCluster() {
  local suite=$1 databases=$2
  setupTest
  setupCluster
  case $databases in galera) setupGalera ;; mysql) setupMysql ;; esac
  buildPreset release tipflow
  npmTools
  TIPFLOW_CLUSTER_DATABASES=$databases runVitest "$suite" cluster
  # The table: fault, requests, failures, longest gap, time to recover.
  sed -n '/^fault .*stolen$/,/^$/p' "$logDir/test-$suite.log" | sort -u | sed '/^$/d' >&2 || true
}

testLong() {
  testSimLong
  setupLong
  buildPreset release tipflow
  npmTools
  runVitest long fault
  # What each fault came to, and how long it took.
  grep -E ' (in [0-9]+ ms|requests:)' "$logDir/test-long.log" >&2 || true
}

commandTest() {
  local suites=("$@") suite
  [ ${#suites[@]} -gt 0 ] || suites=(lint unit store sim threads fuzz e2e)
  for suite in "${suites[@]}"; do
    case $suite in
    lint) testLint ;; unit) testUnit ;; store) testStore ;; e2e) testE2e ;;
    cluster) testCluster cluster replicated ;;
    cluster-galera) testCluster cluster-galera galera ;;
    cluster-mysql) testCluster cluster-mysql mysql ;;
    sim) testSim ;; threads) testThreads ;; fuzz) testFuzz ;; race) testRace ;;
    long) testLong; testCluster cluster-galera galera; testCluster cluster-mysql mysql; testFuzzLong; testRaceLong; testTidy ;;
    -h | --help) testUsage; return ;;
    *) testUsage >&2; die "there is no suite '$suite'" ;;
    esac
  done
  [ ${#failedSuites[@]} -eq 0 ] || say "${red}Failed:${plain} ${failedSuites[*]} (whole output in $logDir)"
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
