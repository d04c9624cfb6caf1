"""The program of a worker: tasks come in on standard input, what was found goes out."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ftctl.data.scanning.check import Checked, Inspector, exact_counter
from ftctl.data.scanning.parser import fast_parser
from ftctl.data.scanning.workers import Failed, Task

if TYPE_CHECKING:
    from ftctl.data.tokens import Counter


def serve() -> None:
    """Answer tasks until there are no more, which is also how the end of our parent looks."""
    # Ctrl-C goes to everyone in the terminal: it is for the parent to say what happens then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get in between
    server = _Server()
    while True:
        try:
            task = pickle.load(tasks)  # noqa: S301 - from our own parent
            pickle.dump(server.answer(task), answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            os._exit(0)  # nobody is left to whom Python could complain about what it cannot flush


class _Server:
    def __init__(self) -> None:
        self._file = -1
        self._inspector: Inspector | None = None

    def answer(self, task: Task) -> Checked | Failed:
        try:
            return self._inspector_of(task).look(task.chunk)
        except Exception:  # noqa: BLE001 - told in the parent, where bugs are told
            return Failed(traceback.format_exc())

    def _inspector_of(self, task: Task) -> Inspector:
        if self._inspector is None or self._file != task.file:
            self._file = task.file
            opener = exact_counter if task.ranks is None else _faster(task.ranks)
            self._inspector = Inspector(task.request, task.checker, opener, fast_parser())
        self._inspector.checker = task.checker
        return self._inspector


def _faster(ranks: Mapping[str, str]) -> Callable[[str], Counter]:
    from ftctl.data.scanning.faster import open_faster  # noqa: PLC0415 - only if it is installed

    return lambda encoding: open_faster(encoding, ranks[encoding]) or exact_counter(encoding)
