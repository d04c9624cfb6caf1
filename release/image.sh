#!/usr/bin/env bash
# A commit and an image to stand on in; an image with ftctl of that commit out.
#     release/image.sh BASE@sha256:… TAG [REVISION [EXTRAS]]
# The same commit, base and extras make the same layers where BuildKit writes them (0.13 or later).
set -euo pipefail
cd "$(dirname "$0")/.."
[[ ${1:-} =~ ^[a-z0-9][A-Za-z0-9._/:-]*@sha256:[0-9a-f]{64}$ ]] ||
    { echo "name the base by its digest: IMAGE@sha256:…" >&2; exit 1; }
[[ ${2:-} =~ ^[a-z0-9][A-Za-z0-9._/:-]*$ ]] || { echo "name the image's tag" >&2; exit 1; }
[[ ${4:-} =~ ^[a-z0-9,]*$ ]] || { echo "extras are words with commas between" >&2; exit 1; }
revision=$(git rev-parse --verify --quiet --end-of-options "${3:-HEAD}^{commit}") ||
    { echo "there is no commit '${3:-HEAD}' here" >&2; exit 1; }

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
# What is built is what the commit holds: not what lies in this checkout besides.
git -c core.autocrlf=false -c core.eol=lf -c core.attributesFile=/dev/null \
    archive --format=tar "$revision" | tar --extract --no-same-owner --file - --directory "$context"
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$context/ftctl/__init__.py")
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$revision")
export SOURCE_DATE_EPOCH
created=$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ "$revision")

docker buildx build --no-cache --pull --provenance=false --sbom=false \
    --build-arg BASE="$1" --build-arg EXTRAS="${4:-}" --build-arg COMMIT="$revision" \
    --build-arg CREATED="$created" --build-arg VERSION="$version" \
    --build-arg SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
    --output type=docker,rewrite-timestamp=true --tag "$2" \
    --file "$context/release/Dockerfile" "$context"
