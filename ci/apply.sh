#!/usr/bin/env bash
# Applies what was approved: APPROVED_PLAN, else the plan of APPROVED_DIGEST. Nothing else.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events
require_folder

# However this ends, the comment on the merged pull request says how.
asked=false pending=0 started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
rm -f "$work/applied.txt" "$work/report.md"
trap 'leave_result "$?" "$asked" "$([ "$pending" = 0 ] && echo false || echo true)" "$started"' EXIT

use_key
address_options
# What was merged was reviewed: the settings of this commit count, and where they send the key.
shared=(--base "$GITHUB_SHA" "${addresses[@]}")
run_plan "${shared[@]}"
plan_words 'ftctl: no plan could be made' >> "$GITHUB_STEP_SUMMARY"
options=("${shared[@]}")
[ "${INPUT_WAIT:-true}" != true ] || options+=(--wait)
[ -z "${INPUT_TIMEOUT:-}" ] || options+=(--timeout "$INPUT_TIMEOUT")
case "$status" in
    0) ;; # Nothing to do needs nobody's approval; jobs that still run are waited for.
    2)
        pending=$(jq '[.summary | .create, .replace, .cancel, .delete, .defer] | add' "$work/plan.json")
        if [ "$pending" = 0 ]; then
            : # What needs attention is not carried out: there is nothing to approve.
        elif [ -n "${APPROVED_PLAN:-}" ]; then
            options+=("$APPROVED_PLAN")
        elif [ -n "${APPROVED_DIGEST:-}" ]; then
            options+=(--approve "$APPROVED_DIGEST")
        else
            die "nobody approved this plan: ${APPROVED_WHY:-no digest was found}. Read it in the summary of this run; to apply it, run this workflow by hand with approve = $digest"
        fi
        ;;
    *) die "there is no plan to apply: the log says why" "$status" ;;
esac

asked=true status=0
tool apply "${options[@]}" > "$work/applied.txt" 2>&1 || status=$?
show "$work/applied.txt"
set_output exitcode "$status"
[ ! -f "$directory/ftctl.lock" ] || {
    set_output lock-file "$directory/ftctl.lock"
    set_output lock-artifact "ftctl-lock-$place"
}
verbatim 'ftctl apply' "$work/applied.txt" >> "$GITHUB_STEP_SUMMARY"
case "$status" in
    0) ;;
    4) die "some of the plan was carried out, not all: the log says which. Run this job again: what is done is skipped" 4 ;;
    5) die "the approved plan is stale: what would run now is not what was reviewed, and nothing was done. Read the plan in the summary of this run; to apply it, run this workflow by hand with approve = $digest" 5 ;;
    6) die "the jobs were started and run on, and are billed; waiting took too long. Run this job again to wait on: nothing is started twice" 6 ;;
    1) die "a job failed at the service or could not be started: the log says which, and what buys it again" 1 ;;
    *) die "apply failed: the log says why" "$status" ;;
esac
