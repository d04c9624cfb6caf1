#!/usr/bin/env bash
# Checks manifests and data; problems become annotations on their lines.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events
require_folder

status=0
find_base
tool validate --format github "${base_options[@]}" 2> "$work/log.txt" || status=$?
show "$work/log.txt"
set_output exitcode "$status"
exit "$status"
