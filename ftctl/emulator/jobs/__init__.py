"""A create request in; a job that goes on with the clock, is trained, and ends, out.

| module | stage or noun |
|---|---|
| job_request | a create request -> a checked specification |
| hyperparameters | their bounds, and what `auto` becomes |
| training_file | a file's content -> its examples, or why it cannot be used |
| job_grader | a reinforcement job -> the function that grades its samples |
| virtual_clock | how time passes for jobs |
| checkpoint_schedule | which steps of a job leave a mark |
| lifecycle | a job -> the same job at a later moment, and what happened on the way |
| training_pool | what a process has prepared for its jobs: files read, steps trained |
| scheduler | a store's jobs -> the same jobs at the present, training included |
"""
