#!/usr/bin/env bash
# Holds wsmlab against a real orchestrator-core (PyPI) on one Redis. Needs Python 3.11 or later and PyPI.
#   scripts/interop/run.sh PATH-TO-WSMLAB
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
python3 -m venv "$venv"
"$venv/bin/pip" install -q 'orchestrator-core==5.5.0' websockets
timeout 120 "$venv/bin/python" "$here/orchestrator_core.py" "$1" 2> >(grep -v '^{' >&2)
