"""Packages of a few bytes, and an ftctl that the real installer makes of them, without network."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from forges.programs import ROOT

# A program that builds what stands in the current folder, as hatchling does.
_BUILDER = """\
import sys, zipfile
folder = sys.argv[sys.argv.index("--directory") + 1]
with zipfile.ZipFile(f"{folder}/ftctl-9.9-py3-none-any.whl", "w") as wheel:
    wheel.writestr("ftctl/__init__.py", "")
    wheel.writestr("ftctl/__main__.py", "import needed\\nprint('ftctl 9.9', needed.WORD)\\n")
    about = "ftctl-9.9.dist-info"
    head = "Metadata-Version: 2.1\\nName: ftctl\\nVersion: 9.9\\n"
    wheel.writestr(f"{about}/METADATA", head + "Requires-Dist: needed<2\\nProvides-Extra: more\\n")
    kind = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    wheel.writestr(f"{about}/WHEEL", kind)
    wheel.writestr(f"{about}/RECORD", "")
"""

_PROJECT = """\
[project.optional-dependencies]
more = ["more"]
most = ["ftctl[more]"]
test = ["ftctl[more]"]
"""


def write_wheel(folder: Path, name: str, version: str, files: Mapping[str, str]) -> Path:
    """A wheel of pure Python; the same files give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    own = {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for place, text in {**files, **own}.items():
            wheel.writestr(zipfile.ZipInfo(place), text)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass
class Machine:
    """A runner's machine: the action's folder, a mirror, a home, a checkout that is not trusted."""

    folder: Path

    @property
    def action(self) -> Path:
        return self.folder / "action"

    @property
    def mirror(self) -> Path:
        return self.folder / "mirror"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def kept(self) -> Path:
        return self.folder / "temp" / "ftctl-wheels"

    def set_up(self) -> None:
        """An action whose locks name two tiny packages, and a mirror that has them."""
        (self.action / "ci").mkdir(parents=True)
        for name in ("install.sh", "install.py", "common.sh"):
            shutil.copy(ROOT / "ci" / name, self.action / "ci")
        (self.action / "pyproject.toml").write_text(_PROJECT, "utf-8")
        needed = write_wheel(self.mirror, "needed", "1.0", {"needed.py": "WORD = 'good'\n"})
        more = write_wheel(self.mirror, "more", "3.0", {"more.py": "\n"})
        builder = write_wheel(
            self.mirror, "hatchling", "1.0",
            {"hatchling/__init__.py": "", "hatchling/__main__.py": _BUILDER},
        )  # fmt: skip
        self.lock("requirements", needed)
        self.lock("requirements-more", more)
        self.lock("requirements-build", builder)
        for folder in (self.home, self.checkout, self.folder / "temp"):
            folder.mkdir()

    def lock(self, name: str, *wheels: Path) -> None:
        """Write a lock of these packages."""
        lines = []
        for wheel in wheels:
            package, version, *_ = wheel.name.split("-")
            lines.append(f"{package}=={version} \\\n    --hash=sha256:{sha256(wheel)}\n")
        (self.action / "ci" / f"{name}.txt").write_text("".join(lines), "utf-8")

    def use_mirror(self) -> None:
        """The machine's own settings of pip name the mirror and nothing else."""
        settings = self.home / ".config" / "pip" / "pip.conf"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(f"[global]\nno-index = true\nfind-links = {self.mirror}\n", "utf-8")

    def install(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the action's step from an environment with nothing but these."""
        return subprocess.run(
            ["bash", self.action / "ci" / "install.sh"],
            cwd=self.checkout, capture_output=True, text=True, check=False,
            env={
                "PATH": f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
                "HOME": str(self.home),
                "RUNNER_TEMP": str(self.folder / "temp"),
                "GITHUB_PATH": str(self.folder / "github-path"),
                "GITHUB_WORKSPACE": str(self.checkout),
                **variables,
            },
        )  # fmt: skip

    @property
    def program(self) -> Path:
        return self.folder / "temp" / "ftctl" / "bin" / "ftctl"

    def installed(self) -> list[str]:
        """What lies in the environment of ftctl, by name."""
        (packages,) = (self.folder / "temp" / "ftctl" / "venv" / "lib").glob("*/site-packages")
        return sorted(path.name for path in packages.glob("*.dist-info"))
