#!/usr/bin/env bash
# Checks manifests and data; problems become annotations on their lines.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events

status=0
base=()
[ -z "${INPUT_BASE:-}" ] || base=(--base "$INPUT_BASE")
tool validate --format github "${base[@]}" 2> "$work/log.txt" || status=$?
show "$work/log.txt"
set_output exitcode "$status"
exit "$status"
