"""A release: the same bytes wherever it is built, what is in it, and what its jobs let through."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from conftest import ROOT, script_at
from packaging.utils import canonicalize_name

import ftctl

_MISSING = [name for name in ("bash", "git", "sha256sum", "tar") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"{', '.join(_MISSING)} is not here")
needs_checkout = pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="a release is built from a commit, and this is no checkout"
)

VERSION = ftctl.__version__
WHEEL = f"ftctl-{VERSION}-py3-none-any.whl"
SOURCES = f"ftctl-{VERSION}.tar.gz"


def git(*arguments: str, folder: Path = ROOT) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def build(checkout: Path, into: Path, *revision: str, **environ: str) -> dict[str, bytes]:
    """The files that a release of this checkout's commit is made of, by name."""
    done = subprocess.run(
        ["bash", str(checkout / "release" / "build.sh"), *(revision or ("HEAD",)), str(into)],
        env={**os.environ, "PYTHON": sys.executable, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in sorted(into.iterdir())}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Built beside what an earlier build left."""
    if not (ROOT / ".git").exists():
        pytest.skip("a release is built from a commit, and this is no checkout")
    folder = tmp_path_factory.mktemp("dist")
    for name in ("ftctl-0.0.1-py3-none-any.whl", "ftctl-0.0.1.tar.gz", "SHA256SUMS"):
        (folder / name).write_text("old", "utf-8")
    return build(ROOT, folder)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory, built: Mapping[str, bytes]) -> Path:
    """A folder with what was built, for tests that read only."""
    folder = tmp_path_factory.mktemp("again")
    for name, content in built.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_release_is_a_wheel_and_a_source_archive_with_their_sums(
    built: Mapping[str, bytes],
) -> None:
    sums = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in built.items()
        if name != "SHA256SUMS"
    }

    assert sorted(sums) == sorted([WHEEL, SOURCES])
    assert built["SHA256SUMS"].decode() == f"{sums[SOURCES]}  {SOURCES}\n{sums[WHEEL]}  {WHEEL}\n"


def test_another_machine_builds_the_same_bytes(built: Mapping[str, bytes], tmp_path: Path) -> None:
    """Another folder, umask, time zone, language, hash seed, clock and git of one's own."""
    checkout = tmp_path / "ein anderer Ordner, größer"
    git("clone", "--quiet", "--no-hardlinks", "--no-checkout", str(ROOT), str(checkout))
    git("checkout", "--quiet", "--detach", git("rev-parse", "HEAD"), folder=checkout)
    for key, value in {
        "core.autocrlf": "true",
        "tar.umask": "0077",
        "core.attributesFile": str(tmp_path / "attributes"),
    }.items():
        git("config", key, value, folder=checkout)
    (tmp_path / "attributes").write_text("*.py export-ignore\n* text eol=crlf\n", "utf-8")
    for path in (checkout / "ftctl").glob("*.py"):
        os.utime(path, (1, 1))
    (tmp_path / "home").mkdir()
    umask = os.umask(0o077)
    try:
        again = build(
            checkout,
            tmp_path / "out",
            TZ="Pacific/Chatham",
            LC_ALL="C",
            LANG="tr_TR.UTF-8",
            PYTHONHASHSEED="7",
            SOURCE_DATE_EPOCH="1",
            HOME=str(tmp_path / "home"),
            TMPDIR=str(tmp_path),
            HATCH_BUILD_CLEAN="true",
        )
    finally:
        os.umask(umask)

    assert {name: hashlib.sha256(content).hexdigest() for name, content in again.items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in built.items()
    }


def test_what_lies_in_the_checkout_besides_the_commit_is_not_built(
    built: Mapping[str, bytes], tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    git("clone", "--quiet", str(ROOT), str(checkout))
    git("checkout", "--quiet", "--detach", git("rev-parse", "HEAD"), folder=checkout)
    (checkout / "ftctl" / ".env").write_text("OPENAI_API_KEY=sk-left-behind\n", "utf-8")
    (checkout / "ftctl" / "left_behind.py").write_text("print('x')\n", "utf-8")
    (checkout / "ftctl" / "__init__.py").write_text('__version__ = "9.9.9"\n', "utf-8")
    (checkout / "hatch_build.py").write_text("raise SystemExit('run')\n", "utf-8")
    (checkout / "hatchling.py").write_text("raise SystemExit('run')\n", "utf-8")
    (checkout / ".ftctl").mkdir()
    (checkout / ".ftctl" / "cache").write_text("x", "utf-8")

    assert build(checkout, tmp_path / "out", PYTHONPATH=str(checkout)) == built


@needs_checkout
@pytest.mark.parametrize(
    "revision", ["nowhere", "--output=here", "HEAD:ftctl", "$(touch here)", "HEAD; touch here", "^"]
)
def test_what_is_no_commit_is_not_built(tmp_path: Path, revision: str) -> None:
    done = subprocess.run(
        ["bash", str(ROOT / "release" / "build.sh"), revision, str(tmp_path / "dist")],
        cwd=tmp_path,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"there is no commit '{revision}' here\n"
    assert list(tmp_path.iterdir()) == []
    assert not (ROOT / "here").exists()


def tracked(*folders: str) -> set[str]:
    return set(git("ls-tree", "-r", "--name-only", "-z", "HEAD", *folders).strip("\0").split("\0"))


_LICENCES = ("LICENSE", "ftctl/data/tokens/ranks/NOTICE.md", "ftctl/text/NOTICE.md")


def test_the_wheel_holds_the_package_its_schemas_and_its_licences_and_nothing_else(
    dist: Path,
) -> None:
    with zipfile.ZipFile(dist / WHEEL) as archive:
        files = archive.infolist()
    about = f"ftctl-{VERSION}.dist-info"
    epoch = int(git("log", "-1", "--format=%ct"))

    assert {file.filename for file in files} == {
        *tracked("ftctl"),
        *(f"ftctl/{name}" for name in tracked("schemas")),
        *(f"{about}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")),
        *(f"{about}/licenses/{name}" for name in _LICENCES),
    }
    assert len(files) == len({file.filename.casefold() for file in files})
    assert {file.external_attr >> 16 & 0o7777 for file in files} == {0o644}
    assert len({file.date_time for file in files}) == 1
    assert abs(_seconds(files[0].date_time) - epoch) < 2
    assert not [
        file.filename for file in files if re.search(r"test_|\.ftctl|\.env|\.so$", file.filename)
    ]


def _seconds(when: tuple[int, ...]) -> float:
    from datetime import UTC, datetime

    year, month, day, hour, minute, second = when
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()


def test_the_source_archive_holds_what_the_commit_holds(dist: Path) -> None:
    with tarfile.open(dist / SOURCES) as archive:
        members = archive.getmembers()
    top = f"ftctl-{VERSION}/"

    assert {member.name for member in members} == {
        top + name for name in tracked() | {"PKG-INFO"} if "/.ftctl/" not in f"/{name}"
    }
    assert all(member.isfile() for member in members)
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {
        (0, 0, "", "")
    }
    assert {member.mode for member in members} == {0o644, 0o755}


def test_the_source_archive_builds_the_same_wheel(
    built: Mapping[str, bytes], dist: Path, tmp_path: Path
) -> None:
    with tarfile.open(dist / SOURCES) as archive:
        archive.extractall(tmp_path, filter="data")

    subprocess.run(
        [sys.executable, "-I", "-m", "hatchling", "build", "--target", "wheel", "-d", tmp_path],
        cwd=tmp_path / f"ftctl-{VERSION}",
        env={**os.environ, "SOURCE_DATE_EPOCH": git("log", "-1", "--format=%ct")},
        capture_output=True,
        check=True,
    )

    assert (tmp_path / WHEEL).read_bytes() == built[WHEEL]


def test_the_wheel_works_where_nothing_else_of_ours_lies_about(dist: Path, tmp_path: Path) -> None:
    """Its own venv; what it runs on is lent by this one, since a test fetches nothing."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    (own,) = venv.glob("lib/python*/site-packages")
    (lent,) = {path for path in map(Path, sys.path) if (path / "click").is_dir()}
    (own / "lent.pth").write_text(f"{lent}\n", "utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", str(dist / WHEEL)], check=True)

    done = subprocess.run(
        ["bash", str(ROOT / "release" / "try.sh"), str(python)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    first, *_, last = done.stdout.splitlines()
    assert first == f"ftctl {VERSION}"
    assert last.startswith("yes-or-no\tft:gpt-4.1-mini-2025-04-14:ftctl-emulator:yes-or-no:")


def test_what_is_tried_is_never_the_checkout() -> None:
    done = subprocess.run(
        ["bash", str(ROOT / "release" / "try.sh"), sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("this Python imports ftctl from the checkout")


# The notes.


_FILES = {"init": "ftctl/__init__.py"} | {
    f"change_{number}": f"changes/000{number}-change.md" for number in range(1, 5)
}


@dataclass(frozen=True)
class Repository:
    folder: Path

    def commit(self, **files: str) -> None:
        for name, text in files.items():
            path = self.folder / _FILES.get(name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        git("add", ".", folder=self.folder)
        who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        git(*who, "commit", "--quiet", "--message", "x", folder=self.folder)

    def version(self, version: str, tag: str | None = None) -> None:
        (self.folder / "ftctl").mkdir(exist_ok=True)
        (self.folder / "ftctl" / "__init__.py").write_text(f'__version__ = "{version}"\n')
        self.commit()
        git("tag", tag or f"v{version}", folder=self.folder)

    def notes(self, *revision: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-I", str(ROOT / "release" / "notes.py"), *revision],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    git("init", "--quiet", str(tmp_path))
    repository = Repository(tmp_path)
    repository.commit(change_1="# First\n\n- One.\n", change_2="# Second\n")
    return repository


def test_the_first_version_tells_all(repository: Repository) -> None:
    repository.version("0.1.0")

    expected = "# ftctl 0.1.0\n\n## First\n\n- One.\n\n## Second\n"
    assert repository.notes("v0.1.0") == (0, expected, "")
    assert repository.notes() == (0, expected, "")


def test_a_version_tells_what_came_since_the_one_before(repository: Repository) -> None:
    repository.version("0.9.0")
    repository.commit(change_3="# Third\n\n```\n# a comment\n```\n\n## Detail\n")
    repository.version("0.10.0")
    repository.commit(change_4="# Fourth\n")
    git("tag", "nightly", folder=repository.folder)
    git("tag", "v9", folder=repository.folder)
    repository.version("0.11.0rc1")

    third = "# ftctl 0.10.0\n\n## Third\n\n```\n# a comment\n```\n\n### Detail\n"
    assert repository.notes("v0.10.0") == (0, third, "")
    assert repository.notes("v0.11.0rc1") == (0, "# ftctl 0.11.0rc1\n\n## Fourth\n", "")


def test_a_tag_that_says_another_version_is_no_release(repository: Repository) -> None:
    repository.version("0.1.0", tag="v0.2.0")

    assert repository.notes("v0.2.0") == (
        1,
        "",
        "no release notes: the tag says v0.2.0, and ftctl/__init__.py there says 0.1.0\n",
    )


def test_a_version_with_nothing_to_tell_is_no_release(repository: Repository) -> None:
    repository.version("0.1.0")
    repository.version("0.1.1")

    assert repository.notes("v0.1.1") == (
        1,
        "",
        "no release notes: nothing was added to changes/ since v0.1.0\n",
    )


@pytest.mark.parametrize("revision", ["v9.9.9", "--all", "HEAD"])
def test_notes_of_what_has_no_version_are_an_error_in_gits_words(
    repository: Repository, revision: str
) -> None:
    status, out, err = repository.notes(revision)

    assert (status, out) == (1, "")
    assert err.startswith("no release notes: fatal: ")
    assert "Traceback" not in err


def test_a_package_that_says_no_version_is_no_release(repository: Repository) -> None:
    repository.commit(init="x = 1\n")

    said = "no release notes: ftctl/__init__.py at HEAD says no version\n"
    assert repository.notes() == (1, "", said)


@needs_checkout
def test_the_next_release_of_this_repository_has_notes() -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(ROOT / "release" / "notes.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"# ftctl {VERSION}\n\n## ")


# What it is made of.

LOCK = ROOT / "ci" / "requirements.txt"

needs_cyclonedx = pytest.mark.skipif(
    importlib.util.find_spec("cyclonedx_py") is None,
    reason="cyclonedx-bom is not installed here: it comes with the extra dev",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The wheel to describe: the one that was built; without a commit, one that says as much."""
    path = tmp_path_factory.mktemp("wheel") / WHEEL
    if (ROOT / ".git").exists():
        path.write_bytes(request.getfixturevalue("built")[WHEEL])
    else:
        with zipfile.ZipFile(path, "w") as archive:
            about = f"Metadata-Version: 2.4\nName: ftctl\nVersion: {VERSION}\n"
            archive.writestr(f"ftctl-{VERSION}.dist-info/METADATA", about)
    return path


def sbom(wheel: Path, lock: Path, seed: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "release" / "sbom.py"), "--environment", sys.executable]
    return subprocess.Popen(
        [*command, "--lock", str(lock), "--wheel", str(wheel)],
        env={**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "1790000000"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """The script as a module: a process of its own loads for a second."""
    return script_at("release/sbom.py")


@pytest.fixture
def say_of(
    maker: ModuleType,
    wheel: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[str], tuple[int, str]]:
    """The status and what is said, with another lock."""

    def say(lock: str) -> tuple[int, str]:
        (tmp_path / "lock.txt").write_text(lock, "utf-8")
        words = ("--environment", sys.executable, "--lock", str(tmp_path / "lock.txt"))
        monkeypatch.setattr(sys, "argv", ["sbom.py", *words, "--wheel", str(wheel)])
        status: int = maker.main()
        return status, capsys.readouterr().err

    return say


@pytest.fixture(scope="module")
def sboms(wheel: Path) -> list[str]:
    """The same one, made twice at once."""
    both = [sbom(wheel, LOCK, seed) for seed in ("1", "2")]
    texts = []
    for process in both:
        out, err = process.communicate()
        assert process.returncode == 0, err
        texts.append(out)
    return texts


@pytest.fixture(scope="module")
def bill(sboms: list[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sboms[0])
    return document


@needs_cyclonedx
def test_an_sbom_is_the_same_bytes_again(sboms: list[str], bill: Mapping[str, Any]) -> None:
    assert sboms[0] == sboms[1]
    assert bill["metadata"]["timestamp"].startswith("2026-09-21T")
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-.*", bill["serialNumber"])


@needs_cyclonedx
def test_an_sbom_keeps_the_schema_of_cyclonedx(sboms: list[str]) -> None:
    """Looked at by the library, apart from the script; and a broken one is seen."""
    look = (
        "import sys; from cyclonedx.schema import SchemaVersion as V;"
        "from cyclonedx.validation.json import JsonStrictValidator as J;"
        "print(*(J(V.V1_6).validate_str(text) is None for text in sys.stdin.read().split('\\0')))"
    )
    broken = json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": "one"})

    done = subprocess.run(
        [sys.executable, "-c", look],
        input=f"{sboms[0]}\0{broken}", capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "True False\n"


@needs_cyclonedx
def test_an_sbom_names_the_wheel_by_its_hash(bill: Mapping[str, Any], wheel: Path) -> None:
    subject = bill["metadata"]["component"]

    assert (subject["name"], subject["version"]) == ("ftctl", VERSION)
    assert subject["purl"] == f"pkg:pypi/ftctl@{VERSION}?file_name={WHEEL}"
    assert subject["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}
    ]
    assert subject["licenses"][0]["license"]["id"] == "MIT"


@needs_cyclonedx
def test_an_sbom_lists_the_lock_with_hashes_and_licences(bill: Mapping[str, Any]) -> None:
    lock = LOCK.read_text("utf-8")
    everywhere = dict(re.findall(r"(?m)^([a-z0-9._-]+)==(\S+) \\$", lock))
    listed = {canonicalize_name(one["name"]): one for one in bill["components"]}

    assert len(everywhere) > 25
    assert everywhere.items() <= {name: one["version"] for name, one in listed.items()}.items()
    for name, one in listed.items():
        (files,) = [ref for ref in one["externalReferences"] if "hashes" in ref]
        entry = lock.partition(f"\n{name}=={one['version']} ")[2]
        locked = re.findall(r"sha256:([0-9a-f]{64})", re.split(r"(?m)^[a-z]", entry)[0])
        assert [each["content"] for each in files["hashes"]] == sorted(locked), name
        assert {each["alg"] for each in files["hashes"]} == {"SHA-256"}
        assert one["licenses"], name
        assert one["purl"] == f"pkg:pypi/{name}@{one['version']}"


@needs_cyclonedx
def test_an_sbom_says_who_needs_whom(bill: Mapping[str, Any]) -> None:
    graph = {edge["ref"]: edge.get("dependsOn", []) for edge in bill["dependencies"]}
    refs = {one["bom-ref"] for one in bill["components"]}
    root = bill["metadata"]["component"]["bom-ref"]
    reached, waiting = set(), [root]
    while waiting:
        ref = waiting.pop()
        if ref not in reached:
            reached.add(ref)
            waiting += graph[ref]

    assert set(graph) == refs | {root}
    assert reached == refs | {root}, "what nothing needs is in the lock, or is not told"


@needs_cyclonedx
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lock: re.sub(r"(?m)^click==\S+", "click==0.1", lock), "not installed as click"),
        (lambda lock: lock.replace("click==", "not-there-at-all=="), "not installed as not-there"),
        (lambda lock: re.sub(r"(?m)^click==", "click>=", lock), "the lock leaves click open"),
        (lambda _: "click==8.1\n", "the lock leaves click open"),
        (lambda lock: lock + "click\n", "the lock leaves click open"),
        (lambda lock: lock + "-r others.txt\n", "the lock holds more than pins: -r others.txt"),
        (
            lambda lock: lock + "selenium==1 \\\n    --hash=sha256:1\n",
            "the lock leaves selenium open",
        ),
    ],
    ids=["version", "not installed", "range", "no hash", "no version", "option", "short hash"],
)
def test_no_sbom_is_made_of_what_is_not_so(
    say_of: Callable[[str], tuple[int, str]], change: Callable[[str], str], said: str
) -> None:
    status, err = say_of(change(LOCK.read_text("utf-8")))

    assert status == 1
    assert err.startswith(f"no SBOM: {said}")


# What the last jobs let through: their scripts, run on what other jobs may have left.

WORKFLOW: dict[str, Any] = yaml.safe_load(
    (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
)


def script(job: str, word: str) -> str:
    (found,) = [
        step["run"] for step in WORKFLOW["jobs"][job]["steps"] if word in step.get("run", "")
    ]
    return str(found)


@dataclass(frozen=True)
class Handover:
    """What the last jobs find: a folder of artifacts, and what the jobs that made them said."""

    folder: Path
    said: dict[str, str]

    @property
    def artifacts(self) -> Path:
        return self.folder / "dist"

    def run(self, job: str, word: str) -> subprocess.CompletedProcess[str]:
        programs = self.folder / "programs"
        programs.mkdir(exist_ok=True)
        (programs / "gh").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.log"\n', "utf-8")
        (programs / "gh").chmod(0o755)
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-c", script(job, word)],
            cwd=self.folder,
            env={
                **self.said,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "GITHUB_REF_NAME": f"v{VERSION}",
                "GITHUB_REPOSITORY": "OWNER/ftctl",
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def handover(tmp_path: Path, built: Mapping[str, bytes]) -> Handover:
    dist = tmp_path / "dist"
    dist.mkdir()
    files = {**built, "notes.md": b"# ftctl\n", "sbom.cdx.json": b"{}\n"}
    for name, content in files.items():
        (dist / name).write_bytes(content)
    output = tmp_path / "output"
    for job in ("build", "describe"):
        subprocess.run(
            ["bash", "-e", "-c", script(job, "GITHUB_OUTPUT")],
            cwd=tmp_path,
            env={**os.environ, "GITHUB_OUTPUT": str(output)},
            check=True,
        )
    text = output.read_text("utf-8")
    said = dict(re.findall(r"(?m)^(\w+)=(.+)$", text))
    said["packages"] = re.findall(r"(?s)packages<<END\n(.*?)\nEND\n", text)[0]
    (dist / "SHA256SUMS").unlink()  # is no artifact
    output.unlink()
    return Handover(tmp_path, {name.upper(): value for name, value in said.items()})


def test_what_was_built_is_what_is_published(
    handover: Handover, built: Mapping[str, bytes]
) -> None:
    done = handover.run("publish", "sha256sum")
    packages = {path.name: path.read_bytes() for path in (handover.folder / "packages").iterdir()}

    assert done.returncode == 0, done.stderr
    assert packages == {name: built[name] for name in (WHEEL, SOURCES)}


def test_what_was_built_is_what_is_announced(handover: Handover) -> None:
    done = handover.run("announce", "gh release")
    asked = (handover.folder / "programs" / "gh.log").read_text("utf-8").split("\n")

    assert done.returncode == 0, done.stderr
    assert asked[:3] == ["release", "create", f"v{VERSION}"]
    assert asked[asked.index("--") + 1 :] == [
        *(SOURCES, WHEEL, "sbom.cdx.json", "provenance.intoto.jsonl", "")
    ]


CHANGES: dict[str, Callable[[Path], object]] = {
    "another wheel": lambda dist: (dist / WHEEL).write_bytes(b"PK"),
    "another source archive": lambda dist: (dist / SOURCES).write_bytes(b""),
    "another sbom": lambda dist: (dist / "sbom.cdx.json").write_text("{}", "utf-8"),
    "no wheel": lambda dist: (dist / WHEEL).unlink(),
    "no sbom": lambda dist: (dist / "sbom.cdx.json").unlink(),
    "a folder for a wheel": lambda dist: ((dist / WHEEL).unlink(), (dist / WHEEL).mkdir()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(("job", "word"), [("publish", "sha256sum"), ("announce", "gh release")])
def test_what_another_job_changed_is_not_released(
    handover: Handover, change: Callable[[Path], object], job: str, word: str
) -> None:
    change(handover.artifacts)

    assert handover.run(job, word).returncode != 0
    assert not (handover.folder / "programs" / "gh.log").exists()
    assert not list(handover.folder.glob("packages/*"))


@pytest.mark.parametrize(
    ("job", "word", "name"),
    [
        ("publish", "sha256sum", "PACKAGES"),
        ("publish", "sha256sum", "SBOM"),
        ("announce", "gh release", "PACKAGES"),
        ("announce", "gh release", "NOTES"),
        ("announce", "gh release", "SBOM"),
    ],
)
def test_sums_that_were_lost_release_nothing(
    handover: Handover, name: str, job: str, word: str
) -> None:
    handover.said[name] = ""

    assert handover.run(job, word).returncode != 0
    assert not list(handover.folder.glob("packages/*"))


@pytest.mark.parametrize(
    "name", ["ftctl-9.9.9-py3-none-any.whl", "ftctl-9.9.9.tar.gz", "other.whl"]
)
def test_what_another_job_laid_beside_it_is_not_released(handover: Handover, name: str) -> None:
    (handover.artifacts / name).write_bytes(b"PK")

    assert handover.run("publish", "sha256sum").returncode == 0
    assert {path.name for path in (handover.folder / "packages").iterdir()} == {WHEEL, SOURCES}
    assert handover.run("announce", "gh release").returncode != 0  # moved away meanwhile


def test_the_second_build_is_compared_with_the_first(handover: Handover) -> None:
    sums = handover.artifacts / "SHA256SUMS"
    sums.write_text(handover.said["PACKAGES"] + "\n", "utf-8")

    assert handover.run("rebuild", "diff").returncode == 0
    sums.write_text(sums.read_text("utf-8").replace("a", "b"), "utf-8")
    assert handover.run("rebuild", "diff").returncode == 1


def test_nothing_is_published_before_all_else_has_passed() -> None:
    jobs = WORKFLOW["jobs"]

    assert set(jobs["publish"]["needs"]) == set(jobs) - {"publish", "announce"}
    assert "publish" in jobs["announce"]["needs"]
    assert jobs["publish"]["environment"] == "pypi"
    assert jobs["publish"]["if"] == "github.event_name == 'push' && github.ref_type == 'tag'"
    assert not [
        name
        for name, job in jobs.items()
        if "secrets" in json.dumps(job) or "continue-on" in str(job)
    ]
