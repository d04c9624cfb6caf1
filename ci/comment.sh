#!/usr/bin/env bash
# Puts $work/comment.md on the pull request: the comment of before is changed, none is added. Where
# several have our mark, the oldest stays, and the others say nothing any more: a merge takes no plan
# from a pull request that has two.
source "${BASH_SOURCE[0]%/*}/common.sh"

[ -s "$work/comment.md" ] || exit 0
number=$(event .pull_request.number)
[[ $number =~ ^[1-9][0-9]*$ ]] || exit 0
comments="repos/$GITHUB_REPOSITORY/issues/comments"
jq -n --rawfile body "$work/comment.md" '{body: $body}' > "$work/comment.json"
gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments?per_page=100" > "$work/comments.json"
jq -rs --arg mark "$(mark comment)" --arg bot "$INPUT_BOT" '
    [(add // [])[] | select(.user.login == $bot) | select(.body // "" | contains($mark)) | .id] | sort[]
' "$work/comments.json" > "$work/ids.txt"
mapfile -t ids < "$work/ids.txt"
if [ "${#ids[@]}" = 0 ]; then
    gh api --method POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" \
        --input "$work/comment.json" > /dev/null
    exit 0
fi
gh api --method PATCH "$comments/${ids[0]}" --input "$work/comment.json" > /dev/null
for id in "${ids[@]:1}"; do
    warn "a second comment looked like the plan of pull request #$number: it was emptied"
    jq -n '{body: "This was no plan that ftctl keeps here, or it was an older one. Another comment has the plan."}' \
        > "$work/emptied.json"
    gh api --method PATCH "$comments/$id" --input "$work/emptied.json" > /dev/null
done
