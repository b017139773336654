#!/usr/bin/env bash
# Starts a real system as a target, runs its scenario against it, and ends it again.
#   scripts/targets/run.sh SYSTEM STORE WSMLAB [--restart-redis AT:DOWNTIME] [ARGUMENT…]
#   scripts/targets/run.sh orchestrator-core redis .build/release/wsmlab --set clients.count=120
#   scripts/targets/run.sh nchan redis .build/release/wsmlab --restart-redis 5:0.6
#   scripts/targets/run.sh all WSMLAB       all four, one after the other
# SYSTEM is orchestrator-core or nchan, STORE memory or redis. AT and DOWNTIME are seconds, AT from the start of wsmlab.
# The exit code is wsmlab's.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# forward COMMAND…: runs it, passes SIGTERM on to it, and waits until it has ended in order. A Ctrl-C it gets by itself.
forward() {
    "$@" <&0 &
    local pid=$! code
    trap 'kill -TERM "$pid" 2>/dev/null' TERM HUP
    trap : INT
    wait "$pid"
    code=$?
    while kill -0 "$pid" 2>/dev/null; do
        wait "$pid"
        code=$?
    done
    return "$code"
}

if [ "${1:-}" = all ]; then
    [ $# -ge 2 ] || { sed -n '2,9s/^# //p' "$0" >&2; exit 64; }
    # One Python environment for both managers of orchestrator-core.
    shared=$(mktemp -d "${TMPDIR:-/tmp}/wsmlab-target-XXXXXX")
    trap 'rm -rf "$shared"' EXIT
    export WSMLAB_VENV=${WSMLAB_VENV:-$shared/venv}
    worst=0
    for system in orchestrator-core nchan; do
        for store in memory redis; do
            forward "$0" "$system" "$store" "${@:2}" || worst=$?
            [ "$worst" -lt 128 ] || exit "$worst"
        done
    done
    exit "$worst"
fi

[ $# -ge 3 ] || { sed -n '2,9s/^# //p' "$0" >&2; exit 64; }
system=$1 store=$2 wsmlab=$3
shift 3
restart=
if [ "${1:-}" = --restart-redis ]; then
    restart=${2:?--restart-redis needs AT:DOWNTIME}
    shift 2
fi
script=$here/$system.sh
[ -x "$script" ] || { echo "$0: there is no target $system" >&2; exit 64; }

# The target ends when our end of its standard input closes, however this script ends. A process group of its own keeps
# a Ctrl-C for wsmlab from it.
set -m
coproc TARGET { exec "$script" "$store"; }
set +m
target=$TARGET_PID
exec {commands}>&"${TARGET[1]}" {lines}<&"${TARGET[0]}"
end_target() {
    trap '' INT TERM HUP
    exec {commands}>&- || true
    eval "exec ${TARGET[1]:-$commands}>&-" 2>/dev/null || true
    wait "$target" 2>/dev/null
}
trap end_target EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

keys=()
while read -r line <&"$lines"; do
    [ "$line" = ready ] && break
    keys+=(--set "$line")
done
[ "${line:-}" = ready ] || { echo "$0: $system did not start" >&2; exit 5; }

restarter=
if [ -n "$restart" ]; then
    { sleep "${restart%%:*}" {commands}>&-; echo "redis-restart ${restart##*:}" >&"$commands"; } &
    restarter=$!
fi
forward "$wsmlab" run "$here/../../Scenarios/target-$system-$store.yaml" "${keys[@]}" "$@"
code=$?
[ -z "$restarter" ] || kill "$restarter" 2>/dev/null
exit "$code"
