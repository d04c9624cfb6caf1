#!/usr/bin/env bash
# Finds what was approved by merging: the digest in our bot's comment on the merged pull request,
# and the plan itself among the artifacts of that commit. Outputs: digest and plan-file, or why not.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events

none() {
    printf '%s\n' "$1"
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

gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls?per_page=100" > "$work/pulls.json"
jq -c --arg sha "$GITHUB_SHA" --arg branch "$GITHUB_REF_NAME" '
    [.[] | select(.merged_at != null and .merge_commit_sha == $sha and .base.ref == $branch)][0] // empty
' "$work/pulls.json" > "$work/pull.json"
[ -s "$work/pull.json" ] || none "commit $GITHUB_SHA was merged by no pull request"
number=$(jq -r .number "$work/pull.json")
head=$(jq -r .head.sha "$work/pull.json")

gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments?per_page=100" > "$work/comments.json"
line=$(jq -rs --arg mark "$(mark comment)" --arg bot "$INPUT_BOT" '
    [(add // [])[] | select(.user.login == $bot) | .body // "" | split("\n") | map(rtrimstr("\r"))
     | select(.[0] == $mark)][0][1] // empty
' "$work/comments.json")
[ -n "$line" ] || none "pull request #$number has no comment of $INPUT_BOT with a plan for this environment"
[[ $line =~ ^'<!-- ftctl reviewed: '([0-9a-f]{40})' '(none|sha256:[0-9a-f]{64})' -->'$ ]] ||
    none "the comment on pull request #$number was changed by hand"
commit=${BASH_REMATCH[1]} digest=${BASH_REMATCH[2]}
[ "$commit" = "$head" ] ||
    none "the plan on pull request #$number is of commit $commit; what was merged is $head"
[ "$digest" != none ] || none "pull request #$number was merged without a plan that may be applied"
printf 'Pull request #%s approved %s.\n' "$number" "$digest"
set_output digest "$digest"

# With the plan itself, apply can go on where an earlier one stopped. Without it the digest decides.
name="ftctl-plan-$head-${INPUT_ENVIRONMENT:-default}"
gh api "repos/$GITHUB_REPOSITORY/actions/artifacts?per_page=100&name=$name" > "$work/artifacts.json"
id=$(jq -r --arg head "$head" --arg name "$name" '
    [.artifacts[] | select(.name == $name and .expired == false)
     | select(.workflow_run.head_sha == $head)
     # A fork can give its artifacts any name.
     | select(.workflow_run.head_repository_id == .workflow_run.repository_id)]
    | max_by(.id).id // empty
' "$work/artifacts.json")
[ -n "$id" ] || exit 0
gh api "repos/$GITHUB_REPOSITORY/actions/artifacts/$id/zip" > "$work/plan.zip"
rm -rf "$work/approved"
python3 -I -m zipfile -e "$work/plan.zip" "$work/approved"
if [ "$(jq -r .digest "$work/approved/plan.json")" = "$digest" ]; then
    set_output plan-file "$work/approved/plan.json"
else
    printf 'The plan among the artifacts is another one; the digest alone decides.\n'
fi
