"""The emulator itself: a request in, an answer out; no socket, no exception."""

from __future__ import annotations

import itertools
import logging
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from ftctl.emulator.call import Call
from ftctl.emulator.ids import fresh
from ftctl.emulator.routes import Match, find_route, is_public
from ftctl.emulator.settings import Clock, Settings
from ftctl.emulator.store import EmulatorError, Store, open_store
from ftctl.emulator.wire import ApiError, Request, Response, refusal

DATABASE = "emulator.sqlite3"
FORM_BYTES = 1024 * 1024

_LOG = logging.getLogger(__name__)
_DEFAULTS = Settings()


class Emulator:
    """The API over one store. Threads may share it; processes share the store."""

    def __init__(
        self, store: Store, clock: Clock = time.time, settings: Settings = _DEFAULTS
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._serials = itertools.count(1)

    def handle(self, request: Request) -> Response:
        """The answer, whatever the request is: refusals are answers too. Never raises."""
        request_id = fresh("req_", self._settings.id_seed, next(self._serials))
        response = self._answer(request)
        return replace(response, headers=(*response.headers, ("x-request-id", request_id)))

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

    def _answer(self, request: Request) -> Response:
        try:
            match = _route(request)
            call = Call(request, match.path, self._store, self._clock, self._settings)
            return match.handler(call)
        except ApiError as error:
            return refusal(error)
        except sqlite3.Error as fault:
            return refusal(_broken(503, f"The emulator's database cannot be used: {fault}."))
        except Exception:  # noqa: BLE001 - a bug reaches the client as an answer, the log as itself
            _LOG.exception("%s %s", request.method, request.path)
            return refusal(_broken(500, "The emulator has a bug; its log has the details."))


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


def _route(request: Request) -> Match:
    if not (request.path == "/v1" or request.path.startswith("/v1/")):
        raise _unknown(request)
    _check_key(request)
    found = find_route(request.method, request.path)
    if isinstance(found, Match):
        return found
    if not found:
        raise _unknown(request)
    message = f"{request.method} is not a method of {request.path}; try {' or '.join(found)}."
    headers = (("allow", ", ".join(found)),)
    raise ApiError(405, message, code="method_not_allowed", headers=headers)


def _check_key(request: Request) -> None:
    """Any key will do, but one must be sent, as the hosted service wants it."""
    scheme, _, key = (request.header("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        message = "No API key: send an Authorization header with 'Bearer' and any key."
        raise ApiError(401, message, code="invalid_api_key")


def _unknown(request: Request) -> ApiError:
    if is_public(request.path):
        message = f"The emulator does not have {request.path} yet."
        header = (("x-ftctl-emulator", "not-implemented"),)
        return ApiError(404, message, code="unknown_url", headers=header)
    return ApiError(404, f"Unknown URL: {request.method} {request.path}", code="unknown_url")


def _broken(status: int, message: str) -> ApiError:
    return ApiError(status, message, kind="server_error")
