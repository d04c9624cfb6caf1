"""A request on its way out in; the same with what lets it in, if it goes to the service, out."""

from __future__ import annotations

from collections.abc import Callable, Generator
from email.utils import parsedate_to_datetime
from threading import Lock
from urllib.parse import urlencode

import httpx2

from ftctl.domain.observed import UNTOLD, AccountId
from ftctl.errors import FtctlError, ProviderError, redact
from ftctl.providers.openai.connection import Connection

_HARMLESS = frozenset({"GET", "HEAD"})
_REFUSED_KEY = 401


class Access(httpx2.Auth):
    """What goes with each request to the service, and with none that leads elsewhere.

    `secrets` are all that must be shown nowhere; a key that is renewed joins them.
    """

    def __init__(self, connection: Connection, log: Callable[[str], None] | None) -> None:
        self.secrets: list[str] = [connection.api_key, *connection.secrets]
        self.variables = connection.variables
        self.account = UNTOLD  # as the service's answers tell in their headers
        self.told_at: int | None = None  # the newest time that they tell there, in Unix seconds
        self._connection = connection
        self._log = log
        self._key = connection.api_key
        self._lock = Lock()
        self._service = httpx2.URL(connection.base_url)

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send the key; where it is refused, ask for another and send that, once.

        A refusal is an answer: what was asked has not been done, whatever it was.
        """
        key = self._key
        request.headers["Authorization"] = f"Bearer {key}"
        response = yield request
        refused = response.status_code == _REFUSED_KEY and self._is_service(response.request.url)
        if refused and self._connection.renew is not None:
            request.headers["Authorization"] = f"Bearer {self._renewed(key)}"
            yield request

    def _renewed(self, refused: str) -> str:
        """Another key than the one that was refused; of several who ask, one has it made."""
        with self._lock:
            renew = self._connection.renew
            if self._key == refused and renew is not None:
                try:
                    self._key = renew()
                except FtctlError as fault:
                    raise ProviderError(
                        "renew the key", fault.message, status=_REFUSED_KEY, hint=fault.hint
                    ) from None
                self.secrets.insert(0, self._key)
            return self._key

    def on_request(self, request: httpx2.Request) -> None:
        """Complete a request, also one that follows a redirect, and log it."""
        for name, _value in self._connection.query:  # where a redirect repeats them
            if name in request.url.params:
                request.url = request.url.copy_remove_param(name)
        if not self._is_service(request.url):
            self._strip(request)
            self._tell(request, request.url.path)
            return
        request.headers.update(dict(self._connection.headers))
        target = self._target(request.url)
        # Beside the address and not in it: the libraries below write addresses to their logs.
        request.extensions["target"] = target.encode("ascii")
        self._tell(request, target)

    def on_response(self, response: httpx2.Response) -> None:
        """Note whom the service says that it answers, and when."""
        if not self._is_service(response.request.url):
            return
        told, headers = self.account, response.headers
        organization = headers.get("openai-organization", "")
        self.account = AccountId(
            # Some answers have the organization's short name there, which nothing else has.
            organization if organization.startswith("org-") else told.organization,
            headers.get("openai-project") or told.project,
        )
        moment = read_http_date(headers.get("date"))
        if moment is not None:
            self.told_at = max(self.told_at or 0, moment)

    def _target(self, url: httpx2.URL) -> str:
        path = url.raw_path.decode("ascii")
        if not self._connection.query:
            return path
        return f"{path}{'&' if url.query else '?'}{urlencode(self._connection.query)}"

    def _strip(self, request: httpx2.Request) -> None:
        """Take away what is for the service alone: the library takes the key, and no more."""
        request.extensions.pop("target", None)
        for name, _value in self._connection.headers:
            request.headers.pop(name, None)
        if request.method not in _HARMLESS:
            raise FtctlError(
                f"the service sends a {request.method} on to {request.url.host}, which is not its"
                " own address",
                "set 'base_url' to where it leads, if that is right",
            )

    def _is_service(self, url: httpx2.URL) -> bool:
        """Whether an address is of the service itself, or the same by a safer road."""
        own = self._service
        if url.host != own.host:
            return False
        safer = (_road(own), _road(url)) == (("http", 80), ("https", 443))
        return _road(url) == _road(own) or safer

    def _tell(self, request: httpx2.Request, target: str) -> None:
        if self._log is not None:
            self._log(f"{request.method} {redact(target, self.secrets)}")


def read_http_date(text: str | None) -> int | None:
    """The time of a `Date` header in Unix seconds; None for what is none."""
    try:
        return int(parsedate_to_datetime(text).timestamp()) if text else None
    except (ValueError, OverflowError):
        return None


def _road(url: httpx2.URL) -> tuple[str, int | None]:
    return url.scheme, url.port or {"http": 80, "https": 443}.get(url.scheme)
