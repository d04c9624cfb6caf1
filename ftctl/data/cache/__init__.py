"""What was found out about files, kept for the next run. Deleting it changes nothing but time."""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.data.cache.datasets import Datasets, Known
    from ftctl.data.cache.hashes import Hashes
    from ftctl.data.cache.store import Store, open_store

__all__ = ["Datasets", "Hashes", "Known", "Store", "open_store"]

_HOMES = {
    "Datasets": "datasets",
    "Hashes": "hashes",
    "Known": "datasets",
    "Store": "store",
    "open_store": "store",
}

__getattr__ = lazily(__name__, _HOMES)
