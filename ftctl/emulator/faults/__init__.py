"""Faults as data in; the requests and jobs that go wrong by them out.

| module | stage or noun |
|---|---|
| rules | a rule, and which of the requests or jobs that it concerns it strikes |
| rule_parser | a document of faults -> rules, or a 400 that names the field |
| rule_fields | the parts of such a document, each checked |
| rule_store | rules in the store, with how many they have met |
| request_faults | a request -> the fault that it meets, and the answer that this makes of it |
| job_faults | a create request -> the fault that will stand on its job |
"""
