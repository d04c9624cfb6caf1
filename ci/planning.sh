#!/usr/bin/env bash
# Takes the plan of before out of the comment while this commit is planned.
source "${BASH_SOURCE[0]%/*}/common.sh"

if from_elsewhere && [ "${INPUT_ALLOW_FORKS:-false}" != true ]; then exit 0; fi
FTCTL_STARTED=$(date -u +%Y-%m-%dT%H:%M:%SZ)
export FTCTL_STARTED
at_github planning
