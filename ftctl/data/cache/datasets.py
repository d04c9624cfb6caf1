"""A data file in, all that a pass found out about it out; what has not changed is not read again.

Like git's index: a file is the same while its size, times and inode are, unless it was touched so
shortly before it was read that a later change could bear the same time. What was found out belongs
to the content, by its SHA-256: a file that was only touched is hashed, and not checked again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ftctl.data.cache.fingerprint_files import FingerprintFiles
from ftctl.data.cache.store import Store, path_key
from ftctl.data.scanning.scan_request import ScanRequest, ScanResult, decoded, encoded
from ftctl.files import is_racy, sha256_of, signature_of

if TYPE_CHECKING:
    from ftctl.data.quality import FingerprintTable
    from ftctl.data.scanning.file_scan import OnProgress
    from ftctl.data.scanning.workers import Workers
    from ftctl.errors import Diagnostic


class Known(NamedTuple):
    """A file that was scanned: where it is, its content, and what was asked."""

    source: Path
    sha256: str
    request: ScanRequest


class Datasets:
    """Scans data files, each content once for each request."""

    def __init__(
        self,
        store: Store | None = None,
        fingerprints: Path | None = None,
        now: Callable[[], int] = time.time_ns,
        workers: Callable[[], Workers] | None = None,
    ) -> None:
        self._store = store or Store(None, "")
        self._files = FingerprintFiles(fingerprints)
        self._now = now  # nanoseconds; the files' clock, and so never the project's
        self._workers = workers
        self._tables: dict[str, FingerprintTable] = {}

    def scan(
        self,
        name: str,
        source: Path,
        shown: str,
        request: ScanRequest,
        on_progress: OnProgress | None = None,
    ) -> ScanResult:
        """All about the file, as `scan_file` gives it, but for the rows' fingerprints."""
        before = signature_of(source)
        sha256 = self._sha256(source, before)
        if sha256 is not None:
            known = self._known(sha256, request, name, shown)
            if known is not None:
                return known
        now = self._now()
        found = self._scan(name, source, shown, request, on_progress)
        if found.sha256 is not None and before is not None and before == signature_of(source):
            self._keep(source, before, now, found.sha256)
            self._store.put(_key(found.sha256, request), encoded(found))
            if found.fingerprints is not None:
                self._tables[_key(found.sha256, request)] = found.fingerprints
                self._files.put(_key(found.sha256, request), found.fingerprints)
        return found

    def leaks(self, training: Known, validation: Known) -> tuple[Diagnostic, ...]:
        """What stands in both of two files: problems of the second, whose path is left empty."""
        quality = validation.request.quality
        if quality is None or quality.leakage == "ignore":
            return ()
        key = f"leaks|{_key(*training[1:])}|{_key(*validation[1:])}"
        kept = self._store.get(key)
        if kept is None:
            from ftctl.data.formats.findings import as_diagnostics  # noqa: PLC0415 - mostly known already
            from ftctl.data.quality import leaks  # noqa: PLC0415

            seen, held_out = self._fingerprints_of(training), self._fingerprints_of(validation)
            if seen is None or held_out is None:
                return ()
            found = as_diagnostics(leaks(seen, held_out, quality), "", validation.request.most)
            kept = encoded(ScanResult(None, found))
            self._store.put(key, kept)
        return decoded(kept, "", "").diagnostics

    def leaked_rows(self, training: Known, validation: Known) -> int | None:
        """How many validation rows training has seen; None where there are no fingerprints."""
        seen, held_out = self._fingerprints_of(training), self._fingerprints_of(validation)
        if seen is None or held_out is None:
            return None
        from ftctl.data.quality import leaked_rows  # noqa: PLC0415 - few policies ask

        return leaked_rows(seen, held_out)

    def repeated_rows(self, known: Known) -> int | None:
        """How many rows repeat an earlier one; None where there are no fingerprints."""
        fingerprints = self._fingerprints_of(known)
        if fingerprints is None:
            return None
        from ftctl.data.quality import repeated_rows  # noqa: PLC0415 - few policies ask

        return repeated_rows(fingerprints)

    def _scan(
        self,
        name: str,
        source: Path,
        shown: str,
        request: ScanRequest,
        on_progress: OnProgress | None,
    ) -> ScanResult:
        from ftctl.data.scanning.file_scan import scan_file  # noqa: PLC0415 - what is known needs no checks

        workers = self._workers() if self._workers is not None else None
        return scan_file(name, source, shown, request, workers, on_progress)

    def _fingerprints_of(self, known: Known) -> FingerprintTable | None:
        """The fingerprints of the file's rows; None when it is no longer what it was."""
        key = _key(known.sha256, known.request)
        found = self._tables.get(key) or self._files.get(key)
        if found is None:
            scan = self._scan("", known.source, "", known.request, None)
            if scan.sha256 != known.sha256 or scan.fingerprints is None:
                return None
            found = scan.fingerprints
            self._files.put(key, found)
        self._tables[key] = found
        return found

    def _known(self, sha256: str, request: ScanRequest, name: str, shown: str) -> ScanResult | None:
        kept = self._store.get(_key(sha256, request))
        if kept is not None:
            return decoded(kept, name, shown)
        if request.totals:
            return None
        kept = self._store.get(_key(sha256, replace(request, totals=True)))
        if kept is None:
            return None
        whole = decoded(kept, name, shown)
        return replace(
            whole, dataset=whole.dataset and replace(whole.dataset, tokens=()), totals=()
        )

    def _sha256(self, source: Path, now: list[int] | None) -> str | None:
        """The file's hash; None where reading it for that would be of no use."""
        kept = self._store.get(f"at|{path_key(source)}")
        if now is None or kept is None:
            return None
        signature, sha256 = kept
        if signature == now:
            return str(sha256)
        read_at = self._now()
        found = sha256_of(source)
        if found is not None and now == signature_of(source):
            self._keep(source, now, read_at, found)
        return found

    def _keep(self, source: Path, signature: list[int], read_at: int, sha256: str) -> None:
        """Remember the hash; with the signature only if a later change cannot have the same."""
        racy = is_racy(signature, read_at)
        self._store.put(f"at|{path_key(source)}", [None if racy else signature, sha256])


def _key(sha256: str, request: ScanRequest) -> str:
    return f"scan|{sha256}|{request.key}"
