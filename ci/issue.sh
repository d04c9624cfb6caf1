#!/usr/bin/env bash
# Keeps one issue about drift: opened or changed while there is some, closed when there is none.
source "${BASH_SOURCE[0]%/*}/common.sh"

[ -s "$work/issue.md" ] || exit 0
gh api --paginate "repos/$GITHUB_REPOSITORY/issues?state=open&per_page=100" > "$work/issues.json"
id=$(jq -rs --arg mark "$(mark drift)" --arg bot "$INPUT_BOT" '
    [(add // [])[] | select(.user.login == $bot and .pull_request == null)
     | select((.body // "" | split("\n")[0] | rtrimstr("\r")) == $mark)] | min_by(.number).number // empty
' "$work/issues.json")
issues="repos/$GITHUB_REPOSITORY/issues"
title="ftctl: the service differs from the manifests ($(printf '%s' "${environment:-default}" | tr -c 'a-z0-9_-' '?'))"
jq -n --arg title "$title" --rawfile body "$work/issue.md" '{title: $title, body: $body}' > "$work/issue.json"
if [ "$DRIFT_STATUS" = 0 ]; then
    [ -n "$id" ] || exit 0
    jq -n '{body: "The service is as the manifests say again."}' > "$work/closing.json"
    gh api --method POST "$issues/$id/comments" --input "$work/closing.json" > /dev/null
    jq -n '{state: "closed", state_reason: "completed"}' > "$work/closing.json"
    gh api --method PATCH "$issues/$id" --input "$work/closing.json" > /dev/null
elif [ -n "$id" ]; then
    gh api --method PATCH "$issues/$id" --input "$work/issue.json" > /dev/null
else
    gh api --method POST "$issues" --input "$work/issue.json" > /dev/null
fi
