#!/usr/bin/env bash
# Puts $work/comment.md on the pull request: the comment of before is changed, none is added.
source "${BASH_SOURCE[0]%/*}/common.sh"

[ -s "$work/comment.md" ] || exit 0
number=$(event .pull_request.number)
[ -n "$number" ] || exit 0
jq -n --rawfile body "$work/comment.md" '{body: $body}' > "$work/comment.json"
gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments?per_page=100" > "$work/comments.json"
id=$(jq -rs --arg mark "$(mark comment)" --arg bot "$INPUT_BOT" '
    [(add // [])[] | select(.user.login == $bot)
     | select((.body // "" | split("\n")[0] | rtrimstr("\r")) == $mark)][0].id // empty
' "$work/comments.json")
if [ -n "$id" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" \
        --input "$work/comment.json" > /dev/null
else
    gh api --method POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" \
        --input "$work/comment.json" > /dev/null
fi
