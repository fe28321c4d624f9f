# Builds and runs the fuzz targets of tests/fuzz. Sourced by ./dev.
# shellcheck shell=bash

# fuzzOne TARGET SECONDS: replays the corpus, then looks for more. What it finds goes to build/fuzz,
# never into the repository; a crash is kept there too.
fuzzOne() {
  local target=$1 seconds=$2 place=$root/build/fuzz options=()
  local dictionary=$root/tests/fuzz/dictionaries/$target.dict
  [ ! -f "$dictionary" ] || options=("-dict=$dictionary")
  mkdir -p "$place/found/$target" "$place/crashes"
  "$place/targets/$target" "${options[@]}" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
    -artifact_prefix="$place/crashes/$target-" -print_final_stats=1 \
    "$place/found/$target" "$root/tests/fuzz/corpus/$target"
}

# fuzzAll SUITE SECONDS: every target for SECONDS, as many at once as there are cores.
fuzzAll() {
  local suite=$1 seconds=$2 started=$SECONDS target log runs
  buildPreset fuzz tipflow_fuzz
  say "Testing: $suite, $seconds s a target"
  rm -f "$logDir"/fuzz-*.passed
  for target in "$root"/tests/fuzz/corpus/*/; do
    target=$(basename "$target")
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
    (fuzzOne "$target" "$seconds" >"$logDir/fuzz-$target.log" 2>&1 && touch "$logDir/fuzz-$target.passed") &
  done
  wait
  for target in "$root"/tests/fuzz/corpus/*/; do
    target=$(basename "$target") log=$logDir/fuzz-$(basename "$target").log
    if [ -f "$logDir/fuzz-$target.passed" ]; then
      count 1 0 "$suite"
      runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
      note "ok: $target, ${runs:-?} inputs"
    else
      tail -n 60 "$log" >&2
      count 0 1 "$suite"
      note "${red}failed: $target${plain}; the input is in build/fuzz/crashes"
    fi
  done
  note "$((SECONDS - started)) s"
}

testFuzz() { fuzzAll fuzz "${TIPFLOW_FUZZ_SECONDS:-3}"; }
testFuzzLong() { fuzzAll fuzz-long "${TIPFLOW_FUZZ_SECONDS:-180}"; }
