# Shared by ./dev and its parts: where things are, how we talk. Sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cacheDir=${TIPFLOW_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/tipflow}
logDir=$cacheDir/logs
mkdir -p "$logDir"

if [ -t 2 ]; then bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else bold='' dim='' red='' green='' plain=''; fi

say() { printf '%s\n' "${bold}==>${plain} $*" >&2; }
note() { printf '%s\n' "    ${dim}$*${plain}" >&2; }

# die MESSAGE [HINT]: ends with a plain reason and what to do about it.
die() {
  printf '%s\n' "${red}error:${plain} $1" >&2
  [ $# -lt 2 ] || printf '%s\n' "       $2" >&2
  exit 1
}

# step TITLE LOG COMMAND...: runs COMMAND with its output in LOG and a live line on a terminal
# (a line every 20 s elsewhere), so that a long step is never silent.
step() {
  local title=$1 log=$logDir/$2 started=$SECONDS shown=0 status=0; shift 2
  printf '%s\n' "${bold}==>${plain} $title" >&2
  : >"$log"  # there before it is looked at: a `tail` that fails would end us without a word
  "$@" >"$log" 2>&1 </dev/null &
  local pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    local last; last=$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c1-90)
    if [ -t 2 ]; then
      printf '\r\e[K    %s%4ds  %s%s' "$dim" $((SECONDS - started)) "$last" "$plain" >&2
    elif [ $((SECONDS - started - shown)) -ge 20 ]; then
      shown=$((SECONDS - started)); printf '    %4ds  %s\n' "$shown" "$last" >&2
    fi
    sleep 0.3
  done
  wait "$pid" || status=$?
  if [ -t 2 ]; then printf '\r\e[K' >&2; fi
  if [ "$status" -ne 0 ]; then
    tail -n 25 "$log" >&2
    die "'$title' failed (exit $status)." "The whole output is in $log; the step can be run again as it is."
  fi
  note "done in $((SECONDS - started)) s"
}

asRoot() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "'$*' needs root, and there is no sudo here." "Run it as root once, then ./dev again."; fi
}
