#!/usr/bin/env bash
# Writes what is pinned, with hashes: `lock.sh UV OLDEST_PYTHON [--upgrade]`. requirements-dev.txt is
# for those who work on ftctl. ci/requirements.txt is what ftctl runs on, ci/requirements-EXTRA.txt
# what an extra adds to it, ci/requirements-build.txt what builds ftctl: ci/install.py takes these.
set -euo pipefail
export LC_ALL=C
cd "${BASH_SOURCE[0]%/*}/.."
uv=$1 python=$2
shift 2

pin() {
    "$uv" pip compile --quiet --universal --python-version "$python" --generate-hashes \
        --custom-compile-command 'make lock' "$@"
}

pin "$@" --extra dev --output-file requirements-dev.txt pyproject.toml

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${uv%/*}/python" -I -c '
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")
' > "$work/build.in"

# One resolution of every extra, so that whatever is installed together fits together. Without
# --upgrade, what is pinned stays.
extras=(fast https s3 gs az hf azure aws xlsx parquet)
cat requirements-dev.txt ci/requirements*.txt > "$work/all.txt"
pin "$@" --only-binary :all: "${extras[@]/#/--extra=}" --output-file "$work/all.txt" \
    pyproject.toml "$work/build.in"
fitting=(--no-annotate --constraint "$work/all.txt")

pin "${fitting[@]}" --output-file ci/requirements.txt pyproject.toml
mapfile -t runtime < <(grep -oE '^[a-z0-9._-]+==' ci/requirements.txt | tr -d = | sort -u)
for extra in "${extras[@]}"; do
    pin "${fitting[@]}" "${runtime[@]/#/--no-emit-package=}" --extra "$extra" \
        --output-file "ci/requirements-$extra.txt" pyproject.toml
    sed -i '/^$/,$d' "ci/requirements-$extra.txt" # after it, what was left out
done
pin "${fitting[@]}" --output-file ci/requirements-build.txt "$work/build.in"

# What looks at releases: nothing that runs, but of what is shared the same.
pin --constraint requirements-dev.txt --group tools --output-file release/tools.txt

# Files of an action cannot be hashed by a workflow's expression: the cache's key names them so.
locks=$(cat ci/requirements*.txt | git hash-object --stdin | cut -c 1-12)
sed -i -E "s/-locks-[0-9a-f]{12}/-locks-$locks/" action.yml
