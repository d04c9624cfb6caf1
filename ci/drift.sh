#!/usr/bin/env bash
# Asks whether the service is still as the manifests say. Leaves the text in $work/issue.md.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events
require_folder

use_key
address_options
run_plan --base "$GITHUB_SHA" "${addresses[@]}"
{
    mark drift
    printf '\n'
    if [ "$status" = 2 ]; then
        printf 'The service is not as the branch %s says. ' "${GITHUB_REF_NAME//[^A-Za-z0-9._\/-]/?}"
        printf 'This issue is closed by itself when it is again.\n\n'
        [ "$attention" = 0 ] ||
            printf 'No apply mends what needs attention: a person decides it, as the plan says.\n\n'
    fi
    plan_words 'ftctl: no plan could be made'
    printf '\n[The run](%s/%s/actions/runs/%s) has the log.\n' \
        "$GITHUB_SERVER_URL" "$GITHUB_REPOSITORY" "$GITHUB_RUN_ID"
} > "$work/issue.md"
cat "$work/issue.md" >> "$GITHUB_STEP_SUMMARY"
case "$status" in
    0 | 2) ;;
    *) die "there is no plan: the log says why" "$status" ;;
esac
