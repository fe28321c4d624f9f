# Runs the tests and adds up what passed. Sourced by ./dev.
# shellcheck shell=bash

passed=0 failed=0 failedSuites=()

testUsage() {
  cat <<'TEXT'
Usage: ./dev test [SUITE...]
Without a suite: all of them. It ends with one line: N passed, M failed.

  lint    formatting, layers, the contract's own consistency
  unit    rules, protocol cores, platform (AddressSanitizer, UndefinedBehaviorSanitizer)
  store   every store on SQLite and on a real MariaDB (same sanitizers)
  e2e     the binary from outside: stories, races, crashes, bad input, contract; SQLite and MariaDB
TEXT
}

# count PASSED FAILED SUITE
count() {
  passed=$((passed + $1)) failed=$((failed + $2))
  [ "$2" -eq 0 ] || failedSuites+=("$3")
}

# runGoogleTest SUITE BINARY
runGoogleTest() {
  local suite=$1 binary=$2 log=$logDir/test-$1.log status=0 started=$SECONDS
  say "Testing: $suite"
  "$binary" --gtest_brief=1 >"$log" 2>&1 || status=$?
  local good ran bad
  good=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -n 1)
  ran=$(sed -n 's/^\[==========\] \([0-9]*\) tests\{0,1\} from .* ran.*/\1/p' "$log" | tail -n 1)
  bad=$((${ran:-0} - ${good:-0}))
  # A run that died (a sanitizer's finding, a crash) says nothing of what it did not reach.
  if [ "$status" -ne 0 ] && [ "${bad:-0}" -eq 0 ]; then bad=1; fi
  [ "$status" -eq 0 ] || cat "$log" >&2
  count "${good:-0}" "${bad:-0}" "$suite"
  note "${good:-0} passed, ${bad:-0} failed in $((SECONDS - started)) s"
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
}

testUnit() { setupTest; buildPreset debug tipflow_unit; runGoogleTest unit "$root/build/debug/tipflow_unit"; }
testStore() { setupTest; buildPreset debug tipflow_store; runGoogleTest store "$root/build/debug/tipflow_store"; }

testE2e() {
  setupTest
  buildPreset release tipflow
  local here=$root/tests/e2e results=$logDir/e2e.json status=0 started=$SECONDS
  cd "$here" || exit 1
  # The lock file decides what is installed; nothing is fetched when it is there already.
  if ! cmp -s package-lock.json node_modules/.installed-lock; then
    step "Fetching the test tools from the npm registry (once)" npm.log npm ci --no-audit --no-fund
    cp package-lock.json node_modules/.installed-lock
  fi
  runCheck "e2e types" npx tsc --noEmit
  say "Testing: e2e"
  rm -f "$results"
  npx vitest run --reporter=default --reporter=json --outputFile.json="$results" \
    >"$logDir/test-e2e.log" 2>&1 || status=$?
  local good=0 bad=1
  if [ -f "$results" ]; then
    read -r good bad < <(node -e 'const r=JSON.parse(require("fs").readFileSync(process.argv[1]));
      console.log(r.numPassedTests, r.numFailedTests + r.numPendingTests)' "$results")
    # A suite that could not even start counts as one failure.
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  fi
  [ "$status" -eq 0 ] || grep -v '✓' "$logDir/test-e2e.log" >&2
  count "$good" "$bad" e2e
  note "$good passed, $bad failed in $((SECONDS - started)) s"
}

commandTest() {
  local suites=("$@") suite
  [ ${#suites[@]} -gt 0 ] || suites=(lint unit store e2e)
  for suite in "${suites[@]}"; do
    case $suite in
    lint) testLint ;; unit) testUnit ;; store) testStore ;; e2e) testE2e ;;
    -h | --help) testUsage; return ;;
    *) testUsage >&2; die "there is no suite '$suite'" ;;
    esac
  done
  [ ${#failedSuites[@]} -eq 0 ] || say "${red}Failed:${plain} ${failedSuites[*]} (whole output in $logDir)"
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
