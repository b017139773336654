#!/usr/bin/env bash
# Runs the suite of planted defects and prints its tables: defect x checker, with the counts found.
# --update also writes them between the marks of docs/planted-defects.md, which the suite holds against what it finds.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

page=docs/planted-defects.md
tables=$(mktemp)
log=$(mktemp)
trap 'rm -f "$tables" "$log"' EXIT
export WSMLAB_DEFECTS_REPORT=$tables
[ "${1:-}" != --update ] || export WSMLAB_DEFECTS_UPDATE=1

"${SWIFT:-swift}" test --explicit-target-dependency-import-check error --filter '^PlantedDefects\.' >"$log" 2>&1
status=$?
if [ ! -s "$tables" ]; then
    cat "$log"
    exit 1
fi
cat "$tables"
if [ "$status" -ne 0 ]; then
    grep -E '✘|error:' "$log" >&2
    exit "$status"
fi
[ "${1:-}" = --update ] || exit 0
awk -v tables="$tables" '
    $0 == "<!-- tables -->" { print; if (++marks == 1) while ((getline line < tables) > 0) print line; next }
    marks != 1' "$page" >"$page.new" && mv "$page.new" "$page"
