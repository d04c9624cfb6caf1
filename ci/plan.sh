#!/usr/bin/env bash
# Validates and plans what a pull request asks for, as ftctl.yaml of the base branch allows it.
# Leaves the text of the comment in $work/comment.md; outputs say the rest.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events

base=${INPUT_BASE:-}
head=$GITHUB_SHA
if [ "$GITHUB_EVENT_NAME" = pull_request ]; then
    base=${base:-origin/$GITHUB_BASE_REF}
    head=$(event .pull_request.head.sha)
elif [ "$GITHUB_EVENT_NAME" = merge_group ]; then
    base=${base:-$(event .merge_group.base_sha)}
fi
options=()
if [ -n "$base" ]; then
    git -C "${INPUT_DIRECTORY:-.}" rev-parse --quiet --verify --end-of-options "$base^{commit}" > /dev/null ||
        die "the base '$base' is not in this checkout: check out with 'fetch-depth: 0'"
    options+=(--base "$base")
fi
offline=false
if from_elsewhere && [ "${INPUT_ALLOW_FORKS:-false}" != true ]; then offline=true; fi

# First lines of a comment: what it is found by, and what it lets apply do.
compose() {
    printf '%s\n<!-- ftctl reviewed: %s %s -->\n' "$(mark comment)" "$head" "$1"
    cat
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
    set_output comment "$([ "$offline" = true ] && echo false || echo true)"
    die "$why: the comment and the log say why" "$status"
fi

if [ "$offline" = true ]; then options+=(--offline); else use_key; fi
run_plan "${options[@]}"
reviewed=none
if [ "$offline" = false ] && { [ "$status" = 0 ] || [ "$status" = 2 ]; }; then
    reviewed=$digest
    set_output artifact "ftctl-plan-$head-${INPUT_ENVIRONMENT:-default}"
fi
plan_words 'ftctl: no plan could be made' | compose "$reviewed" > "$work/comment.md"
cat "$work/comment.md" >> "$GITHUB_STEP_SUMMARY"
set_output comment "$([ "$offline" = true ] && echo false || echo true)"
case "$status" in
    0 | 2) exit 0 ;;
    3) die "a policy of the base branch refuses this plan: the comment and the log say which, and what would allow it" 3 ;;
    *) die "there is no plan: the log says why" "$status" ;;
esac
