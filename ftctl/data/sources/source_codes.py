"""The codes of everything that the author of a manifest can mend about a source."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "address-not-listed": "With --base, the source's address is none that ftctl.yaml allows.",
    "bad-address": "The source's address cannot be one of a file.",
    "file-too-large": "The file is larger than the service takes.",
    "missing-extra": "The package that reads this kind of address is not installed.",
    "not-a-regular-file": "The address is that of a folder.",
    "pointer-file": "The file only points to the data, which git-lfs or its like keeps elsewhere.",
    "secret-in-address": "The address holds a password, a token or a signature.",
    "sha256-differs": "The content is not what the manifest pins.",
    "source-denied": "Whoever keeps the source does not let this machine read it.",
    "source-missing": "There is nothing at the source's address.",
    "source-outside": "The path leads out of the repository: by '..', from the root or by a link.",
    "unencrypted-address": "The address starts with http://, which anybody on the way can alter.",
    "unknown-scheme": "The source's address starts with something that ftctl does not read.",
    "unprintable-path": "The path holds line ends, control characters or the like.",
    "unpinned-source": "A source elsewhere can change at any time; without a pin nobody notices.",
    "web-page": "The address leads to a page for people, not to the data.",
}

# With `must_pin` an error.
WARNINGS = frozenset({"unpinned-source"})
