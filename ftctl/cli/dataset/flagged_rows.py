"""Data files go in; the rows that the service's moderation flags come out, each as a problem.

What was answered is kept by the text's hash, so that no text is sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from ftctl.catalog.services import SERVICES
from ftctl.cli.settings import Settings
from ftctl.data.cache import Store, open_store
from ftctl.data.formats.findings import as_diagnostics
from ftctl.data.quality import moderate
from ftctl.data.quality.moderation import Categories, text_key
from ftctl.data.scanning import RowFile
from ftctl.domain.desired import Format
from ftctl.domain.quality_settings import QualitySettings
from ftctl.domain.service_address import NoAddress, read_service_address
from ftctl.errors import Diagnostic, FtctlError, ProviderError
from ftctl.providers import MODERATION_MODEL, Connection, Moderator, connect
from ftctl.user_folders import NoPlace, open_cache

_SERVICE = SERVICES["openai"]
_KEY, _ADDRESS = "OPENAI_API_KEY", "OPENAI_BASE_URL"
# One such row can have the whole file refused.
_SETTINGS = QualitySettings(moderation="error")
_KEPT_EVERY = 50  # requests, in case nobody lets us end


def connection_of(settings: Settings) -> Connection:
    """Where and as whom to ask, from the environment; from here on the key is never printed."""
    environ = settings.environ
    key = environ.get(_KEY, "").strip()
    if not key:
        raise FtctlError(
            f"the environment variable {_KEY} is not set; it holds the key for the service that"
            " moderates",
            f"export {_KEY}=…, or leave out --moderation",
        )
    settings.console.hide(key)
    if not key.isascii() or not key.isprintable():
        raise FtctlError(
            f"the key in the environment variable {_KEY} has characters that no key has",
            "copy it again",
        )
    address = environ.get(_ADDRESS, "").strip() or str(_SERVICE.base_url)
    try:
        read_service_address(address)
    except NoAddress as fault:
        raise FtctlError(f"the address in the environment variable {_ADDRESS} {fault}") from None
    return Connection(address, key, environ.get("OPENAI_ORG_ID"), environ.get("OPENAI_PROJECT_ID"))


def flagged_rows(
    settings: Settings,
    connection: Connection,
    forms: Mapping[str, Format],
    most: int | None,
    encoding: str | None = None,
) -> tuple[Diagnostic, ...]:
    """The flagged rows of files (path as named → form), at most so many of each to be told.

    ProviderError where the service fails; what it answered until then is kept.
    """
    try:
        folder: Path | None = open_cache(settings.folder)
    except NoPlace as fault:
        settings.console.note(f"note: what is answered is not kept: {fault}")
        folder = None
    store = open_store(folder, "moderation")
    verdicts = _Verdicts(store, connection.base_url)
    found: list[Diagnostic] = []
    with ExitStack() as stack:
        stack.callback(verdicts.keep)
        service = _Moderator(settings, connection, verdicts, stack)
        for shown, form in forms.items():
            rows = RowFile(settings.folder / shown, shown, encoding).rows()
            doubts = moderate(rows, form, service.ask, verdicts.known, _SETTINGS)
            found += as_diagnostics(doubts, shown, most)
    return tuple(found)


class _Verdicts:
    """What was answered, of this run and of those before, by the text's hash.

    One value holds them all: the store lets go of what a run does not use, and the rows of the
    files that are not asked about now, or not any more after a fault, are still of use.
    """

    def __init__(self, store: Store, address: str) -> None:
        self._store = store
        self._name = text_key(f"{address.rstrip('/')}|{MODERATION_MODEL}")
        kept = store.get(self._name)
        kept = kept if isinstance(kept, dict) else {}
        self.known: dict[str, Categories] = {key: tuple(value) for key, value in kept.items()}
        self._kept = len(self.known)

    def keep(self) -> None:
        """Write them down, if there are new ones."""
        if len(self.known) > self._kept:
            self._store.put(self._name, self.known)
            self._store.save()
            self._kept = len(self.known)


class _Moderator:
    """The service; nothing is connected, nor the SDK loaded, before there is something to ask."""

    def __init__(
        self, settings: Settings, connection: Connection, verdicts: _Verdicts, stack: ExitStack
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._verdicts = verdicts
        self._stack = stack
        self._provider: Moderator | None = None
        self._requests = 0

    def ask(self, texts: Sequence[str]) -> Sequence[Categories]:
        """What each text is flagged for; ProviderError with what to do about it here."""
        if self._requests and self._requests % _KEPT_EVERY == 0:
            self._verdicts.keep()
        self._requests += 1
        if self._provider is None:
            self._provider = self._connected()
        try:
            return self._provider.moderate(texts)
        except ProviderError as fault:
            fault.hint = _cure(fault)
            raise

    def _connected(self) -> Moderator:
        console = self._settings.console
        console.note(f"Sending the rows' texts to {self._connection.base_url} for moderation.")
        provider = connect(
            self._connection, _SERVICE, log=console.request, clock=self._settings.clock
        )
        return self._stack.enter_context(closing(provider))


def _cure(fault: ProviderError) -> str | None:
    """What to do about a fault, for somebody who has no project and starts no job."""
    again = "run the same command again: what was answered is kept"
    match fault.status:
        case None if not fault.retryable:
            return f"is {_ADDRESS} the address of an API of this kind, up to and with /v1?"
        case None:
            return f"check the network and {_ADDRESS}, then {again}"
        case 401:
            return f"the key is not accepted; check {_KEY}"
        case 403:
            return fault.hint
        case 404 | 405 | 501:
            return f"this service has no moderation; name one that has it in {_ADDRESS}"
        case 429 if fault.code == "insufficient_quota":
            return f"the account's quota is used up; raise it at the service, then {again}"
    return f"later, {again}"
