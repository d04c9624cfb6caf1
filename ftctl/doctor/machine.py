"""This machine and the project's folder in; what was looked at, with its level and cure, out."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ftctl import __version__
from ftctl.catalog.services import Service
from ftctl.catalog.variables import without_identity
from ftctl.doctor.check_result import CheckResult, fail, ok, warn
from ftctl.errors import FtctlError, redact
from ftctl.extras import PACKAGES, install_command
from ftctl.lockfile import LOCK_FILE, read_lock_file
from ftctl.user_folders import CACHE_VARIABLE, NoPlace, open_cache

_OLDEST_PYTHON = (3, 11)
_PACKAGES = ("openai", "tiktoken", "orjson")
_GIT_TIMEOUT_SECONDS = 10
_ANOTHER_CACHE = f"name a folder of your own outside of the checkout: export {CACHE_VARIABLE}=…"
_SHORTEST_KEY = 16
_LARGEST_SETTINGS = 1_000_000  # bytes of a ftctl.yaml that is searched for keys


def look_at_key(service: Service, variable: str, environ: Mapping[str, str]) -> CheckResult:
    """Whether there is a key, and whether it looks like one; never what it is."""
    if service.type == "emulator":
        return ok("key", "the embedded API needs none")
    key = environ.get(variable, "")
    if not key.strip():
        cure = f"export {variable}=…, with a key for {service.type}"
        return fail("key", f"the environment variable {variable} is not set", cure)
    if not key.strip().isascii() or not key.strip().isprintable() or " " in key.strip():
        return fail("key", f"{variable} has characters that no key has", "copy it again")
    if key != key.strip():
        return warn("key", f"{variable} begins or ends with blanks", "copy it again, without them")
    if key.startswith("sk-admin-"):
        cure = "make a key of a project: an admin key may not train"
        return warn("key", f"{variable} holds an admin key", cure)
    if len(key) < _SHORTEST_KEY or (service.type == "openai" and not key.startswith("sk-")):
        cure = f"check that it is the key for {service.type}"
        return warn("key", f"{variable} does not look like a key of {service.type}", cure)
    return ok("key", f"{variable} is set")


def look_for_written_keys(root: Path, keys: Collection[str]) -> CheckResult:
    """Whether a key stands in ftctl.yaml, where git would keep it."""
    subject, path = "ftctl.yaml", root / "ftctl.yaml"
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST_SETTINGS).decode("utf-8", "replace")
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        return fail(subject, f"it cannot be read: {reason}", "check the file and its folder")
    if redact(text, keys) != text:
        cure = "take it out, make a new key, and name its variable with 'api_key_env'"
        return fail(subject, "it holds a key", cure)
    return ok(subject, "no key stands in it")


def look_at_versions() -> Iterator[CheckResult]:
    """Python, ftctl, what it needs, and the extras that are there."""
    python = platform.python_version()
    if sys.version_info[:2] < _OLDEST_PYTHON:  # a checkout may be run by any
        yield fail("python", python, "use Python 3.11 or newer")
    else:
        yield ok("python", f"{python} on {platform.system()}")
    yield ok("ftctl", __version__)
    for name in _PACKAGES:
        found = _version(name)
        if found is None:
            yield fail(name, "it is not installed", "install ftctl again")
        else:
            yield ok(name, found)
    there = [extra for extra, packages in PACKAGES.items() if all(map(_version, packages))]
    missing = [extra for extra in PACKAGES if extra not in there]
    what = f"there: {', '.join(there) or 'none'}"
    if missing:
        what += (
            f"; not there: {', '.join(missing)} ({install_command(missing[0])} adds {missing[0]})"
        )
    yield ok("extras", what)


def _version(package: str) -> str | None:
    try:
        return version(package.partition(">")[0])
    except PackageNotFoundError:
        return None


def look_at_git(root: Path, environ: Mapping[str, str]) -> CheckResult:
    """Whether git is there, and the project in a repository."""
    program = shutil.which("git", path=environ.get("PATH"))
    if program is None:
        cure = "install git: plans and the release record name the commit"
        return warn("git", "there is no git here", cure)
    said = _git(program, root, "--version")
    if said is None:
        return warn("git", f"{program} does not run", "install git again")
    if _git(program, root, "rev-parse", "--is-inside-work-tree") != "true":
        cure = "git init, so that changes can be reviewed"
        return warn("git", f"{said}; the project is in no repository", cure)
    return ok("git", f"{said}; the project is in a repository")


def _git(program: str, root: Path, *arguments: str) -> str | None:
    """What git prints; None where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - git as found on PATH, with words of ours
            [program, *arguments], cwd=root, capture_output=True, text=True, check=False,
            timeout=_GIT_TIMEOUT_SECONDS, stdin=subprocess.DEVNULL, errors="replace",
            env=without_identity(os.environ),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def look_at_state(folder: Path) -> CheckResult:
    """Whether the embedded API's state, and what is about to be bought, can be written."""
    name = folder.name
    nearest = folder if folder.exists() else folder.parent
    try:
        with tempfile.TemporaryFile(dir=nearest) as stream:
            stream.write(b"x")
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        return fail(name, f"{nearest} cannot be written: {reason}", "check its permissions")
    return ok(name, "it can be written")


def look_at_cache(root: Path) -> CheckResult:
    """Where what was found out about the project is kept, and whether it can be."""
    try:
        folder = open_cache(root)
    except NoPlace as fault:
        return warn("cache", f"nothing is kept between runs: {fault}", _ANOTHER_CACHE)
    if not os.access(folder, os.W_OK | os.X_OK):
        return warn("cache", f"{folder} cannot be written", _ANOTHER_CACHE)
    return ok("cache", f"{folder}; it may be deleted at any time")


def look_at_lock(root: Path) -> CheckResult:
    """Whether the release record can be read."""
    try:
        lock = read_lock_file(root)
    except FtctlError as fault:
        return fail(LOCK_FILE, fault.message, fault.hint or "take it back from git")
    if not (root / LOCK_FILE).exists():
        return ok(LOCK_FILE, "there is none yet; apply writes it")
    count = len(lock.environments)
    return ok(LOCK_FILE, f"it can be read; it has {count} environment{'s' * (count != 1)}")
