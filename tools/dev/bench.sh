# Measures throughput beside what this machine allows, in one run. Sourced by ./dev.
# shellcheck shell=bash

benchUsage() {
  cat <<'TEXT'
Usage: ./dev bench [--seconds N] [--runs N]
Tips a second through the whole node, on SQLite and on MariaDB, one request a tip, beside the same
web server with an empty handler and a loop of plain INSERTs. Everything on this machine, loopback
only. Prints medians; --seconds (10) for each measurement, --runs (3) of each.
TEXT
}

freePort() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# median: of the numbers on standard input, one a line.
median() { sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : int((v[NR / 2] + v[NR / 2 + 1]) / 2)}'; }

# waitReady PORT PID
waitReady() {
  local tries
  for tries in $(seq 200); do
    ready "$1" && return
    kill -0 "$2" 2>/dev/null || break
    sleep 0.1
  done
  die "A process of the benchmark did not get ready ($((tries / 10)) s)." "Its output is in $benchDir."
}

# startMariadb: leaves its port in $mariadbPort and its process id in $mariadbPid.
startMariadb() {
  local data=$benchDir/mariadb user=()
  [ "$(id -u)" -ne 0 ] || user=(--user=root)
  mariadb-install-db --no-defaults --auth-root-authentication-method=normal --datadir="$data" \
    --skip-test-db "${user[@]}" >"$benchDir/mariadb-install.log" 2>&1
  mariadbPort=$(freePort)
  mariadbd --no-defaults --datadir="$data" --port="$mariadbPort" --bind-address=127.0.0.1 \
    --socket="$benchDir/mariadb.sock" --skip-name-resolve --innodb-flush-log-at-trx-commit=1 \
    --innodb-buffer-pool-size=2G --innodb-log-file-size=1G "${user[@]}" >"$benchDir/mariadb.log" 2>&1 &
  mariadbPid=$!
  local tries
  for tries in $(seq 200); do
    mariadb --no-defaults --socket="$benchDir/mariadb.sock" -u root -e 'SELECT 1' >/dev/null 2>&1 && break
    sleep 0.1
  done
  [ "$tries" -lt 200 ] || die "MariaDB did not start." "Its log is $benchDir/mariadb.log."
  mariadb --no-defaults --socket="$benchDir/mariadb.sock" -u root -e \
    "CREATE DATABASE db1; CREATE DATABASE db2; CREATE USER bench@'127.0.0.1' IDENTIFIED BY 'bench';
     GRANT ALL ON *.* TO bench@'127.0.0.1'"
}

stopProcess() {
  kill "$1" 2>/dev/null || return 0
  wait "$1" 2>/dev/null || true
}

# measureLoad PORT: tips a second that were acknowledged, and its 50th and 99th percentile in ms.
measureLoad() {
  local out=$benchDir/load.out
  "$root/build/release/tipflow" load --url "http://127.0.0.1:$1" --rate 0 --seconds "$benchSeconds" --warmup 2 \
    --connections 64 --viewers 500 --registered-most 5 --no-verify --quiet >"$out" 2>&1 ||
    { cat "$out" >&2; die "The load failed."; }
  awk '/^  tips / {gsub(",", "", $2); rate = $2} /^  p50 / {p50 = $2} /^  p99 / {p99 = $2}
       END {print rate, p50, p99}' "$out"
}

# benchNode NAME ENVIRONMENT...: starts a node, measures it, stops it; a row of the table.
benchNode() {
  local name=$1 run port pid; shift
  local rates=$benchDir/rates.$RANDOM
  for run in $(seq "$benchRuns"); do
    port=$(freePort)
    env TIPFLOW_DATA_DIR="$benchDir/node-$port" TIPFLOW_HTTP_PORT="$port" TIPFLOW_ADMIN_PASSWORD=bench-admin \
      "$@" "$root/build/release/tipflow" serve >"$benchDir/node.out" 2>&1 &
    pid=$!
    waitReady "$port" "$pid"
    measureLoad "$port" >>"$rates"
    stopProcess "$pid"
    env TIPFLOW_DATA_DIR="$benchDir/node-$port" "$@" "$root/build/release/tipflow" audit >"$benchDir/audit.out" ||
      { cat "$benchDir/audit.out" >&2; die "The books do not match after the benchmark."; }
  done
  benchRow "$name" "$(cut -d' ' -f1 "$rates" | median)" \
    "p50 $(cut -d' ' -f2 "$rates" | median) ms, p99 $(cut -d' ' -f3 "$rates" | median) ms"
}

benchRow() { printf '  %-58s %9s /s   %s\n' "$1" "$2" "${3:-}"; }

commandBench() {
  benchSeconds=10 benchRuns=3
  while [ $# -gt 0 ]; do
    case $1 in
    --seconds) benchSeconds=$2; shift 2 ;;
    --runs) benchRuns=$2; shift 2 ;;
    -h | --help) benchUsage; return ;;
    *) benchUsage >&2; die "unknown argument '$1'" ;;
    esac
  done
  setupTest
  buildPreset release tipflow
  buildPreset release tipflow_ceilings
  benchDir=$(mktemp -d)
  trap 'stopProcess "${mariadbPid:-}"; rm -rf "$benchDir"' EXIT
  say "Measuring on $(nproc) cores, median of $benchRuns runs of $benchSeconds s, 64 connections"
  startMariadb
  local url=mysql://bench:bench@127.0.0.1:$mariadbPort port pid run ceilings=$root/build/release/tipflow_ceilings
  local rates=$benchDir/empty.rates
  for run in $(seq "$benchRuns"); do
    port=$(freePort)
    "$ceilings" empty-handler "$port" "$(nproc)" >"$benchDir/empty.out" 2>&1 &
    pid=$!
    waitReady "$port" "$pid"
    measureLoad "$port" >>"$rates"
    stopProcess "$pid"
  done
  benchRow "empty handler, same server, same load" "$(cut -d' ' -f1 "$rates" | median)"
  for run in $(seq "$benchRuns"); do "$ceilings" insert-loop "$url/db1" 64 1 "$benchSeconds"; done >"$benchDir/single.rates"
  benchRow "MariaDB, one plain INSERT each, 64 connections" "$(median <"$benchDir/single.rates")"
  for run in $(seq "$benchRuns"); do "$ceilings" insert-loop "$url/db1" 2 1000 "$benchSeconds"; done >"$benchDir/rows.rates"
  benchRow "MariaDB, INSERT of 1,000 rows, 2 connections" "$(median <"$benchDir/rows.rates")"
  benchNode "tips, one request each, MariaDB, whole pipeline" TIPFLOW_DB1_URL="$url/db1" TIPFLOW_DB2_URL="$url/db2"
  benchNode "tips, one request each, SQLite, whole pipeline"
}
