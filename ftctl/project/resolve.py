"""Scanned data in, `Desired` out: specs canonical, parents before children."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftctl.domain.desired import Dataset, Desired, FineTune, Method, Parent
from ftctl.domain.digest import Shape, spec_digest
from ftctl.manifest import Document
from ftctl.project.link import ROLES, parent_of
from ftctl.project.scan import ScannedData

JsonSchema = Mapping[str, Any]

# Of no consequence for training or for the request: they name, describe or steer ftctl itself.
_NOT_IN_SPEC = frozenset({"apiVersion", "kind", "name", "description", "adopt", "keep"})


def resolve(scanned: ScannedData, schema: JsonSchema, cosmetic: frozenset[str]) -> Desired:
    """What the project asks for. Every name leads somewhere and every file has been read."""
    located = scanned.located
    documents = located.symbols.finetunes
    finetunes: dict[str, FineTune] = {}
    shape = Shape((schema,), schema)
    for name in _in_order(documents):
        document = documents[name]
        method: Method = document.value.get("method", "supervised")
        data = {
            role: scanned.dataset_of(source, method)
            for role in ROLES
            if (source := located.source_of(document, role)) is not None
        }
        finetunes[name] = _finetune(document, data, finetunes, shape, cosmetic)
    return Desired(located.symbols.project.config.project, tuple(finetunes.values()))


def _finetune(
    document: Document,
    data: Mapping[str, Dataset],
    known: Mapping[str, FineTune],
    shape: Shape,
    cosmetic: frozenset[str],
) -> FineTune:
    value = shape.canonical(document.value)
    spec = {key: entry for key, entry in value.items() if key not in _NOT_IN_SPEC}
    spec.update({role: dataset.sha256 for role, dataset in data.items()})
    base_model: str | Parent = value["base_model"] if isinstance(value["base_model"], str) else ""
    if not base_model:
        parent = Parent(
            value["base_model"]["finetune"], value["base_model"].get("checkpoint", "last")
        )
        base_model = parent
        # By digest and not by name: renaming a parent trains nothing again.
        spec["base_model"] = {"digest": known[parent.finetune].digest}
        if parent.checkpoint != "last":
            spec["base_model"]["checkpoint"] = parent.checkpoint
    material = {key: entry for key, entry in spec.items() if key not in cosmetic}
    adopt = value.get("adopt")
    if "training" not in data:
        # Rows that nobody has cannot tell one adopted job from another; its id can.
        material["adopt"] = adopt
    before = _as_before(material, data, base_model, known)
    return FineTune(
        name=document.value["name"],
        span=document.place(),
        training=data.get("training"),
        validation=data.get("validation"),
        spec=spec,
        digest=spec_digest(material),
        base_model=base_model,
        adopt=adopt,
        keep=value.get("keep", 2),
        earlier=spec_digest(material | before) if before else None,
    )


def _as_before(
    material: Mapping[str, Any],
    data: Mapping[str, Dataset],
    base_model: str | Parent,
    known: Mapping[str, FineTune],
) -> dict[str, Any]:
    """What the spec had instead where earlier versions have made other rows, of its parents too."""
    before: dict[str, Any] = {
        role: dataset.before.sha256 for role, dataset in data.items()
        if role in material and dataset.before and dataset.before.sha256 != dataset.sha256
    }  # fmt: skip
    if isinstance(base_model, Parent) and (digest := known[base_model.finetune].earlier):
        before["base_model"] = {**material["base_model"], "digest": digest}
    return before


def _in_order(finetunes: Mapping[str, Document]) -> list[str]:
    """Parents before their children, else by name."""
    order: dict[str, None] = {}  # as a set that keeps its order

    def visit(name: str) -> None:
        chain = [name]
        while (parent := parent_of(finetunes[chain[-1]])) is not None and parent not in order:
            chain.append(parent)
        order.update(dict.fromkeys(reversed(chain)))

    for name in sorted(finetunes):
        visit(name)
    return list(order)
