"""A training job as the service's JSON in, what a manifest can say about it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ftctl.domain.desired import Spec, nothing
from ftctl.domain.digest import FileName
from ftctl.providers.ownership import project_of, read_tag

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AccountJob:
    """A job of the account, whoever made it.

    `hyperparameters` are those that the service chose or was given; what is still left to it is
    not among them. `integrations` are settings by kind.
    """

    id: str
    status: str  # as sent
    created_at: int  # Unix seconds, the service's clock
    base_model: str | None
    method: str
    hyperparameters: Spec = field(default_factory=nothing)
    grader: Spec | None = None
    seed: int | None = None
    suffix: str | None = None
    integrations: Spec = field(default_factory=nothing)
    metadata: Spec = field(default_factory=nothing)  # without our tag
    training_file: str | None = None
    validation_file: str | None = None
    project: str | None = None  # the ftctl project whose tag it carries
    finetune: str | None = None  # of that project
    digest: str | None = None


def read_account_job(raw: Raw) -> AccountJob:
    """The job. KeyError where it has no id or status; all else may be missing or odd."""
    kind, block = _method(raw.get("method"))
    tag = read_tag(raw.get("metadata"))
    base, seed = raw.get("model"), raw.get("seed")
    grader = block.get("grader")
    return AccountJob(
        id=str(raw["id"]),
        status=str(raw["status"]),
        created_at=int(raw.get("created_at") or 0),
        base_model=base if isinstance(base, str) else None,
        method=kind,
        hyperparameters=_chosen(raw.get("hyperparameters"), block.get("hyperparameters")),
        grader=_without_nulls(grader) if isinstance(grader, Mapping) else None,
        seed=seed if isinstance(seed, int) and not isinstance(seed, bool) else None,
        suffix=_suffix(raw),
        integrations=_integrations(raw.get("integrations")),
        metadata=tag.own,
        training_file=_text(raw.get("training_file")),
        validation_file=_text(raw.get("validation_file")),
        project=project_of(raw.get("metadata")),
        finetune=tag.finetune,
        digest=tag.digest,
    )


def tagged_by_file(job: AccountJob, names: Mapping[str, FileName]) -> AccountJob:
    """The job with the tag that its training file's name carries, where it has none of its own."""
    name = names.get(job.training_file or "")
    if job.project is not None or name is None or name.digest is None:
        return job
    return replace(job, project=name.project, finetune=name.name, digest=name.digest)


def _method(raw: object) -> tuple[str, Raw]:
    """How it is trained, and the settings of that method. Without any word it is supervised."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("type"), str):
        return "supervised", {}
    kind = str(raw["type"])
    block = raw.get(kind)
    return kind, block if isinstance(block, Mapping) else {}


def _chosen(*sources: object) -> dict[str, Any]:
    """The hyperparameters that have a value; the method's own come last and win."""
    return {
        str(key): value
        for source in sources
        if isinstance(source, Mapping)
        for key, value in source.items()
        if value is not None and value != "auto"
    }


def _suffix(raw: Raw) -> str | None:
    """What the user called it: said in a field that is not documented, or in the model's name."""
    told = raw.get("user_provided_suffix")
    if isinstance(told, str) and told:
        return told
    parts = str(raw.get("fine_tuned_model") or "").split(":")
    return parts[3] or None if len(parts) == 5 and parts[0] == "ft" else None


def _integrations(raw: object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in raw if isinstance(raw, list) else ():
        kind = one.get("type") if isinstance(one, Mapping) else None
        if isinstance(kind, str) and isinstance(one.get(kind), Mapping):
            found.setdefault(kind, _without_nulls(one[kind]))
    return found


def _without_nulls(value: Any) -> Any:
    """Services fill in null for what was not set; a manifest leaves it out."""
    match value:
        case Mapping():
            return {str(k): _without_nulls(v) for k, v in value.items() if v is not None}
        case list():
            return [_without_nulls(one) for one in value]
    return value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
