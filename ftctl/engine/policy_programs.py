"""The programs of `policy.commands` and a plan in; their violations out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from ftctl.domain.plan_document import plan_json
from ftctl.domain.review import Violation
from ftctl.engine.base_files import project_files
from ftctl.engine.session import Session
from ftctl.policy import command_violation

_TIMEOUT_SECONDS = 60
_MOST_READ = 64 * 1024  # bytes of what a program says

# What a program needs to start; keys and a pipeline's tokens are none of it.
_GIVEN = frozenset({
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TEMP", "TMP", "TZ", "USER", "SHELL",
    "SYSTEMROOT", "PATHEXT", "COMSPEC", "VIRTUAL_ENV",
})  # fmt: skip


def run_commands(
    session: Session, commands: Sequence[Sequence[str]], document: Mapping[str, Any]
) -> tuple[Violation, ...]:
    """What each program says of the plan, which it reads on standard input.

    They run in the project's folder; with --base in that of the base. They get no key: a policy
    needs none.
    """
    given = plan_json(document).encode()
    environ = {name: text for name, text in session.context.environ.items() if name in _GIVEN}
    with project_files(session.root, session.context.base_revision) as folder:
        return tuple(_verdicts(commands, given, folder, environ))


def _verdicts(
    commands: Sequence[Sequence[str]], given: bytes, folder: Path, environ: Mapping[str, str]
) -> Iterator[Violation]:
    for command in commands:
        with TemporaryFile() as said:
            status = _run(command, given, folder, environ, said)
            size = said.tell()
            said.seek(0)
            text = said.read(_MOST_READ).decode("utf-8", "replace")
        if size > _MOST_READ:
            text += " …"
        if (violation := command_violation(command, status, text)) is not None:
            yield violation


def _run(
    command: Sequence[str], given: bytes, folder: Path, environ: Mapping[str, str], said: IO[bytes]
) -> int | None:
    """The program's exit status; None if it could not be run or took too long."""
    try:
        done = subprocess.run(  # noqa: S603 - the project's own policy names it, no shell is between
            list(command),
            input=given,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environ),
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        said.write(f"\nit took longer than {_TIMEOUT_SECONDS} s".encode())
        return None
    except OSError as fault:
        said.write(f"it cannot be run: {os.strerror(fault.errno or 0)}".encode())
        return None
    return done.returncode
