"""Chunks of a file go in; they are checked in processes of their own; what was found comes out in
the file's order.

The processes are started as programs and not forked, since a fork of a process with threads may
hang, and not by multiprocessing, which would run the caller's main module again in each of them.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from ftctl.catalog.variables import without_identity
from ftctl.data.formats.formats import RowChecker
from ftctl.data.scanning.chunk_checker import CheckedChunk
from ftctl.data.scanning.chunks import Chunk
from ftctl.data.scanning.scan_request import ScanRequest
from ftctl.errors import FtctlError

if TYPE_CHECKING:
    import subprocess
    from concurrent.futures import Future

_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; from ftctl.data.scanning.worker import serve; serve()"
)
_MEBIBYTE = 1024 * 1024
_AHEAD = 2  # chunks that wait for each worker: it never waits for us


class Task(NamedTuple):
    """A chunk, and how it is to be checked."""

    file: int  # which of this run's files, so that what was learnt of one is of use for the next
    request: ScanRequest
    checker: RowChecker
    ranks: Mapping[str, str] | None  # with the faster tokenizer; its files by encoding
    chunk: Chunk


class Failed(NamedTuple):
    """What a worker answers when it meets a bug of ours."""

    trace: str


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class WorkerBugError(RuntimeError):
    """A bug of ours that showed in a worker; its trace is the text."""


class Workers:
    """Processes that check chunks, until the block ends. They start with the first chunk.

    A file is theirs if it has `least_bytes`, four times as many where nothing is counted: below,
    one process is done before several have started. From `faster_bytes` on they count with the
    faster tokenizer where it is installed: it takes half a second to load in each of them, and
    files that repeat one prompt in every row leave it little to count.
    """

    def __init__(
        self,
        count: int | None = None,
        *,
        least_bytes: int = 8 * _MEBIBYTE,
        faster_bytes: int | None = 256 * _MEBIBYTE,
    ) -> None:
        self.count = count or cores()
        self._least_bytes = least_bytes
        self._faster_bytes = faster_bytes
        self._ranks: TemporaryDirectory[str] | None = None
        self._files = 0
        self._started: list[subprocess.Popen[bytes]] = []
        self._idle: deque[subprocess.Popen[bytes]] = deque()

    def next_file(self) -> int:
        """A number that no file of this run has had."""
        self._files += 1
        return self._files

    def take(self, size: int, *, counted: bool) -> bool:
        """Whether a file of so many bytes is theirs."""
        return self.count > 1 and size > self._least_bytes * (1 if counted else 4)

    def ranks(self, size: int, encodings: Sequence[str]) -> dict[str, str] | None:
        """The faster tokenizer's files by encoding, if it is to count a file of so many bytes."""
        if self._faster_bytes is None or size < self._faster_bytes or not encodings:
            return None
        from ftctl.data.scanning.gigatoken_counter import is_installed, write_ranks  # noqa: PLC0415 - an extra

        if not is_installed():
            return None
        if self._ranks is None:
            self._ranks = TemporaryDirectory(prefix="ftctl-")
        folder = Path(self._ranks.name)
        return {encoding: str(write_ranks(encoding, folder)) for encoding in encodings}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def check(self, tasks: Iterable[Task]) -> Generator[tuple[Chunk, CheckedChunk], None, None]:
        """Each chunk with what was found in it, in order; FtctlError when a process is lost."""
        self._start()  # first of all: they take half a second before they can count
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 30 ms; few files need it

        waiting: deque[tuple[Chunk, Future[CheckedChunk]]] = deque()
        # A thread for each process: it hands over a chunk and waits, which needs no processor.
        threads = ThreadPoolExecutor(self.count)
        try:
            for task in tasks:
                waiting.append((task.chunk, threads.submit(self._ask, task)))
                if len(waiting) >= _AHEAD * self.count:
                    chunk, answer = waiting.popleft()
                    yield chunk, answer.result()
            for chunk, answer in waiting:
                yield chunk, answer.result()
        except BaseException:
            self._kill()  # or a thread would wait for its answer
            threads.shutdown(wait=True, cancel_futures=True)
            self._end()
            raise
        threads.shutdown(wait=True)

    def _start(self) -> None:
        import subprocess  # noqa: PLC0415 - here and below: projects of small files need none of it

        while len(self._started) < self.count:
            command = [sys.executable, "-c", _PROGRAM, *sys.path]
            try:
                worker = subprocess.Popen(  # noqa: S603 - this very program
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=without_identity(os.environ),
                    # Ctrl-C goes to the terminal's group, also before a worker could ignore it.
                    process_group=0 if os.name == "posix" else None,
                )
            except OSError as fault:
                raise FtctlError(f"no process can be started: {fault.strerror}") from None
            self._started.append(worker)
            self._idle.append(worker)

    def _ask(self, task: Task) -> CheckedChunk:
        import pickle  # noqa: PLC0415

        worker = self._idle.pop()  # there is one for each thread
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            pickle.dump(task, worker.stdin, pickle.HIGHEST_PROTOCOL)
            worker.stdin.flush()
            answer = pickle.load(worker.stdout)  # noqa: S301 - from our own process
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            raise _lost(worker.wait()) from None
        finally:
            self._idle.append(worker)
        if isinstance(answer, CheckedChunk):
            return answer
        assert isinstance(answer, Failed)
        raise WorkerBugError(answer.trace)

    def _kill(self) -> None:
        for worker in self._started:
            worker.kill()

    def _end(self) -> None:
        self._kill()
        for worker in self._started:
            worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what was left to be written has no reader
                        pipe.close()
        self._started.clear()
        self._idle.clear()
        if self._ranks is not None:
            self._ranks.cleanup()
            self._ranks = None


def _lost(status: int) -> FtctlError:
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    return FtctlError(
        f"a process that checks data {how}",
        "run it again; if it happens again, the machine may be short of memory",
    )
