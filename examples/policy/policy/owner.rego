# The same rule as owner.py, for conftest: `conftest test --parser json --policy policy -`.
package main

import rego.v1

deny contains message if {
	not startswith(input.format_version, "1.")
	message := sprintf("this policy does not know plans of version %s", [input.format_version])
}

# What the plan trains, now or later, with what the service is sent for it.
trained contains [change.name, step.request] if {
	some change in input.changes
	some step in change.steps
	step.step == "start-job"
}

trained contains [change.name, change.later.request] if some change in input.changes

deny contains message if {
	some [name, request] in trained
	object.get(request, ["metadata", "owner"], "") == ""
	message := sprintf("%s has no owner: add 'metadata: {owner: TEAM}' to its manifest", [name])
}
