"""A program that the settings name in; the key that it prints, for now, out.

`ftctl token …` is this very program, whatever PATH says. It alone is given what a forge lets a job
prove with which job it is; any other program is not.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from ftctl.catalog.variables import without_identity
from ftctl.errors import FtctlError, redact
from ftctl.identity.short_key import ShortKey, read_seconds
from ftctl.text.credentials import looks_taken_out
from ftctl.text.escape import one_line, short

_TIMEOUT_SECONDS = 60.0
_MOST_READ = 64 * 1024  # bytes of what it prints
_LONGEST_KEY = 16 * 1024  # characters
_LONGEST_TOLD = 500  # characters of what it complains of
_LONGEST_COMMAND = 200
_OURS = ("ftctl", "token")
_OWN_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from ftctl.__main__ import main;"
    " main()"
)
_FIELDS = ("access_token", "accessToken", "token")  # of OAuth, az, and others

Folder = Callable[[], AbstractContextManager[Path]]


def key_from(
    command: Sequence[str],
    environ: Mapping[str, str],
    folder: Folder,
    secrets: Sequence[str] = (),
    *,
    timeout_seconds: float = _TIMEOUT_SECONDS,
) -> ShortKey:
    """The key that a program prints: a line of text, or JSON with one of the fields above.

    It runs without a shell, with the environment, which has its login, but for the forge's word for
    this job: only `ftctl token` has that. What it prints is told nowhere; what it complains of is,
    without what looks like a key.
    """
    name = short(one_line(redact(shlex.join(command), secrets)), _LONGEST_COMMAND)
    with folder() as where, TemporaryFile() as printed, TemporaryFile() as complained:
        outputs = (printed, complained)
        status = _run(*_started(command, environ), where, outputs, timeout_seconds=timeout_seconds)
        text, complaint = _read(printed), _read(complained)
    if status != 0:
        said = _said(complaint, (*secrets, *_words(text)))
        own = is_own(command)
        raise FtctlError(
            f"'{name}', which api_key_command names, gave no key: {_ended(status, timeout_seconds)}"
            + (f": {said}" if said else ""),
            "docs/ci-keys.md says what the service must trust"
            if own
            else "run it by hand; it may want a login, such as 'az login'",
        )
    key = _key_in(text)
    if key is None:
        raise FtctlError(
            f"'{name}', which api_key_command names, printed no key",
            "it must print the key alone on one line, or JSON with the field"
            " 'access_token', 'accessToken' or 'token'",
        )
    return key


def is_own(command: Sequence[str]) -> bool:
    """Whether it is this very program that gives the key: `ftctl token …`."""
    return tuple(command[:2]) == _OURS


def _started(
    command: Sequence[str], environ: Mapping[str, str]
) -> tuple[list[str], Mapping[str, str]]:
    """What is run, and with which environment."""
    if not is_own(command):
        return list(command), without_identity(environ)
    # No PATH and no folder of a checkout says which program this is.
    places = json.dumps([place for place in sys.path if Path(place).is_absolute()])
    words = [*command[1:], "--format", "json"]
    return [sys.executable, "-I", "-c", _OWN_PROGRAM, places, *words], environ


def _run(
    command: Sequence[str],
    environ: Mapping[str, str],
    folder: Path,
    outputs: tuple[IO[bytes], IO[bytes]],
    *,
    timeout_seconds: float,
) -> int | None:
    """The program's exit status; None where it took too long."""
    printed, complained = outputs
    try:
        done = subprocess.run(  # noqa: S603 - the project's own settings name it, no shell is between
            list(command), stdin=subprocess.DEVNULL, stdout=printed, stderr=complained,
            cwd=folder, env=dict(environ), timeout=timeout_seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
    except (OSError, ValueError) as fault:
        why = os.strerror(fault.errno or 0) if isinstance(fault, OSError) else "its name is odd"
        complained.write(f"it cannot be run: {why}".encode())
        return 127
    return done.returncode


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read(_MOST_READ).decode("utf-8", "replace")


def _ended(status: int | None, timeout_seconds: float) -> str:
    if status is None:
        return f"it took longer than {timeout_seconds:g} s"
    return f"it ended with status {status}" if status > 0 else f"signal {-status} ended it"


def _said(complaint: str, secrets: Sequence[str]) -> str:
    lines = (one_line(line) for line in complaint.splitlines())
    text = "; ".join(line for line in lines if line)
    return short(looks_taken_out(redact(text, secrets)), _LONGEST_TOLD)


def _words(text: str) -> list[str]:
    """What may be a key in what a program printed before it failed."""
    return [word.strip("\"',") for word in text.split() if len(word) >= 8]


def _key_in(text: str) -> ShortKey | None:
    text, seconds = text.strip(), None
    if text.startswith("{"):
        text, seconds = _fields_of(text)
    if not 0 < len(text) <= _LONGEST_KEY or not text.isascii() or not text.isprintable():
        return None
    if " " in text:
        return None
    return ShortKey(text, seconds)


def _fields_of(text: str) -> tuple[str, float | None]:
    """The key in JSON, and for how many seconds it is good, where that stands there."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        return "", None
    found = (document.get(name) for name in _FIELDS)
    key = next((value.strip() for value in found if isinstance(value, str)), "")
    return key, read_seconds(document.get("expires_in"))
