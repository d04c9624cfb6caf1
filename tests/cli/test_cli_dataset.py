"""`ftctl dataset …` as people type it: what is printed, what is written, and how it ends."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest
from conftest import DATA, Shell, chat_rows, preference_rows

from ftctl.cli.dataset import COMMANDS, dataset_command
from ftctl.cli.dataset.amounts import ROWS
from ftctl.cli.dataset.check import QUALITY_CHECKS
from ftctl.cli.main import cli
from ftctl.data.quality import CHECKS

Write = Callable[[Mapping[str, str]], Path]

EMOTION = DATA / "emotion"
needs_emotion = pytest.mark.skipif(not EMOTION.is_dir(), reason="the shared data is not here")

SECRET = "zebra-crossing"
WAYS = (["check"], ["stats"], ["diff", "good.jsonl"], ["diff", "--show-text", "good.jsonl"])


def row(question: str, answer: str) -> str:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages}) + "\n"


@pytest.fixture
def data(shell: Shell, write_project: Write) -> Shell:
    write_project({"good.jsonl": chat_rows(12), "pairs.jsonl": preference_rows(10)})
    return shell


# What holds for all of them.


def test_each_command_says_the_same_of_itself_as_the_list_of_them(shell: Shell) -> None:
    context = click.Context(dataset_command, **cli.context_settings)

    for name, short in COMMANDS.items():
        command = dataset_command.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(200) == short
        shown = shell.ok("dataset", name, "--help").out
        assert f"Example: ftctl dataset {name} " in " ".join(shown.split())
        assert f"  {name} " in shell.ok("dataset", "-h").out


def test_help_imports_no_command_and_a_command_no_other() -> None:
    code = (
        "import sys; from ftctl.cli.main import run; run(sys.argv[1:]);"
        "print(*sorted(name for name in sys.modules if name.startswith('ftctl')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "dataset", "-h"], capture_output=True, text=True, check=True
    )

    loaded = done.stdout.splitlines()[-1].split()
    assert "ftctl.cli.dataset" in loaded
    assert [
        name for name in loaded if name.startswith(("ftctl.data.stats", "ftctl.data.scanning"))
    ] == []
    assert [name for name in loaded if name.startswith("ftctl.cli.dataset.")] == []


def test_an_unknown_command_is_wrong_usage(shell: Shell) -> None:
    result = shell("dataset", "chek")

    assert result.status == 64
    assert "No such command 'chek'" in result.err


def _missing(path: Path) -> None:
    path.unlink(missing_ok=True)


def _folder(path: Path) -> None:
    path.mkdir()


def _gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(chat_rows(3).encode()))


def _binary(path: Path) -> None:
    path.write_bytes(b"\x7fELF\0\0\1\2\3")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _list(path: Path) -> None:
    path.write_text("[{}]")


@pytest.mark.parametrize("arguments", WAYS, ids=" ".join)
@pytest.mark.parametrize(
    ("make", "code"),
    [(_missing, "missing-file"), (_folder, "not-a-regular-file"), (_gzip, "compressed-file"),
     (_binary, "binary-file"), (_pipe, "not-a-regular-file"), (_list, "json-not-lines")],
)  # fmt: skip
def test_what_is_no_data_file_is_told_with_a_cure(
    data: Shell, arguments: list[str], make: Callable[[Path], None], code: str
) -> None:
    make(data.folder / "odd.jsonl")

    result = data("dataset", *arguments, "odd.jsonl")

    told = result.out + result.err
    assert result.status == 1
    assert f": error[{code}]: " in told
    assert told.startswith("odd.jsonl:")
    assert "    hint: " in told
    assert "1 problem found." in result.err
    assert "manifest" not in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(data: Shell) -> None:
    (data.folder / "good.jsonl").chmod(0)

    assert "unreadable-file" in data("dataset", "stats", "good.jsonl").err


@pytest.mark.parametrize(
    "arguments",
    [["check", "odd.jsonl"], ["stats", "odd.jsonl"], ["stats", "odd.jsonl", "--format", "json"],
     ["check", "odd.jsonl", "--format", "json"], ["check", "odd.jsonl", "--format", "github"],
     ["stats", "odd.jsonl", "--format", "svg"], ["diff", "good.jsonl", "odd.jsonl"],
     ["diff", "good.jsonl", "odd.jsonl", "--format", "json"],
     ["diff", "odd.jsonl", "good.jsonl", "--format", "markdown"]],
    ids=" ".join,
)  # fmt: skip
def test_no_command_prints_training_text(data: Shell, arguments: list[str]) -> None:
    said = f"{SECRET} and {SECRET} again and again, as long as a sentence is"
    bad = json.dumps({"messages": [{"role": said, "content": said}, {"role": "user"}], said: 1})
    rows = [row(said, said), row(f"{said}?", said), row("q", said), row("q", SECRET)]
    (data.folder / "odd.jsonl").write_text("".join(rows) + f'{bad}\n{{"messages": "{SECRET}')

    result = data("dataset", *arguments)

    # Of a key that nothing knows, the first 40 characters are named, so that it can be found.
    told = (result.out + result.err).replace(repr(f"{said[:40]}…"), "")
    assert told
    assert SECRET not in told


@pytest.mark.parametrize(
    "arguments",
    [["check", "good.jsonl", "--format", "json", "--model", "gpt-4.1"],
     ["stats", "good.jsonl", "--format", "json"], ["stats", "good.jsonl", "--format", "svg"],
     ["diff", "good.jsonl", "pairs.jsonl", "--format", "json"]],
    ids=" ".join,
)  # fmt: skip
def test_the_same_files_give_the_same_bytes(data: Shell, arguments: list[str]) -> None:
    first = data("dataset", *arguments)

    assert data("dataset", *arguments).out == first.out
    if "json" in arguments:
        document = first.json
        text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
        assert first.out == f"{text}\n"
        assert document["format_version"] == "1.0"


# check


def test_check_tells_every_problem_at_once(data: Shell) -> None:
    (data.folder / "odd.jsonl").write_text('{"mesages": []}\nnonsense\n')

    result = data("dataset", "check", "odd.jsonl", "good.jsonl")

    places = [line.partition(": error")[0] for line in result.out.splitlines() if "error[" in line]
    assert result.status == 1
    assert places == ["odd.jsonl", "odd.jsonl:1", "odd.jsonl:1", "odd.jsonl:2:1"]
    assert result.err == "4 problems found.\n"


def test_check_of_a_good_file(data: Shell) -> None:
    (data.folder / "good.jsonl").write_text(
        "".join(row(f"What is {n} times {n + 1}?", f"It is {n * (n + 1)}.") for n in range(12))
    )

    result = data("dataset", "check", "good.jsonl", "--no-near-duplicates")

    assert (result.status, result.err) == (0, "")
    assert result.out.splitlines()[-1] == "Valid: 12 rows of data in 1 file."


def test_check_counts_tokens_for_a_model(data: Shell) -> None:
    counted = data.ok("dataset", "stats", "good.jsonl", "--format", "json").json["tokens"]["billed"]

    result = data.ok("dataset", "check", "good.jsonl", "--model", "gpt-4.1-mini-2025-04-14")
    document = data.ok("dataset", "check", "good.jsonl", "--model", "gpt-4.1", "--format", "json")

    assert result.out.endswith(f"Valid: 12 rows of data in 1 file, {counted:,} tokens.\n")
    assert document.json["files"][0]["tokens"]["training"] == counted


def test_check_caps_each_kind_in_text_and_never_in_json(data: Shell) -> None:
    row = '{"prompt": "Q", "completion": "A"}\n'
    (data.folder / "odd.jsonl").write_text(row + "nonsense\n" * 50)

    text = data("dataset", "check", "odd.jsonl", "--max-per-code", "3").out
    usual = data("dataset", "check", "odd.jsonl").out
    document = data("dataset", "check", "odd.jsonl", "--format", "json").json

    assert text.count("error[not-json]") == 4
    assert "… and 47 more of this kind" in text
    assert usual.count("error[not-json]") == 21
    assert document["counts"]["not-json"] == 50
    lines = [one["line"] for one in document["problems"] if one["code"] == "not-json"]
    assert lines == list(range(2, 52))
    assert (document["ok"], document["files"][0]["ok"]) == (False, False)


def test_check_holds_rows_against_a_method(data: Shell) -> None:
    assert data("dataset", "check", "pairs.jsonl", "--method", "dpo").status == 0
    result = data("dataset", "check", "pairs.jsonl", "--method", "supervised")

    assert result.status == 1
    assert "error[wrong-format]" in result.out


def test_check_finds_validation_rows_in_the_training_file(data: Shell) -> None:
    leaking = row("Something of its own?", "It is so.") + chat_rows(2)
    (data.folder / "held.jsonl").write_text(leaking)
    ask = ["dataset", "check", "good.jsonl", "--validation", "held.jsonl", "--format", "json"]

    found = data(*ask).json
    off = data(*ask, "--no-leakage").json

    leaked = [one for one in found["problems"] if one["code"] == "leaked-row"]
    assert {(one["path"], one["line"]) for one in leaked} == {("held.jsonl", 2), ("held.jsonl", 3)}
    assert [one["path"] for one in found["files"]] == ["good.jsonl", "held.jsonl"]
    assert not any("leaked" in code for code in off["counts"])


def test_a_validation_file_may_have_fewer_rows_than_a_job_needs(data: Shell) -> None:
    (data.folder / "held.jsonl").write_text(row("Something of its own?", "It is so."))

    assert data("dataset", "check", "good.jsonl", "--validation", "held.jsonl").status == 0
    assert data("dataset", "check", "held.jsonl").status == 1


def test_every_quality_check_has_its_switch() -> None:
    assert set(QUALITY_CHECKS) == set(CHECKS.values()) - {"moderation"}  # off as it is


def test_a_switch_silences_its_check(data: Shell) -> None:
    (data.folder / "twice.jsonl").write_text(chat_rows(12) * 2)

    assert "duplicate-row" in data.ok("dataset", "check", "twice.jsonl").out
    assert (
        " warning[duplicate-row]"
        not in data.ok("dataset", "check", "twice.jsonl", "--no-duplicates").out
    )


def test_check_annotates_pull_requests(data: Shell) -> None:
    (data.folder / "odd.jsonl").write_text("nonsense\n")

    assert (
        "::error file=odd.jsonl,line=1,col=1,title=not-json::"
        in data("dataset", "check", "odd.jsonl", "--format", "github").out
    )


# stats


def test_stats_counts_what_cannot_be_read_apart(data: Shell) -> None:
    (data.folder / "odd.jsonl").write_bytes(
        b"\xef\xbb\xbf" + chat_rows(2).encode() + b"nonsense\n\n" + b"[" * 3_000 + b"\n"
    )

    result = data.ok("dataset", "stats", "odd.jsonl")

    assert result.out.startswith("odd.jsonl: 2 rows, ")
    assert "unreadable  2, left out here; 'ftctl dataset check' names them" in result.out


def test_stats_of_an_empty_file(data: Shell) -> None:
    (data.folder / "none.jsonl").write_text("\n\n")

    document = data.ok("dataset", "stats", "none.jsonl", "--format", "json").json

    assert data.ok("dataset", "stats", "none.jsonl").out.startswith("none.jsonl: 0 rows, 2 bytes")
    assert (document["rows"], document["training"], document["formats"]) == (0, None, {})
    assert data.ok("dataset", "stats", "none.jsonl", "--format", "svg").status == 0


def test_stats_names_the_file_by_its_hash(data: Shell) -> None:
    content = (data.folder / "good.jsonl").read_bytes()

    document = data.ok("dataset", "stats", "good.jsonl", "--format", "json").json

    assert document["sha256"] == hashlib.sha256(content).hexdigest()
    assert (document["bytes"], document["rows"]) == (len(content), 12)
    assert document["answers"]["repeated"] == [
        {"text": "yes", "characters": 3, "rows": 12, "share": 1.0}
    ]


def test_stats_draws_a_picture_into_a_file_but_over_none(data: Shell) -> None:
    picture = data.folder / "rows.svg"

    first = data.ok("dataset", "stats", "good.jsonl", "--out", "rows.svg")
    drawn = picture.read_text("utf-8")
    second = data("dataset", "stats", "pairs.jsonl", "--out", "rows.svg")

    assert (first.out, first.err) == ("", "Wrote rows.svg.\n")
    assert ET.fromstring(drawn).tag.endswith("svg")
    assert second.status == 1
    assert "rows.svg is there already; nothing was written\n    hint: write over it: --force" in (
        second.err
    )
    assert picture.read_text("utf-8") == drawn
    data.ok("dataset", "stats", "pairs.jsonl", "--out", "rows.svg", "--force")
    assert picture.read_text("utf-8") != drawn
    assert sorted(path.name for path in data.folder.iterdir()) == [
        "good.jsonl", "pairs.jsonl", "rows.svg",
    ]  # fmt: skip


@pytest.mark.parametrize("out", ["nowhere/rows.svg", "."])
def test_stats_says_where_it_cannot_write(data: Shell, out: str) -> None:
    result = data("dataset", "stats", "good.jsonl", "--out", out)

    assert result.status == 1
    assert result.err.startswith(f"error: {out} ")


def test_stats_draws_with_ascii_where_that_is_all(data: Shell) -> None:
    assert "█" in data.ok("dataset", "stats", "good.jsonl").out
    assert data.ok("dataset", "stats", "good.jsonl", "--ascii").out.isascii()

    done = subprocess.run(
        [sys.executable, "-m", "ftctl", "dataset", "stats", "good.jsonl"],
        cwd=data.folder,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert b"###" in done.stdout


@needs_emotion
def test_stats_of_the_emotion_data(shell: Shell) -> None:
    out = shell.ok("dataset", "stats", str(EMOTION / "train.jsonl")).out

    assert "480 rows, 176,555 bytes, chat" in out
    assert "different  6 in 480 rows" in out
    assert "17.7%      85  joy" in out


# diff


@pytest.fixture
def repository(data: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A git repository whose first commit has data/train.jsonl, changed since."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    file = data.folder / "data" / "train.jsonl"
    file.parent.mkdir()
    file.write_text(row("one?", "1") + row("two?", "2"))
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "data"],
        [*identity, "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=data.folder, check=True)
    file.write_text(row("two?", "two") + row("one?", "1") + row("three?", "3"))
    return data


@pytest.mark.parametrize("before", ["main:data/train.jsonl", "HEAD:./data/train.jsonl"])
def test_diff_against_a_git_revision(repository: Shell, before: str) -> None:
    document = repository.ok("dataset", "diff", before, "data/train.jsonl", "--format", "json").json

    assert document["rows"] == {"unchanged": 1, "added": 1, "removed": 0, "changed": 1}
    assert document["changed"] == [{"before": 2, "after": 1, "kind": "answer", "likeness": None}]
    assert document["before"] == {"path": before, "rows": 2, "unreadable_rows": 0}


def test_diff_against_the_index(repository: Shell) -> None:
    result = repository.ok("dataset", "diff", ":data/train.jsonl", "data/train.jsonl")

    assert "Rows: 1 added, 1 changed, 1 unchanged." in result.out


def test_a_file_of_that_very_name_goes_before_git(repository: Shell) -> None:
    (repository.folder / "main:data").mkdir()
    (repository.folder / "main:data" / "train.jsonl").write_text(row("two?", "two"))

    result = repository.ok("dataset", "diff", "main:data/train.jsonl", "data/train.jsonl")

    assert "Rows: 2 added, 1 unchanged." in result.out


@pytest.mark.parametrize(
    ("side", "status", "said"),
    [
        ("nowhere:data/train.jsonl", 1, "git does not have it"),
        ("main:data/none.jsonl", 1, "git does not have it"),
        ("main:data", 1, "main:data is a directory in git, not a file"),
        ("--output=x:y", 64, "is neither a file nor a file in a git revision"),
        ("main:", 64, "is neither a file nor a file in a git revision"),
    ],
)
def test_what_git_does_not_have_is_told_with_a_cure(
    repository: Shell, side: str, status: int, said: str
) -> None:
    result = repository("dataset", "diff", "--", side, "data/train.jsonl")

    assert (result.status, result.out) == (status, "")
    assert said in result.err
    assert "    hint: " in result.err
    assert not (repository.folder / "x").exists()


def test_a_git_revision_without_a_repository(data: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(data.folder.parent))

    result = data("dataset", "diff", "main:x.jsonl", "good.jsonl")

    assert result.status == 1
    assert "main:x.jsonl is no file, and git does not have it: not a git repository" in result.err


def test_diff_shows_texts_only_when_asked(repository: Shell) -> None:
    ask = ["dataset", "diff", "main:data/train.jsonl", "data/train.jsonl"]

    assert "three?" not in repository.ok(*ask).out
    shown = repository.ok(*ask, "--show-text").out
    assert '        - "2"\n        + "two"\n' in shown
    assert '"three?"' in shown


def test_a_text_with_half_a_character_can_be_shown(data: Shell) -> None:
    (data.folder / "half.jsonl").write_text('{"prompt": "p", "completion": "\\ud800"}\n')
    (data.folder / "whole.jsonl").write_text('{"prompt": "p", "completion": "x"}\n')

    for form in ("text", "markdown", "json"):
        result = data.ok(
            "dataset", "diff", "half.jsonl", "whole.jsonl", "--show-text", "--format", form
        )
        assert "\\ud800" in result.out


def test_equal_files_have_no_difference(data: Shell) -> None:
    assert data.ok("dataset", "diff", "good.jsonl", "good.jsonl").out == (
        "good.jsonl: 12 rows\ngood.jsonl: 12 rows\n\nRows: 12 unchanged.\n"
    )


def test_diff_leaves_out_what_cannot_be_read_and_says_so(data: Shell) -> None:
    (data.folder / "odd.jsonl").write_text(chat_rows(12) + "nonsense\n")

    result = data.ok("dataset", "diff", "good.jsonl", "odd.jsonl")

    assert "Note: odd.jsonl: 1 row is not readable and left out" in result.out


# convert, split, sample


def test_convert_makes_rows_of_a_table(data: Shell) -> None:
    (data.folder / "faq.csv").write_text("question,answer\nWhat is it?,A test.\nWhy?,Because.\n")
    ask = ["dataset", "convert", "faq.csv", "faq.jsonl"]
    templates = ["--template", "user={question}", "--template", "assistant={answer}"]

    result = data.ok(*ask, *templates)

    written = (data.folder / "faq.jsonl").read_bytes()
    assert [json.loads(line)["messages"][1]["content"] for line in written.splitlines()] == [
        "A test.", "Because.",
    ]  # fmt: skip
    sha256 = hashlib.sha256(written).hexdigest()
    wrote = f"Wrote faq.jsonl: 2 rows, {len(written):,} bytes, sha256 {sha256}.\n"
    assert result.out == ""
    assert result.err.endswith(wrote)


def test_convert_to_standard_output_prints_the_rows_alone(data: Shell) -> None:
    (data.folder / "qa.jsonl").write_text(
        '{"prompt": "sk-abcdefghijkl", "completion": "Because."}\n'
    )

    result = data.ok("dataset", "convert", "qa.jsonl", "-", "--to", "chat")

    assert json.loads(result.out) == {
        "messages": [
            {"role": "user", "content": "sk-abcdefghijkl"},  # data is not for us to redact
            {"role": "assistant", "content": "Because."},
        ]
    }
    assert "Wrote to standard output: 1 row, " in result.err


def test_convert_writes_nothing_when_a_row_is_wrong(data: Shell) -> None:
    (data.folder / "qa.jsonl").write_text('{"prompt": "Why?"}\n{"prompt": 7, "completion": "x"}\n')

    result = data("dataset", "convert", "qa.jsonl", "out.jsonl", "--from", "completion")

    assert result.status == 1
    assert "qa.jsonl:1: error[" in result.err
    assert "qa.jsonl:2: error[" in result.err
    assert not (data.folder / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--template", "no role"], "--template 'no role' has no role"),
        (["--template", "user=a", "--template", "user=b"], "--template user=… stands twice"),
        (["--delimiter", "ab"], "--delimiter 'ab' is not one character"),
        (["--to", "poem"], "'poem' is not one of"),
        (["--from", "poem"], "'poem' is not one of"),
    ],
)
def test_convert_refuses_what_makes_no_sense(data: Shell, options: list[str], said: str) -> None:
    result = data("dataset", "convert", "good.jsonl", "out.jsonl", *options)

    assert result.status == 64
    assert said in result.err


def test_a_column_that_is_not_there_is_named(data: Shell) -> None:
    (data.folder / "faq.csv").write_text("question,answer\nWhat?,That.\n")
    templates = ["--template", "user={qestion}", "--template", "assistant={answer}"]

    result = data("dataset", "convert", "faq.csv", "faq.jsonl", *templates)

    assert result.status == 1
    assert "error[unknown-column]" in result.err
    assert "question" in result.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("my rows.jsonl", '{"prompt": "A?", "completion": "yes", "id": 7, "from where": "web"}\n'),
        ("faq.csv", "번호,내용,판정\n1,A?,yes\n"),
        ("talk.csv", "context;question;answer\nHere.;A?;yes\n"),
    ],
)
def test_the_cure_of_what_convert_refuses_is_a_command_to_paste(
    data: Shell, name: str, content: str
) -> None:
    (data.folder / name).write_text(content, "utf-8")

    refused = data("dataset", "convert", name, "out.jsonl", "--to", "completion", "--no-check")
    *_, cure = re.findall(r"(ftctl dataset convert .*)", refused.err.replace("; or ", "\n"))
    done = data("dataset", *shlex.split(cure)[2:])

    assert (refused.status, done.status) == (1, 0)
    assert (data.folder / "out.jsonl").read_text("utf-8").endswith('"completion":"yes"}\n')


def test_the_cure_goes_to_the_folder_that_the_command_went_to(data: Shell) -> None:
    (data.folder / "there").mkdir()
    (data.folder / "there" / "a.csv").write_text("question,answer,id\nA?,yes,7\n")

    refused = data("dataset", "convert", "-C", "there", "a.csv", "out.jsonl", "--no-color")
    (cure,) = re.findall(r"leave it out: (.*)", refused.err)
    data.ok(*shlex.split(cure)[1:])

    assert cure == "ftctl -C there dataset convert a.csv out.jsonl --drop id"
    assert (data.folder / "there" / "out.jsonl").exists()


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_the_cure_of_a_label_that_judges_keeps_the_good_rows(data: Shell, form: str) -> None:
    rows = [{"prompt": "A?", "completion": word, "label": word == "yes"} for word in ("yes", "no")]
    text = json.dumps(rows) if form == "json" else "".join(f"{json.dumps(one)}\n" for one in rows)
    if form == "csv":
        text = "prompt,completion,label\nA?,yes,True\nA?,no,False\n"
    (data.folder / f"kto.{form}").write_text(text)

    refused = data("dataset", "convert", f"kto.{form}", "out.jsonl")
    (cure,) = re.findall(r"keep the good ones: (.*)", refused.err)
    *before, filtering = cure.split(" && ")
    for command in before:
        data.ok(*shlex.split(command)[1:])
    subprocess.run(filtering, shell=True, cwd=data.folder, check=True)
    data.ok("dataset", "convert", "kto-new.jsonl", "out.jsonl")

    assert refused.status == 1
    assert (data.folder / "out.jsonl").read_text() == (
        '{"messages":[{"role":"user","content":"A?"},{"role":"assistant","content":"yes"}]}\n'
    )


def test_what_convert_writes_is_checked_unless_it_is_told_not_to(data: Shell) -> None:
    row = {"messages": [{"role": "user", "content": ["A?", 5]}, {"role": "assistant"}]}
    (data.folder / "odd.json").write_text(json.dumps([row]))

    checked = data("dataset", "convert", "odd.json", "out.jsonl")
    unchecked = data("dataset", "convert", "odd.json", "out.jsonl", "--no-check")

    assert (checked.status, unchecked.status) == (1, 0)
    assert "odd.json:1: error[missing-key]: messages[1] has no key 'content'" in checked.err


def test_split_deals_every_row_to_one_part(data: Shell) -> None:
    result = data.ok(
        "dataset", "split", "good.jsonl", "--validation", "3", "--test", "25%", "--seed", "7"
    )

    parts = [(data.folder / f"good-{part}.jsonl").read_text() for part in
             ("train", "validation", "test")]  # fmt: skip
    assert sorted("".join(parts).splitlines()) == sorted(chat_rows(12).splitlines())
    assert len(parts[1].splitlines()) == 3
    assert result.err.count("Wrote good-") == 3
    assert result.out == ""


def test_split_writes_where_it_is_told_and_over_nothing(data: Shell) -> None:
    (data.folder / "parts").mkdir()
    (data.folder / "parts" / "good-validation.jsonl").write_text("mine")
    ask = ["dataset", "split", "good.jsonl", "--validation", "0.25", "--out", "parts"]

    refused = data(*ask)

    assert refused.status == 1
    assert "parts/good-validation.jsonl is there already; nothing was written" in refused.err
    assert not (data.folder / "parts" / "good-train.jsonl").exists()
    data.ok(*ask, "--force")
    assert (data.folder / "parts" / "good-train.jsonl").exists()


def test_sample_takes_the_same_rows_again(data: Shell) -> None:
    first = data.ok("dataset", "sample", "good.jsonl", "-", "--rows", "5", "--seed", "3").out
    second = data.ok("dataset", "sample", "good.jsonl", "-", "--rows", "5", "--seed", "3").out
    other = data.ok("dataset", "sample", "good.jsonl", "-", "--rows", "5", "--seed", "4").out

    lines = chat_rows(12).splitlines()
    assert first == second != other
    assert [lines.index(line) for line in first.splitlines()] == sorted(
        lines.index(line) for line in first.splitlines()
    )
    assert len(first.splitlines()) == 5


@pytest.mark.parametrize(
    "command", [["convert"], ["sample", "--rows", "2"]], ids=["convert", "sample"]
)
def test_a_file_that_is_there_is_not_written_over(data: Shell, command: list[str]) -> None:
    target = data.folder / "pairs.jsonl"
    before = target.read_bytes()

    refused = data("dataset", *command, "good.jsonl", "pairs.jsonl")

    assert refused.status == 1
    assert "pairs.jsonl is there already" in refused.err
    assert target.read_bytes() == before
    data.ok("dataset", *command, "good.jsonl", "pairs.jsonl", "--force")
    assert target.read_bytes() != before


@pytest.mark.parametrize(
    "command", [["convert"], ["sample", "--rows", "2"]], ids=["convert", "sample"]
)
def test_a_source_that_is_not_there(data: Shell, command: list[str]) -> None:
    result = data("dataset", *command, "none.jsonl", "out.jsonl")

    assert result.status == 1
    assert "none.jsonl: error[missing-file]" in result.err
    assert "manifest" not in result.err


@pytest.mark.parametrize(
    ("text", "amount"), [("500", 500), ("0.1", 0.1), (".5", 0.5), ("10%", 0.1), ("12.5%", 0.125)]
)
def test_amounts_of_rows(text: str, amount: float) -> None:
    assert ROWS.convert(text, None, None) == amount


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "0.0", "100%", "0%", "many", "", "1e3", "٣"])
def test_what_is_no_amount_of_rows(text: str) -> None:
    with pytest.raises(click.UsageError, match=r"is no number of rows; write 500, 0\.1 or 10%"):
        ROWS.convert(text, None, None)


def test_stats_price_a_training_on_each_base_that_can_still_be_trained(shell: Shell) -> None:
    (shell.folder / "train.jsonl").write_text(chat_rows(50), "utf-8")
    shell.clock.time = 1_795_000_000  # 2026-11-18: gpt-4.1-nano was shut down in October

    found = shell.ok("dataset", "stats", "train.jsonl", "--format", "json").json

    tokens = found["training"]["low"]
    assert {one["model"]: Decimal(one["low"]) for one in found["prices"]} == {
        "gpt-4.1-2025-04-14": tokens * Decimal(25) / 1_000_000,
        "gpt-4.1-mini-2025-04-14": tokens * Decimal(5) / 1_000_000,
        "gpt-4o-2024-08-06": tokens * Decimal(25) / 1_000_000,
        "gpt-4o-mini-2024-07-18": tokens * Decimal(3) / 1_000_000,
    }
    assert "Prices are OpenAI's of 2025-11" in shell.ok("dataset", "stats", "train.jsonl").out
