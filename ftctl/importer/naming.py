"""Jobs in, a name for each out: valid, unique, and the same for the same account."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping

from ftctl.errors import redact
from ftctl.importer.account import AccountJob

_LONGEST = 63  # characters of a FineTune's name
_LONGEST_ID = 30


def name_jobs(jobs: Collection[AccountJob], taken: Collection[str]) -> Mapping[str, str]:
    """A name for each job by its id: what people called it, if that is told and unmistakable.

    Jobs that would share a name all get their id behind it. `taken` are names in use.
    """
    stems = {job.id: _stem(job) for job in jobs}
    shared = Counter(stem for stem in stems.values() if stem is not None)
    used = set(taken)
    names: dict[str, str] = {}
    for job in sorted(jobs, key=lambda job: (job.created_at, job.id)):
        stem = stems[job.id]
        if stem is not None and shared[stem] == 1 and stem not in used:
            names[job.id] = stem
        else:
            names[job.id] = _with_id(stem or _slug(_base(job)) or "job", job.id, used)
        used.add(names[job.id])
    return names


def _stem(job: AccountJob) -> str | None:
    """Our own name for it, else its suffix."""
    return _slug(job.finetune or "") or _slug(redact(job.suffix or "")) or None


def _base(job: AccountJob) -> str:
    """The base model's name; of a model that was tuned before, the one at its root."""
    name = job.base_model or ""
    return name.split(":")[1] if name.startswith("ft:") else name


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].strip("-")


def _with_id(stem: str, job: str, used: Collection[str]) -> str:
    own = _slug(job.removeprefix("ftjob-"))[:_LONGEST_ID].strip("-")
    name = _joined(stem, own)
    if own and name not in used:
        return name
    # Ids that differ in case or sign alone, or one that a manifest has by chance.
    return _joined(stem, hashlib.sha256(job.encode("utf-8", "replace")).hexdigest()[:12])


def _joined(stem: str, own: str) -> str:
    return f"{stem[: _LONGEST - 1 - len(own)].strip('-')}-{own}"
