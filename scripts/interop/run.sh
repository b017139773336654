#!/usr/bin/env bash
# Holds wsmlab against a real orchestrator-core (PyPI) on one Redis. Needs Python 3.11 or later and PyPI.
#   scripts/interop/run.sh PATH-TO-WSMLAB
source "$(dirname "$0")/../targets/common.sh"
make_venv orchestrator-core==5.5.0 uvicorn websockets
timeout 120 "$venv/bin/python" "$scripts/interop/orchestrator_core.py" "$1" 2> >(grep -v '^{' >&2)
