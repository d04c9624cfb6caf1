"""The image as the other way to install: what it is made of, its steps, and when it is believed.

No image is built here: that takes a daemon and a registry. The steps of the Dockerfile are carried
out in a plain folder, with packages of a few bytes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, script_at
from forges.tiny_packages import Machine

pytestmark = pytest.mark.skipif(
    shutil.which("bash") is None or os.name == "nt", reason="bash is not here"
)

DOCKERFILE = ROOT / "release" / "Dockerfile"
BASE = f"docker.io/library/python:3.13-bookworm@sha256:{'0' * 64}"


def instructions() -> list[tuple[str, str]]:
    """The lines of the Dockerfile, continued ones as one: their first word, and the rest."""
    text = re.sub(r"(?m)^#.*\n", "", DOCKERFILE.read_text("utf-8"))
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for line in lines if line for word, _, rest in [line.partition(" ")]]


INSTALLER = script_at("ci/install.py")


# What stands in it.


def test_both_stages_stand_on_the_base_that_the_builder_names() -> None:
    lines = instructions()

    assert lines[0] == ("ARG", "BASE")  # no default: a tag moves, and what it was is not known
    assert [rest for word, rest in lines if word == "FROM"] == ["${BASE} AS made", "${BASE}"]


def test_nothing_comes_from_elsewhere_and_nothing_secret_goes_in() -> None:
    lines = instructions()

    assert {word for word, _ in lines} == {
        "ARG", "FROM", "COPY", "RUN", "LABEL", "ENV", "USER", "WORKDIR", "CMD"
    }  # fmt: skip
    (run,) = (rest for word, rest in lines if word == "RUN")
    assert not re.search(r"\b(curl|wget|apt|apt-get|pip|git|uv)\b", run)
    copies = [rest for word, rest in lines if word == "COPY"]
    assert copies == [". /source", "--from=made /opt/ftctl /opt/ftctl"]
    arguments = {rest.partition("=")[0] for word, rest in lines if word == "ARG"}
    assert arguments == {"BASE", "EXTRAS", "COMMIT", "CREATED", "VERSION"}


def test_it_runs_as_somebody_who_may_change_nothing_in_it() -> None:
    last = instructions()[[word for word, _ in instructions()].index("FROM") :]
    users = [rest for word, rest in last if word == "USER"]

    assert users == ["1001:1001"]
    assert not [rest for word, rest in last if word == "COPY" and "--chown" in rest]


# Its steps.


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine on which the steps of the image were carried out."""
    machine = Machine(tmp_path_factory.mktemp("image"))
    machine.set_up()
    machine.use_mirror()
    (run,) = (rest for word, rest in instructions() if word == "RUN")
    places = {
        "/source": str(machine.action), "/opt/ftctl": str(image_of(machine)),
        "0:0": f"{os.getuid()}:{os.getgid()}",
    }  # fmt: skip
    for place, own in places.items():
        run = run.replace(place, own)
    image_of(machine).mkdir(parents=True)
    for path in (image_of(machine), image_of(machine).parent):
        path.chmod(0o755)
    done = subprocess.run(
        ["bash", "-euc", run],
        capture_output=True, text=True, check=False,
        env={
            "PATH": f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "HOME": str(machine.home), "EXTRAS": "more",
        },
    )  # fmt: skip
    assert done.returncode == 0, done
    return machine


def image_of(machine: Machine) -> Path:
    return machine.folder / "opt" / "ftctl"


def test_what_the_steps_leave_is_what_runs_and_no_package_besides(made: Machine) -> None:
    image = image_of(made)

    assert sorted(path.name for path in image.iterdir()) == ["bin", "installed.json", "venv"]
    assert not [*image.rglob("*.whl")]
    assert not [
        path for path in image.rglob("*") if path.lstat().st_mode & 0o022 and not path.is_symlink()
    ]
    modules = [*image.glob("venv/lib/*/site-packages/**/*.py")]
    assert modules
    assert all([*module.parent.glob(f"__pycache__/{module.stem}.*.pyc")] for module in modules)
    done = subprocess.run([image / "bin" / "ftctl"], capture_output=True, text=True, check=True)
    assert done.stdout == "ftctl 9.9 good\n"


def installed(machine: Machine, image: Path, extras: str = "") -> str:
    """What the step of a job says, in an image that has this folder."""
    into = machine.folder / "job"
    done = subprocess.run(
        [
            Path(sys.base_prefix) / "bin" / "python3", "-I", machine.action / "ci" / "install.py",
            *("--into", into, "--checkout", machine.checkout, "--extras", extras, "--image", image),
        ],
        capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(machine.home)},
    )  # fmt: skip
    ran = subprocess.run([into / "bin" / "ftctl"], capture_output=True, text=True, check=True)
    assert ran.stdout == "ftctl 9.9 good\n"
    return done.stdout


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="an image's files are root's")
def test_a_job_in_the_image_installs_nothing(made: Machine) -> None:
    said = installed(made, image_of(made), "more")

    assert re.fullmatch(r"ftctl 9\.9 good of the image, in \d+\.\d s\n", said)
    assert not (made.folder / "job" / "venv").exists()


# When it is believed. Each of these would have a job run what its commit and locks do not name.


def _other_source(machine: Machine, image: Path) -> None:
    path = machine.action / "ci" / "requirements.txt"
    path.write_text(path.read_text("utf-8") + "# another lock\n", "utf-8")


def _another_file(machine: Machine, image: Path) -> None:
    (machine.action / "ftctl").mkdir()
    (machine.action / "ftctl" / "new.py").touch()


def _no_record(machine: Machine, image: Path) -> None:
    (image / "installed.json").unlink()


def _no_json(machine: Machine, image: Path) -> None:
    (image / "installed.json").write_text("[" * 100_000, "utf-8")


def _a_list(machine: Machine, image: Path) -> None:
    (image / "installed.json").write_text("[]", "utf-8")


def _fewer_extras(machine: Machine, image: Path) -> None:
    record = json.loads((image / "installed.json").read_text("utf-8"))
    record["locks"].remove("requirements-more.txt")
    (image / "installed.json").write_text(json.dumps(record), "utf-8")


def _a_group_may_write(machine: Machine, image: Path) -> None:
    (image / "installed.json").chmod(0o664)


def _all_may_write_beside_it(machine: Machine, image: Path) -> None:
    image.chmod(0o777)


def _all_may_move_it(machine: Machine, image: Path) -> None:
    image.parent.chmod(0o777)


def _all_may_write_its_programs(machine: Machine, image: Path) -> None:
    (image / "venv" / "bin").chmod(0o777)


def _a_link(machine: Machine, image: Path) -> None:
    image.rename(image.parent / "real")
    image.symlink_to(image.parent / "real")


WRONG = (
    _other_source, _another_file, _no_record, _no_json, _a_list, _fewer_extras, _a_group_may_write,
    _all_may_write_beside_it, _all_may_move_it, _all_may_write_its_programs, _a_link,
)  # fmt: skip


def _believed(machine: Machine) -> bool:
    runtime, _ = INSTALLER.locks(machine.action, ["more"])
    return bool(INSTALLER.is_ready(image_of(machine), machine.action, runtime))


@pytest.fixture
def copied(made: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The same, to be spoilt."""
    monkeypatch.setattr(INSTALLER, "OWNER", os.getuid())
    machine = Machine(tmp_path / "machine")
    for name in ("action", "opt"):
        shutil.copytree(made.folder / name, machine.folder / name, symlinks=True)
    return machine


def test_the_same_ftctl_with_what_is_asked_for_is_believed(copied: Machine) -> None:
    assert _believed(copied)


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__.strip("_"))
def test_another_one_is_not_believed(
    spoil: Callable[[Machine, Path], None], copied: Machine
) -> None:
    spoil(copied, image_of(copied))

    assert not _believed(copied)


def test_what_another_user_owns_is_not_believed(
    copied: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(INSTALLER, "OWNER", os.getuid() + 1)

    assert not _believed(copied)


def test_an_image_that_is_not_believed_costs_an_installation(made: Machine) -> None:
    said = installed(made, made.folder / "nowhere")

    assert said.startswith("ftctl 9.9 good and 2 packages, 0 of them kept")


# What builds it.


DOCKER = """#!/bin/sh
printf '%s\\n' "$@" > "$0.log"
for last; do :; done
(cd "$last" && find . -type f | sort) > "$0.files"
"""


def built(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "docker").write_text(DOCKER, "utf-8")
    (programs / "docker").chmod(0o755)
    return subprocess.run(
        ["bash", ROOT / "release" / "image.sh", *words],
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout")
def test_an_image_is_built_from_a_commit_alone_and_says_which(tmp_path: Path) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()

    done = built(tmp_path, BASE, "ftctl:try", "HEAD", "s3,xlsx")

    assert done.returncode == 0, done
    words = (tmp_path / "programs" / "docker.log").read_text("utf-8").splitlines()
    assert {f"BASE={BASE}", f"COMMIT={commit}", "EXTRAS=s3,xlsx"} <= {*words}
    assert next(
        re.fullmatch(r"CREATED=[\d-]{10}T[\d:]{8}Z", word) for word in words if "CREATED" in word
    )
    files = (tmp_path / "programs" / "docker.files").read_text("utf-8").split()
    assert {"./ci/install.py", "./ci/requirements.txt", "./release/Dockerfile"} <= {*files}
    assert not [name for name in files if name.startswith(("./.git/", "./.venv"))]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name the base by its digest"),
        (("python:3.13-bookworm", "ftctl:try"), "name the base by its digest"),
        ((f"{BASE}0", "ftctl:try"), "name the base by its digest"),
        (("--help@sha256:" + "0" * 64, "ftctl:try"), "name the base by its digest"),
        ((BASE,), "name the image's tag"),
        ((BASE, "--push"), "name the image's tag"),
        ((BASE, "ftctl:try", "no-such-commit"), "there is no commit 'no-such-commit' here"),
        ((BASE, "ftctl:try", "HEAD", "s3 --push"), "extras are words with commas between"),
    ],
)
def test_what_is_no_pin_or_no_commit_builds_no_image(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = built(tmp_path, *words)

    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert not (tmp_path / "programs" / "docker.log").exists()
