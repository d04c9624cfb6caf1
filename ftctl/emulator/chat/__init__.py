"""Chat completions: a request is checked, a mind answers it piece by piece, the answer is kept.

What a small language model cannot do is not made to look as if it were done: an answer that must
call a tool or be JSON says what the model learnt; the request's wish alone forces nothing.
"""
