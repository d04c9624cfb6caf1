#!/usr/bin/env bash
# Brings home the release record that this run has kept, as INPUT_RECORD says.
source "${BASH_SOURCE[0]%/*}/common.sh"

case "$GITHUB_EVENT_NAME" in
    push | workflow_dispatch) ;;
    *) die "'record' brings home what an apply of this run has kept, and '$GITHUB_EVENT_NAME' applies nothing" ;;
esac
case "${INPUT_RECORD:-artifact}" in
    push | pull-request) ;;
    artifact)
        echo 'The release record stays an artifact of this run.'
        exit 0
        ;;
    *) die "'record' is artifact, pull-request or push" ;;
esac
at_record bring || die "the release record was not brought home: $(tail -n 1 "$work/record/said.txt"). It is kept as the artifact ftctl-lock-$place"
