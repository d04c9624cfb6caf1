#!/usr/bin/env bash
# Says on the merged pull request what became of its merge: `announce` before, `result` after.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events

at_github "$INPUT_COMMAND"
