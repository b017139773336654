#!/usr/bin/env bash
# Reads the latency.hlog of a short run with HdrHistogram's own reader (PyPI hdrhistogram) and holds it against result.json.
#   scripts/check-hlog/run.sh PATH-TO-WSMLAB
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q 'hdrhistogram==0.10.*'
# Whatever the run's own verdict is: what it wrote is what counts here.
"$1" run "$here/../../Scenarios/quickstart.yaml" --set duration=3s --out "$work/run" --quiet >"$work/summary" || true
[ -f "$work/run/latency.hlog" ] || { cat "$work/summary"; echo "check-hlog: the run wrote no latency.hlog"; exit 1; }
"$work/venv/bin/python" "$here/check.py" "$work/run"
