#!/usr/bin/env bash
# Installs the ftctl that stands beside this script into a folder of its own, with INPUT_EXTRAS.
# Nothing of the checked-out repository is imported or asked: install.py says how.
source "${BASH_SOURCE[0]%/*}/common.sh"

here=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
# Some Pythons choose their version by a file in the current folder.
cd "$root"
python3 -I "$here/install.py" --into "$root" --checkout "${GITHUB_WORKSPACE:-$OLDPWD}" \
    --extras "${INPUT_EXTRAS:-}" --kept "$RUNNER_TEMP/ftctl-wheels"
printf '%s\n' "$root/bin" >> "$GITHUB_PATH"
