#!/usr/bin/env bash
# A Python with ftctl installed in; whether it works where nothing else of ours lies about, out: a
# new project is made, checked, trained, and then has nothing left to do.
#     release/try.sh .venv-try/bin/python
set -euo pipefail
python=$(cd "$(dirname "$1")" && pwd)/${1##*/}
checkout=$(cd "$(dirname "$0")/.." && pwd)
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
cd "$empty"

ftctl() { env -i HOME="$empty" PATH=/usr/bin:/bin "$python" -I -m ftctl "$@"; }

from=$(env -i "$python" -I -c 'import ftctl; print(ftctl.__file__)')
[[ $from != "$checkout"/ftctl/* ]] ||
    { echo "this Python imports ftctl from the checkout, not what was built from it" >&2; exit 1; }
ftctl --version
ftctl init demo
ftctl -C demo validate
ftctl -C demo apply --auto-approve --wait > /dev/null
ftctl -C demo plan --detailed-exitcode > /dev/null # 2 if anything were left to do
ftctl -C demo output
