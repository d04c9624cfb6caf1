"""Faults as data: which requests and jobs go wrong here, and how.

| module | stage or noun |
|---|---|
| rules | a rule, and which of the requests or jobs that it concerns it strikes |
| reading | a document of faults -> rules, or a 400 that names the field |
| fields | the parts of such a document, each checked |
| rows | rules in the store, with how many they have met |
| requests | a request -> the fault that it meets, and the answer that this makes of it |
| jobs | a create request -> the fault that will stand on its job |
"""
