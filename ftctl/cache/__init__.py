"""What was found out about files, kept for the next run. Deleting it changes nothing but time."""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.cache.datasets import Datasets, Known
    from ftctl.cache.documents import Documents
    from ftctl.cache.hashes import Hashes
    from ftctl.cache.store import Store, open_store

__all__ = ["Datasets", "Documents", "Hashes", "Known", "Store", "open_store"]

_HOMES = {
    "Datasets": "datasets",
    "Documents": "documents",
    "Hashes": "hashes",
    "Known": "datasets",
    "Store": "store",
    "open_store": "store",
}

__getattr__ = lazily(__name__, _HOMES)
