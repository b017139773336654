#!/usr/bin/env bash
# Installs what is missing of the libraries and the Redis server that wsmlab needs, or of the packages that it is given.
# Debian and Ubuntu only; elsewhere it says what to install.
set -euo pipefail

packages=("$@")
[ $# -gt 0 ] || packages=(libhiredis-dev libzstd-dev redis-server)

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
    if [ $# -eq 0 ] && [ -e /usr/include/hiredis/hiredis.h ] && [ -e /usr/include/zstd.h ] &&
        command -v redis-server >/dev/null; then
        exit 0
    fi
    echo "Install these packages (Debian's names): ${packages[*]}" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "Run as root: apt-get install ${missing[*]}" >&2; exit 1; }
    sudo=(sudo)
fi

# wsmlab starts its own private servers: a package's system service must not start with the installation.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
    "${sudo[@]}" chmod +x "$policy"
    trap '"${sudo[@]}" rm -f "$policy"' EXIT
fi

echo "Installing ${missing[*]} …" >&2
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
