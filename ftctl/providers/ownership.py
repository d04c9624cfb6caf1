"""Our ownership tag on a job: metadata that says whose it is and what it was bought for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftctl.domain.spec_memory import unpacked_spec

PROJECT = "ftctl_project"
FINETUNE = "ftctl_finetune"
DIGEST = "ftctl_digest"
COMMIT = "ftctl_commit"
SPEC = "ftctl_spec"
REPLACES = "ftctl_replaces"
OURS = frozenset({PROJECT, FINETUNE, DIGEST, COMMIT, SPEC, REPLACES})


@dataclass(frozen=True, slots=True)
class OwnershipTag:
    """What a job's metadata tells about it. `own` are the user's pairs."""

    project: str | None
    finetune: str | None
    digest: str | None
    replaces: str | None
    spec: Mapping[str, Any] | None
    own: Mapping[str, str]


def tags_for(
    project: str,
    finetune: str,
    digest: str,
    *,
    spec: str | None = None,
    commit: str | None = None,
    replaces: str | None = None,
) -> dict[str, str]:
    """The pairs to put on a job; those without a value are left out."""
    pairs = {
        PROJECT: project,
        FINETUNE: finetune,
        DIGEST: digest,
        COMMIT: commit,
        SPEC: spec,
        REPLACES: replaces,
    }
    return {key: value for key, value in pairs.items() if value}


def read_tag(metadata: object) -> OwnershipTag:
    """The tag in a job's metadata, whatever it holds: strangers write there too."""
    pairs = metadata if isinstance(metadata, Mapping) else {}
    texts = {str(key): str(value) for key, value in pairs.items()}
    return OwnershipTag(
        project=texts.get(PROJECT),
        finetune=texts.get(FINETUNE),
        digest=texts.get(DIGEST),
        replaces=texts.get(REPLACES),
        spec=unpacked_spec(texts.get(SPEC)),
        own={key: value for key, value in texts.items() if key not in OURS},
    )


def project_of(metadata: object) -> str | None:
    """Whose tag a job's metadata carries."""
    owner = metadata.get(PROJECT) if isinstance(metadata, Mapping) else None
    return str(owner) if owner is not None else None
