"""What is kept for the next run changes how long it takes, and nothing else."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, ROOT, Shell, cache_of, chat_rows, small_project

from ftctl.data.cache import Datasets, Known, Store, open_store
from ftctl.data.cache.store import _DECIDING, _fingerprint
from ftctl.data.scanning import Counting, ScanRequest, Workers
from ftctl.domain.quality_settings import QualitySettings
from ftctl.engine.workspace import Workspace
from ftctl.errors import Diagnostic
from ftctl.manifest import Document, read_documents
from ftctl.project.document_cache import Documents

Write = Callable[[Mapping[str, str]], Path]

CASES = sorted(path for path in (Path(__file__).parents[1] / "cases").glob("*/*") if path.is_dir())
ANY, CHAT = ScanRequest(), ScanRequest("supervised")
PACKAGE = ROOT / "ftctl"
LATER = 10_000_000_000  # nanoseconds after which a file is no longer just written


def _later() -> int:
    return time.time_ns() + LATER


def _found(folder: Path) -> Any:
    """All that a project says, every place with it."""
    validation = Workspace.open(folder, environ={}).validate()
    session, problems = validation.session, validation.problems
    if session is None:
        return problems
    project = session.project
    documents = [project.file, *project.datasets, *project.finetunes]
    told = [(one.path, one.value, dict(one.places), dict(one.keys)) for one in documents]
    return problems, session.desired, session.info, project.config, told


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_project_says_the_same_from_thecache_of(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(case, folder)

    first, second = _found(folder), _found(folder)
    shutil.rmtree(cache_of(folder))

    assert second == first
    assert _found(folder) == first


YAMLS = [
    "a: 1\nb: [x, {y: 2.0, z: null}]\n",
    "a: &one {b: 1}\nc: *one\n",
    "base: &base {b: 1}\nc: {<<: *base, d: 2}\n",
    "first: 1\n---\nsecond: 2\n---\nthird: {}\n",
    "'': 1\n'#': 2\n'a:b;c/d': [[], {}]\n",
    '"\\ud83d\\ude00 é\\U0001F600": "\\u2028"\n',
    "a: 1\na: 2\n",
    "a: [\n",
    "a: 1e400\nb: 1.0\nc: 12345678901234567890123\nd: -0.0\n",
    "",
]


@pytest.mark.parametrize("text", YAMLS)
@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_documents_come_back_with_every_place(text: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_text(text, "utf-8")

    expected = _plainly(read_documents(path, "shown"))
    for _ in range(2):
        documents = Documents(open_store(tmp_path / "home", "documents"))
        assert _plainly(documents.read(path, "shown")) == expected
        documents.save(())


def _plainly(found: tuple[tuple[Document, ...], tuple[Diagnostic, ...]]) -> Any:
    documents, problems = found
    return problems, [
        (repr(one.value), dict(one.places), dict(one.keys), one.place(), one.trapped)
        for one in documents
    ]


def test_an_unchanged_project_needs_no_parser(write_project: Write) -> None:
    root = write_project(small_project())
    program = (
        "import sys; from ftctl.cli.main import run; status = run(['validate']);"
        "sys.exit(status or sum(name in sys.modules for name in ('yaml', 'jsonschema')))"
    )

    runs = [subprocess.run([sys.executable, "-c", program], cwd=root, check=False) for _ in "ab"]

    assert [run.returncode for run in runs] == [2, 0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: b"",
        lambda kept: kept[:-3],
        lambda kept: kept.replace(b"gpt-4.1-mini", b"gpt-4.1-nano"),
        lambda kept: b"0" + kept[1:],
        lambda kept: os.urandom(len(kept)),
    ],
)
def test_a_damaged_cache_is_nocache_of(
    damage: Callable[[bytes], bytes], write_project: Write
) -> None:
    root = write_project(small_project())
    first = _found(root)
    for path in _kept(root):
        path.write_bytes(damage(path.read_bytes()))

    second = _found(root)

    assert second == first


def test_a_cache_that_cannot_be_kept_is_done_without(write_project: Write, user: Path) -> None:
    root = write_project(small_project())
    user.mkdir()
    (user / "cache").write_text("a file where a folder should be", "utf-8")

    assert _found(root) == _found(root)
    assert (user / "cache").is_file()


def test_a_checkout_knows_nothing_of_another_one(write_project: Write) -> None:
    root = write_project(small_project())
    _found(root)
    copy = root.with_name(f"{root.name}-copy")
    shutil.copytree(root, copy)

    store = open_store(cache_of(copy), "documents")
    documents, _ = Documents(store).read(copy / "finetunes" / "tone.yaml", "tone.yaml")

    assert type(documents[0].places) is dict  # read from the file


def test_another_version_of_a_library_whose_data_decide_makes_all_of_it_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _fingerprint.__wrapped__()
    (tmp_path / "others-9.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert _fingerprint.__wrapped__() == before

    (tmp_path / "phonenumberslite-9.9.dist-info").mkdir()

    assert _fingerprint.__wrapped__() != before


def test_what_has_a_fault_is_not_kept(shell: Shell, write_project: Write) -> None:
    wrong = FINETUNE + "metadata: {a: 1, b: 017}\napi_key: sk-verysecretkey\n"
    root = write_project(small_project(wrong))

    shell("validate")

    kept = b"".join(path.read_bytes() for path in _kept(root))
    assert b"demo" in kept
    assert b"sk-" not in kept
    assert not (root / ".ftctl").exists()


def test_other_defaults_are_checked_again(shell: Shell, write_project: Write) -> None:
    root = write_project(small_project())
    shell.ok("validate")
    project = "project: demo\ndefaults: {hyperparameters: {beta: 0.1}}\n"
    (root / "ftctl.yaml").write_text(project, "utf-8")

    first, second = shell("validate"), shell("validate")

    assert "beta" in first.out
    assert second == first


def test_a_file_that_stays_as_it_is_is_read_once(write_project: Write) -> None:
    source = write_project({"train.jsonl": chat_rows(12)}) / "train.jsonl"
    opened = _opened(source)
    store = _store(source)

    first, second = (
        Datasets(store, now=_later).scan("a", source, "train.jsonl", ANY) for _ in range(2)
    )

    assert first == second
    assert len(opened) == 1


@pytest.mark.parametrize("restore_times", [False, True])
@pytest.mark.parametrize("now", [_later, time.time_ns])
def test_an_edit_of_the_same_size_is_noticed(
    restore_times: bool, now: Callable[[], int], write_project: Write
) -> None:
    source = write_project({"train.jsonl": chat_rows(12)}) / "train.jsonl"
    store = _store(source)
    before = source.stat()
    first = Datasets(store, now=now).scan("a", source, "train.jsonl", ANY).dataset
    time.sleep(0.01)  # the clock that stamps files ticks a hundred times a second or more
    source.write_text(chat_rows(12, answer="yea"), "utf-8")
    if restore_times:
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))

    second = Datasets(store, now=now).scan("a", source, "train.jsonl", ANY).dataset

    assert first is not None
    assert second is not None
    assert second.bytes == first.bytes == source.stat().st_size
    assert second.sha256 != first.sha256


def test_a_file_that_was_just_written_is_hashed_again(write_project: Write) -> None:
    source = write_project({"train.jsonl": chat_rows(12)}) / "train.jsonl"
    store = _store(source)
    opened = _opened(source)

    for _ in range(2):
        Datasets(store).scan("a", source, "train.jsonl", ANY)

    assert len(opened) == 2


def test_warnings_are_kept_with_the_check(write_project: Write) -> None:
    rows = chat_rows(12).replace("\n", "\n\n", 1)
    source = write_project({"train.jsonl": rows}) / "train.jsonl"
    store = _store(source)

    first, second = (
        Datasets(store, now=_later).scan("a", source, "train.jsonl", CHAT) for _ in range(2)
    )

    assert [problem.code for problem in first.diagnostics] == ["blank-line"]
    assert second == first


def test_each_method_has_its_own_check(write_project: Write) -> None:
    source = write_project({"train.jsonl": chat_rows(12)}) / "train.jsonl"
    store = _store(source)
    suits = Datasets(store, now=_later).scan("a", source, "train.jsonl", CHAT)

    other = Datasets(store, now=_later).scan("a", source, "train.jsonl", ScanRequest("dpo"))

    assert suits.dataset is not None
    assert other.dataset is None
    assert other.diagnostics


def _kept(root: Path) -> list[Path]:
    return [path for path in cache_of(root).rglob("*") if path.is_file()]


def _opened(source: Path) -> list[object]:
    """Grows with every time that this process opens the file, from now on."""
    opened: list[object] = []

    def hear(event: str, args: tuple[object, ...]) -> None:
        if event == "open" and str(args[0]) == str(source):
            opened.append(args[0])

    sys.addaudithook(hear)
    return opened


def _store(source: Path) -> Store:
    return open_store(cache_of(source.parent), "datasets")


def _refuse() -> Workers:
    pytest.fail("the file is checked again")


def test_a_file_that_was_only_touched_is_hashed_and_not_checked(write_project: Write) -> None:
    source = write_project({"train.jsonl": chat_rows(12)}) / "train.jsonl"
    store = _store(source)
    first = Datasets(store, now=_later).scan("a", source, "train.jsonl", CHAT)
    source.touch()

    second = Datasets(store, now=_later, workers=_refuse).scan("a", source, "train.jsonl", CHAT)

    assert second == first
    assert second.dataset is not None


def test_what_is_wrong_with_a_file_is_known_from_the_last_run(write_project: Write) -> None:
    rows = chat_rows(12).replace("assistant", "asistant", 1)
    source = write_project({"train.jsonl": rows}) / "train.jsonl"
    store = _store(source)
    first = Datasets(store, now=_later).scan("a", source, "train.jsonl", CHAT)

    second = Datasets(store, now=_later, workers=_refuse).scan("b", source, "other.jsonl", CHAT)

    assert [str(one.span) for one in first.diagnostics] == ["train.jsonl:1"]
    assert [str(one.span) for one in second.diagnostics] == ["other.jsonl:1"]


def test_known_tokens_answer_who_asks_for_less(write_project: Write) -> None:
    source = write_project({"train.jsonl": chat_rows(12)}) / "train.jsonl"
    store = _store(source)
    counted = ScanRequest("supervised", countings=(Counting("o200k_base"),))
    plain = replace(counted, totals=False)
    whole = Datasets(store, now=_later).scan("a", source, "train.jsonl", counted)

    known = Datasets(store, now=_later, workers=_refuse).scan("a", source, "train.jsonl", plain)

    assert whole.tokens is not None
    assert known == Datasets().scan("a", source, "train.jsonl", plain)


LEAKY = FINETUNE + "validation: {source: ../data/validation.jsonl}\n"
_LISTEN = """\
import sys
def hear(event, args):
    if event == "open" and str(args[0]).endswith((".jsonl", "fingerprints")):
        print("opened", args[0])
sys.addaudithook(hear)
from ftctl.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_an_unchanged_project_reads_no_data(command: str, write_project: Write) -> None:
    root = write_project(small_project(LEAKY, **{"data/validation.jsonl": chat_rows(3)}))
    time.sleep(2.1)  # a file that was just written is looked at again

    first, second = (
        subprocess.run(
            [sys.executable, "-c", _LISTEN, command], cwd=root, capture_output=True, text=True,
            check=True,
        )
        for _ in "ab"
    )  # fmt: skip

    assert first.stdout.count("opened") >= 2
    assert "opened" not in second.stdout
    assert second.stdout.splitlines() == [
        line for line in first.stdout.splitlines() if not line.startswith("opened")
    ]


def test_fingerprints_that_are_damaged_or_gone_are_made_again(write_project: Write) -> None:
    files = {"train.jsonl": chat_rows(12), "held.jsonl": chat_rows(3)}
    root = write_project(files)
    request = ScanRequest("supervised", least=1, quality=QualitySettings(near_duplicates="ignore"))

    def leaks(store: Store) -> tuple[Diagnostic, ...]:
        data = Datasets(store, cache_of(root) / "fingerprints", now=_later)
        known = []
        for name in files:
            scan = data.scan(name, root / name, name, request)
            assert scan.sha256 is not None
            known.append(Known(root / name, scan.sha256, request))
        return Datasets(store, cache_of(root) / "fingerprints", now=_later).leaks(*known)

    expected = leaks(Store(None, ""))
    kept = sorted((cache_of(root) / "fingerprints").iterdir())
    kept[0].write_bytes(kept[0].read_bytes()[:-1])
    kept[1].unlink()

    assert [problem.code for problem in expected] == ["leaked-row"] * 3
    assert leaks(Store(None, "")) == expected
    assert len(list((cache_of(root) / "fingerprints").iterdir())) == 2


_DECIDES = ("data/scanning/file_scan.py", "data/scanning/worker.py", "data/cache/datasets.py",
            "manifest/reader.py", "project/document_cache.py", "project/load.py")  # fmt: skip
_DECIDES_NOTHING = {PACKAGE / "lazy.py", PACKAGE / "numeric.py"}


def test_a_change_of_any_code_that_decides_makes_the_cache_stale() -> None:
    kept_by = {PACKAGE / place for place in _DECIDING}

    reached = _reached_from(PACKAGE / name for name in _DECIDES)

    missing = {file for file in reached if file not in kept_by and file.parent not in kept_by}
    assert missing <= _DECIDES_NOTHING, "they belong to _DECIDING in ftctl/data/cache/store.py"
    assert all(place.exists() for place in kept_by)


def _reached_from(files: Iterable[Path]) -> set[Path]:
    """The modules, and those that they import, wherever in them."""
    reached: set[Path] = set()
    waiting = [*files]
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.add(file)
            waiting += filter(None, map(_file_of, _imported(file)))
    return reached


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _file_of(module: str) -> Path | None:
    top, *parts = module.split(".")
    place = PACKAGE.joinpath(*parts)
    files = (place.with_suffix(".py"), place / "__init__.py") if top == "ftctl" and parts else ()
    return next((file for file in files if file.is_file()), None)


def test_many_runs_at_once_and_killed_ones_leave_a_soundcache_of(write_project: Write) -> None:
    root = write_project(small_project(LEAKY, **{"data/validation.jsonl": chat_rows(3)}))
    expected = _found(root)
    shutil.rmtree(cache_of(root))
    command = [sys.executable, "-m", "ftctl", "-C", str(root), "validate"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    for delay in (0.1, 0.2, 0.25, 0.3, 0.4):
        runs = [subprocess.Popen(command, **quiet) for _ in range(3)]
        time.sleep(delay)
        runs[0].kill()
        assert [run.wait() for run in runs[1:]] == [0, 0]
        assert runs[0].wait() in (0, -9)
        assert _found(root) == expected
