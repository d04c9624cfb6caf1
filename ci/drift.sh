#!/usr/bin/env bash
# Asks whether the service is still as the manifests say, and leaves the answer in $work/drift:
# differs or well. Without a plan that is not known, and nothing is left: an outage is a failed run.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events
require_folder

rm -f "$work/drift"
set_output started "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
use_key
address_options
run_plan --base "$GITHUB_SHA" "${addresses[@]}"
plan_words 'ftctl: no plan could be made' >> "$GITHUB_STEP_SUMMARY"
[ -s "$work/plan.json" ] || [[ ! $status =~ ^[023]$ ]] || status=1
[[ $status =~ ^[023]$ ]] ||
    die "there is no plan, so whether the service differs is not known, and no issue was touched: the log says why" "$status"

# What only tidies up (a file that nothing needs any more, a model beyond 'keep') is left to the next
# apply: nobody has to be told. What runs is on its way, and so is what waits for it.
differs=$(jq --argjson attention "$attention" '
    .summary | .create + .replace + .cancel + .delete + .defer + $attention
        - (.housekeeping // 0) - (.waiting // 0)
' "$work/plan.json")
if [ "$differs" = 0 ]; then
    echo well > "$work/drift"
    exit 0
fi
echo differs > "$work/drift"
[ "$status" != 3 ] || die "a policy refuses what would mend this drift: the log says which" 3
