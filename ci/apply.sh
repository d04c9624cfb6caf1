#!/usr/bin/env bash
# Applies what was approved: the plans of APPROVED_PLANS (files, one a line, oldest first), else the
# plan of APPROVED_DIGEST. Nothing else. The command `wait` carries on what an apply before it began.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events
require_folder

# However this ends, the comment on the merged pull request says how.
asked=false pending=0 started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
rm -f "$work/applied.txt" "$work/report.md" "$work/report.json"
trap 'leave_result "$?" "$asked" "$([ "$pending" = 0 ] && echo false || echo true)" "$started"' EXIT

command=${INPUT_COMMAND:-apply}
waits=${INPUT_WAIT:-true}
[ "$command" != wait ] || waits=true
retry=()
by_hand=''
if [ "${INPUT_RETRY_FAILED:-false}" = true ] && [ "$command" = apply ]; then
    [ "$GITHUB_EVENT_NAME" = workflow_dispatch ] ||
        die "'retry-failed' is for a run by hand, where a person approves what is bought again"
    retry=(--retry-failed)
    by_hand=' and retry-failed'
fi

use_key
address_options
# What was merged was reviewed: the settings of this commit count, and where they send the key.
shared=(--base "$GITHUB_SHA" "${addresses[@]}")
run_plan "${shared[@]}" "${retry[@]}"
plan_words 'ftctl: no plan could be made' >> "$GITHUB_STEP_SUMMARY"
approved=()
while read -r file; do
    [ -z "$file" ] || approved+=("$file")
done <<< "${APPROVED_PLANS:-}"
# What a person has read is this very plan, or it is stale: ftctl says so.
if [ "${#approved[@]}" = 0 ] && [ -n "${APPROVED_DIGEST:-}" ] && [ "$APPROVED_DIGEST" = "$digest" ]; then
    approved=("$work/plan.json")
fi

options=("${shared[@]}")
[ "$waits" != true ] || options+=(--wait)
[ -z "${INPUT_TIMEOUT:-}" ] || [ "$waits" != true ] || options+=(--timeout "$INPUT_TIMEOUT")
case "$status" in
    0)
        # Nothing to do needs nobody's approval; jobs that still run are waited for. What was approved
        # says which of them this wait is about.
        [ "$command" != wait ] || options+=("${approved[@]}")
        ;;
    2)
        pending=$(jq '[.summary | .create, .replace, .cancel, .delete, .defer] | add' "$work/plan.json")
        if [ "$pending" = 0 ]; then
            # What needs attention is not carried out: there is nothing to approve. A wait tells of the
            # rest all the same.
            [ "$command" != wait ] || options+=("${approved[@]}")
        elif [ "${#approved[@]}" != 0 ]; then
            options+=("${approved[@]}")
        elif [ -n "${APPROVED_DIGEST:-}" ]; then
            options+=("${retry[@]}" --approve "$APPROVED_DIGEST")
        else
            die "nobody approved this plan: ${APPROVED_WHY:-no digest was found}. Read it in the summary of this run; to apply it, run this workflow by hand with approve = $digest$by_hand"
        fi
        ;;
    *) die "there is no plan to apply: the log says why" "$status" ;;
esac

asked=true status=0
tool apply --report "$work/report.md" --report "$work/report.json" "${options[@]}" > "$work/applied.txt" 2>&1 || status=$?
show "$work/applied.txt"
set_output exitcode "$status"
[ ! -f "$directory/ftctl.lock" ] || set_output lock-file "$directory/ftctl.lock"
if [ -s "$work/report.md" ]; then
    cat "$work/report.md" >> "$GITHUB_STEP_SUMMARY"
else
    verbatim 'ftctl apply' "$work/applied.txt" >> "$GITHUB_STEP_SUMMARY"
fi

# What was approved is kept for this run: an apply by hand that stopped half-way goes on with it, and
# so does the job that waits. That one is wanted once all of it is begun, also beside a job that
# failed before; what is not begun is this job's to do again, in its turn. Whether an approval buys
# anything does not change when this job runs again: what waited too long is waited for again.
case "$status" in
    0) left=0 ;;
    1 | 4) left=$(jq 'if .finetunes == [] then 1 else [.finetunes[] | select(.outcome == "not-done" or .outcome == "not-known")] | length end' "$work/report.json" || echo 1) ;;
    *) left=1 ;;
esac
if [ "${#approved[@]}" != 0 ] && [ "$waits" != true ] && [ "$status" != 5 ]; then
    rm -rf "$work/handed"
    mkdir "$work/handed"
    for ((at = 0; at < ${#approved[@]}; at++)); do
        cp -- "${approved[at]}" "$work/handed/$((at + 1)).plan.json"
    done
    set_output handed "$work/handed"
    kind=approved
    bought=$(jq -s 'map(.summary | .create + .replace + .defer) | add' "${approved[@]}")
    if [ "$bought" != 0 ] && [ "$left" = 0 ]; then
        kind=waiting # a job that waits takes nothing else
        set_output waiting true
    fi
    set_output handed-artifact "ftctl-$kind-$place-$GITHUB_RUN_ATTEMPT"
fi

notes=''
[ -z "${APPROVED_NOTES:-}" ] || notes=" (${APPROVED_NOTES//$'\n'/; })"
case "$status" in
    0) ;;
    4) die "some of the plan was carried out, not all: the log says which. Run this job again: what is done is skipped" 4 ;;
    5) die "the approved plan is stale: what would run now is not what was reviewed$notes, and nothing was done. Read the plan in the summary of this run; to apply it, run this workflow by hand with approve = $digest$by_hand" 5 ;;
    6) die "the jobs were started and run on, and are billed; waiting took too long. Run this job again to wait on: nothing is started twice" 6 ;;
    1) die "a job failed at the service or could not be started: the log says which. To buy it again, run this workflow by hand with retry-failed: it shows the plan, and what to approve" 1 ;;
    *) die "apply failed: the log says why" "$status" ;;
esac
