"""A JSON document in, a `Lock` out, and back: same record, same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftctl.domain.desired import Origin, Spec
from ftctl.domain.plan_document import origin_document
from ftctl.lockfile.lock import DataFile, Entry, Lock, Pointer, Release, Section
from ftctl.text.identifiers import is_identifier, is_own_name

_MAJOR = 1
_VERSION = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})")
_LONGEST = 10_000  # characters of one text


class Malformed(ValueError):
    """What stands in the document cannot be there; the message says where, and never quotes it."""


class TooNew(ValueError):
    """A later version of ftctl wrote the document, in a form that this one does not know."""


def read_lock(document: object) -> Lock:
    """The record that a parsed document holds. Raises `Malformed` or `TooNew`."""
    top = _part(document, "the document")
    minor = _minor(top)
    sections = {}
    for name, section in top.parts("environments"):
        finetunes = {key: _read_entry(entry) for key, entry in section.parts("finetunes")}
        sections[name] = Section(finetunes, section.rest("finetunes"))
    return Lock(sections, minor, top.rest("environments", "lock_version"))


def lock_text(lock: Lock) -> str:
    """The record as it stands in the file.

    ASCII alone: characters that look like others would hide in a review.
    """
    return json.dumps(lock_document(lock), indent=2, sort_keys=True, allow_nan=False) + "\n"


def lock_document(lock: Lock) -> dict[str, Any]:
    """The record as JSON; what is not known is left out."""
    environments = {
        name: {
            **section.more,
            "finetunes": {key: _entry(entry) for key, entry in section.finetunes.items()},
        }
        for name, section in lock.environments.items()
    }
    return {
        **lock.more,
        "environments": environments,
        "lock_version": f"{_MAJOR}.{lock.minor}",
    }


def _entry(entry: Entry) -> dict[str, Any]:
    document = {**entry.more, **(release_document(entry.release) if entry.release else {})}
    if entry.promoted:
        document["promoted"] = {
            alias: pointer_document(pointer) for alias, pointer in entry.promoted.items()
        }
    if entry.history:
        document["history"] = {
            alias: [pointer_document(pointer) for pointer in earlier]
            for alias, earlier in entry.history.items()
        }
    if entry.retired:
        document["retired"] = [pointer_document(pointer) for pointer in entry.retired]
    if entry.beside:
        document["beside"] = [release_document(release) for release in entry.beside]
    return document


def release_document(release: Release) -> dict[str, Any]:
    """A job that stands, or is known, as JSON."""
    data = {"training": release.training, "validation": release.validation}
    checkpoints = release.checkpoints
    return _known(
        digest=release.digest,
        job=release.job,
        model=release.model,
        created_at=release.created_at,
        ftctl_version=release.ftctl_version,
        method=release.method,
        base_model=release.base_model,
        data=_known(**{role: _data_file(file) for role, file in data.items() if file}) or None,
        hyperparameters=dict(release.hyperparameters),
        asked=dict(release.asked) or None,
        seed=release.seed,
        suffix=release.suffix,
        metadata=dict(release.metadata) or None,
        spec=dict(release.spec) if release.spec is not None else None,
        checkpoints=None if checkpoints is None else {str(k): v for k, v in checkpoints.items()},
        trained_tokens=release.trained_tokens,
        finished_at=release.finished_at,
        commit=release.commit,
        service=dict(release.service) or None,
        adopted=release.adopted or None,
        owner=release.owner,
    )


def _data_file(file: DataFile) -> dict[str, Any]:
    document = {**file.more, "path": file.path, "sha256": file.sha256, "rows": file.rows}
    if file.origin is not None and file.dataset is not None:
        document["dataset"] = file.dataset
        document["name"] = file.origin.face(file.dataset)
        document["origin"] = origin_document(file.origin)
    return document


def pointer_document(pointer: Pointer) -> dict[str, Any]:
    """Where an alias leads as JSON."""
    facts = _known(
        job=pointer.job,
        model=pointer.model,
        at=pointer.at,
        checkpoint=pointer.checkpoint,
        digest=pointer.digest,
        by_commit=pointer.by_commit,
    )
    return {**pointer.more, **facts}


def _known(**facts: object) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if value is not None}


def _minor(top: _Part) -> int:
    version = _VERSION.fullmatch(top.text("lock_version"))
    if version is None:
        raise Malformed("lock_version is no version such as 1.0")
    if int(version[1]) > _MAJOR:
        raise TooNew(version[0])
    return int(version[2])


_OF_RELEASE = (
    "digest", "job", "model", "created_at", "ftctl_version", "method", "base_model", "data",
    "hyperparameters", "asked", "seed", "suffix", "metadata", "spec", "checkpoints",
    "trained_tokens", "finished_at", "commit", "service", "adopted", "owner",
)  # fmt: skip


def _read_entry(part: _Part) -> Entry:
    promoted = {alias: _read_pointer(pointer) for alias, pointer in part.parts("promoted")}
    history = {
        alias: tuple(
            _read_pointer(pointer) for pointer in part.below("history").list_of_parts(alias)
        )
        for alias in part.below("history").names()
    }
    release = _read_release(part) if "job" in part.raw else None
    retired = part.list_of_parts("retired") if "retired" in part.raw else ()
    beside = part.list_of_parts("beside") if "beside" in part.raw else ()
    return Entry(
        release,
        promoted,
        history,
        part.rest("promoted", "history", "retired", "beside", *_OF_RELEASE),
        tuple(map(_read_pointer, retired)),
        tuple(map(_read_release, beside)),
    )


def _read_release(part: _Part) -> Release:
    data = part.below("data")
    return Release(
        digest=part.text("digest"),
        job=part.identifier("job"),
        model=part.identifier("model"),
        created_at=part.number("created_at") or 0,
        ftctl_version=part.text("ftctl_version"),
        method=part.text("method"),
        base_model=part.text_or_none("base_model"),
        training=_read_data_file(data, "training"),
        validation=_read_data_file(data, "validation"),
        hyperparameters=part.below("hyperparameters").raw,
        asked=part.below("asked").raw,
        seed=part.number("seed"),
        suffix=part.text_or_none("suffix"),
        metadata=part.below("metadata").raw,
        spec=part.below("spec").raw if "spec" in part.raw else None,
        checkpoints=_read_checkpoints(part) if "checkpoints" in part.raw else None,
        trained_tokens=part.number("trained_tokens"),
        finished_at=part.number("finished_at"),
        commit=part.text_or_none("commit"),
        service=part.below("service").raw,
        adopted=part.raw.get("adopted") is True,
        owner=part.text_or_none("owner"),
    )


def _read_data_file(data: _Part, role: str) -> DataFile | None:
    if role not in data.raw:
        return None
    part = data.below(role)
    rows = part.number("rows") or 0
    more = part.rest("path", "sha256", "rows", "dataset", "name", "origin")
    origin = _read_origin(part.below("origin")) if "origin" in part.raw else None
    dataset = None if origin is None else part.text("dataset")
    return DataFile(part.text("path"), part.text("sha256"), rows, more, dataset, origin)


def _read_origin(part: _Part) -> Origin:
    steps = part.list_of_parts("steps")
    for step in steps:
        step.text("step")
    return Origin(
        path=part.text("path"),
        sha256=part.text("sha256"),
        rows=part.number("rows") or 0,
        rows_taken=part.number("rows_taken") or 0,
        steps=tuple(step.raw for step in steps),
    )


def _read_checkpoints(part: _Part) -> dict[int, str]:
    steps = part.below("checkpoints")
    for step in steps.raw:
        if not (step.isascii() and step.isdigit() and len(step) < 10):
            raise Malformed(f"a key of {steps.way} is no step")
    return {int(step): steps.identifier(step) for step in steps.raw}


def _read_pointer(part: _Part) -> Pointer:
    return Pointer(
        job=part.identifier("job"),
        model=part.identifier("model"),
        at=part.text("at"),
        checkpoint=part.number("checkpoint"),
        digest=part.text_or_none("digest"),
        by_commit=part.text_or_none("by_commit"),
        more=part.rest("job", "model", "at", "checkpoint", "digest", "by_commit"),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A mapping of the document, and the way to it for those who must mend it."""

    raw: Spec
    way: str

    def _at(self, key: str) -> str:
        return f"{self.way}.{key}" if self.way != "the document" else key

    def text_or_none(self, key: str) -> str | None:
        value = self.raw.get(key)
        if value is None:
            return None
        # A path may hold any character, and whoever prints it has to take care.
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
            raise Malformed(f"{self._at(key)} is no text")
        return value

    def text(self, key: str) -> str:
        value = self.text_or_none(key)
        if value is None:
            raise Malformed(f"{self._at(key)} is missing")
        return value

    def identifier(self, key: str) -> str:
        value = self.text(key)
        if not is_identifier(value):  # a pull request may have written it
            raise Malformed(f"{self._at(key)} is no name of a job or model")
        return value

    def number(self, key: str) -> int | None:
        value = self.raw.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
            raise Malformed(f"{self._at(key)} is no whole number")
        return value

    def below(self, key: str) -> _Part:
        """The mapping under a key; an empty one where there is none."""
        return _part(self.raw.get(key, {}), self._at(key))

    def names(self) -> tuple[str, ...]:
        """The keys, each of which must be a name as manifests, environments and aliases have."""
        for name in self.raw:
            if not is_own_name(name):
                raise Malformed(f"a key of {self.way} is no name")
        return tuple(self.raw)

    def parts(self, key: str) -> tuple[tuple[str, _Part], ...]:
        """The mappings under a key, by their names."""
        part = self.below(key)
        return tuple((name, part.below(name)) for name in part.names())

    def list_of_parts(self, key: str) -> tuple[_Part, ...]:
        value = self.raw.get(key)
        if not isinstance(value, list):
            raise Malformed(f"{self._at(key)} is no list")
        return tuple(_part(entry, f"{self._at(key)}[{at}]") for at, entry in enumerate(value))

    def rest(self, *taken: str) -> Mapping[str, Any]:
        return {key: value for key, value in self.raw.items() if key not in taken}


def _part(value: object, way: str) -> _Part:
    if not isinstance(value, dict):
        raise Malformed(f"{way} is no mapping")
    return _Part(value, way)
