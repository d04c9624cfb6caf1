#!/usr/bin/env bash
# A commit in; its wheel, its source archive and their SHA256SUMS out, the same bytes wherever and
# whenever this runs with the same Python and what build.txt pins.
#     release/build.sh [REVISION [FOLDER]]      PYTHON names a Python with build.txt installed
set -euo pipefail
cd "$(dirname "$0")/.."
revision=$(git rev-parse --verify --quiet --end-of-options "${1:-HEAD}^{commit}") ||
    { echo "there is no commit '${1:-HEAD}' here" >&2; exit 1; }
mkdir -p "${2:-dist}"
into=$(cd "${2:-dist}" && pwd)
python=${PYTHON:-.venv-build/bin/python}
[[ $python != */* ]] || python=$(cd "$(dirname "$python")" && pwd)/${python##*/}

# What is built is what the commit holds: not what lies in this checkout besides.
source_tree=$(mktemp -d)
trap 'rm -rf "$source_tree"' EXIT
# No setting of whoever builds changes a byte of it: no other line ends, no attributes of theirs.
git -c core.autocrlf=false -c core.eol=lf -c core.attributesFile=/dev/null \
    archive --format=tar "$revision" | tar --extract --no-same-owner --file - --directory "$source_tree"

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$revision")
export SOURCE_DATE_EPOCH
rm -f "$into"/ftctl-*.whl "$into"/ftctl-*.tar.gz "$into/SHA256SUMS"
# -I: neither this folder nor the environment brings a module along.
(cd "$source_tree" && "$python" -I -m hatchling build --directory "$into" >&2)
(cd "$into" && LC_ALL=C sha256sum ftctl-*.tar.gz ftctl-*.whl > SHA256SUMS && cat SHA256SUMS)
