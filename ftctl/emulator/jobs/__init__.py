"""Fine-tuning jobs: what may be asked for, how a job lives, how it is shown.

| module | stage or noun |
|---|---|
| job | the job itself, its events and checkpoints |
| rows | jobs in the store |
| request | a create request -> a checked specification |
| hyperparameters | their bounds, and what `auto` becomes |
| examples | a file's content -> its number of examples, or why it cannot be used |
| lifecycle | a job -> the same job at a later moment, and what happened on the way |
| handlers | create, list, retrieve, cancel, pause, resume |
| history | events and checkpoints |
"""
