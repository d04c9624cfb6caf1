"""Every command in a hint on data is pasted into a shell, on the file that provoked it.

What a command needs and this machine does not have is skipped, in words.
"""

from __future__ import annotations

import ast
import bz2
import gzip
import io
import json
import lzma
import re
import shlex
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from conftest import FINETUNE, ROOT, Shell, small_project
from test_docs import ERRORS, FAULTY, Faulty

from ftctl.errors import FILE, NEW, ROWS, Diagnostic, Finding, Span

# What commands in hints begin with. Texts that speak of a command without one are no cures.
_PROGRAMS = (
    "ftctl", "LC_ALL=C sed", "sed", "jq", "iconv", "tr", "tail", "gunzip", "bunzip2", "xz", "zstd",
    "unzip", "python3", "git", "dvc", "pip",
)  # fmt: skip
_COMMAND = re.compile(rf"(?:^|: |')((?:{'|'.join(_PROGRAMS)}) .*)$")
# A shell's punctuation, and names that a shell would take apart, or take for an option.
NAMES = ("train.jsonl", "my rows.jsonl", "it's (1) $HOME.jsonl", "-rows.jsonl", "daten/ä & ö.jsonl")


def command_of(hint: str) -> str | None:
    """The command in a hint; a remark may follow it after a semicolon."""
    found = _COMMAND.search(hint)
    return found[1].split("; or ")[0] if found else None


def paste(command: str, shell: Shell) -> None:
    """Run the command as somebody would who copied it: in the folder where ftctl was run."""
    words = shlex.split(command)
    program = words[1] if words[0].startswith("LC_ALL") else words[0]
    if program == "ftctl" and ">" not in words:
        shell.ok(*words[1:])
        return
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here: not run: {command}")
    done = subprocess.run(
        ["bash", "-c", command], cwd=shell.folder, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, ""), command


def written_by(command: str) -> str:
    """The file that a command writes: what it is redirected to, else its second name."""
    words = shlex.split(command)
    if ">" in words:
        return words[words.index(">") + 1]
    at = words.index("convert")
    return words[at + 2]


def check(shell: Shell, name: str) -> tuple[Diagnostic, ...]:
    """What `ftctl dataset check` says of a file."""
    path = f"./{name}" if name.startswith("-") else name
    found = json.loads(shell("dataset", "check", path, "--format", "json").out)["problems"]
    return tuple(
        Diagnostic(one["code"], one["message"], Span(one["path"], one.get("line")), one.get("hint"),
                   one["severity"])
        for one in found
    )  # fmt: skip


def row(number: int) -> dict[str, object]:
    question = {"role": "user", "content": f"Where is umbrella {number}, “the red one”?"}
    return {
        "messages": [question, {"role": "assistant", "content": f"Lócker {number}, it's\tthere."}]
    }


ROWS_AS_VALUES = [row(number) for number in range(12)]
LINES = [json.dumps(one, ensure_ascii=False) for one in ROWS_AS_VALUES]
TEXT = "".join(f"{line}\n" for line in LINES)


def zipped(text: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("train.jsonl", text)
    return target.getvalue()


def zstandard(content: bytes) -> bytes:
    """A frame of one block that is not compressed."""
    block = (len(content) << 3 | 1).to_bytes(3, "little") + content
    return b"\x28\xb5\x2f\xfd\xa0" + len(content).to_bytes(4, "little") + block


def with_breaks(line: str) -> str:
    return line.replace("\\t", "\n\n")


# What somebody has → the code that it is told by. The rows are the same twelve in each.
PROVOKING: Mapping[str, tuple[bytes | str, str]] = {
    "rows joined by commas": (",\n".join(LINES) + ",\n", "not-json"),
    "the last of them without": (",\n".join(LINES) + "\n", "not-json"),
    "and no line end": (",\n".join(LINES), "not-json"),
    "with line ends of Windows": (",\r\n".join(LINES), "not-json"),
    "a list with a row on each line": ("[\n" + ",\n".join(LINES) + "\n]\n", "json-not-lines"),
    "a list whose last row has a comma": ("[\n" + ",\n".join(LINES) + ",\n]\n", "json-not-lines"),
    "a list on one line": (json.dumps(ROWS_AS_VALUES), "json-not-lines"),
    "the end of a list": (",\n".join(LINES) + "\n]\n", "not-json"),
    "objects over several lines": (
        "\n".join(json.dumps(one, indent=2) for one in ROWS_AS_VALUES), "json-not-lines"),
    "after one that is not": (
        "\n".join([LINES[0], *(json.dumps(one, indent=2) for one in ROWS_AS_VALUES[1:])]),
        "json-not-lines"),
    "objects in one line": ("".join(LINES), "not-json"),
    "raw line breaks": ("".join(f"{with_breaks(line)}\n" for line in LINES), "not-json"),
    "raw tabs": (TEXT.replace("\\t", "\t"), "not-json"),
    "record separators": ("".join(f"\x1e{line}\n" for line in LINES), "not-json"),
    "line ends of an old Macintosh": (TEXT.replace("\n", "\r"), "not-json"),
    "commas before brackets": (TEXT.replace("}]}", "},],}"), "not-json"),
    "comments": ("// rows of May\n" + TEXT.replace("}]}", "}]} # checked"), "not-json"),
    "Python's words": (TEXT.replace("}]}", '}], "tools": None}'), "not-json"),
    "spaces of a word processor": (TEXT.replace('": ', '":\u00a0'), "not-json"),
    "curly quotes": (
        TEXT.replace("“the red one”", "the red one").replace('"', "“", 1).replace('"', "”", 1),
        "not-json"),
    "Python's notation": ("".join(f"{one!r}\n" for one in ROWS_AS_VALUES), "not-json"),
    "a key that no service knows": (
        TEXT.replace('{"messages"', '{"id": 7, "messages"'), "unknown-key"),
    "blank lines": (TEXT.replace("\n", "\n\n"), "blank-line"),
    "a mark at the start": (TEXT.encode("utf-8-sig"), "byte-order-mark"),
    "files that were joined": (
        "".join(f"\ufeff{line}\n" for line in LINES).encode(), "stray-byte-order-mark"),
    "gzip": (gzip.compress(TEXT.encode()), "compressed-file"),
    "bzip2": (bz2.compress(TEXT.encode()), "compressed-file"),
    "xz": (lzma.compress(TEXT.encode()), "compressed-file"),
    "zip": (zipped(TEXT), "compressed-file"),
    "zstd": (zstandard(TEXT.encode()), "compressed-file"),
    "UTF-16": (TEXT.encode("utf-16"), "wrong-encoding"),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "wrong-encoding"),
    "UTF-16 the other way": (TEXT.encode("utf-16-be"), "wrong-encoding"),
    "UTF-32": (TEXT.encode("utf-32"), "wrong-encoding"),
    "UTF-32 without a mark": (TEXT.encode("utf-32-be"), "wrong-encoding"),
}  # fmt: skip


def _lines_of(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_text("utf-8-sig").splitlines() if line.strip()]


def _told(value: object) -> str:
    """What the rows say, however their texts were written."""
    return re.sub(r"[\s“”]|, \"tools\": null", "", json.dumps(value, ensure_ascii=False)).replace(
        "\\n\\n", "\\t"
    )


def mended(shell: Shell, name: str, content: bytes | str, code: str) -> str:
    """The file that the printed cure writes."""
    path = shell.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = check(shell, name)
    told = next(one for one in before if one.code == code)
    command = command_of(told.hint or "")
    assert command is not None, before
    paste(command, shell)
    return written_by(command)


@pytest.mark.parametrize(("content", "code"), PROVOKING.values(), ids=PROVOKING)
def test_a_cure_that_is_pasted_gives_the_same_rows_without_the_fault(
    content: bytes | str, code: str, shell: Shell
) -> None:
    target = mended(shell, "my rows.jsonl", content, code)

    assert [
        one for one in check(shell, target) if one.severity == "error" or one.code == code
    ] == []
    assert _told(_lines_of(shell.folder / target)) == _told(ROWS_AS_VALUES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["rows joined by commas", "raw line breaks", "gzip", "UTF-16"])
def test_a_cure_names_any_file_so_that_a_shell_reads_it(name: str, kind: str, shell: Shell) -> None:
    target = mended(shell, name, *PROVOKING[kind])

    assert check(shell, target) == ()
    assert target.removeprefix("./") == name.replace(".jsonl", "-new.jsonl")


# Rows of other tools, and tables: converted by the line that is printed.
OTHERS: Mapping[str, tuple[str, str, str]] = {
    "questions and answers": ("qa.jsonl", '{"question": "Where?", "answer": "There."}\n' * 12,
                              "unknown-format"),
    "answers that are objects": ("qa.jsonl", '{"input": "Where?", "output": {"at": "A"}}\n' * 12,
                                 "unknown-format"),
    "ShareGPT": ("chat.jsonl", json.dumps({"conversations": [
        {"from": "human", "value": "Where?"}, {"from": "gpt", "value": "There."}]}) + "\n",
        "unknown-format"),
    "Alpaca": ("a.json", '{"instruction": "Add", "input": "1 2", "output": "3"}\n' * 12,
               "unknown-format"),
    "pairs": ("dpo.jsonl", '{"prompt": "Where?", "chosen": "There.", "rejected": "No."}\n' * 12,
              "unknown-format"),
    "a list of Alpaca rows": ("alpaca_data.json", json.dumps(
        [{"instruction": "Add", "input": f"1 {n}", "output": "3"} for n in range(12)], indent=1),
        "json-not-lines"),
    "CSV": ("faq.csv", "question,answer\n" + "Where?,There.\n" * 12, "table-not-lines"),
    "TSV": ("faq.tsv", "question\tanswer\n" + "Where?\tThere.\n" * 12, "table-not-lines"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "code"), OTHERS.values(), ids=OTHERS)
def test_rows_of_others_are_converted_by_the_line_that_is_printed(
    name: str, content: str, code: str, shell: Shell
) -> None:
    (shell.folder / name).write_text(content, "utf-8")
    before = check(shell, name)
    command = next(filter(None, (command_of(one.hint or "") for one in before)))

    paste(command, shell)

    assert code in {one.code for one in before}
    assert not {one.code for one in check(shell, written_by(command))} & {
        "unknown-format", "json-not-lines", "table-not-lines", "not-json"}  # fmt: skip


# The examples of docs/errors.md: what each was printed for, and why a command is not run here.
NOT_RUN: Mapping[str, str] = {
    "git lfs pull": "it fetches from the store that the repository's own pointers lead to",
    "pip install": "it installs packages",
}


def _examples() -> Iterator[tuple[str, Faulty, str]]:
    for code, faults in FAULTY.items():
        section = re.search(
            rf"^### {code}\n.*?(?=^##|\Z)", ERRORS.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
        hints = re.findall(r"```text\n.*?\n    hint: ([^\n]*)", section[0] if section else "",
                           re.DOTALL)  # fmt: skip
        for fault, hint in zip(faults, hints, strict=False):
            command = command_of(hint)
            if command is not None:
                yield code, fault, command.rstrip("'")


@pytest.mark.parametrize(
    ("code", "faulty", "command"),
    list(_examples()),
    ids=[f"{code}-{number}" for number, (code, *_) in enumerate(_examples())],
)
def test_a_command_of_the_page_of_errors_mends_what_it_stands_beside(
    code: str, faulty: Faulty, command: str, shell: Shell
) -> None:
    for begins, why in NOT_RUN.items():
        if command.startswith(begins):
            pytest.skip(f"not run, {why}: {command}")
    faulty.write(shell.folder)
    command = command.split("' to ", maxsplit=1)[0]
    if "dataset check" in command:  # it says more of what to do
        said = shell(*shlex.split(command)[1:]).out
        command = next(filter(None, map(command_of, re.findall("hint: (.*)", said))))

    paste(command, shell)

    if (names := _source_and_target(command)) is not None:
        source, target = (shell.folder / name for name in names)
        if source.suffix == target.suffix:
            target.replace(source)
        else:
            _name_instead(shell.folder, source.name, target.name)
    after = shell("validate", *faulty.options)
    assert f"[{code}]" not in after.out + after.err


def _source_and_target(command: str) -> tuple[str, str] | None:
    words = shlex.split(command)
    if "convert" in words:
        at = words.index("convert")
        return words[at + 1], words[at + 2]
    if ">" in words:
        return words[words.index(">") - 1], words[words.index(">") + 1]
    return None


def _name_instead(folder: Path, source: str, target: str) -> None:
    manifest = folder / "finetunes/tone.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace(source, target), "utf-8")


# Each hint of ftctl.data that holds a path is among those that were run above.


def _patterns() -> Iterator[tuple[str, str]]:
    """Each hint with a path: where it stands, and a pattern of what it says."""
    for path in sorted((ROOT / "ftctl").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr) and _names(node) & {"FILE", "NEW", "ROWS"}:
                parts = (
                    re.escape(one.value) if isinstance(one, ast.Constant) else ".*"
                    for one in node.values
                )
                yield f"{path.relative_to(ROOT)}:{node.lineno}", "".join(map(str, parts))


def _names(node: ast.JoinedStr) -> set[str]:
    return {
        one.value.id
        for one in node.values
        if isinstance(one, ast.FormattedValue) and isinstance(one.value, ast.Name)
    }


# Those that are said of other faults than of rows as text; what says them has tests of its own.
_OF_OTHERS = re.compile(r"ftctl/data/(?:convert|encodings)/|.*what\\ it\\ may\\ be\\ instead")


def test_every_hint_that_names_a_file_is_among_those_that_are_run(shell: Shell) -> None:
    said = []
    for content, _ in PROVOKING.values():
        (shell.folder / "a.jsonl").write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
        said += [one.hint or "" for one in check(shell, "a.jsonl")]
    for name, text, _ in OTHERS.values():
        (shell.folder / name).write_text(text, "utf-8")
        said += [one.hint or "" for one in check(shell, name)]

    missing = [
        place
        for place, pattern in _patterns()
        if not _OF_OTHERS.match(f"{place} {pattern}")
        and not any(re.search(pattern, hint) for hint in said)
    ]

    assert missing == []


def test_what_is_known_of_a_content_names_the_file_that_has_it_now(shell: Shell) -> None:
    finding = Finding("blank-line", "a blank line", f"sed x {FILE} > {NEW}; convert {FILE} {ROWS}")

    problem = finding.at(Span("my data/a.csv", 3))

    assert problem.hint == (
        "sed x 'my data/a.csv' > 'my data/a-new.jsonl'; convert 'my data/a.csv' 'my data/a.jsonl'"
    )
    assert problem.hint_for_any == finding.hint


@pytest.mark.parametrize("place", ["s3://bucket/a.jsonl", "main:data/a.jsonl", "a  b.jsonl", ""])
def test_what_no_command_could_read_is_called_a_file(place: str) -> None:
    finding = Finding("blank-line", "a blank line", f"sed x {FILE} > {NEW}; convert {FILE} {ROWS}")

    hint = "sed x FILE > FILE-new.jsonl; convert FILE FILE.jsonl"
    assert finding.at(Span(place)).hint == hint


def test_a_cure_for_a_project_elsewhere_names_its_files_from_here(shell: Shell) -> None:
    rows = shell.folder / "my app/data/train.jsonl"
    rows.parent.mkdir(parents=True)
    rows.write_text(PROVOKING["rows joined by commas"][0], "utf-8")  # type: ignore[arg-type]

    said = shell("dataset", "check", "-C", "my app", "data/train.jsonl").out
    command = command_of(re.findall("hint: (.*)", said)[0])

    assert command is not None
    assert command.endswith("'my app/data/train.jsonl' > 'my app/data/train-new.jsonl'")
    paste(command, shell)
    assert shell("dataset", "check", "-C", "my app", "data/train-new.jsonl").status == 0


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_a_table_is_told_of_once_whatever_it_is_written_in(encoding: str, shell: Shell) -> None:
    table = "question,answer\nWo?,Über der Tür.\n"
    (shell.folder / "faq.csv").write_bytes(table.encode(encoding))

    assert [one.code for one in check(shell, "faq.csv")] == ["table-not-lines"]


def test_a_workbook_is_no_text_in_an_unknown_encoding(shell: Shell) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("[Content_Types].xml", bytes(range(128, 256)) * 9)
    (shell.folder / "faq.xlsx").write_bytes(target.getvalue())

    assert [one.code for one in check(shell, "faq.xlsx")] == ["table-not-lines"]


def test_a_file_of_comments_alone_is_promised_no_rows(shell: Shell) -> None:
    (shell.folder / "a.jsonl").write_text("// a\n// b\n", "utf-8")

    assert "--to rows" not in shell("dataset", "check", "a.jsonl").out


def test_a_cure_for_rows_that_a_step_has_taken_names_their_source(shell: Shell) -> None:
    dataset = "apiVersion: ftctl/v1\nkind: Dataset\nname: some\nsource: ../data/a.jsonl\n"
    files = small_project(
        FINETUNE.replace("{source: ../data/train.jsonl}", "some"),
        **{
            "finetunes/some.yaml": f"{dataset}sample: {{rows: 11}}\n",
            "data/a.jsonl": TEXT.replace('{"messages"', '{"id": 7, "messages"'),
        },
    )
    for name, text in files.items():
        (shell.folder / name).parent.mkdir(exist_ok=True)
        (shell.folder / name).write_text(text, "utf-8")

    said = shell("validate").out

    assert "ftctl dataset convert data/a.jsonl data/a-new.jsonl --to chat --drop id" in said
