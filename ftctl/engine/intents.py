"""What this checkout is about to buy, written down before it is; and read by the run after it.

A run that was killed between a paid request and its answer leaves an open intent: the next one
looks longer before it buys. One that is closed names its job, which lists may not show yet. They
lie below `.ftctl`, are witnesses one way only, and can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftctl.clock import Clock
from ftctl.domain.desired import ServiceInfo, plain_address
from ftctl.domain.digest import canonical_json
from ftctl.domain.observed import AccountId, Job
from ftctl.domain.plan import StartJob
from ftctl.domain.witness import Witness
from ftctl.engine.session import state_folder
from ftctl.errors import FtctlError
from ftctl.files import file_fault, read_regular, write_atomically
from ftctl.project.tracked_state import STATE_FOLDER

_FOLDER = "intents"
INTENTS_FOLDER = f"{STATE_FOLDER}/{_FOLDER}"
_MOST_BYTES = 16 * 1024
_MOST = 500  # that are kept


@dataclass(frozen=True, slots=True)
class Intents:
    """The intents of one project at one service."""

    root: Path
    project: str
    service: ServiceInfo
    account: AccountId
    environment: str | None
    clock: Clock
    # What this run has asked for (fine-tune → its job; None: no answer is known), for its result.
    bought: MutableMapping[str, str | None] = field(default_factory=dict)

    def asked(self, step: StartJob) -> None:
        """Write down, to the disk, that a job is about to be bought.

        Raises FtctlError where that cannot be written: then nothing may be bought.
        """
        try:
            folder = state_folder(self.root) / _FOLDER
            folder.mkdir(exist_ok=True)
            write_atomically(self._path(step), self._text(step, None))
        except OSError as fault:
            raise file_fault(self.root / INTENTS_FOLDER, fault) from None
        self.bought[step.finetune] = None

    def answered(self, step: StartJob, job: str | None) -> None:
        """Close an intent: with the job that was made, or None where none was for sure.

        A fault is passed over: an intent that stays open makes the next run look longer.
        """
        if job is None:
            self.bought.pop(step.finetune, None)
        else:
            self.bought[step.finetune] = job
        with suppress(OSError, FtctlError):
            if job is None:
                self._path(step).unlink(missing_ok=True)
            else:
                write_atomically(self._path(step), self._text(step, job))

    def _path(self, step: StartJob) -> Path:
        about = [
            self.project, self.service.type, plain_address(self.service.base_url), step.digest,
            step.follows,
        ]  # fmt: skip
        name = hashlib.sha256(canonical_json(about).encode()).hexdigest()[:32]
        return self.root / STATE_FOLDER / _FOLDER / f"{name}.json"

    def _text(self, step: StartJob, job: str | None) -> str:
        document = {
            "finetune": step.finetune,
            "digest": step.digest,
            "follows": step.follows,
            "job": job,
            "at": int(self.clock.now()),
            "project": self.project,
            "service_type": self.service.type,
            "base_url": self.service.base_url,
            "account_organization": self.account.organization,
            "account_project": self.account.project,
            "environment": self.environment,
        }
        return canonical_json({key: value for key, value in document.items() if value is not None})


def read_intents(root: Path, project: str, service: ServiceInfo) -> tuple[Witness, ...]:
    """What this checkout has asked this service for; the newest last. A damaged file is none."""
    folder = root / STATE_FOLDER / _FOLDER
    witnesses = []
    with suppress(OSError):
        paths = [] if folder.is_symlink() else sorted(folder.glob("*.json"))
        for path in paths:
            document = _read(path)
            if document is None or document.get("project") != project:
                continue
            if service.is_at(document["base_url"]):
                witnesses.append(_witness(document))
    return tuple(sorted(witnesses, key=lambda witness: witness.at))


def forget_intents(
    root: Path,
    listed: frozenset[str],
    *,
    jobs: Collection[Job] = (),
    answered_none: frozenset[str] = frozenset(),
) -> None:
    """Delete intents that have nothing more to say.

    `listed` are jobs that the service's lists show by themselves, `jobs` all that are known;
    `answered_none` digests that were looked for long enough and are not there.
    """
    folder = root / STATE_FOLDER / _FOLDER
    with suppress(OSError):
        if folder.is_symlink():
            return
        paths = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for number, path in enumerate(reversed(paths)):
            document = _read(path)
            if document is None:
                over = True
            elif document.get("job") is not None:
                over = document["job"] in listed
            else:
                witness = _witness(document)
                over = witness.digest in answered_none or witness.is_answered_by(jobs)
            if over or number >= _MOST:
                path.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any] | None:
    content = read_regular(path, _MOST_BYTES)
    try:
        document = json.loads(content or b"")
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and _is_whole(document) else None


def _is_whole(document: dict[str, Any]) -> bool:
    texts = ("finetune", "digest", "project", "service_type", "base_url")
    maybe = ("follows", "job", "account_organization", "account_project", "environment")
    return (
        all(isinstance(document.get(key), str) for key in texts)
        and all(isinstance(document.get(key), str | None) for key in maybe)
        and isinstance(document.get("at"), int)
    )


def _witness(document: dict[str, Any]) -> Witness:
    return Witness(
        "intent",
        document["finetune"],
        document["digest"],
        document.get("job"),
        None,
        document["at"],
        document["service_type"],
        document["base_url"],
        AccountId(document.get("account_organization"), document.get("account_project")),
        document.get("environment"),
        document.get("follows"),
    )
