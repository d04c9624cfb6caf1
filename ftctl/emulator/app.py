"""The emulator itself: a request in, an answer out; no socket, no exception."""

from __future__ import annotations

import itertools
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from ftctl.emulator.admin.admin_context import AdminContext
from ftctl.emulator.admin.admin_routes import ROOM, find_admin, guarded, page_file
from ftctl.emulator.admin.journal import Journal
from ftctl.emulator.api.request_context import Handler, RequestContext
from ftctl.emulator.api.routes import find_route, is_public
from ftctl.emulator.faults.request_faults import RequestFaults, Struck, struck_answer
from ftctl.emulator.http.access import check_key, check_site, is_of_page
from ftctl.emulator.http.route_table import Match
from ftctl.emulator.http.wire import ApiError, Pairs, Request, Response, refusal
from ftctl.emulator.ids import fresh
from ftctl.emulator.jobs.scheduler import seconds_until_due
from ftctl.emulator.jobs.training_pool import TrainingPool
from ftctl.emulator.settings import Clock, Settings
from ftctl.emulator.storage.database import EmulatorError, Store, open_store
from ftctl.emulator.temperaments.standing import Standings
from ftctl.emulator.temperaments.tempered import tempered

DATABASE = "emulator.sqlite3"
FORM_BYTES = 1024 * 1024
ADMIN_LOOK_SECONDS = 0.5
"""The longest that a request beside the API waits for training: a page asks every second."""

_LOG = logging.getLogger(__name__)
_DEFAULTS = Settings()
_NOTHING = Request("GET", "/", (), (), b"")


class Emulator:
    """The API over one store. Threads may share it; processes share the store."""

    def __init__(
        self, store: Store, clock: Clock = time.time, settings: Settings = _DEFAULTS
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._quick = replace(settings, look_seconds=min(settings.look_seconds, ADMIN_LOOK_SECONDS))
        self._serials = itertools.count(1)
        self._training_pool = TrainingPool()
        self._faults = RequestFaults(store)
        self._standings = Standings(store, settings)
        self._journal = Journal()
        self._started_at = time.monotonic()

    def handle(self, request: Request) -> Response:
        """The answer, whatever the request is: refusals are answers too. Never raises."""
        if request.path == "/" or request.path.startswith(ROOM) or request.path == ROOM[:-1]:
            return self._beside(request)
        request_id = fresh("req_", self._settings.id_seed, next(self._serials))
        started = time.perf_counter()
        response, struck = self._answer(request)
        if not is_of_page(request):
            self._journal.note(
                request,
                at=self._clock(),
                status=None if response.cut else response.status,
                milliseconds=(time.perf_counter() - started) * 1000,
                request_id=request_id,
                fault=None if struck is None else struck.rule.does,
            )
        headers = (*response.headers, *self._headers(), ("x-request-id", request_id))
        return replace(response, headers=headers)

    def catch_up(self, seconds: float) -> float | None:
        """Carry out what is due, training included, for at most so many seconds of work.

        Returns the seconds until the next thing is due: 0 when some is still undone, None when
        nothing will happen by itself.
        """
        context = self._context(_NOTHING, {})
        context.catch_up(seconds)
        with context.reading_as_it_is() as session:
            return seconds_until_due(session)

    @property
    def has_own_key(self) -> bool:
        """Whether it takes one key only, so that others may be let near it."""
        return self._settings.api_key is not None

    @property
    def max_body_bytes(self) -> int:
        """The largest body worth reading: a file, and the form around it."""
        return self._settings.max_file_bytes + FORM_BYTES

    def close(self) -> None:
        """Let go of the database. A request after this is answered with a 503."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _context(self, request: Request, path: Mapping[str, str]) -> RequestContext:
        return RequestContext(
            request, path, self._store, self._clock, self._settings, self._training_pool
        )

    def _answer(self, request: Request) -> tuple[Response, Struck | None]:
        """The API's answer, and the fault that the request met."""
        met = _safely(request, partial(self._let_in, request))
        if isinstance(met, Response):
            return met, None
        work = partial(_safely, request, partial(self._carry_out, request))
        return (work() if met is None else struck_answer(met, work)), met

    def _let_in(self, request: Request) -> Struck | None:
        if not (request.path == "/v1" or request.path.startswith("/v1/")):
            raise _unknown(request)
        check_key(request, self._settings.api_key)
        # The emulator's page only looks on: it neither meets faults nor uses them up.
        return None if is_of_page(request) else self._faults.strike(request)

    def _carry_out(self, request: Request) -> Response:
        if is_of_page(request):  # it shows what there is
            return self._carry_out_honestly(request)
        reading = self._context(_NOTHING, {}).reading_as_it_is
        held = self._standings.present().temperaments
        return tempered(held, request, self._carry_out_honestly, reading)

    def _carry_out_honestly(self, request: Request) -> Response:
        match = _route(request)
        return match.handler(self._context(request, match.path))

    def _headers(self) -> Pairs:
        """Whose the service is; nothing where its store cannot tell."""
        try:
            return self._standings.present().headers
        except sqlite3.Error:
            return ()

    def _beside(self, request: Request) -> Response:
        """The answer to what is no part of the API: the page, and what it asks for."""
        response = _safely(request, partial(self._carry_out_beside, request))
        request_id = fresh("req_", None, 0)  # the API's own ids stay the same with or without it
        headers = (*response.headers, ("x-request-id", request_id))
        return guarded(replace(response, headers=headers))

    def _carry_out_beside(self, request: Request) -> Response:
        page = page_file(request)
        if page is not None:
            return page
        check_site(request)
        if self._settings.api_key is not None:
            check_key(request, self._settings.api_key)
        match = _match(request, find_admin(request.method, request.path))
        api = replace(self._context(request, match.path), settings=self._quick)
        context = AdminContext(
            api, self._faults, self._standings, self._journal, self._started_at, self._renewed
        )
        return match.handler(context)

    def _renewed(self) -> None:
        """Other rows stand in the place of all that were: what was remembered of them is wrong."""
        self._faults.forget()
        self._standings.forget()
        self._serials = itertools.count(1)
        self._training_pool = TrainingPool()


def open_emulator(
    folder: Path, clock: Clock = time.time, settings: Settings = _DEFAULTS
) -> Emulator:
    """The emulator that keeps its state in this folder, made if missing.

    EmulatorError says why the folder, or the database in it, cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise EmulatorError(f"{folder}: cannot be used as the emulator's folder: {fault}") from None
    return Emulator(open_store(folder / DATABASE), clock, settings)


_T = TypeVar("_T")


def _safely(request: Request, work: Callable[[], _T]) -> _T | Response:
    """What comes of the work; the refusal instead, whatever goes wrong with it."""
    try:
        return work()
    except ApiError as error:
        return refusal(error)
    except sqlite3.Error as fault:
        return refusal(_broken(503, f"The emulator's database cannot be used: {fault}."))
    except Exception:  # noqa: BLE001 - a bug reaches the client as an answer, the log as itself
        _LOG.exception("%s %s", request.method, request.path)
        return refusal(_broken(500, "The emulator has a bug; its log has the details."))


def _route(request: Request) -> Match[Handler]:
    return _match(request, find_route(request.method, request.path))


def _match(request: Request, matched: _T | tuple[str, ...]) -> _T:
    """What was found for the method and path; a 404 or 405 where it was nothing."""
    if not isinstance(matched, tuple):
        return matched
    if not matched:
        raise _unknown(request)
    message = f"{request.method} is not a method of {request.path}; try {' or '.join(matched)}."
    headers = (("allow", ", ".join(matched)),)
    raise ApiError(405, message, code="method_not_allowed", headers=headers)


def _unknown(request: Request) -> ApiError:
    if is_public(request.path):
        message = f"The emulator has files, fine-tuning and chat, but not {request.path}."
        header = (("x-ftctl-emulator", "not-implemented"),)
        return ApiError(404, message, code="unknown_url", headers=header)
    return ApiError(404, f"Unknown URL: {request.method} {request.path}", code="unknown_url")


def _broken(status: int, message: str) -> ApiError:
    return ApiError(status, message, kind="server_error")
