"""Our ownership tag on a job: metadata that says whose it is and what it was bought for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from ftctl.domain.spec_memory import unpacked_spec

PROJECT = "ftctl_project"
FINETUNE = "ftctl_finetune"
DIGEST = "ftctl_digest"
COMMIT = "ftctl_commit"
SPEC = "ftctl_spec"
REPLACES = "ftctl_replaces"
# Which purchase of the digest it is, in words: `env=prod follows=ftjob-1 replaces=ftjob-1`. It
# stands in the place of REPLACES, so that our pairs are six at most: manifests may have ten.
RUN = "ftctl_run"
OURS = frozenset({PROJECT, FINETUNE, DIGEST, COMMIT, SPEC, REPLACES, RUN})


@dataclass(frozen=True, slots=True)
class OwnershipTag:
    """What a job's metadata tells about it. `own` are the user's pairs."""

    project: str | None
    finetune: str | None
    digest: str | None
    replaces: str | None
    follows: str | None
    environment: str | None
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
    follows: str | None = None,
    environment: str | None = None,
) -> dict[str, str]:
    """The pairs to put on a job; those without a value are left out.

    What an earlier ftctl can read stays as it wrote it: a replacement of the newest job.
    """
    words = {"env": environment, "follows": follows, "replaces": replaces}
    earlier = environment is None and follows in (None, replaces)
    pairs = {
        PROJECT: project,
        FINETUNE: finetune,
        DIGEST: digest,
        COMMIT: commit,
        SPEC: spec,
        REPLACES: replaces if earlier else None,
        RUN: None if earlier else _run(words),
    }
    return {key: value for key, value in pairs.items() if value}


def _run(words: Mapping[str, str | None]) -> str:
    return " ".join(f"{key}={quote(value, safe='')}" for key, value in words.items() if value)


def _read_run(text: str) -> dict[str, str]:
    pairs = (word.partition("=") for word in text.split(" "))
    return {key: unquote(value) for key, _, value in pairs if value}


def read_tag(metadata: object) -> OwnershipTag:
    """The tag in a job's metadata, whatever it holds: strangers write there too."""
    pairs = metadata if isinstance(metadata, Mapping) else {}
    texts = {str(key): str(value) for key, value in pairs.items()}
    run = _read_run(texts.get(RUN, ""))
    replaces = texts.get(REPLACES) or run.get("replaces")
    return OwnershipTag(
        project=texts.get(PROJECT),
        finetune=texts.get(FINETUNE),
        digest=texts.get(DIGEST),
        replaces=replaces,
        follows=run.get("follows") or replaces,
        environment=run.get("env"),
        spec=unpacked_spec(texts.get(SPEC)),
        own={key: value for key, value in texts.items() if key not in OURS},
    )


def project_of(metadata: object) -> str | None:
    """Whose tag a job's metadata carries."""
    owner = metadata.get(PROJECT) if isinstance(metadata, Mapping) else None
    return str(owner) if owner is not None else None
