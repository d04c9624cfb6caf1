"""What the tests run with: pinned for every Python and system, within pyproject.toml's ranges."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from conftest import ROOT
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

LOCK = (ROOT / "requirements-dev.txt").read_text("utf-8")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

PYTHONS = [
    line.removeprefix("Programming Language :: Python :: ")
    for line in PYPROJECT["project"]["classifiers"]
    if re.search(r"Python :: 3\.\d+$", line)
]
SYSTEMS = (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("darwin", "x86_64"))
PLACES = [
    pytest.param(
        {"python_version": python, "python_full_version": f"{python}.0", "extra": "",
         "sys_platform": system, "platform_machine": machine, "implementation_name": "cpython",
         "platform_python_implementation": "CPython", "os_name": "posix"},
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


def _pins() -> Iterator[Pin]:
    entries = re.split(r"(?m)^(?=[^\s#])", re.sub(r"(?m)^ *#.*\n", "", LOCK))
    for entry in filter(None, entries):
        requirement = Requirement(entry.partition("\\")[0])
        (exactly,) = requirement.specifier
        assert exactly.operator == "==", entry
        hashes = len(re.findall(r"--hash=sha256:[0-9a-f]{64}(?= \\\n|\n)", entry))
        assert hashes == entry.count("\\"), entry
        name = canonicalize_name(requirement.name)
        yield Pin(name, Version(exactly.version), requirement.marker, hashes)


PINS = tuple(_pins())


def _wanted(*extras: str) -> Iterator[Requirement]:
    """What the package, these extras of it and its build ask for."""
    project = PYPROJECT["project"]
    lines = [*project["dependencies"], *PYPROJECT["build-system"]["requires"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    for requirement in map(Requirement, lines):
        if requirement.name == project["name"]:
            yield from _wanted(*requirement.extras)
        else:
            yield requirement


@pytest.mark.parametrize("place", PLACES)
def test_one_release_of_all_that_is_asked_for_is_pinned_and_within_its_range(
    place: Mapping[str, str],
) -> None:
    pinned: dict[str, list[Version]] = {}
    for pin in PINS:
        if pin.meant_for(place):
            pinned.setdefault(pin.name, []).append(pin.version)

    wanted = [one for one in _wanted("dev") if one.marker is None or one.marker.evaluate(place)]
    found = {one: pinned.get(canonicalize_name(one.name), []) for one in wanted}
    unfit = {
        str(one): versions
        for one, versions in found.items()
        if len(versions) != 1 or not one.specifier.contains(versions[0])
    }

    assert len(found) > 20
    assert unfit == {}, "run `make lock`"


def test_every_pin_has_hashes_and_nothing_but_pins_is_in_the_file() -> None:
    rest = re.sub(
        r"(?m)^ *#.*\n|^\S+==\S+( ; [^\\]+)? \\\n|^ +--hash=sha256:\w{64}( \\)?\n", "", LOCK
    )

    assert rest == ""
    assert [pin.name for pin in PINS if pin.hashes == 0] == []


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
