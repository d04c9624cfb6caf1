"""A request and the temperaments that hold in; the answer that a service of that kind gives out.

A temperament is a way in which a service behaves all the time, where a fault strikes some requests.
It changes what is asked or answered at the door: what is stored stays as it was asked for.

| module | stage or noun |
|---|---|
| standing | the store -> the temperaments and the account that hold in it |
| answers | a JSON answer -> the same one with other jobs, files or lists in it |
| made_up | a number -> a record that nobody made |
| scene | what a way has to work with |
| list_ways, model_ways, job_ways, file_ways | a request -> what services of each kind make of it |
| tempered | temperaments and a request -> the answer |
"""
