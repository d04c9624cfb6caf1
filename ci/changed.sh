#!/usr/bin/env bash
# Lists those of INPUT_PROJECTS that this change touches (`changed`), or that are waited for
# (`waiting`), as JSON for a matrix.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events

[ -n "${INPUT_PROJECTS//[[:space:]]/}" ] || die "'projects' lists the folders with an ftctl.yaml, one a line"
at_github "$INPUT_COMMAND"
set_output projects "$(cat "$work/projects.json")"
