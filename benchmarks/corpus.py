"""A size in, a folder out: a project, its account on the embedded API, and Terraform's like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ftctl.domain.desired import FineTune
from ftctl.domain.digest import canonical_json, file_name
from ftctl.domain.spec_memory import short_spec
from ftctl.emulator import Store, open_emulator
from ftctl.emulator.app import DATABASE
from ftctl.emulator.storage.database import Session, open_store
from ftctl.emulator.storage.job_record import Job, Result
from ftctl.emulator.storage.jobs import insert_job, record
from ftctl.engine.context import RunContext
from ftctl.engine.session import open_session, state_folder
from ftctl.providers.ownership import tags_for

PROJECT = "scale"
BASE = "gpt-4.1-mini-2025-04-14"
START = 1_690_000_000.0  # Unix seconds, three years ago
HISTORY_PER_FINETUNE = 10
MOST_HISTORY, MOST_FILES = 10_000, 5_000

_FINETUNE = """\
apiVersion: ftctl/v1
kind: FineTune
name: {name}
description: One of the many models of this benchmark.
base_model: {base}
training: {data}
method: supervised
hyperparameters:
  n_epochs: {epochs}
  batch_size: auto
  learning_rate_multiplier: 1.8
seed: {seed}
suffix: {name}
metadata:
  team: team-{team}
  purpose: measure how plan grows
"""
_DATASET = "apiVersion: ftctl/v1\nkind: Dataset\nname: {name}\nsource: ../data/{name}.jsonl\n"


@dataclass(frozen=True, slots=True)
class Size:
    """How many fine-tunes, and how many documents stand in one file."""

    finetunes: int
    per_file: int = 1

    @property
    def datasets(self) -> int:
        return max(1, self.finetunes // 10)

    @property
    def history(self) -> int:
        """Old jobs in the account, three years of them."""
        return min(MOST_HISTORY, HISTORY_PER_FINETUNE * self.finetunes)

    @property
    def old_files(self) -> int:
        return min(MOST_FILES, 5 * self.finetunes)


def write_project(root: Path, size: Size) -> None:
    """The manifests and data of that many fine-tunes."""
    (root / "ftctl.yaml").write_text(f"project: {PROJECT}\n", "utf-8")
    for folder in ("finetunes", "data"):
        (root / folder).mkdir()
    datasets = [f"data-{number:04}" for number in range(size.datasets)]
    for name in datasets:
        (root / "data" / f"{name}.jsonl").write_text("".join(_rows(name)), "utf-8")
    _write_documents(root, "d", [_DATASET.format(name=name) for name in datasets], size.per_file)
    documents = [finetune_text(number, size) for number in range(size.finetunes)]
    _write_documents(root, "f", documents, size.per_file)


def finetune_text(number: int, size: Size, epochs: int = 3) -> str:
    """One manifest."""
    data = f"data-{number % size.datasets:04}"
    name = f"model-{number:05}"
    return _FINETUNE.format(
        name=name, base=BASE, data=data, epochs=epochs, seed=number, team=number % 7
    )


def _write_documents(root: Path, prefix: str, documents: list[str], per_file: int) -> None:
    for start in range(0, len(documents), per_file):
        text = "---\n".join(documents[start : start + per_file])
        (root / "finetunes" / f"{prefix}{start:05}.yaml").write_text(text, "utf-8")


def _rows(name: str) -> Iterator[str]:
    for number in range(12):
        question = {"role": "user", "content": f"What is {number} of {name}?"}
        reply = {"role": "assistant", "content": f"It is {number}."}
        yield json.dumps({"messages": [question, reply]}) + "\n"


def fill_account(root: Path, size: Size) -> None:
    """Every fine-tune has its succeeded job; before them lies the history."""
    session = open_session(RunContext(root))
    folder = state_folder(root)
    open_emulator(folder).close()
    store: Store = open_store(folder / DATABASE)
    finetunes = session.desired.finetunes
    with store.transaction("IMMEDIATE") as connection:
        account = Session(connection, START)
        # Files that are ours and of no use any more are cleaned up: what stays is others'.
        for number in range(size.old_files):
            _add_file(account, f"file-old{number}", f"upload-{number:05}.jsonl", START)
        for number in range(size.history):
            digest = f"v1:{number:064x}"
            owner = finetunes[number % len(finetunes)]
            _add_job(account, owner, digest, f"file-old{number % size.old_files}", model=False)
        current: dict[str, str] = {}
        for one in finetunes:
            data = one.training
            if data.sha256 not in current:
                current[data.sha256] = f"file-new{len(current)}"
                name = file_name(PROJECT, data.name, data.sha256)
                _add_file(account, current[data.sha256], name, START, data.bytes)
            _add_job(account, one, one.digest, current[data.sha256], model=True)
    store.close()


def _add_file(account: Session, file: str, name: str, at: float, size: int = 1000) -> None:
    account.run(
        "INSERT INTO files (id, filename, purpose, bytes, created_at) VALUES (?, ?, ?, ?, ?)",
        *(file, name, "fine-tune", size, at),
    )


def _add_job(account: Session, one: FineTune, digest: str, file: str, *, model: bool) -> None:
    seq = account.next_serial("jobs")
    at = START + 3600.0 * seq
    spec = canonical_json(short_spec(one.spec))
    tags = tags_for(PROJECT, one.name, digest, spec=spec, commit=f"{seq:040x}")
    result = f"ft:{BASE}:ftctl-emulator:{one.name}:{seq:08}"
    numbers = {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8}
    job = Job(
        seq=seq,
        id=f"ftjob-{seq:024}",
        created_at=at,
        model=BASE,
        base=BASE,
        method={"type": "supervised", "supervised": {"hyperparameters": numbers}},
        training_file=file,
        validation_file=None,
        suffix=one.name,
        seed=seq,
        metadata={**one.spec["metadata"], **tags},
        integrations=None,
        status="succeeded",
        due_at=None,
        total_steps=36,
        steps_per_epoch=12,
        step=36,
        finished_at=at + 600,
        fine_tuned_model=result,
    )
    insert_job(account, job)
    record(account, job, [Result(at, result, None, None)] if model else [])


def write_terraform(root: Path, size: Size, epochs: int = 3) -> None:
    """As many `terraform_data`, a hundred to a file; the first one's epochs can be changed."""
    for start in range(0, size.finetunes, 100):
        numbers = range(start, min(start + 100, size.finetunes))
        text = "".join(_resource(number, size, 3 if number else epochs) for number in numbers)
        (root / f"f{start:05}.tf").write_text(text, "utf-8")


def write_terraform_state(root: Path, size: Size) -> None:
    """What `terraform apply` leaves, which takes it many minutes for ten thousand of them."""
    resources = []
    for number in range(size.finetunes):
        value = _input(number, size, 3)
        kinds = {key: "number" if isinstance(of, int | float) else "string"
                 for key, of in value.items()}  # fmt: skip
        dynamic = {"value": value, "type": ["object", kinds]}
        attributes = {"id": f"{number:032x}", "input": dynamic, "output": dynamic}
        resources.append(
            {
                "mode": "managed",
                "type": "terraform_data",
                "name": f"model-{number:05}",
                "provider": 'provider["terraform.io/builtin/terraform"]',
                "instances": [
                    {"schema_version": 0, "attributes": {**attributes, "triggers_replace": None}}
                ],
            }
        )
    state = {"version": 4, "serial": 1, "lineage": "scale", "outputs": {}, "resources": resources}
    (root / "terraform.tfstate").write_text(json.dumps(state, indent=2), "utf-8")


def _resource(number: int, size: Size, epochs: int) -> str:
    fields = "".join(
        f"    {key:<25} = {json.dumps(value)}\n"
        for key, value in _input(number, size, epochs).items()
    )
    head = f'resource "terraform_data" "model-{number:05}" {{'
    return f"{head}\n  input = {{\n{fields}  }}\n}}\n"


def _input(number: int, size: Size, epochs: int) -> dict[str, str | float]:
    return {
        "base_model": BASE,
        "training": f"data-{number % size.datasets:04}",
        "method": "supervised",
        "n_epochs": epochs,
        "batch_size": "auto",
        "learning_rate_multiplier": 1.8,
        "seed": number,
        "suffix": f"model-{number:05}",
        "team": f"team-{number % 7}",
        "purpose": "measure how plan grows",
    }
