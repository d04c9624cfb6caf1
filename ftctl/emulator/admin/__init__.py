"""A request under `/_ftctl/` in; the emulator's state, time, faults or journal out.

| module | stage or noun |
|---|---|
| admin_context | what a handler here is given, and the numbers and names that several read |
| admin_routes | the table of what is answered, and of the page's files |
| state_endpoints | health, the whole state in short, a job's curve, the reset |
| clock_endpoints | the pace of time |
| fault_endpoints | the faults, and the journal of the requests that may have met them |
| snapshot_endpoints | the whole state as one file, out and in |
| journal | the last requests and what came of them |
"""
