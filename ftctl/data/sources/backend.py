"""An address in; what its keeper says of the file, and the file's bytes, out: fsspec's door."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from ftctl.data.sources.address import Address, AllowedUrls, is_listed, not_listed, show_source
from ftctl.data.sources.source_faults import SourceFault, chain_of, fault_of
from ftctl.data.sources.timeout import call_with_timeout
from ftctl.errors import Finding

T = TypeVar("T")

# Read with one request a piece where the store has no stream: small enough that a slow line is not
# taken for a dead one, large enough that the requests do not cost more than the bytes.
PIECE_BYTES = 4 * 1024 * 1024

_CLOSING_SECONDS = 5.0

# What tells one content at an address from the next, by whatever name the keeper has for it.
_VALIDATORS = ("ETag", "etag", "Content-MD5", "Digest", "Last-Modified", "LastModified",
            "last_modified", "mtime", "updated", "generation", "md5Hash", "crc32c", "content_md5",
            "VersionId", "version_id", "blob_id", "xet_hash")  # fmt: skip

# They warn on stderr, through the root logger, of what is told here as a fault.
_LOGGERS = ("fsspec", "s3fs", "gcsfs", "adlfs", "azure", "aiobotocore", "botocore", "google")


@dataclass(frozen=True, slots=True)
class Described:
    """What the keeper says of a file before it is read."""

    size: int | None  # bytes
    validators: Mapping[str, str]  # empty where nothing tells one content from the next


class Remote:
    """A file elsewhere. Whatever goes wrong is a `SourceFault`."""

    def __init__(
        self, address: Address, seconds: float, allowed: AllowedUrls | None = None
    ) -> None:
        self._address = address
        self.seconds = seconds  # that an answer may take
        _silence()
        self._files, self._path = self._ask(lambda: _open_files(address, seconds, allowed))

    def describe(self) -> Described:
        """What the keeper says of the file now."""
        found = self._ask(lambda: self._files.info(self._path))
        if found.get("type") == "directory":
            message = f"'{self._address.shown}' is a folder"
            raise SourceFault(Finding("not-a-regular-file", message, "name one file in it"))
        self._refuse_downgrade(found.get("url"))
        size = found.get("size")
        validators = {name: str(found[name]) for name in _VALIDATORS if found.get(name)}
        if validators and size is not None:
            validators["size"] = str(size)
        return Described(size if isinstance(size, int) else None, validators)

    @contextmanager
    def pieces(self) -> Iterator[Iterator[bytes]]:
        """The file's bytes, as they come."""
        # Hugging Face and plain servers stream; the stores are asked piece by piece.
        streams = self._address.extra in ("https", "hf")
        options: dict[str, Any] = (
            {"block_size": 0} if streams else {"block_size": PIECE_BYTES, "cache_type": "none"}
        )
        stream = self._ask(lambda: self._files.open(self._path, "rb", **options))
        try:
            yield iter(lambda: self._ask(lambda: bytes(stream.read(PIECE_BYTES))), b"")
        finally:
            # What cannot be closed in time is closed by the end of the command.
            with suppress(SourceFault):
                self._ask(stream.close, _CLOSING_SECONDS)

    def _ask(self, call: Callable[[], T], seconds: float | None = None) -> T:
        try:
            return call_with_timeout(seconds or self.seconds, call)
        except SourceFault:
            raise
        except Exception as error:  # noqa: BLE001 - every library raises what it likes
            # What we raise inside a library, it may wrap.
            ours = next((one for one in chain_of(error) if isinstance(one, SourceFault)), None)
            raise ours or fault_of(error, self._address) from None

    def _refuse_downgrade(self, found: Any) -> None:
        """A redirect that leaves encryption would let anybody on the way answer."""
        leads_to = urlsplit(found).scheme if isinstance(found, str) else ""
        if self._address.scheme == "https" and leads_to == "http":
            raise SourceFault(_downgrade(self._address))


def _silence() -> None:
    for name in _LOGGERS:
        if not (log := logging.getLogger(name)).handlers:
            log.addHandler(logging.NullHandler())


def _open_files(address: Address, seconds: float, allowed: AllowedUrls | None) -> tuple[Any, str]:
    """fsspec's file system for the address, made anew since an old one remembers listings."""
    from fsspec.core import url_to_fs  # type: ignore[import-untyped] # noqa: PLC0415 - an extra

    options: dict[str, Any] = {"skip_instance_cache": True}
    if address.is_web:
        options["client_kwargs"] = _web_client(address, seconds, allowed)
    files, path = url_to_fs(address.url, **options)
    return files, path


def _web_client(address: Address, seconds: float, allowed: AllowedUrls | None) -> dict[str, Any]:
    """How aiohttp is set up; what the user configured for fsspec stays under it."""
    from aiohttp import ClientTimeout  # noqa: PLC0415 - an extra
    from fsspec.config import conf  # type: ignore[import-untyped] # noqa: PLC0415

    configured = conf.get(address.scheme, {}).get("client_kwargs", {})
    # aiohttp ends every download after five minutes, however well it goes.
    timeout = ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds)
    # Proxies and ~/.netrc, as for every other client on the machine.
    client = {"trust_env": True, **configured, "timeout": timeout}
    return client if allowed is None else {**client, "trace_configs": [_guard(address, allowed)]}


def _guard(address: Address, allowed: AllowedUrls) -> Any:
    """Looks at every redirect before it is followed: it may lead to what only this machine sees."""
    from aiohttp import TraceConfig  # noqa: PLC0415 - an extra

    async def look(_session: Any, _context: Any, redirect: Any) -> None:
        asked = str(redirect.url)
        leads_to = urljoin(asked, redirect.response.headers.get("Location", ""))
        if not is_listed(leads_to, allowed.addresses):
            note = not_listed(show_source(leads_to), allowed.told_by)
            message = f"'{address.shown}' redirects elsewhere: {note.message}"
            raise SourceFault(note._replace(message=message))
        if asked.startswith("https:") and not leads_to.startswith("https:"):
            raise SourceFault(_downgrade(address))

    trace = TraceConfig()
    trace.on_request_redirect.append(look)
    return trace


def _downgrade(address: Address) -> Finding:
    message = f"'{address.shown}' redirects to an http:// address"
    return Finding("unencrypted-address", message, "name where the file is now")
