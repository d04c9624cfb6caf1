"""What a handler is given: the request, its path's parameters, and a way to one transaction.

Every transaction first brings the jobs to the present, so a handler only ever sees the state that
belongs to its moment: no process has to run in the background for a job to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ftctl.emulator.jobs.lifecycle import advance_jobs, jobs_are_due
from ftctl.emulator.settings import Clock, Settings
from ftctl.emulator.store import Mode, Session, Store
from ftctl.emulator.wire import Request, Response


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through a handler; `path` holds the decoded path parameters."""

    request: Request
    path: Mapping[str, str]
    store: Store
    clock: Clock
    settings: Settings

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction for reading; it writes only when a job has something to do by now."""
        with self._session("DEFERRED") as session:
            due = jobs_are_due(session)
            if not due:
                yield session
        if due:
            with self.writing() as session:
                yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that holds the write lock from its start."""
        with self._session("IMMEDIATE") as session:
            advance_jobs(session, self.settings)
            yield session

    @contextmanager
    def _session(self, mode: Mode) -> Iterator[Session]:
        with self.store.transaction(mode) as connection:
            # The clock is read under the lock: the order of writes is the order of their times.
            yield Session(connection, self.clock())


Handler = Callable[[Call], Response]
