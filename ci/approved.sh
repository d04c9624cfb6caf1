#!/usr/bin/env bash
# Finds what was approved: by merging, by hand, or for a wait what the job before it has applied.
# Outputs: plan-files (one a line), digest (by hand), pull-requests, notes; or why there are none.
# What is believed, and why, stands in docs/decisions/0018 and 0023; approved.py looks.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events
require_token

none() {
    printf '%s\n' "$1" > "$work/why.txt"
    show "$work/why.txt"
    set_output why "$1"
    exit 0
}

# Look by `merge` or in this `run`. Sets `why`; empty where something was found.
look() {
    local fault scripts
    scripts=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
    rm -rf "$work/approved"
    mkdir "$work/approved"
    APPROVED_BY=$1 APPROVED_FOLDER=$work/approved APPROVED_PLACE=$place APPROVED_MARK=$(mark comment) \
        python3 -I "$scripts/approved.py" > "$work/approved.json"
    fault=$(jq -r '.fault // empty' "$work/approved.json")
    [ -z "$fault" ] || die "what was approved is not known: $fault. Run this job again"
    why=$(jq -r '.why // empty' "$work/approved.json")
}

found() {
    set_output plan-files "$(jq -r '.plans[]' "$work/approved.json")"
    set_output pull-requests "$(jq -r '.numbers[]' "$work/approved.json")"
    set_output notes "$(jq -r '.without[]' "$work/approved.json")"
}

if [ "${INPUT_COMMAND:-apply}" = wait ]; then
    look run
    [ -z "$why" ] || die "what this run approved is not known: $why. Run all jobs of it again"
    found
    exit 0
fi
if [ -n "${INPUT_APPROVE:-}" ]; then
    [[ $INPUT_APPROVE =~ ^(sha256:)?[0-9a-f]{64}$ ]] || die "'approve' takes a digest such as sha256:…"
    digest=sha256:${INPUT_APPROVE#sha256:}
    set_output digest "$digest"
    # Once a run has begun, what is left makes another plan: the one that was read goes on.
    if [ "${GITHUB_RUN_ATTEMPT:-1}" != 1 ]; then
        look run
        [ -n "$why" ] || [ "$(jq -r '.digests | join(" ")' "$work/approved.json")" != "$digest" ] || found
    fi
    exit 0
fi
[ "$GITHUB_EVENT_NAME" = push ] ||
    none "no digest was given: read the plan in the summary of this run, and run it again with 'approve'"
look merge
[ -z "$why" ] || none "$why"
found
jq -r '[.numbers, .digests] | transpose[] | "Pull request #\(.[0]) approved \(.[1])."' \
    "$work/approved.json"
jq -r '.without[]' "$work/approved.json" > "$work/notes.txt"
[ ! -s "$work/notes.txt" ] || show "$work/notes.txt"
