#!/usr/bin/env bash
# After an apply: puts into one record what others recorded meanwhile, and leaves it to be kept.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events

at_record keep || warn "what others recorded meanwhile was not fetched: $(tail -n 1 "$work/record/said.txt")"
[ -f "$work/record/kept/ftctl.lock" ] || exit 0
set_output folder "$work/record/kept"
set_output artifact "ftctl-lock-$place"
