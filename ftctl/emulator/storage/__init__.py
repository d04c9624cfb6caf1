"""Values in, rows of one SQLite file out, and back: what outlives a request is kept here.

| module | stage or noun |
|---|---|
| tables | the schema, and how an older one becomes the present one |
| database | the file, its transactions, a session at one moment |
| files, uploads, models | each kept, found, and given back |
| job_record | a job at one moment, and what happens to it |
| jobs | jobs, with their events, checkpoints and result files |
| trainings | a job's training: its figures, and the state to go on from |
"""
