#!/usr/bin/env bash
# Serves orchestrator-core's WebSocketManager (PyPI) as a target of wsmlab, until its standard input ends or Ctrl-C.
#   scripts/targets/orchestrator-core.sh memory|redis
# Prints the scenario keys that lead to it. With redis it starts a private Redis too; the line "redis-restart 0.5" on the
# standard input kills that and starts it again 0.5 s later.
source "$(dirname "$0")/common.sh"
store=${1:-}

case $store in
memory) ;;
redis)
    "$scripts/install-dependencies.sh" redis-server
    start_redis
    ;;
*) fail "usage: $0 memory|redis" ;;
esac

make_venv orchestrator-core==5.5.0 uvicorn websockets
port=$(free_port)
broadcaster=memory://
[ "$store" = memory ] || broadcaster=redis://127.0.0.1:$redis_port
env WEBSOCKET_BROADCASTER_URL="$broadcaster" CACHE_URI="redis://127.0.0.1:${redis_port:-1}" \
    DATABASE_URI=postgresql://nobody:none@127.0.0.1:1/none LOG_LEVEL="${LOG_LEVEL:-INFO}" LOG_OUTPUT=json \
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$scripts/targets" \
    "$venv/bin/python" -m uvicorn orchestrator_app:app --host 127.0.0.1 --port "$port" --no-access-log \
    --log-level warning >"$work/orchestrator.log" 2>&1 </dev/null &
pid=$!
servers+=("$pid")
await_port "$port" "$pid" orchestrator-core "$work/orchestrator.log"

echo "target.clients=[\"ws://127.0.0.1:$port/api/ws/events\"]"
if [ "$store" = memory ]; then
    echo "target.publish={via: http, url: \"http://127.0.0.1:$port/broadcast/events\"}"
else
    echo "target.publish={via: redis, url: \"redis://127.0.0.1:$redis_port\", channel: events}"
fi
echo "target.pids=[$pid]"
serve
