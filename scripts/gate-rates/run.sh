#!/usr/bin/env bash
# Measures how often the gate errs: gates between identical builds, and against builds that are worse by a known amount.
# Run it on a machine with nothing else to do:
#
#   scripts/gate-rates/run.sh [--minutes 75] [--out FOLDER] [--identical 40] [--planted 20]
#
# It writes a line a gate into FOLDER/gates.tsv as it goes. Started again with the same folder it goes on where it stopped, as
# long as programs and scenario are the same; beyond its minutes it begins no other gate. Each time it ends it prints the table
# of outcomes.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

minutes=75 out=Results/gate-rates identical=40 planted=20
programs=${WSMLAB_BUILD:-.build/release}
scenario=Scenarios/gate.yaml
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) minutes=$2 ;;
        --out) out=$2 ;;
        --identical) identical=$2 ;;
        --planted) planted=$2 ;;
        *) sed -n '2,9p' "$0" >&2; exit 64 ;;
    esac
    shift 2 || exit 64
done

wsmlab=$programs/wsmlab
worse=$programs/wsmlab-planted
for program in "$wsmlab" "$worse"; do
    [ -x "$program" ] || { echo "there is no $program: make build" >&2; exit 5; }
done
mkdir -p "$out"
log=$out/gates.tsv
subject=$(cat "$wsmlab" "$worse" "$scenario" | sha256sum | cut -c1-16)
if [ -e "$log" ] && ! head -1 "$log" | grep -q "$subject"; then
    echo "$log is of other programs or another scenario: choose another --out" >&2
    exit 64
fi
[ -e "$log" ] || printf '# %s\n# kind\tverdict\texit\trounds\tfresh\trepeated\tseconds\treason\n' "$subject" >"$log"

begun=$(date +%s)
count() { grep -c "^$1	" "$log"; }

# gate KIND PLANT: one gate, and its line.
gate() {
    local kind=$1 plant=$2 folder="$out/last" start end status
    rm -rf "$folder"
    start=$(date +%s)
    if [ -z "$plant" ]; then
        "$wsmlab" gate "$scenario" --against "$wsmlab" --out "$folder" --quiet >/dev/null 2>"$out/errors.txt"
    else
        WSMLAB_PLANT=$plant "$worse" gate "$scenario" --against "$wsmlab" --out "$folder" 2>"$out/errors.txt"
    fi
    status=$?
    end=$(date +%s)
    python3 - "$folder/gate.json" "$kind" "$status" $((end - start)) >>"$log" <<'PYTHON' || return 1
import json
import sys

path, kind, status, seconds = sys.argv[1:]
try:
    with open(path, encoding="utf-8") as file:
        gate = json.load(file)
except OSError:
    gate = {"verdict": "error", "rounds": 0, "freshRounds": 0, "repeated": 0, "reasons": ["no gate.json"]}
if gate.get("interrupted"):
    sys.exit(1)
reason = (gate["reasons"] or [""])[0].replace("\t", " ")
print(kind, gate["verdict"], status, gate["rounds"], gate["freshRounds"], gate["repeated"], seconds, reason, sep="\t")
PYTHON
    echo "$(tail -1 "$log" | cut -f1-7 | tr '\t' ' ') (identical $(count identical)/$identical, cpu $(count cpu)/$planted," \
        "delay $(count delay)/$planted, loss $(count loss)/$planted)" >&2
}

# In turns, so that a machine that changes over the hour is seen by all kinds alike.
trap 'echo "stopped; start it again to go on" >&2; stop=1' INT TERM
stop=
while [ -z "$stop" ]; do
    did=
    for kind in identical cpu identical delay loss; do
        [ -z "$stop" ] || break
        [ $(($(date +%s) - begun)) -lt $((minutes * 60)) ] || { stop=1; break; }
        wanted=$planted plant=
        case $kind in
            identical) wanted=$identical ;;
            cpu) plant=cpu:10% ;;
            delay) plant=delay:2ms ;;
            loss) plant=loss:1/10000 ;;
        esac
        [ "$(count $kind)" -lt "$wanted" ] || continue
        gate $kind "$plant" || { stop=1; break; }
        did=1
    done
    [ -n "$did" ] || break
done

awk -F'\t' '
    /^#/ { next }
    { n[$1]++; v[$1, $2]++; seconds[$1] += $7; rounds[$1] += $4; repeated[$1] += $6 }
    END {
        printf "| the new build | gates | pass | inconclusive | regression | error | rounds a gate | seconds a gate | INVALID runs |\n"
        printf "|---|---|---|---|---|---|---|---|---|\n"
        split("identical cpu delay loss", kinds, " ")
        name["identical"] = "identical"
        name["cpu"] = "10 % more CPU a delivery"
        name["delay"] = "2 ms more delay"
        name["loss"] = "loses 1 message in 10,000"
        for (i = 1; i <= 4; i++) {
            k = kinds[i]
            if (n[k]) printf "| %s | %d | %d | %d | %d | %d | %.1f | %.0f | %d |\n", name[k], n[k], v[k, "pass"], \
                v[k, "inconclusive"], v[k, "regression"], v[k, "error"], rounds[k] / n[k], seconds[k] / n[k], repeated[k]
        }
    }' "$log"
