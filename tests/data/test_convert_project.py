"""Datasets with steps in a project: what is uploaded, what a change buys, what is told where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Shell, cache_of, chat_rows

Write = Callable[[Mapping[str, str]], Path]

DATASET = """\
apiVersion: ftctl/v1
kind: Dataset
name: {name}
source: ../data/faq.csv
{steps}
"""
FINETUNE = """\
apiVersion: ftctl/v1
kind: FineTune
name: faq
base_model: gpt-4.1-mini-2025-04-14
training: faq-train
"""
CONVERT = 'convert: {from: csv, template: {user: "{question}", assistant: "{answer}"}}'
SPLIT = "split: {{part: {part}, validation: 0.25, seed: 7}}"


def table(count: int = 40) -> str:
    return "question,answer,note\n" + "".join(
        f'"What about ""{number}"",\nplease?",Answer {number}.,\n' for number in range(count)
    )


def project(train: str = CONVERT, validation: str | None = None, **files: str) -> dict[str, str]:
    documents = [DATASET.format(name="faq-train", steps=train), FINETUNE]
    if validation is not None:
        documents[1] += "validation: faq-validation\n"
        documents.append(DATASET.format(name="faq-validation", steps=validation))
    return {
        "ftctl.yaml": "project: demo\n",
        "finetunes/faq.yaml": "---\n".join(documents),
        "data/faq.csv": table(),
        **files,
    }


def parts(convert: str = CONVERT) -> tuple[str, str]:
    train, validation = (SPLIT.format(part=part) for part in ("train", "validation"))
    return f"{convert}\n{train}", f"{convert}\n{validation}"


def bought(shell: Shell) -> bool:
    """Whether a plan would start a job."""
    status = shell("plan", "--detailed-exitcode").status
    assert status in (0, 2)
    return status == 2


def test_a_table_is_trained_on_and_its_parts_are_uploaded(
    shell: Shell, write_project: Write
) -> None:
    write_project(project(*parts()))

    shell.ok("apply", "--auto-approve", "--wait")

    assert not bought(shell)
    derived = sorted((cache_of(shell.folder) / "derived").glob("*.jsonl"))
    rows = [path.read_text("utf-8").count("\n") for path in derived]
    assert (len(rows), sum(rows)) == (2, 40)
    assert shell.ok("validate").out == "Valid: 1 fine-tune, 40 rows of data in 2 files.\n"


@pytest.mark.parametrize(
    "steps",
    [
        f"format: chat\n{CONVERT}",
        'convert: {template: {assistant: "{answer}", user: "{ question }"}}',
        CONVERT.replace("from: csv", 'from: table, delimiter: ","'),
        f"{CONVERT}\nsample: {{rows: 400, seed: 3}}",
        "convert: {}",
    ],
)
def test_steps_that_give_the_same_bytes_buy_nothing(
    shell: Shell, write_project: Write, steps: str
) -> None:
    write_project(project())
    shell.ok("apply", "--auto-approve", "--wait")

    write_project(project(steps))

    assert not bought(shell)
    assert shell.requests("apply", "--auto-approve") == [
        "GET /v1/files?limit=10000",
        "GET /v1/fine_tuning/jobs?limit=100&metadata%5Bftctl_project%5D=demo",
        "GET /v1/models",
    ]


def test_the_rows_as_jsonl_are_the_same_data(shell: Shell, write_project: Write) -> None:
    write_project(project())
    shell.ok("apply", "--auto-approve", "--wait")
    (derived,) = (cache_of(shell.folder) / "derived").glob("*.jsonl")

    rows = derived.read_text("utf-8")
    files = project("", **{"data/rows.jsonl": rows})
    files["finetunes/faq.yaml"] = files["finetunes/faq.yaml"].replace("faq.csv", "rows.jsonl")
    write_project(files)

    assert not bought(shell)


@pytest.mark.parametrize(
    "steps",
    [
        CONVERT.replace("{question}", "Q: {question}"),
        f"{CONVERT}\nsample: {{rows: 30, seed: 3}}",
        f"{CONVERT}\n{SPLIT.format(part='train')}",
    ],
)
def test_steps_that_give_other_bytes_train_again(
    shell: Shell, write_project: Write, steps: str
) -> None:
    write_project(project())
    shell.ok("apply", "--auto-approve", "--wait")

    write_project(project(steps))

    assert bought(shell)


def test_a_row_that_moves_no_other_leaves_the_validation_part_as_it_is(
    shell: Shell, write_project: Write
) -> None:
    write_project(project(*parts()))
    shell.ok("apply", "--auto-approve", "--wait")
    before = _validation(shell)

    write_project(project(*parts(), **{"data/faq.csv": table(60)}))
    shell.ok("validate")

    assert bought(shell)
    assert any(before <= _rows(path) for path in _derived(shell) if _rows(path) != before)


def _derived(shell: Shell) -> list[Path]:
    return list((cache_of(shell.folder) / "derived").glob("*.jsonl"))


def _rows(path: Path) -> set[str]:
    return set(path.read_text("utf-8").splitlines())


def _validation(shell: Shell) -> set[str]:
    return min(map(_rows, _derived(shell)), key=len)


def test_problems_stand_at_the_tables_lines_and_the_manifests_places(
    shell: Shell, write_project: Write
) -> None:
    broken = table(12).replace("Answer 3.", "").replace("Answer 5.,", "Answer 5.")
    files = project(**{"data/faq.csv": broken, "data/other.csv": table(12)})
    files["finetunes/other.yaml"] = (
        DATASET.format(name="other", steps=CONVERT.replace("{answer}", "{anser}"))
        + "---\n"
        + DATASET.format(name="few", steps="convert: {}\nsample: {rows: 3}\nformat: preference")
    ).replace("faq.csv", "other.csv")
    write_project(files)

    result = shell("validate")

    assert result.status == 1
    assert result.out == (
        "data/faq.csv:8: error[bad-cell]: the cell in column 'answer' is empty, and assistant"
        " needs a text\n"
        "    hint: fill it, or take the row out\n"
        "data/faq.csv:12: error[ragged-row]: the row has 2 cells; the header has 3\n"
        "    hint: put a cell that holds the delimiter or a line's end into double quotes\n"
        "finetunes/other.yaml:5:64: error[unknown-column]: there is no column 'anser'\n"
        "    hint: did you mean {answer}?\n"
        "finetunes/other.yaml:11:10: error[bad-template]: the columns make chat rows, not"
        " preference rows\n"
        "    hint: give the columns of the better and the worse answer by a template\n"
    )


def test_a_row_that_the_service_would_refuse_is_told_at_its_row_of_the_source(
    shell: Shell, write_project: Write
) -> None:
    lines = chat_rows(12).splitlines(keepends=True)
    lines[8] = lines[8].replace('"assistant"', '"asistant"')
    steps = "sample: {rows: 12}"
    files = project(steps, **{"data/rows.jsonl": "\n\n" + "".join(lines)})
    files["finetunes/faq.yaml"] = files["finetunes/faq.yaml"].replace("faq.csv", "rows.jsonl")
    write_project(files)

    told = shell("validate").out

    assert told.startswith("data/rows.jsonl:11: error[unknown-role]: messages[1]")


def test_a_declared_format_is_held_against_the_rows(shell: Shell, write_project: Write) -> None:
    files = project("format: completion", **{"data/rows.jsonl": chat_rows(12)})
    files["finetunes/faq.yaml"] = files["finetunes/faq.yaml"].replace("faq.csv", "rows.jsonl")
    write_project(files)

    assert shell("validate").out == (
        "finetunes/faq.yaml:5:9: error[wrong-format]: the rows of data/rows.jsonl are in the"
        " format chat, not completion\n"
        "    hint: write 'format: chat', or name another file\n"
    )


def test_parts_that_are_cut_in_different_ways_are_refused(
    shell: Shell, write_project: Write
) -> None:
    train, validation = parts()
    write_project(project(train, validation.replace("seed: 7", "seed: 8")))

    result = shell("validate")

    assert result.status == 1
    assert (
        "finetunes/faq.yaml:20:8: error[split-differs]: 'faq-validation' splits data/faq.csv"
        " otherwise than 'faq-train', so that rows may be in both\n"
        "    hint: give both the same steps; only 'part' may differ\n"
    ) in result.out


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("convert: {from: cvs}", "error[wrong-value]: 'from' is 'cvs'"),
        ("convert: {tempalte: {}}", "error[unknown-key]: unknown key 'tempalte'"),
        ("convert: {template: {user: a}}", "error[wrong-value]: 'template' is a mapping of 1 key"),
        ("convert: {}\nformat: reinforcement", "error[wrong-value]: 'format' is 'reinforcement'"),
        ("sample: {}", "error[missing-key]: 'rows' is missing"),
        ("sample: {rows: 1.5}", "error[wrong-value]: 'rows' is 1.5; expected a whole number from"),
        ("sample: {rows: 0}", "error[wrong-value]: 'rows' is 0; expected a whole number from 1"),
        ("split: {part: train}", "error[missing-key]: 'validation' is missing"),
        ("split: {part: test, validation: 0.1}", "error[missing-key]: 'test' is missing: 'part:"),
        ("split: {part: dev, validation: 0.1}", "error[wrong-value]: 'part' is 'dev'"),
        ("split: {part: train, validation: 9, by: label}", "error[wrong-value]: 'by' is 'label'"),
    ],
)  # fmt: skip
def test_steps_that_do_not_fit_the_schema_are_told_at_their_place(
    shell: Shell, write_project: Write, steps: str, told: str
) -> None:
    write_project(project(steps))

    result = shell("validate")

    assert result.status == 1
    assert told in result.out
    assert all(line.startswith(("finetunes/faq.yaml:", "    hint:"))
               for line in result.out.splitlines()), result.out  # fmt: skip


def test_a_project_without_steps_makes_no_folder_for_them(
    shell: Shell, write_project: Write
) -> None:
    files = project("", **{"data/rows.jsonl": chat_rows(12)})
    files["finetunes/faq.yaml"] = files["finetunes/faq.yaml"].replace("faq.csv", "rows.jsonl")
    write_project(files)

    shell.ok("validate")

    assert not (cache_of(shell.folder) / "derived").exists()


def test_a_message_names_other_rows_where_they_stand_in_the_source(
    shell: Shell, write_project: Write
) -> None:
    rows = "question,answer,note\n" + "".join(
        f"Where is {number}?,Row {number}.,\n" for number in range(20)
    )
    again = rows + "Where is 3?,Row 3.,\n"
    held = rows.replace("note\n", "note\n\n", 1)
    files = project(CONVERT, CONVERT)
    files["finetunes/faq.yaml"] = files["finetunes/faq.yaml"].replace(
        "name: faq-validation\nsource: ../data/faq.csv",
        "name: faq-validation\nsource: ../data/held.csv",
    )
    write_project({**files, "data/faq.csv": again, "data/held.csv": held})

    told = shell.ok("validate").out.splitlines()

    assert "data/faq.csv:22: warning[duplicate-row]: the row is that of line 5 once more" in told, (
        told
    )
    assert (
        "data/held.csv:3: warning[leaked-row]: the row is also line 2 of the training file" in told
    )


def test_an_encoding_that_changes_nothing_buys_nothing(shell: Shell, write_project: Write) -> None:
    """The line ends of a file that needs no encoding stay its own."""
    rows = chat_rows(12).replace("\n", "\r\n").rstrip()
    plain = project("", **{"data/train.jsonl": rows})
    plain["finetunes/faq.yaml"] = plain["finetunes/faq.yaml"].replace("faq.csv", "train.jsonl")
    write_project(plain)
    (shell.folder / "data/train.jsonl").write_bytes(rows.encode())
    shell.ok("apply", "--auto-approve", "--wait")

    for name in ("cp949", "ascii", "cp1252"):
        manifest = plain["finetunes/faq.yaml"].replace("jsonl\n", f"jsonl\nencoding: {name}\n", 1)
        (shell.folder / "finetunes/faq.yaml").write_text(manifest)

        assert not bought(shell)


def test_an_encoding_that_is_needed_is_a_step(shell: Shell, write_project: Write) -> None:
    rows = chat_rows(12).replace("yes", "네, 그렇습니다")
    files = project("encoding: cp949", **{"data/train.jsonl": ""})
    files["finetunes/faq.yaml"] = files["finetunes/faq.yaml"].replace("faq.csv", "train.jsonl")
    write_project(files)
    (shell.folder / "data/train.jsonl").write_bytes(rows.encode("cp949"))

    plan = shell.ok("plan").out

    assert "faq-train (data/train.jsonl, 12 rows)" in plan
