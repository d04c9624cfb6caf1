#!/usr/bin/env bash
# Keeps one issue about drift: opened or changed while there is some, closed when there is none.
source "${BASH_SOURCE[0]%/*}/common.sh"

FTCTL_TITLE=$(printf '%s' "${environment:-default}" | tr -c 'a-z0-9_-' '?')
export FTCTL_TITLE
at_github issue
