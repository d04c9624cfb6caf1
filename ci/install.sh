#!/usr/bin/env bash
# Installs ftctl into a folder of its own: INPUT_VERSION as pip takes it, else what stands beside
# this script. Nothing of the checked-out repository is imported: Python runs isolated (-I), from
# a folder in which no pull request can put a module.
source "${BASH_SOURCE[0]%/*}/common.sh"

source_folder=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
cd "$work"
python3 -I -m venv "$work/venv"
"$work/venv/bin/python" -I -m pip install --quiet --disable-pip-version-check \
    -- "${INPUT_VERSION:-$source_folder}"
mkdir -p "$work/bin"
printf '#!/bin/sh\nexec "%s/venv/bin/python" -I "%s/venv/bin/ftctl" "$@"\n' "$work" "$work" > "$work/bin/ftctl"
chmod +x "$work/bin/ftctl"
printf '%s\n' "$work/bin" >> "$GITHUB_PATH"
"$work/bin/ftctl" --version
