"""The ftctl beside this script and the locks beside it, in; a folder with a program bin/ftctl, out.

What is checked out decides nothing here: Python runs isolated, pip is told of nothing but where its
mirror is, every package must have a hash that a lock names, and packages that somebody kept (a
cache) are taken only where their hash is one of these. Where the image that all of this runs in has
this very ftctl already, nothing is installed.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import itertools
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import tomllib
import venv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

SOURCE = Path(__file__).resolve().parent.parent

# Where pip's packages come from is for whoever runs the machine to say. Nothing else of pip's
# settings counts: some add packages, some put them elsewhere, some run programs.
MIRROR = frozenset(
    {
        "cert", "client-cert", "default-timeout", "extra-index-url", "find-links", "index-url",
        "no-index", "proxy", "retries", "timeout", "trusted-host",
    }
)  # fmt: skip
_PROXIES = ("all_proxy", "ftp_proxy", "http_proxy", "https_proxy", "no_proxy")
KEPT_VARIABLES = frozenset(
    {
        *(f"PIP_{name.upper().replace('-', '_')}" for name in MIRROR),
        *_PROXIES, *(name.upper() for name in _PROXIES),
        "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "SYSTEMDRIVE", "SYSTEMROOT", "WINDIR",
    }
)  # fmt: skip
# These lead to files whose content counts, so they may not lead into the checkout.
KEPT_PATHS = frozenset(
    {
        "APPDATA", "CURL_CA_BUNDLE", "HOME", "LOCALAPPDATA", "NETRC", "PATH", "PIP_CONFIG_FILE",
        "PROGRAMDATA", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE", "TEMP", "TMP",
        "TMPDIR", "USERPROFILE", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME",
    }
)  # fmt: skip

RECORD = "installed.json"  # what an image has installed, beside it
OWNER = 0  # who alone may have written that
# What an ftctl is made of: an image has the same one if all of this is the same.
_MADE_OF = ("LICENSE", "README.md", "ci", "ftctl", "pyproject.toml", "schemas")

MAKERS = frozenset({"dev", "test"})  # extras for those who work on ftctl
MAX_WHEEL_BYTES = 512 * 1024 * 1024

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_WHEEL = re.compile(r"([A-Za-z0-9_.]+)-([A-Za-z0-9_.!+]+)(?:-[A-Za-z0-9_.]+){3,4}\.whl")


def main() -> None:
    """Install into a folder; say what came from where."""
    started = time.monotonic()
    options = _options()
    into, kept = options.into.resolve(), options.kept
    into.mkdir(parents=True, exist_ok=True)
    for name in ("bin", "build", "dist", "venv", "wheels"):
        shutil.rmtree(into / name, ignore_errors=True)
    extras = sorted(set(re.split(r"[\s,]+", options.extras.strip()))) if options.extras else []
    runtime, build = locks(SOURCE, extras)
    if not options.record and is_ready(options.image, SOURCE, runtime):
        python = options.image / "venv" / "bin" / "python"
        environ = clean_environment(os.environ, options.checkout.resolve(), into)
        version = _launch(python, into, environ)
        seconds = time.monotonic() - started
        print(f"{version} of the image, in {seconds:.1f} s")  # noqa: T201 # its one output
        return
    pins = pinned((*runtime, build))
    wheels = into / "wheels"
    wheels.mkdir()
    (into / "dist").mkdir()
    fetched = list(take_kept(kept, wheels, pins)) if kept else []

    environ = clean_environment(os.environ, options.checkout.resolve(), into)
    environ = {**environ, **mirror(environ, into)}
    builder = _install(into, "build", [build], environ, known=bool(fetched))
    wheel = _build(builder, into, environ)
    own = into / "dist" / "ftctl.txt"
    words = f"[{','.join(extras)}]" if extras else ""
    own.write_text(f"ftctl{words} @ {wheel.as_uri()} --hash=sha256:{_sha256(wheel)}\n", "utf-8")
    python = _install(into, "venv", runtime, environ, own, known=bool(fetched))
    version = _launch(python, into, environ)
    if options.record:
        record = {"locks": [path.name for path in runtime], "source": sum_of(SOURCE)}
        (into / RECORD).write_text(json.dumps(record), "utf-8")
    if kept:
        keep(kept, wheels)
    print(  # noqa: T201 # its one output
        f"{version} and {len(list(wheels.iterdir()))} packages, {len(fetched)} of them kept from"
        f" before, in {time.monotonic() - started:.1f} s"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, required=True, help="the folder to install into")
    parser.add_argument("--checkout", type=Path, required=True, help="what is not to be trusted")
    parser.add_argument("--extras", default="", help="extras of ftctl, such as 's3,xlsx'")
    parser.add_argument("--kept", type=Path, help="a folder in which packages are kept")
    parser.add_argument("--record", action="store_true", help=f"say in {RECORD} what it is")
    parser.add_argument("--image", type=Path, default=Path("/opt/ftctl"), help=argparse.SUPPRESS)
    return parser.parse_args()


def die(text: str) -> NoReturn:
    """End with what is wrong, as an error of the run where the runner is GitHub's."""
    if "GITHUB_ACTIONS" in os.environ:
        print(f"::error title=ftctl::{text.replace('%', '%25')}")  # noqa: T201
    else:
        print(f"ftctl: {text}", file=sys.stderr)  # noqa: T201
    sys.exit(1)


def locks(source: Path, extras: Iterable[str]) -> tuple[list[Path], Path]:
    """What ftctl with these extras runs on, and what builds it."""
    pyproject = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))
    optional: dict[str, list[str]] = pyproject["project"]["optional-dependencies"]
    known = [name for name in sorted(optional) if name not in MAKERS]
    files = [source / "ci" / "requirements.txt"]
    for extra in extras:
        if extra not in known:
            die(f"'{extra}' is no extra of ftctl: there are {', '.join(known)}")
        # An extra may be made of others: remote = ["ftctl[https,s3]"].
        others = [re.findall(r"[\w-]+", line)[1:] for line in optional[extra] if "[" in line]
        names = itertools.chain(*others) if others else (extra,)
        files += [source / "ci" / f"requirements-{name}.txt" for name in names]
    return files, source / "ci" / "requirements-build.txt"


def pinned(files: Iterable[Path]) -> dict[str, tuple[str, str]]:
    """The hash of each package that may be installed → its name and version."""
    pins: dict[str, tuple[str, str]] = {}
    for path in files:
        text = path.read_text("utf-8")
        starts = [*_PIN.finditer(text)]
        ends = [*(match.start() for match in starts[1:]), len(text)]
        for match, end in zip(starts, ends, strict=True):
            for digest in _HASH.findall(text, match.end(), end):
                pins[digest] = (_normal(match[1]), match[2])
    return pins


def clean_environment(environ: Mapping[str, str], checkout: Path, into: Path) -> dict[str, str]:
    """What pip may know of the environment: nothing that adds packages, nothing of a checkout."""
    clean = {name: value for name, value in environ.items() if name in KEPT_VARIABLES}
    for name in KEPT_PATHS & environ.keys():
        parts = [
            part
            for part in environ[name].split(os.pathsep)
            if Path(part).is_absolute() and not Path(part).resolve().is_relative_to(checkout)
        ]
        if parts:
            clean[name] = os.pathsep.join(parts)
    return {"HOME": str(into), **clean}


def mirror(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What the machine's own files say of where packages come from; no file counts after that."""
    done = subprocess.run(
        [sys.executable, "-I", "-m", "pip", "config", "list"],
        cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        die(f"pip is not there, or cannot read its settings: {done.stderr.strip()[-300:]}")
    found: dict[str, str] = {}
    # What is said for a command alone counts before what is said for all of them.
    for section in ("global", "download", "install"):
        for name, value in re.findall(rf"(?m)^{section}\.([a-z-]+)=(.+)$", done.stdout):
            if name in MIRROR:
                words = " ".join(str(ast.literal_eval(value)).split())
                found[f"PIP_{name.upper().replace('-', '_')}"] = words
    own = {name: environ[name] for name in found.keys() & environ.keys()}
    return {**found, **own, "PIP_CONFIG_FILE": os.devnull}


def is_ready(image: Path, source: Path, runtime: Iterable[Path]) -> bool:
    """Whether the image that we run in has the ftctl of this source, and all that these locks name.

    Who made the image made the Python that runs this. So the record is believed as that is: if its
    owner alone can have written it, and it is no link.
    """
    if os.name == "nt":
        return False
    try:
        for path in (image.parent, image, image / RECORD, image / "venv", image / "venv" / "bin"):
            seen = path.lstat()
            if stat.S_ISLNK(seen.st_mode) or seen.st_uid != OWNER or seen.st_mode & 0o022:
                return False
        known = json.loads((image / RECORD).read_text("utf-8"))
        has_all = {path.name for path in runtime} <= {*known["locks"]}
        return has_all and known["source"] == sum_of(source)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def sum_of(source: Path) -> str:
    """One hash of what an ftctl is made of: names and contents, and no more."""
    total = hashlib.sha256()
    for top in _MADE_OF:
        place = source / top
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.relative_to(source).as_posix()
                total.update(f"{_sha256(path)} {name}\n".encode())
    return total.hexdigest()


def take_kept(kept: Path, wheels: Path, pins: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Copy those packages that a lock names; others may have written the folder."""
    if kept.is_symlink() or not kept.is_dir():
        return
    for entry in sorted(os.scandir(kept), key=lambda entry: entry.name)[:1000]:
        name = _WHEEL.fullmatch(entry.name)
        if name is None or not entry.is_file(follow_symlinks=False):
            continue
        if entry.stat(follow_symlinks=False).st_size > MAX_WHEEL_BYTES:
            continue
        copy = wheels / entry.name
        shutil.copyfile(entry.path, copy, follow_symlinks=False)
        if pins.get(_sha256(copy)) == (_normal(name[1]), name[2]):
            yield entry.name
        else:
            copy.unlink()


def keep(kept: Path, wheels: Path) -> None:
    """Leave in the folder what was installed, and nothing else."""
    try:
        if kept.is_symlink() or (kept.exists() and not kept.is_dir()):
            kept.unlink()
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(wheels, kept)
    except OSError as error:
        text = f"the packages could not be kept for the next run: {error}"
        print(text, file=sys.stderr)  # noqa: T201 # its log


def _install(
    into: Path,
    name: str,
    locks: Iterable[Path],
    environ: Mapping[str, str],
    own: Path | None = None,
    *,
    known: bool,
) -> Path:
    """A new environment with what these locks name and our own wheel; its Python.

    `known`: packages were kept from before, so that it may go without asking an index.
    """
    venv.create(into / name, with_pip=False, symlinks=os.name != "nt")
    python = into / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = ["--require-hashes", "--only-binary", ":all:"]
    for path in locks:
        wanted += ["--requirement", str(path)]
    wheels = str(into / "wheels")
    install = ["install", "--no-compile", "--no-index", "--find-links", wheels, *wanted]
    if own is not None:
        install += ["--requirement", str(own)]
    offline = {**environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels, "PIP_EXTRA_INDEX_URL": ""}
    if not known or _pip(python, install, offline, into, quiet=True) != 0:
        download = ["download", "--find-links", wheels, "--dest", wheels, *wanted]
        status = _pip(python, download, environ, into) or _pip(python, install, offline, into)
        if status != 0:
            die("what ftctl needs could not be installed: pip says above why")
    return python


def _pip(
    python: Path, arguments: Iterable[str], environ: Mapping[str, str], folder: Path, *,
    quiet: bool = False,
) -> int:  # fmt: skip
    command = [sys.executable, "-I", "-m", "pip", "--python", str(python), "--quiet"]
    done = subprocess.run(  # noqa: S603 # no word is the checkout's
        [*command, "--disable-pip-version-check", "--no-input", "--no-cache-dir", *arguments],
        cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if quiet else None, stderr=subprocess.DEVNULL if quiet else None,
        check=False,
    )  # fmt: skip
    return done.returncode


def _build(python: Path, into: Path, environ: Mapping[str, str]) -> Path:
    """The wheel of what stands beside this script."""
    command = [str(python), "-I", "-m", "hatchling", "build", "--target", "wheel"]
    done = subprocess.run(  # noqa: S603 # no word is the checkout's
        [*command, "--directory", str(into / "dist")],
        cwd=SOURCE, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        die(f"ftctl could not be built: {done.stderr.strip()[-1000:]}")
    (wheel,) = (into / "dist").glob("*.whl")
    return wheel


def _launch(python: Path, into: Path, environ: Mapping[str, str]) -> str:
    """Write the program that starts ftctl isolated; what it says of its version."""
    program = into / "bin" / "ftctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{python.as_posix()}" -I -m ftctl "$@"\n', "utf-8")
    program.chmod(0o755)
    done = subprocess.run(  # noqa: S603 # no word is the checkout's
        [str(python), "-I", "-m", "ftctl", "--version"],
        cwd=into, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        die(f"ftctl was installed and does not start: {done.stderr.strip()[-1000:]}")
    return done.stdout.strip()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    main()
