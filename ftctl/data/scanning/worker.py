"""The program of a worker: tasks come in on standard input, what was found goes out."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ftctl.data.scanning.chunk_checker import CheckedChunk, ChunkChecker, exact_counter
from ftctl.data.scanning.orjson_parser import orjson_parser
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
        self._chunk_checker: ChunkChecker | None = None

    def answer(self, task: Task) -> CheckedChunk | Failed:
        try:
            return self._chunk_checker_of(task).check(task.chunk)
        except Exception:  # noqa: BLE001 - told in the parent, where bugs are told
            return Failed(traceback.format_exc())

    def _chunk_checker_of(self, task: Task) -> ChunkChecker:
        if self._chunk_checker is None or self._file != task.file:
            self._file = task.file
            opener = exact_counter if task.ranks is None else _gigatoken(task.ranks)
            self._chunk_checker = ChunkChecker(task.request, task.checker, opener, orjson_parser())
        self._chunk_checker.checker = task.checker
        return self._chunk_checker


def _gigatoken(ranks: Mapping[str, str]) -> Callable[[str], Counter]:
    from ftctl.data.scanning.gigatoken_counter import open_gigatoken  # noqa: PLC0415 - an extra

    return lambda encoding: open_gigatoken(encoding, ranks[encoding]) or exact_counter(encoding)
