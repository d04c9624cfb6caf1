"""Plans on the disk: what `plan --out` writes and `apply FILE` reads, and those made lately."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftctl.domain.observed import Observed
from ftctl.domain.plan import Plan
from ftctl.domain.plan_document import Approval, plan_digest, plan_json, read_approval
from ftctl.domain.snapshot import read_observed
from ftctl.errors import FtctlError
from ftctl.files import file_fault, write_atomically
from ftctl.text.bounded_json import NotBounded, read_bounded
from ftctl.user_folders import NoPlace, cache_folder, make_private, open_cache

_FOLDER = "plans"
_KEPT = 20  # plans
_MOST_BYTES = 128 * 1024 * 1024  # a plan of 20,000 changes has 60 million
_DIGEST = re.compile("(?:sha256:)?([0-9a-f]{64})")


def write_file(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a whole file or nothing; FtctlError where it cannot be written."""
    if not path.name:
        raise FtctlError("no file is named", "write the name of a file after the option")
    try:
        write_atomically(path, text, durable=durable)
    except OSError as fault:
        raise file_fault(path, fault) from None


def read_plan(path: Path) -> Approval:
    """The approval that a plan's file stands for."""
    try:
        document = _document(path)
    except OSError as fault:
        hint = "make it with 'ftctl plan --out FILE'"
        raise FtctlError(f"{path} cannot be read: {fault.strerror}", hint) from None
    except ValueError as fault:
        why = fault if isinstance(fault, NotBounded) else "it is not JSON"
        raise FtctlError(
            f"{path} is not a plan of ftctl: {why}", "make it with 'ftctl plan --out FILE'"
        ) from None
    return read_approval(document, str(path))


def read_snapshot(path: Path) -> Observed:
    """What was observed at a service, from a file of `ftctl plan --record`."""
    make = "make it with 'ftctl plan --record FILE'"
    try:
        return read_observed(_document(path))
    except OSError as fault:
        raise FtctlError(f"{path} cannot be read: {fault.strerror}", make) from None
    except NotBounded as fault:
        raise FtctlError(f"{path} is no snapshot of ftctl: {fault}", make) from None
    except (AttributeError, OverflowError, TypeError, ValueError):
        raise FtctlError(f"{path} is no snapshot of ftctl", make) from None


def _document(path: Path) -> Any:
    """A file's JSON, as far as one of ours goes. `ValueError` for what is none."""
    if not path.is_file() and path.exists():
        raise NotBounded("it is not a regular file")  # a pipe would be waited for
    with path.open("rb") as stream:
        return read_bounded(stream.read(_MOST_BYTES + 1), _MOST_BYTES)


def keep_plan(root: Path, document: Mapping[str, Any]) -> str | None:
    """Remember a plan by its digest, so that approving the digest again finds what it stood for.

    A convenience: nothing fails for want of it. Returns why it cannot be kept, if it cannot.
    """
    try:
        _keep_plan(open_cache(root) / _FOLDER, document)
    except NoPlace as fault:
        why: object = fault
    except (OSError, FtctlError) as fault:
        why = fault.message if isinstance(fault, FtctlError) else fault.strerror
    else:
        return None
    return f"the plan is not kept, and --approve may need it after a failure: {why}"


def _keep_plan(folder: Path, document: Mapping[str, Any]) -> None:
    make_private(folder)
    path = _place(folder, document["digest"])
    write_atomically(path, plan_json(document), durable=False, private=True)
    ours = (path for path in folder.glob("*.json") if _DIGEST.fullmatch(path.stem))
    known = sorted(ours, key=lambda path: path.stat().st_mtime_ns)
    for path in known[:-_KEPT]:
        path.unlink(missing_ok=True)


def find_plan(root: Path, digest: str) -> Approval | None:
    """The plan of that digest, if it was made here lately."""
    known = _DIGEST.fullmatch(digest.strip())
    if known is None:
        return None
    folder = cache_folder(root)
    if folder is None:
        return None
    try:
        approved = read_plan(_place(folder / _FOLDER, known[1]))
    except FtctlError:
        return None
    return approved if approved.digest == f"sha256:{known[1]}" else None


def is_digest(text: str, plan: Plan) -> bool:
    """Whether somebody who approved this text approved exactly the plan."""
    digest = plan_digest(plan)
    return text.strip() in (digest, digest.removeprefix("sha256:"))


def _place(folder: Path, digest: str) -> Path:
    return folder / f"{digest.removeprefix('sha256:')}.json"
