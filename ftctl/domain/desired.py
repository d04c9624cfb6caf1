"""What people ask for: the nouns on the manifests' side. Frozen values that at most count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ftctl.errors import Span

Format = Literal["chat", "completion", "preference", "reinforcement"]
Method = Literal["supervised", "dpo", "reinforcement"]
Checkpoint = Literal["last", "best"] | int

Spec = Mapping[str, Any]


def nothing() -> Spec:
    """An empty mapping that stays empty, as a default."""
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one epoch over a data file, each row cut to a base model's training context.

    `training` is what we expect to be billed, between `low` and `high`.
    """

    encoding: str
    limit: int  # tokens of one row
    training: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Origin:
    """What steps of a Dataset have made its rows of: the source that its manifest names."""

    path: str  # as people know it, relative to the project's folder; or an address
    sha256: str
    rows: int  # that the source has
    rows_taken: int  # of them, those that are trained on
    steps: tuple[Spec, ...] = field(hash=False)  # in their order, each as the manifest has it

    def face(self, name: str) -> str:
        """What a Dataset of that name is called: `qa-train (data/qa.csv, 29 of 40 rows)`."""
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        taken = f"{self.rows_taken:,} of " if self.rows_taken != self.rows else ""
        return f"{name} ({self.path}, {taken}{rows})"


@dataclass(frozen=True, slots=True)
class Before:
    """The rows that earlier versions of ftctl have made of the same source by the same steps."""

    sha256: str
    path: Path  # where they are on this machine
    why: str  # how they differ, in a few words without any text of them
    keeps: str = ""  # what to write into the manifest so that the same is made today
    refused: bool = False  # whether this version makes nothing of it, so that theirs stand for it


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data file that passed its checks. Its identity is the SHA-256 of its bytes."""

    name: str
    path: str  # as people know it, relative to the project's folder; else the face of its origin
    sha256: str
    examples: int
    bytes: int
    format: Format
    tokens: tuple[Tokens, ...] = ()  # one for each encoding and limit that was asked for
    image_rows: int = 0  # rows with at least one image
    has_tools: bool = False  # whether any row declares tools
    origin: Origin | None = None  # of rows that steps have made
    before: Before | None = None  # where earlier versions have made others

    def tokens_of(self, encoding: str, limit: int) -> Tokens | None:
        """The tokens by that encoding and limit, where they were counted."""
        key = (encoding, limit)
        return next(
            (tokens for tokens in self.tokens if (tokens.encoding, tokens.limit) == key), None
        )


@dataclass(frozen=True, slots=True)
class Parent:
    """One of our own fine-tunes as a base model, and which of its models."""

    finetune: str
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class FineTune:
    """One model that the manifests ask for.

    `spec` holds what differs from the defaults, under the manifest's field names, with data and
    parents named by their digests. `digest` covers the part of it that a training run depends on.
    """

    name: str
    span: Span
    training: Dataset | None  # None: an adopted job whose rows nobody has
    validation: Dataset | None
    spec: Spec
    digest: str
    base_model: str | Parent
    adopt: str | None = None
    keep: int = 2
    earlier: str | None = None  # its digest with the rows of earlier versions, where it differs

    @property
    def digests(self) -> tuple[str, ...]:
        """What it may have been bought under, by this version or an earlier one."""
        return (self.digest,) if self.earlier is None else (self.digest, self.earlier)

    @property
    def changed_rows(self) -> Before | None:
        """What earlier versions have made of its training data, where that is something else.

        Rows to measure on decide about no purchase.
        """
        return None if self.training is None else self.training.before

    @property
    def refused_rows(self) -> bool:
        """Whether this version makes nothing to train on of its data."""
        return self.changed_rows is not None and self.changed_rows.refused

    @property
    def parent(self) -> Parent | None:
        """The fine-tune of ours that this one continues from."""
        return self.base_model if isinstance(self.base_model, Parent) else None

    @property
    def method(self) -> Method:
        """How it is trained."""
        method: Method = self.spec.get("method", "supervised")
        return method


@dataclass(frozen=True)
class Desired:
    """What a project asks for: its fine-tunes, parents before children, else by name."""

    project: str
    finetunes: tuple[FineTune, ...]

    def named(self, name: str) -> FineTune | None:
        """The fine-tune of that name."""
        return self._by_name.get(name)

    def root_model(self, finetune: FineTune) -> str:
        """The base model at the root of a chain of fine-tunes; "" where it leads nowhere."""
        root: FineTune | None = finetune
        while root is not None and root.parent is not None:
            root = self.named(root.parent.finetune)
        return "" if root is None or not isinstance(root.base_model, str) else root.base_model

    @cached_property
    def by_digest(self) -> Mapping[str, FineTune]:
        """Who asks for a digest; else whose rows an earlier version made, so that it was this."""
        found = {one.earlier: one for one in self.finetunes if one.earlier is not None}
        return found | {one.digest: one for one in self.finetunes}

    @cached_property
    def _by_name(self) -> Mapping[str, FineTune]:
        return {finetune.name: finetune for finetune in self.finetunes}


@dataclass(frozen=True, slots=True)
class DataSource:
    """A file that manifests name, before it is read."""

    name: str
    source: Path
    shown: str
    span: Span  # where the manifest names it
    sha256: str | None = None  # the pin, where the manifest has one
    url: str | None = None  # where it is fetched from; `source` counts once it has been
    origin: Origin | None = None  # of a file that steps have made: `shown` is its face
    before: Before | None = None  # where earlier versions have made another


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """Which service a plan is for."""

    type: str
    base_url: str
    billed: bool = True

    def is_at(self, base_url: str) -> bool:
        """Whether an address is this service's: a slash at its end and capitals of a host aside."""
        return plain_address(self.base_url) == plain_address(base_url)


def plain_address(base_url: str) -> str:
    """An address as all its spellings have it."""
    scheme, mark, rest = base_url.strip().rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{mark}{host.lower()}{slash}{path}"
