"""A request on its way out in; the same with what lets it in, if it goes to the service, out."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from threading import Lock
from urllib.parse import urlencode

import httpx2

from ftctl.domain.observed import UNTOLD, AccountId
from ftctl.errors import FtctlError, ProviderError, redact
from ftctl.providers.openai.connection import Connection
from ftctl.text.escape import one_line, short
from ftctl.text.identifiers import is_identifier

_HARMLESS = frozenset({"GET", "HEAD"})
_REFUSED_KEY = 401
_MAY_BE_DONE = frozenset({301, 302, 303})
_BEFORE_IT_EXPIRES = 300.0  # seconds: an upload takes its time, and clocks differ
_LONGEST_PLACE = 200  # characters of where a redirect leads


class Access(httpx2.Auth):
    """What goes with each request to the service, and with none that leads elsewhere.

    `secrets` are all that must be shown nowhere; a key that is renewed joins them.
    """

    def __init__(
        self,
        connection: Connection,
        log: Callable[[str], None] | None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.secrets: list[str] = [connection.api_key, *connection.secrets]
        self.variables = connection.variables
        self.keeps_models = connection.keeps_models
        self.account = UNTOLD  # as the service's answers tell in their headers
        self.told_at: int | None = None  # the newest time that they tell there, in Unix seconds
        self._connection = connection
        self._log = log
        self._key = connection.api_key
        self._lock = Lock()
        self._seconds = seconds
        self._old_at = self._when_old(connection.expires_in)
        self._service = httpx2.URL(connection.base_url)

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send the key; where it is refused, ask for another and send that, once.

        A refusal is an answer: what was asked has not been done, whatever it was. A key that is
        about to expire is not tried.
        """
        key = self._fresh()
        request.headers["Authorization"] = f"Bearer {key}"
        response = yield request
        refused = response.status_code == _REFUSED_KEY and self._is_service(response.request.url)
        if refused and self._connection.renew is not None:
            request.headers["Authorization"] = f"Bearer {self._renewed(key)}"
            yield request

    def _fresh(self) -> str:
        """The key; another one where it is about to expire. Where none is to be had, that one.

        Once for each key: if it fails, the service says when the old one is good no longer.
        """
        if self._old_at is None or self._seconds() < self._old_at:
            return self._key
        with self._lock:
            if self._old_at is not None and self._seconds() >= self._old_at:
                self._old_at = None
                with suppress(FtctlError):
                    self._renew()
            return self._key

    def _renewed(self, refused: str) -> str:
        """Another key than the one that was refused; of several who ask, one has it made."""
        with self._lock:
            if self._key == refused:
                try:
                    self._renew()
                except FtctlError as fault:
                    raise ProviderError(
                        "renew the key", fault.message, status=_REFUSED_KEY, hint=fault.hint
                    ) from None
            return self._key

    def _renew(self) -> None:
        if self._connection.renew is None:
            return
        key = self._connection.renew()
        self._key, self._old_at = key.text, self._when_old(key.seconds)
        self.secrets.insert(0, key.text)

    def _when_old(self, good_for: float | None) -> float | None:
        """When a key that is good for so many seconds is to be asked for anew."""
        if good_for is None:
            return None
        return self._seconds() + good_for - min(_BEFORE_IT_EXPIRES, good_for / 2)

    def on_request(self, request: httpx2.Request) -> None:
        """Complete a request, also one that follows a redirect, and log it.

        One that leads off the service is never made: see `on_response`.
        """
        if not self._is_service(request.url):
            raise _leads_elsewhere(request.method, request.url)
        for name, _value in self._connection.query:  # where a redirect repeats them
            if name in request.url.params:
                request.url = request.url.copy_remove_param(name)
        request.headers.update(dict(self._connection.headers))
        target = self._target(request.url)
        # Beside the address and not in it: the libraries below write addresses to their logs.
        request.extensions["target"] = target.encode("ascii")
        self._tell(request, target)

    def on_response(self, response: httpx2.Response) -> None:
        """Note whom the service says that it answers, and when; stop where it sends on elsewhere.

        A read is sent on within the service alone. A write is not sent on at all: what it asks for
        may have been done already, or would be by somebody else.
        """
        if response.has_redirect_location:
            self._require_own(response)
        told, headers = self.account, response.headers
        organization = headers.get("openai-organization", "")
        project = headers.get("openai-project", "")
        # Some answers have the organization's short name there, which nothing else has.
        is_whole = organization.startswith("org-") and is_identifier(organization)
        self.account = AccountId(
            organization if is_whole else told.organization,
            project if is_identifier(project) else told.project,
        )
        moment = read_http_date(headers.get("date"))
        if moment is not None:
            self.told_at = max(self.told_at or 0, moment)

    def _target(self, url: httpx2.URL) -> str:
        path = url.raw_path.decode("ascii")
        if not self._connection.query:
            return path
        return f"{path}{'&' if url.query else '?'}{urlencode(self._connection.query)}"

    def _require_own(self, response: httpx2.Response) -> None:
        """Raise where a redirect is none that may be followed."""
        method, status = response.request.method, response.status_code
        try:
            there = response.request.url.join(response.headers["location"])
        except (httpx2.InvalidURL, ValueError):
            there = None
        if there is None or method not in _HARMLESS or not self._is_service(there):
            # 303 and what is taken for it: the answer to what was done stands elsewhere.
            done = method not in _HARMLESS and status in _MAY_BE_DONE
            raise _leads_elsewhere(method, there, status, ambiguous=done)

    def _is_service(self, url: httpx2.URL) -> bool:
        """Whether an address has the service's own scheme, host and port."""
        return _origin(url) == _origin(self._service)

    def _tell(self, request: httpx2.Request, target: str) -> None:
        if self._log is not None:
            self._log(f"{request.method} {redact(target, self.secrets)}")


def read_http_date(text: str | None) -> int | None:
    """The time of a `Date` header in Unix seconds; None for what is none."""
    try:
        return int(parsedate_to_datetime(text).timestamp()) if text else None
    except (ValueError, OverflowError):
        return None


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _leads_elsewhere(
    method: str, there: httpx2.URL | None, status: int | None = None, *, ambiguous: bool = False
) -> ProviderError:
    """What to tell of a redirect that is not followed. Its query may hold what lets people in."""
    place = "what is no address"
    if there is not None:
        host = there.raw_host.decode("ascii", "replace")
        host = f"[{host}]" if ":" in host else host
        port = f":{there.port}" if there.port else ""
        place = short(one_line(f"{there.scheme}://{host}{port}{there.path}"), _LONGEST_PLACE)
    return ProviderError(
        "follow a redirect",
        f"the service sends a {method} on to {place}, which is not followed",
        status=status,
        ambiguous=ambiguous,
        hint="set 'base_url' to where it leads, if that is right",
    )
