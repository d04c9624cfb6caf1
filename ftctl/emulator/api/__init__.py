"""A request of the API in, its answer out: the endpoints, and what each of them is given.

The only room that knows the API's paths. Endpoints stand here and not beside what they serve: each
brings the jobs to the present first, so they are above jobs, chat, graders and faults alike.

| module | stage or noun |
|---|---|
| routes | the table of method, path and endpoint |
| operations | how far each goes here, for people |
| request_context | what an endpoint is given |
| pagination | which rows a list request asks for |
| file_, upload_, model_, permission_, job_ and grader_endpoints | what their names say |
| job_history | a job's events and checkpoints |
| chat_endpoint, stored_completions | an answer of a model; those that were kept |
"""
