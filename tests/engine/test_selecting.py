"""Which fine-tunes a request means: names, patterns, what is left out, what a change touches."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import FINETUNE, Shell, chat_rows, small_project

import ftctl
from ftctl.domain.plan_document import plan_document
from ftctl.engine.changed_finetunes import changed_finetunes
from ftctl.engine.context import RunContext
from ftctl.engine.selecting import is_pattern, names_meant
from ftctl.engine.session import open_session
from ftctl.errors import UsageError

Write = Callable[[Mapping[str, str]], Path]

NAMES = ("ft-0", "ft-1", "ft-10", "tone")


def test_a_pattern_means_what_it_means_to_a_shell() -> None:
    assert names_meant(["ft-?"], NAMES, "--select") == ("ft-0", "ft-1")
    assert names_meant(["ft-[!0]*", "tone"], NAMES, "--select") == ("ft-1", "ft-10", "tone")
    assert names_meant(["*"], NAMES, "--select") == NAMES
    assert [is_pattern(one) for one in ("ft-*", "ft-?", "ft-[0]", "ft-0")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_name_of_such_characters_means_itself() -> None:
    # No manifest has one, but the mark of a job may.
    assert names_meant(["ft-[0]"], ("ft-0", "ft-[0]"), "--select") == ("ft-[0]",)


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        ("tome", "--select: there is no fine-tune 'tome'", "did you mean 'tone'?"),
        ("zzz", "--select: there is no fine-tune 'zzz'", "known: ft-0, ft-1, ft-10, tone"),
        ("x-*", "--select: no fine-tune fits 'x-*'", "known: ft-0, ft-1, ft-10, tone"),
        ("FT-*", "--select: no fine-tune fits 'FT-*'", "known: ft-0, ft-1, ft-10, tone"),
    ],
)
def test_what_fits_nothing_is_refused(pattern: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as fault:
        names_meant(["tone", pattern], NAMES, "--select")

    assert (fault.value.message, fault.value.hint) == (message, hint)


# Of a whole project.


def named(name: str, **more: str) -> str:
    text = FINETUNE.replace("name: tone", f"name: {name}")
    return text + "".join(f"{key}: {value}\n" for key, value in more.items())


@pytest.fixture
def root(write_project: Write) -> Path:
    return write_project(
        small_project(
            **{
                "finetunes/ft-0.yaml": named("ft-0", seed="1"),
                "finetunes/ft-1.yaml": named("ft-1", seed="2"),
                "finetunes/child.yaml": named("child").replace(
                    "gpt-4.1-mini-2025-04-14", "{finetune: ft-1}"
                ),
            }
        )
    )


def planned(shell: Shell, *options: str) -> list[str]:
    document = shell.ok("plan", "--format", "json", *options).json
    return sorted(change["name"] for change in document["changes"])


def test_a_plan_is_of_what_is_selected_and_not_left_out(root: Path, shell: Shell) -> None:
    assert planned(shell, "--select", "ft-*") == ["ft-0", "ft-1"]
    assert planned(shell, "--exclude", "ft-1") == ["child", "ft-0", "tone"]
    assert planned(shell, "--select", "ft-*,tone", "--exclude", "ft-0") == ["ft-1", "tone"]
    assert planned(shell, "--exclude", "ft-*", "--exclude", "child") == ["tone"]


def test_a_saved_plan_names_what_was_meant(root: Path, shell: Shell, write_project: Write) -> None:
    shell.ok("plan", "--select", "ft-*", "--out", "plan.json")
    document = shell.ok("plan", "--format", "json", "--exclude", "ft-*").json
    write_project({"finetunes/ft-2.yaml": named("ft-2", seed="3")})

    applied = shell.ok("apply", "plan.json")

    assert document["options"]["select"] == ["child", "tone"]
    assert "ft-0: started" in applied.out
    assert "ft-2" not in applied.out  # it fits the pattern, and nobody has seen it


def test_the_command_that_a_plan_names_does_what_was_planned(root: Path, shell: Shell) -> None:
    out = shell.ok("plan", "--select", "ft-*", "--exclude", "ft-1").out

    assert out.endswith(
        "To carry it out: ftctl apply --select 'ft-*' --exclude ft-1\n".replace(
            "ftctl apply", f"ftctl -C {shell.folder} apply"
        )
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--exclude", "*"], "--exclude leaves no fine-tune"),
        (["--exclude", "ton"], "--exclude: there is no fine-tune 'ton'"),
        (["--exclude", "tone", "--replace", "tone"], "--exclude leaves out what --replace trains"),
        (["--exclude", "t*", "--replace", "tone=ftjob-1"], "--exclude leaves out what --replace"),
        (["--changed"], "--changed tells what differs from a base"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    root: Path, shell: Shell, options: list[str], message: str
) -> None:
    result = shell("plan", *options)

    assert result.status == 64
    assert message in result.err


def test_a_saved_plan_takes_no_further_selection(root: Path, shell: Shell) -> None:
    shell.ok("plan", "--out", "plan.json")

    for option in (["--exclude", "tone"], ["--changed"], ["--select", "tone"]):
        assert shell("apply", "plan.json", *option).status == 64


def test_selecting_nothing_is_not_selecting_everything(root: Path, shell: Shell) -> None:
    with ftctl.Workspace.open(root, environ={}, clock=shell.clock) as workspace:
        review = workspace.plan(ftctl.PlanRequest(select=()))
        workspace.apply(workspace.plan())
        nothing = workspace.plan_destruction(ftctl.PlanRequest(select=()))
        less = workspace.plan_destruction(ftctl.PlanRequest(select=(), exclude=("tone",)))

    assert review.plan.changes == ()
    assert plan_document(review)["options"]["select"] == []
    assert nothing.plan.changes == less.plan.changes == ()


def test_other_commands_take_patterns_where_they_take_names(root: Path, shell: Shell) -> None:
    shell.ok("apply", "--auto-approve", "--wait", "--select", "ft-*,tone")

    outputs = shell.ok("output", "ft-*").out.splitlines()
    status = shell.ok("status", "--format", "json", "ft-*").json
    alone = shell.ok("output", "ft-0").out
    nothing = shell("output", "x*")
    destroyed = shell.ok("destroy", "--auto-approve", "--select", "ft-*", "--exclude", "ft-1")

    assert [line.partition("\t")[0] for line in sorted(outputs)] == ["ft-0", "ft-1"]
    assert sorted(status) == ["ft-0", "ft-1"]
    assert alone.startswith("ft:")
    assert (nothing.status, nothing.err.splitlines()[0]) == (
        64,
        "error: output: no fine-tune fits 'x*'",
    )
    offline = [
        line.partition("\t")[0] for line in shell.ok("output", "--offline", "t*").out.splitlines()
    ]
    assert offline == ["tone"]
    deleted = {line.partition(":")[0] for line in destroyed.out.splitlines() if ": deleted" in line}
    assert deleted == {"ft-0", "files"}


# What a change touches.


@pytest.fixture
def git(root: Path) -> Callable[..., None]:
    def run(*arguments: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)

    (root / ".gitignore").write_text(".ftctl/\n", "utf-8")
    run("init", "--quiet", "--initial-branch", "main")
    run("add", "--all")
    run("commit", "--quiet", "--message", "first")
    return run


def touched(root: Path, revision: str = "main") -> list[str]:
    return sorted(changed_finetunes(open_session(RunContext(root, environ={})), revision))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_nothing_is_touched_by_what_says_the_same(root: Path, git: Callable[..., None]) -> None:
    assert touched(root) == []

    edit(root / "finetunes" / "ft-0.yaml", "seed: 1", "# why\nseed:   1")
    (root / "finetunes" / "tone.yaml").rename(root / "finetunes" / "moved.yaml")
    edit(root / "ftctl.yaml", "project: demo\n", "project: demo\nprune: true\n")

    assert touched(root) == []


def test_a_document_touches_its_fine_tune_and_what_continues_from_it(
    root: Path, git: Callable[..., None]
) -> None:
    edit(root / "finetunes" / "ft-1.yaml", "seed: 2", "seed: 3")
    assert touched(root) == ["child", "ft-1"]

    edit(root / "finetunes" / "tone.yaml", "name: tone", "suffix: cosmetic\nname: tone")
    (root / "finetunes" / "new.yaml").write_text(named("new", seed="9"), "utf-8")
    assert touched(root) == ["child", "ft-1", "new", "tone"]


def test_defaults_touch_those_that_take_them(root: Path, git: Callable[..., None]) -> None:
    edit(root / "ftctl.yaml", "project: demo\n", "project: demo\ndefaults: {seed: 5}\n")

    assert touched(root) == ["child", "tone"]  # the others say their seed themselves


def test_rows_touch_those_that_train_on_them(
    root: Path, git: Callable[..., None], write_project: Write
) -> None:
    write_project(
        {
            "data/own.jsonl": chat_rows(12, "no"),
            "finetunes/own.yaml": named("own").replace("train.jsonl", "own.jsonl"),
        }
    )
    git("add", "--all")
    git("commit", "--quiet", "--message", "second")
    assert touched(root) == []

    (root / "data" / "own.jsonl").write_text(chat_rows(13, "no"), "utf-8")
    assert touched(root) == ["own"]


def test_a_data_file_that_moved_touches_nobody(root: Path, git: Callable[..., None]) -> None:
    (root / "data").rename(root / "rows")
    (root / "rows").rename(root / "finetunes" / "data")
    deep = root / "finetunes" / "deep"
    deep.mkdir()
    for name in ("tone", "ft-0", "ft-1", "child"):
        (root / "finetunes" / f"{name}.yaml").rename(deep / f"{name}.yaml")

    assert touched(root) == []

    (root / "finetunes" / "data" / "train.jsonl").write_text(chat_rows(12, "no"), "utf-8")
    assert touched(root) == ["child", "ft-0", "ft-1", "tone"]


def test_a_dataset_touches_those_that_name_it(
    root: Path, git: Callable[..., None], write_project: Write
) -> None:
    dataset = "apiVersion: ftctl/v1\nkind: Dataset\nname: rows\nsource: ../data/train.jsonl\n"
    write_project(
        {
            "finetunes/rows.yaml": dataset,
            "finetunes/own.yaml": named("own", seed="4").replace(
                "{source: ../data/train.jsonl}", "rows"
            ),
        }
    )
    git("add", "--all")
    git("commit", "--quiet", "--message", "second")
    assert touched(root) == []

    write_project({"finetunes/rows.yaml": f"{dataset}description: the same rows\n"})
    assert touched(root) == ["own"]


def test_what_git_cannot_tell_of_counts_as_touched(
    root: Path, git: Callable[..., None], write_project: Write
) -> None:
    (root / ".gitignore").write_text(".ftctl/\ndata/own.jsonl\n", "utf-8")
    write_project(
        {
            "data/own.jsonl": chat_rows(12, "no"),
            "finetunes/own.yaml": named("own").replace("train.jsonl", "own.jsonl"),
            "finetunes/ft-0.yaml": "name: [broken",
        }
    )
    git("add", "--all")
    git("commit", "--quiet", "--message", "second")
    write_project({"finetunes/ft-0.yaml": named("ft-0", seed="1")})

    assert touched(root) == ["ft-0", "own"]


def test_a_project_that_is_new_there_is_touched_as_a_whole(
    root: Path, git: Callable[..., None]
) -> None:
    git("rm", "--quiet", "--cached", "ftctl.yaml")
    git("commit", "--quiet", "--message", "second")

    assert touched(root) == ["child", "ft-0", "ft-1", "tone"]


def test_a_project_below_the_top_of_a_repository(
    tmp_path: Path, git: Callable[..., None], root: Path
) -> None:
    below = root / "below"
    below.mkdir()
    for name in ("ftctl.yaml", "finetunes", "data"):
        (root / name).rename(below / name)
    git("add", "--all")
    git("commit", "--quiet", "--message", "second")
    edit(below / "finetunes" / "ft-0.yaml", "seed: 1", "seed: 7")

    assert touched(below) == ["ft-0"]
    assert touched(below, "main~1") == ["child", "ft-0", "ft-1", "tone"]


def test_a_plan_of_what_changed(root: Path, git: Callable[..., None], shell: Shell) -> None:
    unchanged = shell.ok("plan", "--changed", "--base", "main")
    edit(root / "finetunes" / "ft-0.yaml", "seed: 1", "seed: 7")

    assert "note: no fine-tune differs from what it is at main" in unchanged.err
    assert "Plan: no fine-tunes. Nothing to do, nothing to pay." in unchanged.out
    assert planned(shell, "--changed", "--base", "main") == ["ft-0"]
    assert planned(shell, "--changed", "--base", "main", "--select", "tone") == []
    assert (
        shell.ok("plan", "--changed", "--base", "main")
        .out.rstrip()
        .endswith("--changed --base main")
    )
