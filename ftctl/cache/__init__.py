"""What was found out about files, kept for the next run. Deleting it changes nothing but time."""

from ftctl.cache.datasets import Datasets, Known
from ftctl.cache.documents import Documents
from ftctl.cache.hashes import Hashes
from ftctl.cache.store import Store, open_store

__all__ = ["Datasets", "Documents", "Hashes", "Known", "Store", "open_store"]
