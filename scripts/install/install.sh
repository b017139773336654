#!/usr/bin/env bash
# Installs or removes what stage.sh gathered.
#   scripts/install/install.sh install|uninstall PREFIX
set -euo pipefail
cd "$(dirname "$0")/../.."

action=$1
prefix=$2
stage=.build/stage
case $action in
install)
    # Each file by itself: folders that are there keep their owner and their mode.
    (cd "$stage" && find . -type f -printf '%P\n') | while read -r file; do
        mode=644
        [ "$file" != bin/wsmlab ] || mode=755
        install -D -m "$mode" "$stage/$file" "$prefix/$file"
        echo "$prefix/$file"
    done
    ;;
uninstall)
    # By name and not by what is staged now: an older version may have had other pages.
    rm -fv "$prefix/bin/wsmlab" "$prefix"/share/man/man1/wsmlab.1 "$prefix"/share/man/man1/wsmlab-*.1 \
        "$prefix/share/bash-completion/completions/wsmlab" "$prefix/share/zsh/site-functions/_wsmlab" \
        "$prefix/share/fish/vendor_completions.d/wsmlab.fish"
    ;;
*)
    echo "usage: install.sh install|uninstall PREFIX" >&2
    exit 64
    ;;
esac
