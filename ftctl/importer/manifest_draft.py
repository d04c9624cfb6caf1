"""A job in, its manifest out: fields in the order that people read them, and why one is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ftctl.importer.account import AccountJob
from ftctl.importer.yaml_text import block, cannot_stand, comment

_METADATA_PAIRS = 10  # that a manifest takes, beside ftctl's own
_METADATA_KEY = re.compile(r"(?!ftctl_)[\s\S]{1,64}")
_METADATA_VALUE = 512  # characters
_LAST_SECOND = 253_402_300_799  # of the year 9999, after which there are no dates
_INTEGRATIONS = ("wandb",)

ORDER = (
    "apiVersion", "kind", "name", "description", "base_model", "training", "validation", "method",
    "hyperparameters", "grader", "seed", "suffix", "integrations", "metadata", "adopt",
)  # fmt: skip
NEEDED = frozenset({"apiVersion", "kind", "name", "base_model", "method", "adopt"})
"""Without these, no manifest can stand for a job."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest to be. `notes` say in a comment why a field, or a part of it, is left out."""

    job: AccountJob
    fields: Mapping[str, Any]
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the fine-tune is called."""
        return str(self.fields["name"])

    def without(self, name: str, why: str) -> Draft:
        """The same with a field less."""
        kept = {key: value for key, value in self.fields.items() if key != name}
        told = (*self.notes.get(name, ()), f"{name} is left out: {why}")
        return replace(self, fields=kept, notes={**self.notes, name: told})

    def having(self, name: str, value: Any) -> Draft:
        """The same with a field more."""
        return replace(self, fields={**self.fields, name: value})

    @property
    def text(self) -> str:
        """The manifest as YAML."""
        return "".join(f"{line}\n" for _, line in self._lines())

    @property
    def lines(self) -> tuple[str, ...]:
        """Which field each line of the text is of."""
        return tuple(name for name, _ in self._lines())

    def _lines(self) -> Iterator[tuple[str, str]]:
        for name in ORDER:
            if name in self.fields:
                yield from ((name, line) for line in block(name, self.fields[name]))
            yield from ((name, comment(note)) for note in self.notes.get(name, ()))


def draft_of(job: AccountJob, name: str) -> Draft:
    """The manifest of a job, its data aside. What cannot be written is left out, with a note."""
    day = datetime.fromtimestamp(min(max(job.created_at, 0), _LAST_SECOND), tz=UTC)
    draft = Draft(
        job,
        {
            "apiVersion": "ftctl/v1",
            "kind": "FineTune",
            "name": name,
            "description": f"Imported: job {job.id}, {job.status}, created on {day:%Y-%m-%d}.",
            "method": job.method,
            "adopt": job.id,
        },
    )
    own: dict[str, Any] = {
        "base_model": job.base_model,
        "hyperparameters": dict(sorted(job.hyperparameters.items())),
        "grader": job.grader,
        "seed": job.seed,
        "suffix": job.suffix,
    }
    for key, value in own.items():
        if value is None or value == {}:
            continue
        draft = draft.having(key, value)
        if (reason := cannot_stand(value)) is not None:
            draft = draft.without(key, reason)
    return _with_metadata(_with_integrations(draft))


def _with_integrations(draft: Draft) -> Draft:
    known, notes = {}, []
    for kind, settings in draft.job.integrations.items():
        reason = cannot_stand(settings)
        if kind not in _INTEGRATIONS:
            reason = "no manifest has a place for it"
        if reason is None:
            known[kind] = settings
        else:
            notes.append(f"integrations.{kind} is left out: {reason}")
    return _with_part(draft, "integrations", known, notes)


def _with_metadata(draft: Draft) -> Draft:
    """The user's pairs by key, as many as a manifest takes."""
    kept: dict[str, str] = {}
    notes = []
    for key, value in sorted(draft.job.metadata.items()):
        reason = cannot_stand({key: value})
        if not _METADATA_KEY.fullmatch(key) or len(value) > _METADATA_VALUE:
            reason = "no manifest can hold it"
        elif len(kept) == _METADATA_PAIRS:
            reason = f"a manifest takes {_METADATA_PAIRS} pairs; the job has more"
        if reason is None:
            kept[key] = value
        else:
            shown = key if cannot_stand(key) is None else "…"
            notes.append(f"metadata '{shown}' is left out: {reason}")
    return _with_part(draft, "metadata", kept, notes)


def _with_part(draft: Draft, name: str, value: Mapping[str, Any], notes: list[str]) -> Draft:
    drafted = draft.having(name, value) if value else draft
    told = {**drafted.notes, name: tuple(notes)} if notes else drafted.notes
    return replace(drafted, notes=told)
