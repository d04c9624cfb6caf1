#!/usr/bin/env bash
# Validates and plans what a pull request asks for, as ftctl.yaml of the base branch allows it.
# Leaves the comment's text in $work/comment.md, and what a merge goes by in $work/kept: the plan, the
# comment as it will stand, and what they are of. ci/approved.py reads that again. A merge queue's group
# is planned in the same way and approves nothing: each pull request in it has its own comment.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events
require_folder

rm -f "$work/plan.html"
started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
head=$GITHUB_SHA
if [ "$GITHUB_EVENT_NAME" = pull_request ]; then
    event_commit .pull_request.head.sha
    head=$commit
fi
find_base
options=("${base_options[@]}")
offline=false
if from_elsewhere && [ "${INPUT_ALLOW_FORKS:-false}" != true ]; then offline=true; fi
# Where there is something to comment on, and a right to.
comments=false
if [ "$GITHUB_EVENT_NAME" = pull_request ] && [ "$offline" = false ]; then comments=true; fi
says='the summary of this run and the log say'
[ "$comments" = false ] || says='the comment and the log say'

# First lines of a comment: what it is found by, which run says what of which commit, and since when
# it looked at the service. Last line: the run.
compose() {
    local fence='```'
    printf '%s\n<!-- ftctl reviewed: %s %s %s %s -->\n<!-- ftctl planned at: %s -->\n' \
        "$(mark comment)" "$head" "$1" "$GITHUB_RUN_ID" "$GITHUB_RUN_ATTEMPT" "$started"
    cat
    printf '\n\n[This run](%s/%s/actions/runs/%s) planned commit %s.' \
        "$GITHUB_SERVER_URL" "$GITHUB_REPOSITORY" "$GITHUB_RUN_ID" "$head"
    if [ "$offline" = false ] && [ -s "$work/plan.html" ]; then
        printf ' The whole plan, as a page to read:\n\n%ssh\ngh run download %s --repo %s --name %s\n%s' \
            "$fence" "$GITHUB_RUN_ID" "$GITHUB_REPOSITORY" "$(artifact page)" "$fence"
    fi
    printf '\n'
}

artifact() { printf 'ftctl-%s-%s-%s-%s' "$1" "$place" "$head" "$GITHUB_RUN_ATTEMPT"; }

# What stands in the comment, with all that ties it to this run and this pull request.
keep() {
    rm -rf "$work/kept"
    mkdir "$work/kept"
    cp -- "$work/plan.json" "$work/comment.md" "$work/kept/"
    jq -n --arg digest "$1" --arg head "$head" --arg place "$place" --arg repository "$GITHUB_REPOSITORY" \
        --arg workflow "${GITHUB_WORKFLOW_REF:-}" --arg event "$GITHUB_EVENT_NAME" \
        --arg base "${GITHUB_BASE_REF:-}" --arg number "$(event .pull_request.number)" \
        --arg run "$GITHUB_RUN_ID" --arg attempt "$GITHUB_RUN_ATTEMPT" '
        {format: 1, digest: $digest, head: $head, place: $place, repository: $repository,
         workflow: $workflow, event: $event, base: $base, number: $number, run: $run, attempt: $attempt}
    ' > "$work/kept/reviewed.json"
    set_output kept "$work/kept"
    set_output artifact "$(artifact plan)"
}

status=0
tool validate --format github "${options[@]}" 2> "$work/log.txt" || status=$?
show "$work/log.txt"
if [ "$status" != 0 ]; then
    why='the manifests or data are not valid'
    [ "$status" = 1 ] || why='the manifests and data could not be checked'
    tool validate --format text "${options[@]}" > "$work/problems.txt" 2>&1 || true
    verbatim "ftctl: $why" "$work/problems.txt" |
        compose none > "$work/comment.md"
    cat "$work/comment.md" >> "$GITHUB_STEP_SUMMARY"
    set_output exitcode "$status"
    set_output changes false
    set_output comment "$comments"
    die "$why: $says why" "$status"
fi

if [ "$offline" = true ]; then
    options+=(--offline)
else
    use_key
    address_options
    options+=("${addresses[@]}")
fi
run_plan "${options[@]}" --commit "$head" --approved-by merge --out "$work/plan.html"
reviewed=none
# What a fork asks for is no merge's to carry out, also where it is planned with the key.
if [ "$comments" = true ] && ! from_fork && { [ "$status" = 0 ] || [ "$status" = 2 ]; }; then
    reviewed=$digest
fi
if [ "$offline" = false ] && [ -s "$work/plan.html" ]; then
    set_output page "$work/plan.html"
    set_output page-artifact "$(artifact page)"
fi
plan_words 'ftctl: no plan could be made' | compose "$reviewed" > "$work/comment.md"
[ "$reviewed" = none ] || keep "$reviewed"
cat "$work/comment.md" >> "$GITHUB_STEP_SUMMARY"
set_output comment "$comments"
case "$status" in
    0 | 2) exit 0 ;;
    3) die "a policy of the base branch refuses this plan: $says which, and what would allow it" 3 ;;
    *) die "there is no plan: the log says why" "$status" ;;
esac
