#!/usr/bin/env bash
# Serves nchan (Debian's nginx with libnginx-mod-nchan) as a target of wsmlab, until its standard input ends or Ctrl-C.
#   scripts/targets/nchan.sh memory|redis
# memory: one nginx with two workers. redis: two instances with a worker each, and a private Redis between them; the line
# "redis-restart 0.5" on the standard input kills that and starts it again 0.5 s later. Prints the scenario keys.
source "$(dirname "$0")/common.sh"
store=${1:-}
case $store in memory | redis) ;; *) fail "usage: $0 memory|redis" ;; esac

packages=(nginx libnginx-mod-nchan)
[ "$store" = memory ] || packages+=(redis-server)
"$scripts/install-dependencies.sh" "${packages[@]}"
nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || fail "nginx is not installed"
module=/usr/lib/nginx/modules/ngx_nchan_module.so

# start_nginx NAME WORKERS PORT [LINE-OF-HTTP] [LINE-OF-LOCATION]; sets nginx_pid.
start_nginx() {
    local name=$1 workers=$2 port=$3 http=${4:-} location=${5:-}
    local folder=$work/$name
    mkdir -p "$folder"
    {
        # As root nginx would give its workers to a user that may not read the folder.
        [ "$(id -u)" -ne 0 ] || echo "user root;"
        cat <<CONFIGURATION
load_module $module;
worker_processes $workers;
daemon off;
pid $folder/nginx.pid;
error_log $folder/error.log warn;
events { worker_connections 8192; }
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    $http
    server {
        listen 127.0.0.1:$port;
        location = /publish { nchan_publisher; nchan_channel_id events; $location }
        # A new client gets what is published from now on, and not what is kept of before.
        location = /events {
            nchan_subscriber websocket; nchan_subscriber_first_message newest; nchan_channel_id events; $location
        }
    }
}
CONFIGURATION
    } >"$folder/nginx.conf"
    "$nginx" -p "$folder" -e "$folder/error.log" -c "$folder/nginx.conf" >"$folder/output.log" 2>&1 </dev/null &
    nginx_pid=$!
    servers+=("$nginx_pid")
    await_port "$port" "$nginx_pid" nginx "$folder/error.log"
}

first=$(free_port)
if [ "$store" = memory ]; then
    start_nginx nchan 2 "$first"
    echo "target.clients=[\"ws://127.0.0.1:$first/events\"]"
    echo "target.pids=[$nginx_pid]"
else
    start_redis
    upstream="upstream broker { nchan_redis_server redis://127.0.0.1:$redis_port; }"
    start_nginx nchan0 1 "$first" "$upstream" "nchan_redis_pass broker;"
    pids=$nginx_pid
    second=$(free_port)
    start_nginx nchan1 1 "$second" "$upstream" "nchan_redis_pass broker;"
    echo "target.clients=[\"ws://127.0.0.1:$first/events\", \"ws://127.0.0.1:$second/events\"]"
    echo "target.pids=[$pids, $nginx_pid]"
fi
echo "target.publish={via: http, url: \"http://127.0.0.1:$first/publish\"}"
serve
