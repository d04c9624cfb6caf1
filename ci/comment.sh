#!/usr/bin/env bash
# Puts $work/comment.md on the pull request, in the comment of before, and labels it by the plan.
source "${BASH_SOURCE[0]%/*}/common.sh"

at_github comment
