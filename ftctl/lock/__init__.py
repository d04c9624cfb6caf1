"""The release record: what stands for each fine-tune, and which models are in service, by alias.

`ftctl.lock` is written for people, applications and offline plans. Nothing is planned by it but
what must not be deleted.
"""

from ftctl.lock.document import Malformed, lock_document, lock_text, read_lock
from ftctl.lock.file import LOCK_FILE, read_lock_file, update_lock_file
from ftctl.lock.nouns import DEFAULT_ENVIRONMENT, DataFile, Entry, Lock, Pointer, Release, Section
from ftctl.lock.offline import observed_from
from ftctl.lock.promotion import (
    DEFAULT_ALIAS,
    is_alias,
    promote,
    protected,
    rollback,
    without_models,
)
from ftctl.lock.record import record, unknown_checkpoints

__all__ = [
    "DEFAULT_ALIAS",
    "DEFAULT_ENVIRONMENT",
    "LOCK_FILE",
    "DataFile",
    "Entry",
    "Lock",
    "Malformed",
    "Pointer",
    "Release",
    "Section",
    "is_alias",
    "lock_document",
    "lock_text",
    "observed_from",
    "promote",
    "protected",
    "read_lock",
    "read_lock_file",
    "record",
    "rollback",
    "unknown_checkpoints",
    "update_lock_file",
    "without_models",
]
