#!/usr/bin/env bash
# Rules of the code that the compiler and the formatter do not know. Prints each breach, and fails if there is one.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

breaches=0
# report TEXT PATTERN PATH…: every line of the files that matches is a breach.
report() {
    local text=$1 pattern=$2
    shift 2
    local found
    found=$(grep -rnE --include='*.swift' "$pattern" "$@" 2>/dev/null)
    [ -z "$found" ] && return
    printf '%s:\n%s\n\n' "$text" "$found"
    breaches=1
}

quiet=(Sources/WSMCore Sources/WSMManagers Sources/WSMRedis Sources/WSMInstance Sources/WSMRecord Sources/WSMVerify
    Sources/WSMClients Sources/WSMScenario Sources/WSMSimulation Sources/WSMHarness Sources/WSMReport)
report "Only the command line prints" '(^|[^.A-Za-z_])print\(' "${quiet[@]}"
report "Random numbers come from the seed (CounterRNG)" '\.random\(|SystemRandomNumberGenerator' \
    Sources/WSMCore Sources/WSMManagers Sources/WSMScenario Sources/WSMVerify Sources/WSMRecord
report "The core and the managers know no clock and no Foundation" \
    'import Foundation|import NIO|Date\(\)|ContinuousClock|SuspendingClock' Sources/WSMCore Sources/WSMManagers
report "A state machine takes its instants as arguments" 'MonotonicInstant\.now\(\)|\.now\(\)' Sources/WSMManagers \
    Sources/WSMVerify
report "The wall clock is for the run folder's name only" '[^A-Za-z]Date\(\)' Sources/WSMCore Sources/WSMManagers \
    Sources/WSMRedis Sources/WSMInstance Sources/WSMRecord Sources/WSMVerify Sources/WSMClients Sources/WSMScenario
report "A simulation knows no clock, no chance, no task, no Foundation and no NIO" \
    'import Foundation|import NIO|import Dispatch|import Synchronization|\.now\(\)|\.random\(|Task[ .{(]|await |async |ContinuousClock' \
    Sources/WSMSimulation
# What a module declares as a dictionary or a set, it goes through in an order that it chose, or not at all.
for module in Sources/WSMSimulation Sources/WSMManagers; do
    hashed=$(grep -rhoE --include='*.swift' \
        '(var|let) [A-Za-z]+(: \[[^]:(]+: .*\]|: Set<| = Set<| = \[[A-Za-z.]+: )' "$module" |
        sed -E 's/^(var|let) ([A-Za-z]+).*/\2/' | sort -u | paste -sd '|')
    [ -n "$hashed" ] || continue
    report "A simulation goes through no dictionary or set in the order of its hashes" \
        "in ([A-Za-z]+\.)?($hashed)(\.keys|\.values)? (\{|where)|\<($hashed)(\.keys|\.values)?\.(forEach|map|compactMap|flatMap|first|popFirst|enumerated|min|max|lazy|randomElement)\>" \
        "$module"
done
report "Unfinished marks" '\b(TODO|FIXME|XXX)\b' Sources Tests

while IFS= read -r file; do
    lines=$(wc -l <"$file")
    if [ "$lines" -gt 600 ]; then
        echo "$file has $lines lines: a file holds one idea (at most 600 lines)"
        breaches=1
    fi
done < <(find Sources Tests Examples Benchmarks -name '*.swift')

# A function's body ends at the first closing brace in its own column.
long=$(find Sources -name '*.swift' -exec awk '
    match($0, /^ */) { indent = RLENGTH }
    /(func|init)[ (<].*\{$/ && !open { open = 1; column = indent; start = FNR; next }
    open && indent == column && /^ *\}/ { if (FNR - start > 70) print FILENAME ":" start ": " FNR - start " lines"; open = 0 }
    FNR == 1 { open = 0 }' {} \;)
if [ -n "$long" ]; then
    printf 'Functions of more than 70 lines:\n%s\n' "$long"
    breaches=1
fi

[ "$breaches" -eq 0 ] || exit 1
echo "tidy: no breach"
