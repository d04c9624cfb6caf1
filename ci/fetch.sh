#!/usr/bin/env bash
# Merges into the checkout's ftctl.lock what earlier applies recorded and nobody has committed.
# What is believed, and why, stands in docs/decisions/0026.
source "${BASH_SOURCE[0]%/*}/common.sh"
refuse_other_events

# A plan without it is made all the same: a record can only stop a purchase, and the service is asked.
at_record fetch || warn "what earlier applies recorded was not fetched: $(tail -n 1 "$work/record/said.txt")"
