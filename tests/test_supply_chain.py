"""The supply chain: locks, workflows and templates, looked at as Scorecard and attackers would.

What is only known at the forge or on a network is not here: docs/release.md lists it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEMPLATES = sorted((ROOT / "examples" / "ci").glob("github*/*.yml"))
ACTION = ROOT / "action.yml"
GITLAB = sorted((ROOT / "examples" / "ci" / "gitlab").glob("*.yml"))
LOCKS = [
    ROOT / "requirements-dev.txt",
    *sorted((ROOT / "ci").glob("requirements*.txt")),
    ROOT / "release" / "tools.txt",
]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

PLACEHOLDER = "OWNER/ftctl@PIN_ftctl"  # what docs/ci.md has people write their own pin for


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=_name)


def tracked() -> list[str]:
    """What git keeps of this repository; without git, all there is but what is never kept."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    pytest.skip("this is no git checkout")


# Pinned-Dependencies: locks.


def _entries(lock: Path) -> Iterator[tuple[Requirement, list[str]]]:
    text = re.sub(r"(?m)^ *#.*\n", "", lock.read_text("utf-8"))
    for entry in filter(str.strip, re.split(r"(?m)^(?=\S)", text)):
        requirement = Requirement(entry.partition("\\")[0].strip())
        yield requirement, re.findall(r"--hash=sha256:([0-9a-f]{64})(?= \\\n|\n)", entry)


@each(LOCKS)
def test_a_lock_is_pins_with_hashes_and_nothing_else(path: Path) -> None:
    pin, digest = r"[a-z0-9._-]+==[^\s;]+( ; [^\\\n]+)? \\", r" +--hash=sha256:[0-9a-f]{64}( \\)?"
    rest = re.sub(rf"(?m)^( *#.*|{pin}|{digest})?\n", "", path.read_text("utf-8"))
    pins = list(_entries(path))

    assert rest == ""
    assert pins
    assert [str(pin) for pin, hashes in pins if not hashes] == []


def _together() -> dict[str, list[Path]]:
    """Locks that speak of the same things: what is tested, what runs, and what looks at it."""
    dev, *ci, tools = LOCKS
    tested = ("requirements", "requirements-build", "requirements-https", "requirements-xlsx")
    return {
        "tests and runs": [dev, *(path for path in ci if path.stem in tested)],
        "runs": ci,
        "tests and releases": [dev, tools],
    }


@pytest.mark.parametrize("locks", _together().values(), ids=_together())
def test_locks_agree(locks: list[Path]) -> None:
    """One release of each name at one place."""
    pinned: dict[tuple[str, str], set[tuple[str, frozenset[str]]]] = {}
    for lock in locks:
        for pin, hashes in _entries(lock):
            key = (canonicalize_name(pin.name), str(pin.marker or ""))
            pinned.setdefault(key, set()).add((str(pin.specifier), frozenset(hashes)))

    assert len(locks) > 1
    assert {key: pins for key, pins in pinned.items() if len(pins) > 1} == {}, "run `make lock`"


def test_what_looks_at_a_release_is_locked_within_its_ranges() -> None:
    pinned = {
        canonicalize_name(pin.name): pin for pin, _ in _entries(ROOT / "release" / "tools.txt")
    }
    wanted = [Requirement(line) for line in PYPROJECT["dependency-groups"]["tools"]]

    for requirement in wanted:
        (exactly,) = pinned[canonicalize_name(requirement.name)].specifier
        assert requirement.specifier.contains(exactly.version), requirement


def test_make_knows_every_lock() -> None:
    """make audit, make lock and the weekly proposal: none forgets one."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    proposal = (ROOT / ".github" / "workflows" / "dependencies.yml").read_text("utf-8")
    patterns = ("requirements-dev.txt", "ci/requirements*.txt", "release/tools.txt")
    all_of_them = {
        _name(path)
        for path in ROOT.rglob("*.txt")
        if "--hash=sha256:" in path.read_text("utf-8", "replace")[:4000]
        and not {".venv", "tests"} & {part[:5] for part in path.relative_to(ROOT).parts}
    }

    assert {_name(path) for path in LOCKS} == all_of_them
    assert "LOCKS := requirements-dev.txt $(wildcard ci/requirements*.txt) release/tools.txt" in (
        makefile
    )
    assert all(proposal.count(pattern) >= 2 for pattern in patterns)


def test_the_proposal_names_the_locks_as_make_lock_does() -> None:
    """The key of the action's cache is made of them."""
    proposal = (ROOT / ".github" / "workflows" / "dependencies.yml").read_text("utf-8")
    own = [
        line
        for line in (ROOT / "ci" / "lock.sh").read_text("utf-8").splitlines()
        if "locks" in line
    ]

    made = [line for line in own if line.startswith(("locks=", "sed "))]
    assert len(made) == 2
    assert all(line in proposal for line in made)


# Pinned-Dependencies: what workflows and scripts fetch.

SHELL = sorted(
    [*(ROOT / "ci").glob("*.sh"), *(ROOT / "release").glob("*.sh"), ROOT / ".ci" / "run"]
)


def _uses(path: Path) -> list[str]:
    return re.findall(r"(?m)^[^#\n]*\buses: *(.*?) *$", path.read_text("utf-8"))


@each([*WORKFLOWS, *TEMPLATES, ACTION])
def test_what_is_used_of_others_is_one_commit(path: Path) -> None:
    for uses in _uses(path):
        name, _, version = uses.partition(" # ")
        if name != PLACEHOLDER:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name), uses
            assert re.fullmatch(r"v\d+\.\d+\.\d+", version), uses


def test_a_version_is_one_commit_wherever_it_stands() -> None:
    commits: dict[str, set[str]] = {}
    for path in [*WORKFLOWS, *TEMPLATES, ACTION]:
        for uses in _uses(path):
            name, _, commit = uses.partition("@")
            if uses != PLACEHOLDER:
                commits.setdefault(f"{name} {commit.partition(' # ')[2]}", set()).add(commit)

    assert {name: one for name, one in commits.items() if len(one) > 1} == {}


def _scripts() -> Iterator[tuple[str, str]]:
    """Every script that a runner executes, by its place."""
    for path in SHELL:
        yield _name(path), path.read_text("utf-8")
    for path in [*WORKFLOWS, *TEMPLATES]:
        for job, settings in yaml.safe_load(path.read_text("utf-8"))["jobs"].items():
            for step in settings.get("steps", []):
                if "run" in step:
                    yield f"{_name(path)}:{job}", step["run"]
    for step in yaml.safe_load(ACTION.read_text("utf-8"))["runs"]["steps"]:
        if "run" in step:
            yield f"action.yml:{step.get('name')}", step["run"]
    for path in GITLAB:
        yield _name(path), path.read_text("utf-8")


SCRIPTS = dict(_scripts())


@pytest.mark.parametrize("place", SCRIPTS)
def test_what_a_script_installs_has_a_hash(place: str) -> None:
    """`pip install` takes hashes, or a file that was just built and nothing that it asks for."""
    script = re.sub(r"\\\n", " ", SCRIPTS[place])
    installs = re.findall(r"(?m)\bpip3?\"? install\b[^\n;|&]*", re.sub(r"(?m)^\s*#.*$", "", script))

    for command in installs:
        assert "--require-hashes" in command or "--no-deps" in command, command
    assert not re.search(r"\b(curl|wget)\b[^\n|]*\|\s*(sudo )?(ba|z|da)?sh\b", script)
    assert not re.search(r"\b(npm (install|i)|npx|go install|cargo install|gem install)\b", script)


def test_make_installs_for_a_release_by_hash_and_builds_nothing_to_install_it() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")

    assert "FROM_LOCK := pip install --quiet --require-hashes --only-binary :all:" in makefile
    assert makefile.count("$(FROM_LOCK)") == 2


UNPUBLISHED = re.compile(
    r"pip3?[\"']? install\b[^\n`]*?(?<![\w./-])['\"]?ftctl\b(?![/.-])"
    r"|\buvx? (tool install |run )?ftctl\b"
)


def test_nothing_says_to_install_a_name_that_is_not_published() -> None:
    """Somebody else could publish it first: not templates, nor pages, nor a hint of ftctl's."""
    places = [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "ftctl").rglob("*.py"),
        *(ROOT / "examples").rglob("*.*"),
        *(ROOT / "schemas").rglob("*.json"),
        *(ACTION, ROOT / "README.md", ROOT / "pyproject.toml"),
        *SHELL,
    ]
    found = {
        _name(path)
        for path in places
        if path.is_file() and UNPUBLISHED.search(path.read_text("utf-8", "replace"))
    }

    assert found == set()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("pip install ftctl", True),
        ("pip install 'ftctl[s3]'", True),
        ("venv/bin/python -m pip install --quiet -- ftctl==0.1.0", True),
        ("uvx ftctl plan", True),
        ("uv tool install ftctl", True),
        ("pip install .", False),
        ("pip install '.[s3]'", False),
        ("pip install --quiet dist/ftctl-0.1.0-py3-none-any.whl", False),
        ("pip install --editable ./ftctl", False),
    ],
)
def test_what_installs_the_name_is_seen(line: str, found: bool) -> None:
    assert bool(UNPUBLISHED.search(line)) is found


# Token-Permissions and Dangerous-Workflow.


@each([*WORKFLOWS, *TEMPLATES])
def test_a_workflow_may_do_nothing_until_a_job_says_what(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))

    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert isinstance(job["permissions"], dict)
        assert set(job["permissions"].values()) <= {"read", "write"}
        assert job.get("secrets") != "inherit"


@each([*WORKFLOWS, *TEMPLATES])
def test_no_workflow_lends_the_repositorys_rights_to_a_strangers_change(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))
    events = workflow[True]  # YAML 1.1 reads the key 'on' so

    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(events)


@pytest.mark.parametrize("place", SCRIPTS)
def test_no_script_holds_what_somebody_else_wrote(place: str) -> None:
    """Values enter through env: an expression inside a script is text before it is a command."""
    if not place.startswith(tuple(_name(path) for path in GITLAB)):
        assert "${{" not in SCRIPTS[place]


@each(WORKFLOWS)
def test_this_repository_stores_no_token(path: Path) -> None:
    assert "secrets." not in path.read_text("utf-8")
    assert not re.search(r"(?i)\b(password|api[-_]key): ", path.read_text("utf-8"))


# zizmor, as an attacker would look; it needs no network for this.

ZIZMOR = shutil.which("zizmor", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
needs_zizmor = pytest.mark.skipif(
    ZIZMOR is None, reason="zizmor is not installed here: it comes with the extra dev"
)


def zizmor(*paths: Path) -> list[str]:
    """What it finds, as `audit at file:line`."""
    done = subprocess.run(
        [
            *(str(ZIZMOR), "--offline", "--no-config", "--no-exit-codes", "--format", "json"),
            *("--persona", "auditor", *map(str, paths)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(
        f"{finding['ident']} at {Path(_given(place)).name}:{_line(place)}"
        for finding in json.loads(done.stdout)
        for place in [finding["locations"][0]]
    )


def _given(place: Mapping[str, Any]) -> str:
    return str(place["symbolic"]["key"]["Local"]["verbatim_path"])


def _line(place: Mapping[str, Any]) -> int:
    return int(place["concrete"]["location"]["start_point"]["row"]) + 1


@needs_zizmor
@pytest.mark.parametrize("paths", [[ROOT / ".github"], [ACTION]], ids=["workflows", "action"])
def test_zizmor_finds_nothing(paths: list[Path]) -> None:
    assert zizmor(*paths) == []


# Its whole list but for these.
KNOWN = {
    # The key that reads has no environment: each run in one is a deployment on the pull request.
    "ftctl-plan": {"secrets-outside-env"},
    "ftctl-drift": {"secrets-outside-env"},
}


@needs_zizmor
@each(TEMPLATES)
def test_zizmor_finds_nothing_in_a_template_with_its_pin(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    pinned = f"OWNER/ftctl@{'0' * 40} # v0.1.0"
    copy.write_text(path.read_text("utf-8").replace(PLACEHOLDER, pinned), "utf-8")

    found = {finding.partition(" at ")[0] for finding in zizmor(copy)}
    assert found == KNOWN.get(path.stem, set())


HOSTILE = """\
name: x
on: pull_request_target
permissions: write-all
jobs:
  x:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: {ref: "${{ github.event.pull_request.head.sha }}"}
      - run: echo ${{ github.event.pull_request.title }}
"""


@needs_zizmor
def test_zizmor_is_awake(tmp_path: Path) -> None:
    (tmp_path / "hostile.yml").write_text(HOSTILE, "utf-8")

    found = {finding.split()[0] for finding in zizmor(tmp_path / "hostile.yml")}

    assert {
        *("dangerous-triggers", "template-injection", "excessive-permissions"),
        *("unpinned-uses", "artipacked"),
    } <= found


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not on the path")
def test_actionlint_finds_nothing() -> None:
    done = subprocess.run(
        ["actionlint", "-no-color", *map(str, [*WORKFLOWS, *TEMPLATES])],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == ""


# Known vulnerabilities: `make audit` asks a service on the network. Here a stand-in answers, so
# what is tested is that every pin is asked for and that an answer stops the audit.

AUDIT = ROOT / ".venv-tools" / "bin" / "pip-audit"
needs_audit = pytest.mark.skipif(
    not AUDIT.exists(), reason="pip-audit is not installed here: `make .venv-tools/done` does it"
)


@contextmanager
def osv(vulnerable: str) -> Iterator[tuple[str, set[str]]]:
    """A database of vulnerabilities that knows one package, and what it was asked for."""
    asked: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            asked.add(f"{canonicalize_name(name)}=={query['version']}")
            found = {
                "id": "PYSEC-0000-1",
                "aliases": [],
                "summary": "made up",
                "modified": "2026-11-30T00:00:00Z",
                "published": "2026-11-30T00:00:00Z",
                "affected": [
                    {"package": {"name": name, "ecosystem": "PyPI"},
                     "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}
                ],
            }  # fmt: skip
            body = json.dumps({"vulns": [found]} if name == vulnerable else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
        finally:
            server.shutdown()


def audit(url: str, cache: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    options = (
        f"--vulnerability-service osv --osv-url {url} --progress-spinner off --cache-dir {cache}"
    )
    return subprocess.run(
        ["make", "--no-print-directory", "known", f"AUDIT={options}", *settings],
        cwd=ROOT,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )


@needs_audit
def test_an_audit_asks_for_every_pin_that_is_meant_for_this_machine(tmp_path: Path) -> None:
    with osv("nothing") as (url, asked):
        done = audit(url, tmp_path)
    pinned = {
        f"{canonicalize_name(pin.name)}{pin.specifier}"
        for lock in LOCKS
        for pin, _ in _entries(lock)
        if pin.marker is None or pin.marker.evaluate()
    }

    assert done.returncode == 0, done.stderr
    assert asked == pinned


@needs_audit
def test_an_audit_fails_on_what_is_known_to_be_vulnerable(tmp_path: Path) -> None:
    with osv("click") as (url, _):
        done = audit(url, tmp_path, "LOCKS=ci/requirements.txt ci/requirements-build.txt")

    assert done.returncode != 0
    assert "PYSEC-0000-1" in done.stdout
    assert "ci/requirements-build.txt:" in done.stdout  # one find hides no other


# Attacks.


def test_every_area_of_attacks_has_a_line_in_the_page() -> None:
    _, _, page = (ROOT / "docs" / "security.md").read_text("utf-8").partition("\n## Attacks\n")
    told = re.findall(r"(?m)^\| `(\w+)` \|", page.partition("\n## ")[0])
    there = [path.stem.removeprefix("test_") for path in (ROOT / "tests/attacks").glob("test_*.py")]

    assert len(there) > 3
    assert set(there) <= set(told)


# What else Scorecard looks for.


def test_there_is_a_security_policy_with_a_way_to_tell_and_times() -> None:
    policy = (ROOT / "SECURITY.md").read_text("utf-8")

    assert re.search(r"https://[a-zA-Z0-9./?=_%:-]+", policy)
    assert len(re.findall(r"(?i)\b[0-9]{1,4}\b|disclos|vuln", policy)) > 3
    assert "Report a vulnerability" in policy
    assert not re.search(r"\b[\w.+-]+@[\w-]+\.\w+", policy), "there is no address"
    assert not re.search(r"(github|gitlab)\.com/\w+/ftctl", policy), "nor a repository to name"
    assert "SECURITY.md" in (ROOT / "docs" / "security.md").read_text("utf-8")


def test_there_is_a_licence_that_the_osi_knows() -> None:
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License")
    assert PYPROJECT["project"]["license"] == "MIT"


def _jobs(word: str) -> list[str]:
    """Jobs of this repository that use an action whose name has the word."""
    return [
        job
        for path in WORKFLOWS
        for job, settings in yaml.safe_load(path.read_text("utf-8"))["jobs"].items()
        if any(word in step.get("uses", "") for step in settings["steps"])
    ]


def test_code_is_looked_at_and_releases_are_packaged_and_attested() -> None:
    assert _jobs("codeql-action/analyze") == ["codeql"]
    assert _jobs("scorecard-action") == ["scorecard"]
    assert _jobs("gh-action-pypi-publish") == _jobs("actions/attest") == ["publish"]


def test_pins_of_actions_are_kept_up_to_date() -> None:
    path = ROOT / ".github" / "dependabot.yml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.dependabot"]
    done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
    updates = yaml.safe_load(path.read_text("utf-8"))["updates"]

    assert done.returncode == 0, done.stdout
    assert [(one["package-ecosystem"], one["directory"]) for one in updates] == [
        ("github-actions", "/")
    ]
    assert all(one["cooldown"]["default-days"] >= 7 for one in updates)


PROGRAMS = (b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa", b"\0asm")
ENDINGS = re.compile(
    r"\.(crx|de[bxy]|elf|[oa]|so|macho|iso|class|jar|bundle|dylib|lib|msi|dll|drv|efi|exe|ocx|py[co]"
    r"|par|rpm|wasm|whl|egg|zip|gz|tar)$",
    re.IGNORECASE,
)
# The tokenizer's ranks, and what an earlier version left behind for the tests of upgrades.
BINARY = ("ftctl/data/tokens/ranks/", "tests/upgrade/")


def test_no_program_is_kept_in_the_repository() -> None:
    binary = []
    for name in tracked():
        start = (ROOT / name).read_bytes()[:1024]
        assert not ENDINGS.search(name), name
        assert not start.startswith(PROGRAMS), name
        if b"\0" in start:
            binary.append(name)

    assert [name for name in binary if not name.startswith(BINARY)] == []


CHECKS = """
Binary-Artifacts Branch-Protection CI-Tests CII-Best-Practices Code-Review Contributors
Dangerous-Workflow Dependency-Update-Tool Fuzzing License Maintained Packaging Pinned-Dependencies
SAST SBOM Security-Policy Signed-Releases Token-Permissions Vulnerabilities Webhooks
"""


def test_every_check_of_scorecard_has_a_line() -> None:
    _, _, page = (ROOT / "docs" / "release.md").read_text("utf-8").partition("Scorecard's checks:")
    rows = re.findall(r"(?m)^\| ([A-Z][^|]+) \|", page)

    assert sorted(name for row in rows for name in row.split(", ")) == sorted(CHECKS.split())
