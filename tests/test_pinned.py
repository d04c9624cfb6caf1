"""What tests run with and CI installs: pinned for every Python and system, within the ranges."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ftctl.extras import PACKAGES, install_command

LOCK = ROOT / "requirements-dev.txt"
CI = ROOT / "ci"
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

PYTHONS = [
    line.removeprefix("Programming Language :: Python :: ")
    for line in PYPROJECT["project"]["classifiers"]
    if re.search(r"Python :: 3\.\d+$", line)
]
SYSTEMS = (
    ("win32", "AMD64"),
    ("linux", "x86_64"),
    ("linux", "aarch64"),
    ("darwin", "arm64"),
    ("darwin", "x86_64"),
)
PLACES = [
    pytest.param(
        {"python_version": python, "python_full_version": f"{python}.0", "extra": "",
         "sys_platform": system, "platform_machine": machine, "implementation_name": "cpython",
         "platform_python_implementation": "CPython",
         "os_name": "nt" if system == "win32" else "posix"},
        id=f"{python}-{system}-{machine}",
    )
    for python, (system, machine) in product(PYTHONS, SYSTEMS)
]  # fmt: skip


@dataclass(frozen=True)
class Pin:
    """One release, by name, and where it is meant for."""

    name: str
    version: Version
    marker: Marker | None
    hashes: int

    def meant_for(self, place: Mapping[str, str]) -> bool:
        return self.marker is None or self.marker.evaluate(dict(place))


def _pins(lock: Path) -> Iterator[Pin]:
    text = re.sub(r"(?m)^ *#.*\n", "", lock.read_text("utf-8"))
    entries = re.split(r"(?m)^(?=[^\s#])", text)
    for entry in filter(None, entries):
        requirement = Requirement(entry.partition("\\")[0])
        (exactly,) = requirement.specifier
        assert exactly.operator == "==", entry
        hashes = len(re.findall(r"--hash=sha256:[0-9a-f]{64}(?= \\\n|\n)", entry))
        assert hashes == entry.count("\\"), entry
        name = canonicalize_name(requirement.name)
        yield Pin(name, Version(exactly.version), requirement.marker, hashes)


PINS = tuple(_pins(LOCK))


BUILD = tuple(map(Requirement, PYPROJECT["build-system"]["requires"]))


def _wanted(*extras: str) -> Iterator[Requirement]:
    """What the package and these extras of it ask for."""
    project = PYPROJECT["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    for requirement in map(Requirement, lines):
        if requirement.name == project["name"]:
            yield from _wanted(*requirement.extras)
        else:
            yield requirement


def _unfit(
    pins: Iterable[Pin], wanted: Iterable[Requirement], place: Mapping[str, str]
) -> dict[str, list[Version]]:
    """What is asked for there, and is not pinned once and within its range."""
    pinned: dict[str, list[Version]] = {}
    for pin in pins:
        if pin.meant_for(place):
            pinned.setdefault(pin.name, []).append(pin.version)
    meant = [one for one in wanted if one.marker is None or one.marker.evaluate(dict(place))]
    assert meant
    found = {one: pinned.get(canonicalize_name(one.name), []) for one in meant}
    return {
        str(one): versions
        for one, versions in found.items()
        if len(versions) != 1 or not one.specifier.contains(versions[0])
    }


@pytest.mark.parametrize("place", PLACES)
def test_one_release_of_all_that_is_asked_for_is_pinned_and_within_its_range(
    place: Mapping[str, str],
) -> None:
    wanted = [*_wanted("dev"), *BUILD]

    assert len(wanted) > 20
    assert _unfit(PINS, wanted, place) == {}, "run `make lock`"


# What an extra is made of: one lock each, but for those that are made of others.
EXTRAS = [
    extra
    for extra, lines in PYPROJECT["project"]["optional-dependencies"].items()
    if not any(line.startswith("ftctl[") for line in lines) and extra != "tools"
]


def test_what_is_typed_for_a_missing_extra_brings_what_the_extra_is() -> None:
    declared = {
        extra: {
            Requirement(line).name for line in PYPROJECT["project"]["optional-dependencies"][extra]
        }
        for extra in EXTRAS
    }

    assert declared == {
        extra: {Requirement(package).name for package in packages}
        for extra, packages in PACKAGES.items()
    }
    assert install_command("fast") == "pip install 'gigatoken>=0.10,<0.11'"


def _ci_lock(extra: str) -> Path:
    return CI / f"requirements-{extra}.txt"


def test_there_is_a_lock_for_ftctl_each_extra_and_the_build() -> None:
    expected = {CI / "requirements.txt", *map(_ci_lock, (*EXTRAS, "build"))}

    assert set(CI.glob("requirements*.txt")) == expected, "run `make lock`"


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_what_ci_installs_is_pinned_and_within_its_range(extra: str) -> None:
    locks = [CI / "requirements.txt", *([_ci_lock(extra)] if extra else [])]
    pins = [pin for lock in locks for pin in _pins(lock)]
    wanted = list(_wanted(*filter(None, [extra])))

    unfit = [_unfit(pins, wanted, place.values[0]) for place in PLACES]

    assert unfit == [{}] * len(PLACES), "run `make lock`"


def test_what_builds_ftctl_is_pinned_and_within_its_range() -> None:
    pins = list(_pins(_ci_lock("build")))

    assert [_unfit(pins, BUILD, place.values[0]) for place in PLACES] == [{}] * len(PLACES)


def test_what_is_installed_together_has_one_version_and_the_same_hashes() -> None:
    seen: dict[str, set[str]] = {}
    for lock in (CI / "requirements.txt", *map(_ci_lock, EXTRAS)):
        for entry in re.findall(r"(?m)^[^#\s].*\n(?: +--hash.*\n)+", lock.read_text("utf-8")):
            pin, _, hashes = entry.partition("\n")
            seen.setdefault(pin.split(" ")[0].split("==")[0], set()).add(hashes)

    assert len(seen) > 80
    twice = {name for name, hashes in seen.items() if len(hashes) != 1}
    assert twice == {"numpy"}  # one for old Pythons, in one lock


def test_the_tests_run_with_what_ci_installs() -> None:
    tested = {(pin.name, pin.version) for pin in PINS}

    assert {(pin.name, pin.version) for pin in _pins(CI / "requirements.txt")} <= tested


@pytest.mark.parametrize(
    "lock", [LOCK, *sorted(CI.glob("requirements*.txt"))], ids=lambda p: p.stem
)
def test_every_pin_has_hashes_and_nothing_but_pins_is_in_the_file(lock: Path) -> None:
    rest = re.sub(
        r"(?m)^ *#.*\n|^\S+==\S+( ; [^\\]+)? \\\n|^ +--hash=sha256:\w{64}( \\)?\n",
        "",
        lock.read_text("utf-8"),
    )

    assert rest == ""
    assert [pin.name for pin in _pins(lock) if pin.hashes == 0] == []


def test_the_actions_cache_is_another_one_for_other_locks() -> None:
    text = b"".join(path.read_bytes() for path in sorted(CI.glob("requirements*.txt")))
    name = hashlib.sha1(b"blob %d\0%b" % (len(text), text)).hexdigest()[:12]

    action = (ROOT / "action.yml").read_text("utf-8")

    assert re.findall(r"-locks-(\w+)", action) == [name], "run `make lock`"


def test_newcomers_makers_and_ci_install_the_same() -> None:
    both = (
        "pip install --quiet --requirement requirements-dev.txt",
        "pip install --quiet --no-deps --no-build-isolation --editable .",
    )
    readme = (ROOT / "README.md").read_text("utf-8").partition("## Test it\n")[2]
    setup = (ROOT / "Makefile").read_text("utf-8").partition("\nsetup:\n")[2].partition("\n\n")[0]

    for where in (readme.partition("\n## ")[0], setup):
        lines = re.findall(r"bin\)?/(pip install .*)", where, re.IGNORECASE)
        assert tuple(lines) == both
