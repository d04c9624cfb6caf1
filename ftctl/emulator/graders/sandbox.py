"""What runs in the process of a Python grader: a request on stdin -> one JSON answer on stdout.

It is given to the interpreter as a file of its own and imports nothing of ftctl. It binds itself
before it reads the source: the limits are hard ones, so what it then runs cannot lift them.

A request is {"source", "sample", "item", "limits"}, or without a sample only looks at the source.
An answer is {"score": number}, {} for a source that can be used, or {"fault": words}.
"""

import contextlib
import json
import math
import os
import sys


def main() -> None:
    """Answer the one request."""
    request = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What the source prints goes nowhere: the answer alone stands on the real stdout.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    if "sample" in request:
        _bind(request["limits"])
    try:
        outcome = _score(request) if "sample" in request else _look(request["source"])
    except BaseException as fault:  # noqa: BLE001 - a grader may raise whatever it likes
        outcome = {"fault": _traceback_of(fault)}
    with contextlib.suppress(OSError):
        json.dump(outcome, answer)
        answer.flush()
    # Neither threads nor exit handlers of the source's may keep this process from ending.
    os._exit(0)


def _traceback_of(fault: BaseException) -> str:
    """As a traceback that starts in the grader's own source."""
    import traceback

    trace = fault.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(fault), fault, trace))[-8_000:]


def _bind(limits: dict[str, int]) -> None:
    import resource

    for name, most in limits.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            # macOS refuses some of them, whatever the number.
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(kind, (least, least))


def _look(source: str) -> dict[str, object]:
    import ast

    tree = ast.parse(source, "grader.py")
    for node in ast.walk(tree):
        names = [getattr(node, "name", None), getattr(node, "asname", None)]
        if "grade" in names or (isinstance(node, ast.Name) and node.id == "grade"):
            return {}
    return {"fault": "There is no function 'grade' in the source."}


def _score(request: dict[str, object]) -> dict[str, object]:
    space: dict[str, object] = {"__name__": "grader"}
    exec(compile(str(request["source"]), "grader.py", "exec"), space)  # noqa: S102 - its one purpose
    grade = space.get("grade")
    if not callable(grade):
        return {"fault": "There is no function 'grade' in the source."}
    result = grade(request["sample"], request["item"])
    if isinstance(result, str | bytes):
        return {"fault": f"grade returned {type(result).__name__}, which is no number."}
    score = float(result)
    if not math.isfinite(score):
        return {"fault": f"grade returned {score}, which is not finite."}
    return {"score": score}


if __name__ == "__main__":
    main()
