"""A grader's Python source -> its score, worked out in a process of its own.

The process has hard limits on time, memory, file size and further processes, an empty folder, no
environment and no share in this one. That stops accidents, not malice: it can still read what its
user can read, and reach the network. So nothing runs unless the emulator was told to allow it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from ftctl.emulator.graders.grader_errors import GraderError
from ftctl.emulator.http.wire import Json

LOOK_SECONDS = 10.0

_MEMORY = 2 * 1024**3  # bytes, as the API has it
_FILE = 64 * 1024**2
_ANSWER = 64 * 1024  # bytes of an answer that are read; an honest one has far fewer
_SANDBOX = Path(__file__).with_name("sandbox.py")

# Libraries that start a thread per core at import would meet the limit on processes.
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def run_source(source: str, sample: Json, item: Json, seconds: float) -> float:
    """What `grade(sample, item)` returns, always finite; GraderError when it returns no number."""
    limits = {
        "RLIMIT_CPU": int(seconds) + 1,
        "RLIMIT_AS": _MEMORY,
        "RLIMIT_FSIZE": _FILE,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
    }
    request = {"source": source, "sample": sample, "item": item, "limits": limits}
    answer = _ask(request, seconds)
    if "fault" in answer:
        raise GraderError("python_grader_runtime_error", str(answer["fault"]))
    score = answer.get("score")
    if not isinstance(score, int | float):
        raise GraderError("python_grader_server_error", "no_answer")
    return float(score)


def look_at_source(source: str) -> str | None:
    """Why the source cannot be a grader, or None; it is read, and not run."""
    try:
        fault = _ask({"source": source}, LOOK_SECONDS).get("fault")
    except GraderError as error:
        return f"It cannot be read: {error.details}."
    return None if fault is None else str(fault).strip().splitlines()[-1]


def _ask(request: Json, seconds: float) -> Json:
    with tempfile.TemporaryDirectory(prefix="ftctl-grader-") as folder:
        return _exchange(Path(folder), request, seconds)


def _exchange(folder: Path, request: Json, seconds: float) -> Json:
    """Through files, so that neither side can keep the other waiting on a full pipe."""
    inside = folder / "work"
    inside.mkdir()
    with (folder / "question").open("w+b") as question, (folder / "answer").open("w+b") as answer:
        question.write(json.dumps(request).encode("ascii"))
        question.seek(0)
        _run(inside, question, answer, seconds)
        answer.seek(0)
        return _parsed(answer.read(_ANSWER))


def _run(folder: Path, question: IO[bytes], answer: IO[bytes], seconds: float) -> None:
    # -I: no environment, no user packages, no current folder on the path; installed ones stay.
    process = subprocess.Popen(  # noqa: S603 - our interpreter and our file
        [sys.executable, "-I", "-B", str(_SANDBOX)],
        stdin=question,
        stdout=answer,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=_ENVIRONMENT,
        start_new_session=True,
    )
    status, late = _wait(process, seconds)
    if late or status == -signal.SIGXCPU:
        raise GraderError("python_grader_server_error", "timeout")
    if status != 0:
        raise GraderError("python_grader_server_error", "crash")


def _wait(process: subprocess.Popen[bytes], seconds: float) -> tuple[int, bool]:
    """How it ended, and whether it had to be ended.

    `Popen.wait` with a timeout looks every 50 ms only, longer than most graders run.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        _end(process)

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        return process.wait(), late.is_set()
    finally:
        timer.cancel()
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The whole group: its children, too, should it have any after all."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _parsed(text: bytes) -> Json:
    try:
        answer: Any = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise GraderError("python_grader_server_error", "no_answer")
    return answer
