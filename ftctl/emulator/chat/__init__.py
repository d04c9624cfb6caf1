"""A chat request in; a model's answer out, piece by piece.

What a small language model cannot do is not made to look as if it were done: an answer that must
call a tool or be JSON says what the model learnt; the request's wish alone forces nothing.

| module | stage or noun |
|---|---|
| chat_request, messages, tool_choice | a body -> a request that keeps the API's rules, or a 400 |
| field_readers | readers of single fields |
| supported_parameters | whether the base model takes what is asked for |
| model_handle | a model in the store and a request -> the pieces that it generates |
| deltas | those pieces -> what the client gets to see, step by step |
| completion | such steps -> the objects of the wire |
| token_usage | what a request and its answers count for |
"""
