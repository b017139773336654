# What the target scripts share; to be sourced. A target script
#   - makes a folder of its own, starts its servers in it, and prints the scenario's keys, a line each: KEY=VALUE;
#   - then prints "ready" and reads commands from its standard input;
#   - ends with everything, and leaves nothing behind, when its input ends, on Ctrl-C and on SIGTERM.
# shellcheck shell=bash
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/wsmlab-target-XXXXXX")
servers=()

clean_up() {
    trap - EXIT
    trap '' INT TERM HUP
    local pid
    for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${servers[@]}"; do
        # A server that does not end within 5 s is killed.
        for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say() { echo "$*" >&2; }
fail() { say "$0: $*"; exit 1; }

# A TCP port that nobody listens on now.
free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    fail "no port is free"
}

# await_port PORT PID WHAT LOG: waits until something listens, at most 30 s.
await_port() {
    local port=$1 pid=$2 what=$3 log=$4
    for _ in $(seq 3000); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.01
    done
    tail -n 20 "$log" >&2 || true
    fail "$what did not come up"
}

# A private redis-server; sets redis_port and redis_pid.
start_redis() {
    redis_port=${redis_port:-$(free_port)}
    mkdir -p "$work/redis"
    redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --dir "$work/redis" >"$work/redis.log" 2>&1 </dev/null &
    redis_pid=$!
    servers+=("$redis_pid")
    await_port "$redis_port" "$redis_pid" redis-server "$work/redis.log"
}

# restart_redis SECONDS: kills Redis and starts it again that much later on the same port; says how long it was away.
restart_redis() {
    local before=$EPOCHREALTIME
    kill -9 "$redis_pid"
    wait "$redis_pid" 2>/dev/null || true
    sleep "$1"
    start_redis
    say "redis was away for $(awk -v a="$before" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }') s"
}

# Serves until the standard input ends; the commands are: redis-restart SECONDS.
serve() {
    echo ready
    local command argument
    while read -r command argument; do
        case $command in
        redis-restart) restart_redis "$argument" ;;
        *) say "unknown command: $command" ;;
        esac
    done
}

# make_venv PACKAGE…: a Python environment with these packages; sets venv. WSMLAB_VENV names one to keep between runs.
make_venv() {
    venv=${WSMLAB_VENV:-$work/venv}
    [ "$(cat "$venv/wsmlab-packages" 2>/dev/null)" = "$*" ] && return
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or later is needed"
    say "Installing $* from PyPI …"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check "$@" >&2
    echo "$*" >"$venv/wsmlab-packages"
}
