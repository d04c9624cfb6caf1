# The same rule as owner.py, for conftest: `conftest test --parser json --policy policy -`.
package main

import rego.v1

deny contains message if {
	not startswith(input.format_version, "1.")
	message := sprintf("this policy does not know plans of version %s", [input.format_version])
}

deny contains message if {
	some change in input.changes
	some step in change.steps
	step.step == "start-job"
	object.get(step.spec, ["metadata", "owner"], "") == ""
	message := sprintf("%s has no owner: add 'metadata: {owner: TEAM}' to its manifest", [change.name])
}
