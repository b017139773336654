#!/usr/bin/env bash
# Gathers what `make install` installs under .build/stage, laid out as under a prefix: the program, its man pages, completions.
#   scripts/install/stage.sh [release|debug]
set -euo pipefail
cd "$(dirname "$0")/../.."

configuration=${1:-release}
program=.build/$configuration/wsmlab
stage=.build/stage
[ -x "$program" ] || { echo "There is no $program: make build" >&2; exit 1; }

# The writer of man pages is part of swift-argument-parser.
"${SWIFT:-swift}" build -c "$configuration" --product generate-manual >&2
rm -rf "$stage"
mkdir -p "$stage"/{bin,share/man/man1,share/bash-completion/completions,share/zsh/site-functions,share/fish/vendor_completions.d}
cp "$program" "$stage/bin/wsmlab"

date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$program")}" +%F)
manuals=$(mktemp -d)
trap 'rm -rf "$manuals"' EXIT
".build/$configuration/generate-manual" "$program" --multi-page --date "$date" --output-directory "$manuals"
for page in "$manuals"/*.1; do
    name=$(basename "$page")
    # Who wants help on these asks the program itself.
    case $name in wsmlab.child.1 | wsmlab.help.1) continue ;; esac
    # wsmlab-run.1, as git-commit.1 and others are called. mdoc wants .Pp for an empty line, and the exit codes say more than
    # its standard sentence.
    sed -E -e '/^\.Xr wsmlab\.(child|help) /d' -e 's/^\.Xr wsmlab\./.Xr wsmlab-/' -e 's/^\.Dt WSMLAB\./.Dt WSMLAB-/' \
        -e 's/^$/.Pp/' -e 's/^\.Ex -std$/The description in\n.Xr wsmlab 1\nlists the exit codes of all commands./' \
        "$page" >"$stage/share/man/man1/${name/wsmlab./wsmlab-}"
done
mv "$stage/share/man/man1/wsmlab-1" "$stage/share/man/man1/wsmlab.1"

completions=$stage/share/bash-completion/completions/wsmlab
"$program" --generate-completion-script bash >"$completions"
cat scripts/completions/wsmlab.bash >>"$completions"
# After a key of --set, and after a map, no space is wanted.
"$program" --generate-completion-script zsh | sed "s/^    _describe -V '' non_empty_completions/    local -a space=()\n\
    [[ \$1 == *[=.] ]] \&\& space=(-S '')\n    _describe -V '' non_empty_completions \"\${space[@]}\"/" \
    >"$stage/share/zsh/site-functions/_wsmlab"
"$program" --generate-completion-script fish >"$stage/share/fish/vendor_completions.d/wsmlab.fish"
echo "Gathered in $stage: sudo make install" >&2
