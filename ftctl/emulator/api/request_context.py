"""What a handler is given: the request, its path's parameters, and a way to one transaction.

Every transaction first brings the jobs to the present, so a handler only ever sees the state that
belongs to its moment: no process has to run in the background for a job to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ftctl.emulator.http.wire import Request, Response
from ftctl.emulator.jobs.scheduler import JobResources, advance_jobs, catch_up, jobs_are_due
from ftctl.emulator.jobs.training_pool import TrainingPool
from ftctl.emulator.jobs.virtual_clock import find_pace
from ftctl.emulator.settings import Clock, Settings
from ftctl.emulator.storage.database import Mode, Session, Store


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request on its way through a handler; `path` holds the decoded path parameters."""

    request: Request
    path: Mapping[str, str]
    store: Store
    clock: Clock
    settings: Settings
    training_pool: TrainingPool

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction for reading, in which no job has anything left to do by now.

        Unless its training takes longer than a request may wait for: then the job lags.
        """
        with self._session("DEFERRED") as session:
            due = jobs_are_due(session)
            if not due:
                yield session
        if due:
            self.catch_up(self.settings.look_seconds)
            with self._session("DEFERRED") as session:
                yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that holds the write lock from its start; jobs as for `reading`."""
        self.catch_up(self.settings.look_seconds)
        with self._session("IMMEDIATE") as session:
            advance_jobs(session, self.resources)
            yield session

    @contextmanager
    def reading_as_it_is(self) -> Iterator[Session]:
        """A transaction for reading what is written, overdue or not."""
        with self._session("DEFERRED") as session:
            yield session

    def catch_up(self, seconds: float) -> bool:
        """Carry out what is due, for at most so many seconds; whether all of it is done."""
        with self._session("DEFERRED") as session:
            if not jobs_are_due(session):
                return True
        return catch_up(lambda: self._session("IMMEDIATE"), self.resources, seconds)

    @property
    def resources(self) -> JobResources:
        """What jobs need of this process."""
        return JobResources(self.settings, self.training_pool)

    @contextmanager
    def _session(self, mode: Mode) -> Iterator[Session]:
        with self.store.transaction(mode) as connection:
            # The clock is read under the lock: the order of writes is the order of their times.
            session = Session(connection, self.clock())
            pace = find_pace(session)
            if pace.kind == "hand" and pace.now is not None:
                session = Session(connection, pace.now)
            yield session


Handler = Callable[[RequestContext], Response]
