"""What does not fit its base model stops what would be bought, and nothing else."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import FINETUNE, Shell, chat_rows, small_project
from file_server import FileServer, Shelf

from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import Action
from ftctl.engine.planning import PlanRequest
from ftctl.engine.workspace import Workspace
from ftctl.errors import InvalidProject

Write = Callable[[Mapping[str, str]], Path]

MINI = "gpt-4.1-mini-2025-04-14"
ASKED = "".join(
    json.dumps({"prompt": f"Question {number}?", "completion": " yes"}) + "\n"
    for number in range(12)
)
IMAGE = {"type": "image_url", "image_url": {"url": "https://images.example.com/1.png"}}
SEEN = "".join(
    json.dumps(
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": f"Question {n}?"}, IMAGE]},
                {"role": "assistant", "content": "yes"},
            ]
        }
    )
    + "\n"
    for n in range(12)
)
UNFIT = small_project(**{"data/train.jsonl": ASKED})
BESIDE = FINETUNE.replace("name: tone", "name: good").replace("train.jsonl", "good.jsonl")
CURE = (
    "train on what this writes: ftctl dataset convert data/train.jsonl data/train-chat.jsonl"
    " --to chat"
)
TOLD = (
    f"data/train.jsonl:1: error[wrong-format]: these are prompt/completion rows; the embedded API"
    f" trains {MINI} on chat rows (fine-tune tone)\n    hint: {CURE}\n"
)


@pytest.mark.parametrize("command", ["validate", "plan", "apply --auto-approve", "plan --offline"])
def test_rows_that_are_known_to_be_refused_are_an_error_before_anything_is_sent(
    shell: Shell, write_project: Write, command: str
) -> None:
    write_project(UNFIT)

    result = shell(*command.split())

    assert result.status == 1
    assert TOLD in result.out + result.err
    assert not (shell.folder / ".ftctl" / "store.db").exists()
    assert "create" not in result.out


def test_the_line_that_mends_it_mends_it(shell: Shell, write_project: Write) -> None:
    write_project(UNFIT)
    hint = shell("validate").out.partition("this writes: ")[2].splitlines()[0]

    shell.ok(*shlex.split(hint)[1:])
    manifest = shell.folder / "finetunes/tone.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("train.jsonl", "train-chat.jsonl"))

    assert shell.ok("validate").out.startswith("Valid: 1 fine-tune, 12 rows")
    assert "\nAll there: " in shell.ok("apply", "--auto-approve", "--wait").out


def test_a_target_that_is_there_already_is_not_named(shell: Shell, write_project: Write) -> None:
    write_project({**UNFIT, "data/train-chat.jsonl": "mine"})

    assert "data/train-chat2.jsonl --to chat" in shell("validate").out


def test_rows_that_steps_have_made_are_mended_in_their_source(
    shell: Shell, write_project: Write
) -> None:
    dataset = "apiVersion: ftctl/v1\nkind: Dataset\nname: asked\nsource: ../data/train.jsonl\n"
    finetune = FINETUNE.replace("{source: ../data/train.jsonl}", "asked")
    write_project(small_project(finetune, **{
        "data/train.jsonl": ASKED, "finetunes/asked.yaml": f"{dataset}sample: {{rows: 11}}\n",
    }))  # fmt: skip

    told = shell("validate")

    assert told.status == 1
    assert told.out == TOLD


def test_rows_from_elsewhere_are_mended_by_a_step(shell: Shell, write_project: Write) -> None:
    dataset = "apiVersion: ftctl/v1\nkind: Dataset\nname: asked\nsource: SOURCE\n"
    finetune = FINETUNE.replace("{source: ../data/train.jsonl}", "asked")
    with FileServer(Shelf({"t.jsonl": ASKED.encode()})) as server:
        dataset = dataset.replace("SOURCE", f"{server.url}/t.jsonl")
        write_project(small_project(finetune, **{"finetunes/asked.yaml": dataset}))
        told = shell("validate")
        step = told.out.partition("a Dataset of this source: ")[2]
        (shell.folder / "finetunes/asked.yaml").write_text(f"{dataset}{step}")
        mended = shell.ok("validate")

    assert told.status == 1
    assert "wrong-format" not in mended.out


def test_what_is_not_selected_stops_nothing(shell: Shell, write_project: Write) -> None:
    write_project({**UNFIT, "finetunes/good.yaml": BESIDE, "data/good.jsonl": chat_rows(12)})

    selected = shell.ok("apply", "--auto-approve", "--wait", "--select", "good")

    assert shell("plan").status == 1
    assert "\nAll there: " in selected.out
    assert "warning" not in selected.err


def _with(shell: Shell, status: str) -> Observed:
    """A job for what the project asks for, with this status."""
    (finetune,) = (
        Workspace.open(shell.folder, clock=shell.clock, environ={}).session().desired.finetunes
    )
    model = f"ft:{MINI}:acme::m1" if status == "succeeded" else None
    job = Job(
        "ftjob-1", status, 1_789_000_000, "tone", finetune.digest, base_model=MINI, model=model
    )
    return Observed((job,), models=frozenset([model] if model else []))


def test_what_is_trained_already_stays_as_it_is(shell: Shell, write_project: Write) -> None:
    write_project(UNFIT)
    workspace = Workspace.open(shell.folder, clock=shell.clock, environ={})

    plan = workspace.plan(observed=_with(shell, "succeeded")).plan

    assert [change.action for change in plan.changes] == [Action.NO_OP]
    assert plan.warnings == ()


def test_a_job_that_failed_says_what_may_have_been_the_reason(
    shell: Shell, write_project: Write
) -> None:
    write_project(UNFIT)
    workspace = Workspace.open(shell.folder, clock=shell.clock, environ={})
    observed = _with(shell, "failed")

    plan = workspace.plan(observed=observed).plan
    with pytest.raises(InvalidProject) as refused:
        workspace.plan(PlanRequest(retry_failed=True), observed=observed)

    assert [change.action for change in plan.changes] == [Action.ATTENTION]
    assert plan.warnings == (
        (
            "data/train.jsonl: these are prompt/completion rows; the embedded API trains"
            f" {MINI} on chat rows (fine-tune tone); {CURE}"
        ),
    )
    assert [one.code for one in refused.value.diagnostics] == ["wrong-format"]


def test_validate_goes_by_the_record_for_what_is_trained(
    shell: Shell, write_project: Write
) -> None:
    babbage = FINETUNE.replace(MINI, "babbage-002")
    write_project(small_project(babbage, **{"data/train.jsonl": ASKED}))
    shell.ok("apply", "--auto-approve", "--wait")
    facts = "catalog: {emulator: {babbage-002: {formats: [chat]}}}\n"
    (shell.folder / "ftctl.yaml").write_text(f"project: demo\n{facts}")

    recorded, planned = shell.ok("validate"), shell.ok("plan")
    (shell.folder / "ftctl.lock").unlink()

    assert "warning[wrong-format]" in recorded.out
    assert "Warning" not in planned.out
    assert "Nothing to do" in planned.out
    assert "error[wrong-format]" in shell("validate").out


def test_a_cause_is_told_once_with_all_whom_it_concerns(shell: Shell, write_project: Write) -> None:
    second = FINETUNE.replace("name: tone", "name: child").replace(MINI, "{finetune: tone}")
    third = FINETUNE.replace("name: tone", "name: other") + "seed: 7\n"
    write_project(small_project(**{
        "data/train.jsonl": SEEN,
        "finetunes/child.yaml": second,
        "finetunes/other.yaml": third,
    }))  # fmt: skip
    sentence = (
        f"the rows have images; openai is not known to train {MINI} on images"
        " (fine-tunes child, other, tone)"
    )

    validated = shell.ok("validate").out
    document = json.loads(shell.ok("plan", "--format", "json").out)

    assert validated.count("images-not-trained") == 1
    assert f"data/train.jsonl:1: warning[images-not-trained]: {sentence}\n" in validated
    assert document["warnings"] == [
        f"data/train.jsonl: {sentence}; gpt-4o-2024-08-06 is trained on images"
    ]
    for form in ("text", "markdown", "html"):
        assert shell.ok("plan", "--format", form).out.count("is not known to train") == 1
    sarif = shell.ok("validate", "--format", "sarif").json
    assert [one["ruleId"] for run in sarif["runs"] for one in run["results"]] == [
        "images-not-trained"
    ]


def test_a_base_model_is_told_of_once_where_it_stands_first(
    shell: Shell, write_project: Write
) -> None:
    typo = FINETUNE.replace(MINI, "gpt-4.1-mni")
    second = typo.replace("name: tone", "name: again") + "seed: 7\n"
    write_project(small_project(typo, **{"finetunes/z.yaml": second}))

    told = shell.ok("validate").out.splitlines()
    warnings = json.loads(shell.ok("plan", "--format", "json").out)["warnings"]

    assert told[:-1] == [
        (
            "finetunes/tone.yaml:4:13: warning[unknown-base-model]: the embedded API trains no base"
            " model 'gpt-4.1-mni' (fine-tunes again, tone)"
        ),
        (
            "    hint: did you mean 'gpt-4.1-mini-2025-04-14'? openai shuts it down on 2027-01-14"
            " and takes no new jobs after 2027-01-06"
        ),
    ]
    assert len(warnings) == 1


def test_a_chain_goes_by_the_base_model_at_its_root(shell: Shell, write_project: Write) -> None:
    child = FINETUNE.replace("name: tone", "name: child").replace(MINI, "{finetune: tone}")
    child = child.replace("train.jsonl", "asked.jsonl")
    write_project(small_project(**{"finetunes/child.yaml": child, "data/asked.jsonl": ASKED}))

    result = shell("plan")

    assert result.status == 1
    assert (
        f"the embedded API trains {MINI} on chat rows (fine-tune child)" in result.err + result.out
    )


@pytest.mark.parametrize("rule", ["", "policy: {min_days_to_shutdown: 0}\n"])
def test_a_retired_base_model_is_warned_of_and_refused_by_the_policy_alone(
    shell: Shell, write_project: Write, rule: str
) -> None:
    finetune = FINETUNE.replace(MINI, "gpt-3.5-turbo-0613")
    settings = f"project: demo\nprovider: {{type: openai}}\n{rule}"
    write_project(small_project(finetune, **{"ftctl.yaml": settings}))

    validated, planned = shell.ok("validate"), shell("plan", "--offline")

    assert "warning[retired-base-model]: openai shut gpt-3.5-turbo-0613 down on" in validated.out
    assert planned.status == 3
    assert (planned.out + planned.err).count("2024-09-13") == 1


def test_validation_rows_of_another_format_are_told_where_they_stand(
    shell: Shell, write_project: Write
) -> None:
    finetune = FINETUNE + "validation: {source: ../data/check.jsonl}\n"
    write_project(
        small_project(finetune, **{"data/check.jsonl": ASKED.replace("Question", "Is it number")})
    )

    told = shell("validate")

    assert told.status == 1
    assert [line.split(" ")[:2] for line in told.out.splitlines() if "hint" not in line] == [
        ["data/check.jsonl:1:", "error[wrong-format]:"]
    ]


def test_only_single_answers_are_to_be_written_as_prompt_and_completion(
    shell: Shell, write_project: Write
) -> None:
    babbage = FINETUNE.replace(MINI, "babbage-002")
    write_project(small_project(babbage))
    command = "ftctl dataset convert data/train.jsonl data/train-completion.jsonl --to completion"
    several = chat_rows(12).replace(
        '"messages": [', '"messages": [{"role": "system", "content": "S"}, '
    )

    single = shell("validate").out
    shell.ok(*command.split()[1:])
    written = (shell.folder / "data/train-completion.jsonl").read_text("utf-8")
    (shell.folder / "data/train.jsonl").write_text(written)
    mended = shell.ok("validate").out
    (shell.folder / "data/train.jsonl").write_text(several)
    longer = shell("validate").out

    assert f"; or train on what this writes: {command}\n" in single
    assert mended.startswith("Valid")
    assert "error[wrong-format]" in longer
    assert "convert" not in longer


CHECKED = [
    ("gpt-4.1-mini", 1, (f"data/train.jsonl:1: error[wrong-format]: these are prompt/completion"
     f" rows; openai trains {MINI} on chat rows\n    hint: ftctl dataset convert data/train.jsonl"
     " data/train-chat.jsonl --to chat\n")),
    ("gpt-4.1-mni", 0, ("data/train.jsonl: warning[unknown-base-model]: openai is not known to"
     f" train 'gpt-4.1-mni'\n    hint: did you mean '{MINI}'? openai shuts it down on 2027-01-14"
     " and takes no new jobs after 2027-01-06\n")),
    ("babbage-002", 0, ""),
    ("somebody/own", 0, ""),
]  # fmt: skip


@pytest.mark.parametrize(("model", "status", "told"), CHECKED)
def test_a_file_alone_is_held_against_a_base_model(
    shell: Shell, write_project: Write, model: str, status: int, told: str
) -> None:
    write_project(UNFIT)

    result = shell("dataset", "check", "data/train.jsonl", "--model", model)

    problems, _, _ = result.out.partition("Valid")
    assert (result.status, problems) == (status, told)


def test_a_file_to_measure_on_is_held_against_the_others(
    shell: Shell, write_project: Write
) -> None:
    asked = ASKED.replace("Question", "Is it number")
    write_project(small_project(**{"data/check.jsonl": asked}))

    result = shell.ok("dataset", "check", "data/train.jsonl", "--validation", "data/check.jsonl")

    assert result.out.startswith(
        "data/check.jsonl:1: warning[unlike-validation]: these are prompt/completion rows; those of"
        " training are chat rows\n    hint: ftctl dataset convert data/check.jsonl"
        " data/check-chat.jsonl --to chat\n"
    )


FILLED = "".join(
    json.dumps(
        {
            "messages": [
                {"role": "user", "content": f"Fill {number} in: <|fim_prefix|>a<|fim_suffix|>c"},
                {"role": "assistant", "content": "b"},
            ]
        }
    )
    + "\n"
    for number in range(12)
)
ELSEWHERE = (
    "project: acme-support\nprovider: {type: compatible, base_url: 'http://127.0.0.1:9/v1'}\n"
)


@pytest.mark.parametrize("command", ["validate", "plan", "apply --auto-approve"])
def test_a_token_that_the_service_refuses_stops_a_purchase(
    shell: Shell, write_project: Write, command: str
) -> None:
    write_project(small_project(**{"data/train.jsonl": FILLED}))

    result = shell(*command.split())

    assert result.status == 1
    assert "train.jsonl:1: error[refused-token]: messages[0].content has '<|fim_suffix|>'" in (
        result.out + result.err
    )
    assert not (shell.folder / ".ftctl" / "store.db").exists()


def test_a_file_alone_with_such_a_token_is_refused_for_whose_it_is(
    shell: Shell, write_project: Write
) -> None:
    write_project({"train.jsonl": FILLED})

    assert shell("dataset", "check", "train.jsonl").status == 1
    assert shell("dataset", "check", "train.jsonl", "--model", "Qwen/Qwen3-32B").status == 0


def test_elsewhere_such_a_token_is_a_warning(shell: Shell, write_project: Write) -> None:
    write_project(small_project(**{"data/train.jsonl": FILLED, "ftctl.yaml": ELSEWHERE}))

    result = shell("validate")

    assert result.status == 0
    assert "train.jsonl:1: warning[refused-token]" in result.out + result.err


def test_what_was_trained_on_such_tokens_stays_as_it_is(
    shell: Shell, write_project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(small_project(**{"data/train.jsonl": FILLED}))
    with monkeypatch.context() as earlier:
        earlier.setattr("ftctl.project.scan.is_refused", lambda _problem: False)
        earlier.setattr("ftctl.emulator.jobs.training_file.REFUSED_TOKENS", ())
        shell.ok("apply", "--auto-approve", "--wait")

    result = shell("plan", "--detailed-exitcode")

    assert result.status == 0
    assert "error" not in result.out + result.err


def _warned(shell: Shell, environ: Mapping[str, str]) -> list[str]:
    workspace = Workspace.open(shell.folder, clock=shell.clock, environ=environ)
    return [one for one in workspace.plan(observed=Observed()).plan.warnings if "shut" in one]


@pytest.mark.parametrize(
    ("provider", "warned"),
    [
        ("", True),
        ("provider: {type: compatible, base_url: 'http://127.0.0.1:9/v1'}\n", True),
        ("provider: {type: openai}\npolicy: {min_days_to_shutdown: 0}\n", False),
    ],
)
def test_the_plan_warns_of_a_retired_base_model_where_no_policy_speaks_of_it(
    shell: Shell, write_project: Write, provider: str, *, warned: bool
) -> None:
    old = FINETUNE.replace(MINI, "gpt-3.5-turbo-0613")
    write_project(
        small_project(**{"finetunes/tone.yaml": old, "ftctl.yaml": f"project: demo\n{provider}"})
    )

    assert bool(_warned(shell, {"OPENAI_API_KEY": "none"})) is warned


def test_only_what_is_refused_stops_and_is_told_as_a_problem(
    shell: Shell, write_project: Write
) -> None:
    """Beside it, what is only doubtful stays a warning."""
    other = BESIDE.replace("good.jsonl", "seen.jsonl")
    write_project({**UNFIT, "data/seen.jsonl": SEEN, "finetunes/good.yaml": other})

    workspace = Workspace.open(shell.folder, clock=shell.clock, environ={})
    with pytest.raises(InvalidProject) as refused:
        workspace.plan(observed=Observed())

    assert [one.code for one in refused.value.diagnostics] == ["wrong-format"]


def test_what_else_is_doubtful_is_warned_of_at_a_billed_service_too(
    shell: Shell, write_project: Write
) -> None:
    settings = "project: demo\nprovider: {type: openai}\n"
    write_project(small_project(**{"data/train.jsonl": SEEN, "ftctl.yaml": settings}))
    workspace = Workspace.open(shell.folder, clock=shell.clock, environ={"OPENAI_API_KEY": "none"})

    warnings = workspace.plan(observed=Observed()).plan.warnings

    assert any("is not known to train" in one and "images" in one for one in warnings)


def test_attention_for_another_reason_says_nothing_of_the_rows(
    shell: Shell, write_project: Write
) -> None:
    """A model that is gone was trained on them."""
    write_project(UNFIT)
    gone = replace(_with(shell, "succeeded"), models=frozenset())

    plan = Workspace.open(shell.folder, clock=shell.clock, environ={}).plan(observed=gone).plan

    assert [change.action for change in plan.changes] == [Action.ATTENTION]
    assert not any("prompt/completion" in one for one in plan.warnings)
