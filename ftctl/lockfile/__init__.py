"""The release record: what stands for each fine-tune, and which models are in service, by alias.

`ftctl.lock` is written for people, applications and offline plans. A plan that can be applied takes
from it what must not be deleted, and what speaks against buying: it causes nothing.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.lockfile.file import LOCK_FILE, merge_lock_files, read_lock_file, update_lock_file
    from ftctl.lockfile.lock import (
        DEFAULT_ENVIRONMENT,
        DataFile,
        Entry,
        Lock,
        Pointer,
        Release,
        Section,
    )
    from ftctl.lockfile.lock_codec import Malformed, lock_document, lock_text, read_lock
    from ftctl.lockfile.merging import merged
    from ftctl.lockfile.offline import observed_from
    from ftctl.lockfile.promotion import (
        DEFAULT_ALIAS,
        KeptForOthers,
        is_alias,
        promote,
        protected,
        rollback,
        with_retired,
        without_models,
    )
    from ftctl.lockfile.recording import unknown_checkpoints, updated
    from ftctl.lockfile.renaming import renamed
    from ftctl.lockfile.witnesses import recorded_jobs, witnesses_of

__all__ = [
    "DEFAULT_ALIAS",
    "DEFAULT_ENVIRONMENT",
    "LOCK_FILE",
    "DataFile",
    "Entry",
    "KeptForOthers",
    "Lock",
    "Malformed",
    "Pointer",
    "Release",
    "Section",
    "is_alias",
    "lock_document",
    "lock_text",
    "merge_lock_files",
    "merged",
    "observed_from",
    "promote",
    "protected",
    "read_lock",
    "read_lock_file",
    "recorded_jobs",
    "renamed",
    "rollback",
    "unknown_checkpoints",
    "update_lock_file",
    "updated",
    "with_retired",
    "without_models",
    "witnesses_of",
]

_HOMES = {
    "DEFAULT_ALIAS": "promotion",
    "DEFAULT_ENVIRONMENT": "lock",
    "LOCK_FILE": "file",
    "DataFile": "lock",
    "Entry": "lock",
    "KeptForOthers": "promotion",
    "Lock": "lock",
    "Malformed": "lock_codec",
    "Pointer": "lock",
    "Release": "lock",
    "Section": "lock",
    "is_alias": "promotion",
    "lock_document": "lock_codec",
    "lock_text": "lock_codec",
    "merge_lock_files": "file",
    "merged": "merging",
    "observed_from": "offline",
    "promote": "promotion",
    "protected": "promotion",
    "read_lock": "lock_codec",
    "read_lock_file": "file",
    "updated": "recording",
    "renamed": "renaming",
    "rollback": "promotion",
    "unknown_checkpoints": "recording",
    "update_lock_file": "file",
    "with_retired": "promotion",
    "without_models": "promotion",
    "recorded_jobs": "witnesses",
    "witnesses_of": "witnesses",
}

__getattr__ = lazily(__name__, _HOMES)
