"""One repository with two projects, and one project with two environments, over their merges."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, KEY, ROOT, chat_rows
from forges.github import TEMPLATES, WORKFLOWS, GitHub
from forges.standby import Standby
from test_ci_templates import PROJECT, WARM, pytestmark
from test_ci_templates import _github as service_and_repository

from .conftest import Story

__all__ = ["pytestmark"]

URL = "OPENAI_BASE_URL"
SUPPORT, SALES = "services/support", "services/sales"


@pytest.fixture
def github(tmp_path: Path, standby: Standby) -> Iterator[GitHub]:
    """A repository with one fine-tune on main that is not trained yet, and a service."""
    with service_and_repository(tmp_path, standby.program) as github:
        yield github


def use(github: GitHub, example: str, files: dict[str, str]) -> None:
    """Put the workflows of an example and other files on main."""
    folder = TEMPLATES.parent / example
    workflows = {f"{WORKFLOWS}/{path.name}": path.read_text("utf-8") for path in folder.iterdir()}
    github.commit("main", {**workflows, **files})


def two_projects(github: GitHub) -> None:
    """Two projects, each with one fine-tune; nothing of them is applied yet."""
    files = {"README.md": "Two.\n", "shared/data/words.jsonl": chat_rows(12, "words")}
    for folder in (SUPPORT, SALES):
        name = folder.rpartition("/")[2]
        files |= {
            f"{folder}/ftctl.yaml": PROJECT.replace("project: demo", f"project: {name}"),
            f"{folder}/finetunes/tone.yaml": FINETUNE,
            f"{folder}/data/train.jsonl": chat_rows(12, name),
            f"{folder}/data/warm.jsonl": chat_rows(20, f"surely {name}"),
        }
    use(github, "github-two-projects", files)


def started(job: Any) -> list[str]:
    """The fine-tunes of which an apply began a job."""
    return [line.split(":")[0] for line in job.log.splitlines() if ": started ftjob-" in line]


def let(github: GitHub, *faults: Any) -> None:
    """Have the service refuse what these say, and nothing else."""
    asked = urllib.request.Request(
        f"{github.variables[URL].removesuffix('/v1')}/_ftctl/faults",
        json.dumps({"faults": list(faults)}).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(asked).close()


def gate(jobs: Any) -> bool:
    """Whether the required check is green."""
    return jobs["ftctl"].check == "ftctl" and not jobs["ftctl"].failed


def test_an_apply_that_is_half_done_in_a_monorepo(github: GitHub, story: Story) -> None:
    two_projects(github)
    story.says("Ann's pull request adds a fine-tune to both projects. Each is planned by itself.")
    github.commit("both", {f"{one}/finetunes/warm.yaml": WARM for one in (SUPPORT, SALES)})
    number = github.open_pull("both")
    jobs = github.check_pull(number)
    assert [*jobs] == ["changed", f"plan ({SUPPORT})", f"plan ({SALES})", "ftctl"]
    assert gate(jobs)
    places = [body.splitlines()[0] for body in github.comments(number)]
    assert places == [f"<!-- ftctl comment: default {one} -->" for one in (SUPPORT, SALES)]

    story.says("It is merged. The service takes three jobs, and not the fourth, of sales.")
    fourth = {
        "request": {"method": "POST", "path": "/v1/fine_tuning/jobs", "call": 4},
        "answer": {"status": 403, "code": "training_not_available", "message": "Not today."},
    }
    let(github, fourth)
    github.merge(number)
    github.push_main()
    first = dict(github.last)
    story.shows("sales", "\n".join(first[f"apply ({SALES})"].errors))
    assert first[f"apply ({SALES})"].failed
    assert started(first[f"apply ({SUPPORT})"]) == ["tone", "warm"]
    assert started(first[f"apply ({SALES})"]) == ["tone"]
    assert not first[f"apply ({SUPPORT})"].failed
    assert f"wait ({SUPPORT})" in first
    assert f"wait ({SALES})" not in first  # what is left is the apply's, in its turn
    assert "### ftctl: applied, 2 models" in first[f"result ({SUPPORT})"].summary

    story.says("The service takes jobs again. Ann runs what failed again: support is not touched.")
    let(github)
    github.run_again(failed_only=True)
    again = dict(github.last)
    assert f"apply ({SUPPORT})" not in again
    assert started(again[f"apply ({SALES})"]) == ["warm"]
    assert f"wait ({SALES})" in again
    assert not any(job.failed for job in again.values())
    kept = {one["name"] for one in github.state["artifacts"]}
    assert {f"ftctl-lock-default@services_2f{one}" for one in ("support", "sales")} <= kept

    story.says("A third run does nothing in either.")
    github.run_again()
    assert [name for job in github.last.values() for name in started(job)] == []


def test_a_change_of_one_project_plans_one_and_words_plan_none(
    github: GitHub, story: Story
) -> None:
    two_projects(github)
    story.says("Data that sales shares is changed: sales is planned, by the list of the workflow.")
    github.commit("data", {"shared/data/words.jsonl": chat_rows(13, "words")})
    jobs = github.check_pull(github.open_pull("data"))
    assert [*jobs] == ["changed", f"plan ({SALES})", "ftctl"]
    assert gate(jobs)

    story.says("A README is changed: nothing is planned, and the required check is green.")
    github.commit("words", {"README.md": "Two projects.\n"})
    words = github.open_pull("words")
    jobs = github.check_pull(words)
    assert [*jobs] == ["changed", "ftctl"]
    assert gate(jobs)
    github.merge(words)
    assert github.push_main().errors == []
    assert [*github.last] == ["changed"]

    story.says("A fork breaks a manifest: its required check is red.")
    github.commit("fork", {f"{SUPPORT}/finetunes/warm.yaml": "kind: Nothing\n"})
    jobs = github.check_pull(github.open_pull("fork"), fork=True)
    assert [*jobs] == ["changed", f"plan-fork ({SUPPORT})", "ftctl"]
    assert not gate(jobs)


def test_two_environments_one_after_the_other(
    github: GitHub, standby: Standby, tmp_path: Path, story: Story
) -> None:
    (tmp_path / "prod").mkdir()
    with service_and_repository(tmp_path / "prod", standby.program) as other:
        prod = f"prod: {{provider: {{type: compatible, base_url: {other.variables[URL]}}}}}"
        settings = f"{PROJECT}environments:\n  dev: {{}}\n  {prod}\n"
        use(github, "github-two-environments", {"ftctl.yaml": settings})
        story.says("Ann's pull request adds `warm`: a comment for dev, and one for prod.")
        github.commit("warm", {"finetunes/warm.yaml": WARM})
        number = github.open_pull("warm")
        jobs = github.check_pull(number)
        assert gate(jobs)
        places = [body.splitlines()[0] for body in github.comments(number)]
        assert places == [f"<!-- ftctl comment: {one} . -->" for one in ("dev", "prod")]

        story.says("It is merged. dev is applied, and prod after it.")
        github.merge(number)
        github.repository_variables = {"FTCTL_RECORD": "push"}
        assert github.push_main().errors == []
        ran = dict(github.last)
        assert [*ran] == [
            *("announce", "dev", "wait-dev", "prod", "wait-prod"),
            *("record (dev)", "record (prod)", "result-dev", "result-prod"),
        ]
        told = [body for body in github.comments(number) if "### ftctl: applied, 2 models" in body]
        assert [body.splitlines()[0] for body in told] == [
            f"<!-- ftctl result: {one} . -->" for one in ("dev", "prod")
        ]
        assert started(ran["dev"]) == started(ran["prod"]) == ["tone", "warm"]
        lock = json.loads(github.git("show", "main:ftctl.lock", at="origin.git"))
        finetunes = {name: sorted(one["finetunes"]) for name, one in lock["environments"].items()}
        assert finetunes == {"dev": ["tone", "warm"], "prod": ["tone", "warm"]}
        story.shows("What is on record", json.dumps(finetunes))

        story.says("Run again, both have nothing to do.")
        github.run_again()
        assert [name for job in github.last.values() for name in started(job)] == []


def test_where_dev_fails_prod_is_not_begun(github: GitHub) -> None:
    settings = f"{PROJECT}environments:\n  dev: {{}}\n  prod: {{}}\n"
    use(github, "github-two-environments", {"ftctl.yaml": settings})
    github.commit("main", {"finetunes/warm.yaml": WARM})  # past any pull request

    github.push_main()

    assert [*github.last] == ["announce", "dev", "result-dev", "result-prod"]
    assert "The apply did not run" in github.last["result-prod"].summary
    assert "nobody approved this plan" in github.last["dev"].errors[0]


# Which projects a change touches.


def changed(tmp_path: Path, projects: str, files: dict[str, str], **variables: str) -> Any:
    """Commit files, and have the step list what they touch: a list, or what it says."""
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    place = tmp_path / "checkout"
    if not place.exists():
        subprocess.run(["git", "init", "-q", "-b", "main", place], check=True)
        subprocess.run([*git, "commit", "-qm", "a", "--allow-empty"], cwd=place, check=True)
    heads = []
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for words in (["rev-parse", "HEAD"], ["add", "-A"], ["commit", "-qm", "b"],
                  ["rev-parse", "HEAD"]):  # fmt: skip
        done = subprocess.run([*git, *words], cwd=place, check=True, capture_output=True, text=True)
        heads += [done.stdout.strip()] if words[0] == "rev-parse" else []
    event, out = tmp_path / "event.json", tmp_path / "out"
    event.write_text(json.dumps({"before": heads[0]}), "utf-8")
    out.unlink(missing_ok=True)
    done = subprocess.run(
        ["bash", ROOT / "ci" / "changed.sh"], cwd=place, capture_output=True, text=True,
        check=False,
        env={
            "PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path), "INPUT_COMMAND": "changed",
            "GITHUB_OUTPUT": str(out), "GITHUB_EVENT_PATH": str(event), "GITHUB_SHA": heads[-1],
            "GITHUB_EVENT_NAME": "push", "GITHUB_REPOSITORY": "acme/support",
            "INPUT_PROJECTS": projects, "GITHUB_BASE_REF": "", **variables,
        },
    )  # fmt: skip
    if done.returncode:
        return done.stdout
    return json.loads(out.read_text("utf-8").splitlines()[1])


LIST = "services/support\nservices/sales: shared/data libs/a\n"


@pytest.mark.parametrize(
    ("name", "touched"),
    [
        ("services/support/data/a.jsonl", [SUPPORT]),
        ("services/support-2/a", []),
        ("services/supp", []),
        ("shared/data/x", [SALES]),
        ("libs/a", [SALES]),
        ("libs/ab", []),
        ('services/sales/$(touch pwned) `x` ";::error::\n', [SALES]),
    ],
)
def test_what_a_file_touches(tmp_path: Path, name: str, touched: list[str]) -> None:
    assert changed(tmp_path, LIST, {name: "x"}) == touched
    assert not (tmp_path / "checkout" / "pwned").exists()


def test_a_file_that_moves_touches_both_places(tmp_path: Path) -> None:
    changed(tmp_path, LIST, {f"{SUPPORT}/a": "the same text\n" * 9})
    (tmp_path / "checkout" / SUPPORT / "a").unlink()

    assert changed(tmp_path, LIST, {f"{SALES}/a": "the same text\n" * 9}) == [SUPPORT, SALES]


@pytest.mark.parametrize(
    "variables",
    [
        {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_BASE_REF": "main"},  # it is not here
        {"GITHUB_EVENT_NAME": "schedule"},
    ],
)
def test_where_git_can_not_say_every_project_is_looked_at(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    assert changed(tmp_path, LIST, {"README": "x"}, **variables) == [SUPPORT, SALES]


def test_by_hand_it_is_the_one_that_was_chosen(tmp_path: Path) -> None:
    by_hand = {"GITHUB_EVENT_NAME": "workflow_dispatch"}

    assert changed(tmp_path, LIST, {"x": "x"}, **by_hand, INPUT_DIRECTORY=SALES) == [SALES]
    said = changed(tmp_path, LIST, {"x": "y"}, **by_hand, INPUT_DIRECTORY="services")
    assert "::error title=ftctl::'directory' is none of 'projects'" in said


@pytest.mark.parametrize(
    "projects", ["../elsewhere", "/etc", "-x", "a\na", "a: ../b", "[1", " \n ", "a\x07"]
)
def test_a_list_that_can_not_be_is_refused(tmp_path: Path, projects: str) -> None:
    assert "::error title=ftctl::" in changed(tmp_path, projects, {"x": "x"})


@pytest.mark.parametrize(
    ("names", "waited"),
    [
        (["ftctl-waiting-default@services_2fsales-1"], True),
        (["ftctl-waiting-default@services_2fsales-eu-1"], False),
        (["ftctl-approved-default@services_2fsales-1"], False),
        (["ftctl-waiting-default@services_2fsales-1",
          "ftctl-approved-default@services_2fsales-2"], False),
        (["ftctl-approved-default@services_2fsales-9",
          "ftctl-waiting-default@services_2fsales-10"], True),
    ],
)  # fmt: skip
def test_what_is_waited_for(names: list[str], waited: bool) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import projects\n"
        "print(projects.is_waited_for(sys.argv[2], set(sys.argv[3:])))"
    )
    place = "default@services_2fsales"
    done = subprocess.run(
        ["python3", "-c", code, ROOT / "ci" / "github", place, *names],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{waited}\n"


def test_places_are_spelled_as_the_scripts_spell_them(tmp_path: Path) -> None:
    """What `waiting` looks for is what apply.sh has named."""
    folders = ["a", "a/b", "Upper Case", "ü/x_y", "d" * 130]
    lines = "\n".join(folders)
    script = f'source {ROOT}/ci/common.sh; printf %s "$place"'
    for environment in ("", "default", "prod_1"):
        names = []
        for folder in folders:
            done = subprocess.run(
                ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True,
                env={"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path),
                     "INPUT_DIRECTORY": folder, "INPUT_ENVIRONMENT": environment},
            )  # fmt: skip
            names.append(done.stdout)
        code = (
            "import sys, types; sys.path.insert(0, sys.argv[1]); import projects\n"
            "job = types.SimpleNamespace(environ={'INPUT_ENVIRONMENT': sys.argv[2]})\n"
            "print(*[projects._named(job, one) for one in projects.read_projects(sys.argv[3])],"
            " sep='\\n')"
        )
        done = subprocess.run(
            ["python3", "-c", code, ROOT / "ci" / "github", environment, lines],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines() == names
