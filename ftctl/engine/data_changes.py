"""A project and a git revision in; how its data files differ from that revision's, by rows, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ftctl.data.diff import compare_files
from ftctl.data.scanning import RowFile
from ftctl.data.stats import BaseModel
from ftctl.domain.desired import Dataset, FineTune
from ftctl.domain.review import DataChange
from ftctl.domain.row_diff import Compared
from ftctl.engine.base_revision import rows_at
from ftctl.engine.session import Session
from ftctl.errors import FtctlError
from ftctl.files import scratch_folder, sha256_of
from ftctl.pricing import cost_of_tokens

Role = Literal["training", "validation"]


@dataclass(frozen=True, slots=True)
class _Used:
    """A data file, in one role, with those who use it."""

    dataset: Dataset
    role: Role
    finetunes: tuple[FineTune, ...]


def data_changes(session: Session, revision: str, *, show_text: bool) -> tuple[DataChange, ...]:
    """Every data file of the manifests that differs from the one at the revision.

    Files that steps of a Dataset have made are not compared: git has only their source.
    """
    found = []
    for used in _files(session):
        with scratch_folder() as scratch:
            before = rows_at(session.root, revision, used.dataset.path, scratch / "before")
            if before is not None and sha256_of(before) == used.dataset.sha256:
                continue
            compared = _compared(session, revision, used, before, show_text=show_text)
        found.append(_change(session, used, compared))
    return tuple(found)


def _files(session: Session) -> Iterator[_Used]:
    users: dict[tuple[str, Role], list[FineTune]] = {}
    datasets: dict[tuple[str, Role], Dataset] = {}
    for one in session.desired.finetunes:
        sides: tuple[tuple[Role, Dataset | None], ...] = (
            ("training", one.training),
            ("validation", one.validation),
        )
        for role, dataset in sides:
            if dataset is not None and dataset.origin is None:
                users.setdefault((dataset.path, role), []).append(one)
                datasets[dataset.path, role] = dataset
    for (path, role), finetunes in users.items():
        yield _Used(datasets[path, role], role, tuple(finetunes))


def _compared(
    session: Session, revision: str, used: _Used, before: Path | None, *, show_text: bool
) -> Compared | None:
    if before is None:
        return None
    path = used.dataset.path
    base = used.finetunes[0].base_model
    old = RowFile(before, f"{revision}:{path}")
    new = RowFile(session.place_of(path, used.dataset.sha256), path)
    about = BaseModel.about(base if isinstance(base, str) else None)
    try:
        return compare_files(old, new, about, show_text=show_text)
    except FtctlError:  # the base's file is no JSONL: all rows are new
        return None


def _change(session: Session, used: _Used, compared: Compared | None) -> DataChange:
    tokens = cost = None
    if compared is not None:
        tokens = compared.diff.tokens_added - compared.diff.tokens_removed
        if used.role == "training":
            cost = cost_of_tokens(
                tokens, used.finetunes[0], session.desired, session.catalog, session.info
            )
    return DataChange(
        path=used.dataset.path,
        finetunes=tuple(one.name for one in used.finetunes),
        role=used.role,
        rows=used.dataset.examples,
        compared=compared,
        tokens=tokens,
        cost=cost,
    )
