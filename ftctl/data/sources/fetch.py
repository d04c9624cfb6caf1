"""An address and its pin in; the file, checked while it was downloaded or kept before, out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.data.sources.address import Address, AllowedUrls, is_listed, not_listed, read_address
from ftctl.data.sources.content_cache import ContentCache
from ftctl.data.sources.pointers import HEAD_BYTES, stand_in_of
from ftctl.data.sources.source_faults import SourceFault, unreachable
from ftctl.errors import Diagnostic, Finding, Span
from ftctl.files import AtomicWriter

if TYPE_CHECKING:
    from ftctl.data.sources.backend import Described, Remote

# What POST /v1/files takes at most (OpenAPI 2.3.0, 2026-08): more is not worth its download.
MAX_BYTES = 512 * 1024 * 1024

Progress = Callable[[int | None, int], None]
"""Told after each piece: bytes in all, where the keeper says so, and bytes so far."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a download may cost."""

    max_bytes: int = MAX_BYTES
    silence_seconds: float = 120.0  # between a question and its answer, and between two pieces
    total_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on this machine with the content that an address had."""

    path: Path  # named by its SHA-256; not to be written to
    sha256: str
    warning: Finding | None = None  # the source is not pinned


def fetch(
    url: str,
    pin: str | None,
    folder: Path,
    limits: Limits | None = None,
    *,
    must_pin: bool = False,
    progress: Progress | None = None,
    allowed: AllowedUrls | None = None,
) -> Fetched:
    """The file, or `SourceFault`. `folder` is a cache: deleting it changes nothing but time.

    `pin` is the SHA-256 that the content must have: where such a file is kept, nobody is asked.
    Without a pin the keeper is asked each time whether the content is still the one that is kept.
    `must_pin` makes the want of a pin a fault, which names the hash to pin. With `allowed`, nothing
    else is asked for, nor does a redirect lead anywhere else. None: any address will do.
    """
    address = read_address(url)
    if isinstance(address, Finding):
        raise SourceFault(address)
    if allowed is not None and not is_listed(url, allowed.addresses):
        raise SourceFault(not_listed(address.shown, allowed.told_by))
    cache = ContentCache(folder)
    try:
        if pin is not None and (path := cache.find(pin)) is not None:
            return Fetched(path, pin)
        found = _look(address, pin, cache, limits or Limits(), progress, allowed=allowed)
    except OSError as error:
        raise _not_kept(folder, error) from None
    if pin is not None:
        return found
    warning = _unpinned(address, found.sha256)
    if must_pin:
        raise SourceFault(warning)
    return Fetched(found.path, found.sha256, warning)


def fetch_at(
    span: Span,
    url: str,
    pin: str | None,
    folder: Path,
    limits: Limits | None = None,
    *,
    must_pin: bool = False,
    progress: Progress | None = None,
    allowed: AllowedUrls | None = None,
) -> tuple[Fetched | None, tuple[Diagnostic, ...]]:
    """As `fetch`, but what a manifest's author can mend is a problem at its place.

    What the world is at fault for is raised.
    """
    try:
        found = fetch(
            url, pin, folder, limits, must_pin=must_pin, progress=progress, allowed=allowed
        )
    except SourceFault as fault:
        if not fault.mendable:
            raise
        return None, (fault.at(span),)
    return found, ((found.warning.at(span),) if found.warning else ())


def _look(
    address: Address,
    pin: str | None,
    cache: ContentCache,
    limits: Limits,
    progress: Progress | None,
    *,
    allowed: AllowedUrls | None,
) -> Fetched:
    """Ask the keeper, and download what is not kept."""
    from ftctl.data.sources.backend import Remote  # noqa: PLC0415 - loaded where there is a question

    remote = Remote(address, limits.silence_seconds, allowed)
    described = remote.describe()
    if described.size is not None:
        _check_size(address, described.size, limits)
    if pin is None:
        known = cache.recall(address.url, described.validators)
        if known is not None and (path := cache.find(known)) is not None:
            return Fetched(path, known)
    with cache.draft() as draft:
        whole = partial(progress, described.size) if progress else None
        _download(remote, draft, address, limits, whole)
        draft.finish()
        sha256 = draft.sha256
        _check_content(address, draft, described, pin)
        if pin is not None:
            return Fetched(cache.keep(draft), sha256)
        same = Remote(address, limits.silence_seconds, allowed).describe() == described
        # What was changed while we read it in pieces, nobody has written like that.
        if not same and not address.is_web:
            raise SourceFault(unreachable(address, "it was changed while it was downloaded"))
        path = cache.keep(draft)
    if same:
        cache.remember(address.url, described.validators, sha256)
    return Fetched(path, sha256)


def _download(
    remote: Remote,
    draft: AtomicWriter,
    address: Address,
    limits: Limits,
    progress: Callable[[int], None] | None,
) -> None:
    end = time.monotonic() + limits.total_seconds
    with remote.pieces() as pieces:
        for piece in pieces:
            _check_size(address, draft.bytes + len(piece), limits, so_far=True)
            draft.write(piece)
            if progress is not None:
                progress(draft.bytes)
            if time.monotonic() > end:
                why = f"not complete after {limits.total_seconds:g} seconds"
                raise SourceFault(unreachable(address, why))


def _check_size(address: Address, size: int, limits: Limits, *, so_far: bool = False) -> None:
    if size > limits.max_bytes:
        has = "more" if so_far else f"{size:,} bytes, more"
        message = f"'{address.shown}' has {has} than the {limits.max_bytes:,} that are fetched"
        hint = "train on fewer rows, or shorten them"
        raise SourceFault(Finding("file-too-large", message, hint))


def _check_content(
    address: Address, draft: AtomicWriter, described: Described, pin: str | None
) -> None:
    # A web server may tell the size of another form of the file; its stream ends with a fault
    # of its own where it is cut off.
    if described.size not in (None, draft.bytes) and not address.is_web:
        why = f"it ended after {draft.bytes:,} of {described.size:,} bytes"
        raise SourceFault(unreachable(address, why))
    if pin == draft.sha256:
        return
    if (instead := stand_in_of(draft.head(HEAD_BYTES))) is not None:
        raise SourceFault(instead._replace(message=f"'{address.shown}': {instead.message}"))
    if pin is not None:
        raise SourceFault(
            Finding(
                "sha256-differs",
                f"{address.shown} has the SHA-256 {draft.sha256}; the manifest pins another",
                "restore the file, or pin the new content if the change is meant",
            )
        )


def _unpinned(address: Address, sha256: str) -> Finding:
    return Finding(
        "unpinned-source",
        f"'{address.shown}' is not pinned: what is trained on may change with it",
        f"pin what is there now: sha256: {sha256}",
        severity="warning",
    )


def _not_kept(folder: Path, error: OSError) -> SourceFault:
    reason = (error.strerror or type(error).__name__).lower()
    message = f"a download cannot be kept in {folder}: {reason}"
    return SourceFault(Finding("cache-unwritable", message, "make room there, or make it writable"))
