#!/usr/bin/env bash
# Installs the independent readers that tests hold our files against: PyPI packages into .build/readers, and a browser.
set -euo pipefail
cd "$(dirname "$0")/../.."

wanted=scripts/readers/requirements.txt
installed=.build/readers/installed.txt
command -v chromium >/dev/null || scripts/install-dependencies.sh chromium fonts-dejavu-core
cmp -s "$wanted" "$installed" && exit 0

python3 -c 'import ensurepip' 2>/dev/null || scripts/install-dependencies.sh python3 python3-venv
echo "Installing the readers of the tests into .build/readers …" >&2
rm -rf .build/readers
python3 -m venv .build/readers
.build/readers/bin/pip install --quiet --disable-pip-version-check --requirement "$wanted"
cp "$wanted" "$installed"
