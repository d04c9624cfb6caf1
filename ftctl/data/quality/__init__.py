"""Rows go in; what makes them bad to learn from, by line and with a cure, comes out."""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.data.quality.checks import check_table, repeated_rows
    from ftctl.data.quality.fingerprint_table import FingerprintTable
    from ftctl.data.quality.fingerprints import RowFingerprint, fingerprint_of
    from ftctl.data.quality.languages import language_of
    from ftctl.data.quality.leakage import leaked_rows, leaks
    from ftctl.data.quality.moderation import moderate
    from ftctl.data.quality.quality_codes import CHECKS, CODES

__all__ = [
    "CHECKS",
    "CODES",
    "FingerprintTable",
    "RowFingerprint",
    "check_table",
    "fingerprint_of",
    "language_of",
    "leaked_rows",
    "leaks",
    "moderate",
    "repeated_rows",
]

_HOMES = {
    "CHECKS": "quality_codes",
    "CODES": "quality_codes",
    "FingerprintTable": "fingerprint_table",
    "RowFingerprint": "fingerprints",
    "check_table": "checks",
    "language_of": "languages",
    "leaked_rows": "leakage",
    "leaks": "leakage",
    "fingerprint_of": "fingerprints",
    "moderate": "moderation",
    "repeated_rows": "checks",
}

__getattr__ = lazily(__name__, _HOMES)
