# Starts and stops the local node with its stream of simulated tips. Sourced by ./dev.
# shellcheck shell=bash

dataDir() { realpath -m "${TIPFLOW_DATA_DIR:-$root/var}"; }
httpPort() { echo "${TIPFLOW_HTTP_PORT:-8080}"; }

# running PID: it is there and more than a zombie waiting to be reaped.
running() { local state; state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) && [ -n "$state" ] && [ "$state" != Z ]; }

# aliveIn FILE NAME: the process id in FILE when it is a running program of that name.
aliveIn() {
  local pid; pid=$(cat "$1" 2>/dev/null) || return 1
  [ -n "$pid" ] && running "$pid" && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] && echo "$pid"
}

# endProcess FILE: SIGTERM, up to 12 s of patience, then SIGKILL.
endProcess() {
  local pid; pid=$(aliveIn "$1" tipflow) || { rm -f "$1"; return 0; }
  kill -TERM "$pid"
  local waited
  for waited in $(seq 120); do
    running "$pid" || break
    sleep 0.1
  done
  if running "$pid"; then
    note "process $pid did not leave in $((waited / 10)) s and was killed; nothing acknowledged is lost by that"
    kill -KILL "$pid"
  fi
  rm -f "$1"
}

ready() { (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3 && head -n 1 <&3 | grep -q ' 200 ') 2>/dev/null; }
portTaken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

upUsage() {
  cat <<'TEXT'
Usage: ./dev up [--detach] [--no-traffic]
Installs what is missing, builds, and runs a node with all roles on embedded stores, with a small
stream of simulated tips. Stops with Ctrl-C, or with ./dev down when detached.

  --detach       go on in the background
  --no-traffic   no simulated tips

  TIPFLOW_DATA_DIR        where everything is kept (./var)
  TIPFLOW_HTTP_PORT       port of API and documentation (8080)
  TIPFLOW_ADMIN_PASSWORD  password of admin at the first start (generated)
  TIPFLOW_REQUIRE_SIGNATURE=true   signed requests only, as in production (false here)
TEXT
}

commandUp() {
  local detach=false traffic=true
  for argument in "$@"; do
    case $argument in
    --detach) detach=true ;;
    --no-traffic) traffic=false ;;
    -h | --help) upUsage; return ;;
    *) upUsage >&2; die "unknown argument '$argument'" ;;
    esac
  done
  local data port; data=$(dataDir); port=$(httpPort)
  local node=$data/node.pid stream=$data/traffic.pid pid
  if pid=$(aliveIn "$node" tipflow); then
    say "Tipflow is up already (process $pid): http://127.0.0.1:$port"
    note "stop it with ./dev down"
    return
  fi
  portTaken "$port" && die "Port $port is taken." "Choose another one: TIPFLOW_HTTP_PORT=8081 ./dev up"
  buildPreset release tipflow
  mkdir -p "$data/log"

  # Unsigned requests make the first curl possible; production keeps the default.
  export TIPFLOW_DATA_DIR=$data TIPFLOW_REQUIRE_SIGNATURE=${TIPFLOW_REQUIRE_SIGNATURE:-false}
  unset TIPFLOW_CACHE_DIR
  local binary=$root/build/release/tipflow
  if $detach; then
    setsid "$binary" serve >"$data/log/node.out" 2>&1 </dev/null &
  else
    "$binary" serve >"$data/log/node.out" 2>&1 </dev/null &
  fi
  local nodePid=$!
  echo "$nodePid" >"$node"
  local tries
  for tries in $(seq 300); do
    ready "$port" && break
    kill -0 "$nodePid" 2>/dev/null || break
    sleep 0.1
  done
  if ! ready "$port"; then
    tail -n 15 "$data/log/node.out" >&2
    endProcess "$node"
    die "The node did not get ready ($((tries / 10)) s)." "Its output is in $data/log/node.out, its log in $data/log/tipflow.jsonl"
  fi
  if $traffic; then
    local load=("$binary" load --url "http://127.0.0.1:$port" --rate 10 --seconds 0 --rooms 5 --viewers 60
      --registered-most 10 --connections 4 --duplicates 0.02 --no-verify --quiet)
    if $detach; then setsid "${load[@]}" >"$data/log/traffic.out" 2>&1 </dev/null &
    else "${load[@]}" >"$data/log/traffic.out" 2>&1 </dev/null & fi
    echo $! >"$stream"
  fi

  local password='as you chose it (TIPFLOW_ADMIN_PASSWORD at the first start)'
  [ ! -f "$data/admin-password" ] || password=$(cat "$data/admin-password")
  cat <<TEXT

  ${green}Tipflow is up.${plain}

  API            http://127.0.0.1:$port/api/v1
  documentation  http://127.0.0.1:$port/docs
  metrics        http://127.0.0.1:$port/metrics
  admin          name: admin   password: $password
  data and logs  $data
TEXT
  if $traffic; then echo "  traffic        10 simulated tips a second into 5 rooms ($data/log/traffic.out)"; fi
  if $detach; then
    printf '\n  stop it with   ./dev down\n\n'
    return
  fi
  printf '\n  stop it with   Ctrl-C\n\n'
  trap 'commandDown; exit 0' INT TERM
  wait "$nodePid" || true
  trap - INT TERM
  endProcess "$stream"
  rm -f "$node"
  tail -n 5 "$data/log/node.out" >&2
  die "The node left by itself." "Its log is in $data/log/tipflow.jsonl"
}

commandDown() {
  local data; data=$(dataDir)
  if ! aliveIn "$data/node.pid" tipflow >/dev/null && ! aliveIn "$data/traffic.pid" tipflow >/dev/null; then
    say "Nothing is running in $data."
    return
  fi
  endProcess "$data/traffic.pid"
  endProcess "$data/node.pid"
  say "Stopped. What it kept is in $data."
}
