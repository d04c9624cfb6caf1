#!/usr/bin/env bash
# Finds what was approved by merging. Outputs: digest and plan-file, or why there are none.
# What is believed, and why, stands in docs/decisions/0018; approved.py looks.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events

none() {
    printf '%s\n' "$1" > "$work/why.txt"
    show "$work/why.txt"
    set_output why "$1"
    exit 0
}

if [ -n "${INPUT_APPROVE:-}" ]; then
    [[ $INPUT_APPROVE =~ ^(sha256:)?[0-9a-f]{64}$ ]] || die "'approve' takes a digest such as sha256:…"
    set_output digest "sha256:${INPUT_APPROVE#sha256:}"
    exit 0
fi
[ "$GITHUB_EVENT_NAME" = push ] ||
    none "no digest was given: read the plan in the summary of this run, and run it again with 'approve'"

scripts=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
APPROVED_PLACE=$place APPROVED_MARK=$(mark comment) \
    python3 -I "$scripts/approved.py" > "$work/approved.json"
fault=$(jq -r '.fault // empty' "$work/approved.json")
[ -z "$fault" ] || die "what was approved is not known: $fault. Run this job again"
why=$(jq -r '.why // empty' "$work/approved.json")
[ -z "$why" ] || none "$why"
set_output digest "$(jq -r .digest "$work/approved.json")"
set_output plan-file "$(jq -r .plan "$work/approved.json")"
jq -r '"Pull request #\(.number) approved \(.digest)."' "$work/approved.json"
