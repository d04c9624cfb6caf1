"""What lies beside the API, under `/_ftctl/`: its state, time, faults and journal; a web page.

| module | noun |
|---|---|
| desk | what a handler here is given, and the numbers and names that several read |
| routes | the table of what is answered, and of the page's files |
| state | health, the whole state in short, a job's curve, the reset |
| clock | the pace of time |
| faults | the faults, and the journal of the requests that may have met them |
| snapshot | the whole state as one file, out and in |
"""
