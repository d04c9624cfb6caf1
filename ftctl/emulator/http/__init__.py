"""Bytes from a client in, a request as a value out; an answer as a value in, bytes out.

Nothing here knows what the API is about.

| module | stage or noun |
|---|---|
| wire | a request, an answer, the one form of every refusal, strict JSON |
| request_body | a socket's stream -> the body, by its length or in chunks |
| multipart | a form's body -> its parts |
| route_table | method and path -> a handler, or the methods that the path has |
| access | who is let in: the key, the host, the page that a browser shows |
"""
