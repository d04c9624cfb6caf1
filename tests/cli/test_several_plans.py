"""`ftctl apply PLANFILE PLANFILE`: several merges that one push carries, each approved alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, ROOT, Shell, small_project
from jsonschema import Draft202012Validator

from ftctl.domain.plan import StartJob
from ftctl.engine.plan_files import read_plan
from ftctl.engine.workspace import Workspace
from ftctl.errors import FtctlError

Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def main(shell: Shell, write_project: Write) -> Shell:
    """A project with one model, as it stands before the merges."""
    write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")
    return shell


def manifest(shell: Shell, name: str, epochs: int) -> Path:
    path = shell.folder / "finetunes" / f"{name}.yaml"
    text = FINETUNE.replace("name: tone", f"name: {name}")
    path.write_text(f"{text}hyperparameters: {{n_epochs: {epochs}}}\n", "utf-8")
    return path


def planned_alone(shell: Shell, name: str, epochs: int, file: str, *options: str) -> None:
    """The plan of a pull request that changes one fine-tune, made without the others."""
    kept = shell.folder / "kept"
    shutil.copytree(shell.folder / "finetunes", kept)
    manifest(shell, name, epochs)
    shell.ok("plan", "--out", file, *options)
    shutil.rmtree(shell.folder / "finetunes")
    kept.rename(shell.folder / "finetunes")


def jobs(shell: Shell) -> list[Any]:
    with Workspace.open(shell.folder, clock=shell.clock, environ={}) as workspace:
        workspace.plan()
        observed = workspace.observed
    assert observed is not None
    return sorted(observed.jobs, key=lambda job: job.age_order)


def test_two_merges_of_one_push_are_applied_at_once(main: Shell) -> None:
    planned_alone(main, "calm", 2, "1.json", "--select", "calm")
    planned_alone(main, "warm", 3, "2.json")
    manifest(main, "calm", 2)
    manifest(main, "warm", 3)

    alone = main("apply", "2.json")
    reports = [word for name in ("r.json", "r.md") for word in ("--report", name)]
    both = main.ok("apply", "1.json", "2.json", "--wait", *reports)
    again = main.ok("apply", "1.json", "2.json", "--wait")

    assert alone.status == 5
    assert "calm: was not in the approved plan, and would now be bought" in alone.err
    assert sorted(job.finetune for job in jobs(main)) == ["calm", "tone", "warm"]
    assert "All there" in both.out
    report = json.loads((main.folder / "r.json").read_text("utf-8"))
    schema = json.loads((ROOT / "schemas" / "report.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(report)
    digests = [read_plan(main.folder / name).digest for name in ("1.json", "2.json")]
    assert report["digest"] == " and ".join(digests)
    assert all(digest in (main.folder / "r.md").read_text("utf-8") for digest in digests)
    assert "Of the approved plan, nothing is left to do for: calm, warm." in again.out


def test_of_two_merges_to_one_fine_tune_the_later_is_bought_alone(main: Shell) -> None:
    planned_alone(main, "tone", 2, "1.json")
    planned_alone(main, "tone", 3, "2.json")
    manifest(main, "tone", 3)

    turned = main("apply", "2.json", "1.json")
    main.ok("apply", "1.json", "2.json")

    assert turned.status == 5
    assert "tone: approved was the training" in turned.err
    assert [job.spec["hyperparameters"] for job in jobs(main)[1:]] == [{"n_epochs": 3}]


def test_what_is_in_none_of_them_is_named_and_nothing_is_bought(main: Shell) -> None:
    planned_alone(main, "calm", 2, "1.json")
    planned_alone(main, "warm", 3, "2.json")
    for at, name in enumerate(("calm", "warm", "dry"), start=2):
        manifest(main, name, at)

    result = main("apply", "1.json", "2.json")

    assert result.status == 5
    assert "dry: was not in the approved plan, and would now be bought (not found)" in result.err
    assert len(jobs(main)) == 1


def test_the_policy_counts_for_all_of_them_together(main: Shell) -> None:
    planned_alone(main, "calm", 2, "1.json")
    planned_alone(main, "warm", 3, "2.json")
    manifest(main, "calm", 2)
    manifest(main, "warm", 3)
    with (main.folder / "ftctl.yaml").open("a", encoding="utf-8") as settings:
        settings.write("policy: {max_jobs_created: 1}\n")

    result = main("apply", "1.json", "2.json")

    assert result.status == 3
    assert len(jobs(main)) == 1


def test_one_retry_is_no_retry_of_the_other(main: Shell) -> None:
    """Each plan's options count for what it shows, also in the wait that follows."""
    manifest(main, "tone", 7)
    main.ok("apply", "--auto-approve")
    main.ok("cancel", "tone", "--auto-approve")
    main.ok("plan", "--retry-failed", "--out", "1.json")
    planned_alone(main, "calm", 2, "2.json")
    manifest(main, "calm", 2)

    main.ok("apply", "1.json", "2.json", "--wait")
    main.ok("apply", "1.json", "2.json", "--wait")

    assert sorted(job.finetune for job in jobs(main)) == ["calm", "tone", "tone", "tone"]


def test_plans_of_two_projects_are_refused_and_the_file_is_named(main: Shell) -> None:
    main.ok("plan", "--out", "1.json")
    settings = main.folder / "ftctl.yaml"
    settings.write_text("project: other\n", "utf-8")
    main.ok("plan", "--out", "2.json")

    result = main("apply", "1.json", "2.json")

    assert result.status == 5
    assert "2.json is for the project other, and " in result.err
    assert "1.json for demo" in result.err


def test_one_file_that_is_no_plan_refuses_all_of_them(main: Shell) -> None:
    planned_alone(main, "calm", 2, "1.json")
    manifest(main, "calm", 2)
    document = json.loads((main.folder / "1.json").read_text("utf-8"))
    document["changes"][0]["name"] = "other"
    (main.folder / "2.json").write_text(json.dumps(document), "utf-8")

    result = main("apply", "1.json", "2.json")

    assert result.status == 1
    assert "2.json was changed after ftctl wrote it" in result.err
    assert len(jobs(main)) == 1


def test_a_digest_beside_files_is_wrong_usage(main: Shell) -> None:
    main.ok("plan", "--out", "1.json")

    assert main("apply", "1.json", "1.json", "--approve", "sha256:0").status == 64


def test_the_library_takes_several_approvals(main: Shell) -> None:
    planned_alone(main, "calm", 2, "1.json")
    planned_alone(main, "warm", 3, "2.json")
    manifest(main, "calm", 2)
    manifest(main, "warm", 3)
    approvals = [read_plan(main.folder / name) for name in ("1.json", "2.json")]

    with Workspace.open(main.folder, clock=main.clock, environ={}) as workspace:
        review = workspace.plan(approval=approvals)
        with pytest.raises(FtctlError):
            workspace.plan(approval=[])
        report = workspace.apply(approvals)

    assert len(review.plan.steps(StartJob)) == 2
    assert report.ok
    assert sorted(job.finetune for job in jobs(main)) == ["calm", "tone", "warm"]


def test_what_is_to_be_typed_names_the_folder_and_environment_of_the_run(
    shell: Shell, write_project: Write
) -> None:
    environments = "project: demo\nenvironments: {prod: {}}\n"
    files = small_project(**{"ftctl.yaml": environments})
    write_project({f"my app/{path}": text for path, text in files.items()})
    here = ("-C", "my app", "--env", "prod")

    started = shell.ok("apply", *here, "--auto-approve").out
    waited = shell.ok("wait", *here).out
    unknown = shell("plan", *here, "--replace", "tone=").err
    no_plan = shell("apply", *here, "none.json").err
    document = shell.ok("plan", *here, "--format", "json").out
    in_place = shell("apply", "-C", ".", "none.json").err

    program = "ftctl -C 'my app' --env prod"
    assert f"'{program} status' shows them, '{program} wait' waits for them." in started
    assert f"'{program} output' prints the models' names." in waited
    assert f"make it with '{program} plan --out FILE'" in no_plan
    assert "hint: write --replace tone=ftjob-…, or --replace tone" in unknown
    assert program not in document
    assert "make it with 'ftctl plan --out FILE'" in in_place
