"""The CI templates: what they may do, and what they do, step by step, on the embedded API."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import FINETUNE, KEY, ROOT, chat_rows
from forges.expressions import condition, evaluate, filled_in
from forges.github import TEMPLATES, GitHub, JobRun
from forges.github import WORKFLOWS as WORKFLOWS_FOLDER
from forges.programs import FTCTL
from forges.standby import Standby

from ftctl.emulator import Request, open_emulator, serve
from ftctl.emulator import Settings as Options

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
WORKFLOWS: dict[str, dict[str, Any]] = {
    path.stem.removeprefix("ftctl-"): yaml.safe_load(path.read_text("utf-8"))
    for path in sorted(TEMPLATES.glob("*.yml"))
}
KEYLESS = {"plan-fork", "ftctl", "record", "announce", "result"}
JOBS = [(name, key) for name, workflow in WORKFLOWS.items() for key in workflow["jobs"]]
SCRIPTS = sorted((ROOT / "ci").glob("*.sh"))

_MISSING = [name for name in ("bash", "curl", "git", "jq") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"{', '.join(_MISSING)} is not here")


USES = [(name, key) for name, key in JOBS if (name, key) != ("plan", "ftctl")]


def _steps(name: str, key: str) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = WORKFLOWS[name]["jobs"][key]["steps"]
    return steps


# What the templates may do.


def test_there_are_three_workflows() -> None:
    assert list(WORKFLOWS) == ["apply", "drift", "plan"]


@pytest.mark.parametrize(
    ("name", "key", "rights"),
    [
        ("plan", "plan", {"actions": "read", "contents": "read", "pull-requests": "write"}),
        ("plan", "plan-fork", {"actions": "read", "contents": "read"}),
        ("plan", "ftctl", {}),
        (
            "apply",
            "record",
            {"actions": "read", "contents": "write", "pull-requests": "write"},
        ),
        (
            "apply",
            "apply",
            {"actions": "read", "contents": "read", "issues": "read", "pull-requests": "read"},
        ),
        ("apply", "wait", {"actions": "read", "contents": "read"}),
        ("apply", "announce", {"contents": "read", "pull-requests": "write"}),
        (
            "apply",
            "result",
            {"actions": "read", "contents": "read", "pull-requests": "write"},
        ),
        ("drift", "drift", {"actions": "read", "contents": "read", "issues": "write"}),
    ],
)
def test_a_job_asks_for_the_least_permissions(name: str, key: str, rights: dict[str, str]) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    assert WORKFLOWS[name]["jobs"][key]["permissions"] == rights


def test_no_workflow_runs_where_a_stranger_could_reach_a_key() -> None:
    # YAML 1.1 reads the key `on` as true.
    events = {name: set(workflow[True]) for name, workflow in WORKFLOWS.items()}

    assert events == {
        "apply": {"push", "workflow_dispatch"},
        "drift": {"schedule", "workflow_dispatch"},
        "plan": {"pull_request", "merge_group"},
    }


@pytest.mark.parametrize(("name", "key"), USES)
def test_everything_of_others_is_pinned_by_commit_with_its_version_beside_it(
    name: str, key: str
) -> None:
    text = (TEMPLATES / f"ftctl-{name}.yml").read_text("utf-8")

    for step in _steps(name, key):
        if step["uses"] != "OWNER/ftctl@PIN_ftctl":
            assert re.search(rf"uses: {re.escape(step['uses'])} # v\d+\.\d+\.\d+\n", text)
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])


def test_the_action_pins_what_it_uses_by_commit() -> None:
    uses = [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step]

    assert uses
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", one) for one in uses)


def test_no_value_is_written_into_a_script() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    inline = [
        (name, key)
        for name, key in JOBS
        for step in _steps(name, key)
        if "${{" in str(step.get("run"))
    ]

    assert all(re.fullmatch(r'bash "\$GITHUB_ACTION_PATH/ci/\w+\.sh"', one) for one in scripts)
    assert inline == []


def test_the_key_reaches_only_the_steps_that_ask_the_service() -> None:
    given = {
        step["name"] for step in ACTION["runs"]["steps"] if "api-key }}" in str(step.get("env"))
    }

    assert given == {"Validate and plan", "Apply", "Look for drift"}


@pytest.mark.parametrize(("name", "key"), JOBS)
def test_secrets_are_named_in_no_job_for_forks_and_nowhere_but_as_the_key(
    name: str, key: str
) -> None:
    text = json.dumps(WORKFLOWS[name]["jobs"][key])

    expected = 0 if key in KEYLESS else 1
    assert text.count("secrets.") == expected
    assert text.count('"api-key": "${{ secrets.OPENAI_API_KEY }}"') == expected


@pytest.mark.parametrize(("name", "key"), USES)
def test_a_checkout_leaves_no_token_behind(name: str, key: str) -> None:
    first, *others = _steps(name, key)

    assert not any("actions/checkout@" in step["uses"] for step in others)
    # These write, and have nothing of the repository beside them.
    if key not in {"record", "announce", "result"}:
        assert first["uses"].startswith("actions/checkout@")
        assert first["with"]["persist-credentials"] is False


@pytest.mark.parametrize("key", ["announce", "result"])
def test_a_job_that_speaks_on_a_pull_request_checks_nothing_out(key: str) -> None:
    job = WORKFLOWS["apply"]["jobs"][key]

    assert [step["uses"] for step in job["steps"]] == ["OWNER/ftctl@PIN_ftctl"]
    assert "environment" not in job


def test_applies_come_one_after_the_other_and_none_is_cut_short_or_dropped() -> None:
    apply, wait = (WORKFLOWS["apply"]["jobs"][name] for name in ("apply", "wait"))

    assert apply["concurrency"] == {
        "group": "ftctl-apply-production",
        "queue": "max",
        "cancel-in-progress": False,
    }
    assert apply["environment"] == "production"
    assert apply["steps"][1]["with"]["wait"] == "false"
    assert wait["concurrency"]["group"] == "ftctl-wait-${{ github.run_id }}"
    assert (wait["needs"], wait["environment"]) == ("apply", "ftctl-wait")


@pytest.mark.parametrize(
    ("event", "group"),
    [
        ({"action": "synchronize"}, "ftctl-plan-7-plan"),
        ({"action": "labeled", "label": {"name": "ftctl-plan"}}, "ftctl-plan-7-plan"),
        ({"action": "labeled", "label": {"name": "bug"}}, "ftctl-plan-7-100"),
    ],
)
def test_a_label_that_asks_for_nothing_ends_no_plan(event: dict[str, Any], group: str) -> None:
    known = {"github": {"run_id": "100", "event": {**event, "pull_request": {"number": 7}}}}

    assert filled_in(WORKFLOWS["plan"]["concurrency"]["group"], known) == group


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_sound_bash(script: Path) -> None:
    text = script.read_text("utf-8")

    assert "set -euo pipefail" in text or 'source "${BASH_SOURCE[0]%/*}/common.sh"' in text
    assert "${{" not in text
    assert "eval" not in text
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        ("github-workflows", sorted(TEMPLATES.parent.glob("github*/*.yml"))),
        ("github-actions", [ROOT / "action.yml"]),
    ],
)
def test_a_template_keeps_its_published_schema(kind: str, paths: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{kind}"]

    done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_shellcheck_finds_nothing() -> None:
    beside = Path(sys.executable).parent / "shellcheck"
    program = beside if beside.exists() else shutil.which("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not here")

    done = subprocess.run(
        [program, "-x", "-P", ROOT / "ci", *SCRIPTS], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("github.event.number", 7),
        ("github.nothing", ""),
        ("github.actor == 'Bot' || github.actor == 'b'", True),
        ("!(github.actor != 'bot') && 'yes'", "yes"),
        ("always() && github.actor == 'a'", False),
        ("'it''s'", "it's"),
        ("needs.plan-fork.result", "skipped"),
        ("needs.plan.outputs.digest", "d"),
        ("contains(needs.*.result, 'failure')", True),
        ("contains('Hello', 'ell')", True),
        ("startsWith('ftctl-plan', 'FTCTL') && endsWith('a.b', '.b')", True),
        ("format('{0}-{1}', 'a', 7)", "a-7"),
        ('fromJSON(\'["a", "b"]\')[1]', "b"),
        ('join(fromJSON(\'["a", "b"]\'))', "a,b"),
        ("success() || failure()", True),
        ("!cancelled()", True),
        ("true && 3", 3),
    ],
)
def test_an_expression_means_what_it_means_at_github(expression: str, value: Any) -> None:
    plan = {"result": "failure", "outputs": {"digest": "d"}}
    known = {
        "github": {"event": {"number": 7}, "actor": "bot"},
        "needs": {"plan": plan, "plan-fork": {"result": "skipped"}},
        "failed": False,
    }

    assert evaluate(expression, known) == value
    assert filled_in(f"a ${{{{ {expression} }}}}", known).startswith("a ")


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        (None, (True, False, False)),
        ("github.actor == 'bot'", (True, False, False)),
        ("always()", (True, True, True)),
        ("failure()", (False, True, False)),
        ("${{ !cancelled() && github.actor == 'bot' }}", (True, True, True)),
        ("success() && github.actor == 'x'", (False, False, False)),
    ],
)
def test_a_condition_means_success_unless_it_asks_for_a_status(
    text: str | None, runs: tuple[bool, bool, bool]
) -> None:
    """After all went well, after a failure, and after what it needs was skipped."""
    states = [(False, False), (True, False), (False, True)]
    known = {"github": {"actor": "bot"}}

    assert runs == tuple(
        condition(text, {**known, "failed": failed, "skipped": skipped})
        for failed, skipped in states
    )


RUNNERS = """\
on:
  push: {branches: [main]}
permissions: {}
env: {A: one}
jobs:
  last:
    needs: [each, never]
    if: always() && needs.never.result == 'skipped'
    name: last of ${{ github.ref_name }}
    runs-on: ubuntu-latest
    steps:
      - {env: {B: "${{ needs.each.outputs.word }}"}, run: echo "$A $B"}
  each:
    needs: first
    strategy: {matrix: {who: [ann, bob], include: [{who: bob, extra: x}]}}
    outputs: {word: "${{ steps.say.outputs.word }}"}
    runs-on: ubuntu-latest
    steps:
      - id: say
        env: {W: "${{ matrix.who }}${{ matrix.extra }}"}
        run: printf 'word<<E\\n%s\\nE\\n' "$W" >> "$GITHUB_OUTPUT"
  first:
    runs-on: ubuntu-latest
    steps: [{run: "test ! -e fail"}]
  never:
    if: github.ref_name == 'other'
    runs-on: ubuntu-latest
    steps: [{run: "false"}]
"""


def test_jobs_need_each_other_and_come_in_many(github: GitHub) -> None:
    sha = github.commit("main", {f"{WORKFLOWS_FOLDER}/words.yml": RUNNERS})

    jobs = github.run("words.yml", "push", {}, sha=sha, ref="refs/heads/main")

    assert list(jobs) == ["first", "each (ann)", "each (bob, x)", "last"]
    assert (jobs["last"].log, jobs["last"].check) == ("one bobx\n", "last of main")
    ended = {one["name"]: one["conclusion"] for one in github.state["jobs"]}
    assert ended["never"] == "skipped"
    assert github.state["runs"][-1]["conclusion"] == "success"


# What they do. One service, as real as it gets: over the socket, and only with the right key.

PROJECT = """\
project: demo
provider: {type: compatible}
prune: true
policy: {max_cost_per_job: 5, max_share_deleted: 1}
catalog:
  compatible:
    gpt-4.1-mini-2025-04-14: {usd_per_million_tokens: 5, as_of: 2026-11}
"""
WARM = FINETUNE.replace("tone", "warm").replace("train.jsonl", "warm.jsonl")


@pytest.fixture
def github(tmp_path: Path, standby: Standby) -> Iterator[GitHub]:
    """A repository with one fine-tune on main, and a service that takes one key."""
    with _github(tmp_path, standby.program) as github:
        yield github


@pytest.fixture
def github_as_it_is(tmp_path: Path) -> Iterator[GitHub]:
    """The same, where each start of ftctl is a process of its own."""
    with _github(tmp_path, FTCTL) as github:
        yield github


@contextmanager
def _github(tmp_path: Path, ftctl: str) -> Iterator[GitHub]:
    options = Options(training=False, api_key=KEY)
    with open_emulator(tmp_path / "service", settings=options) as emulator:
        pace = json.dumps({"kind": "immediate"}).encode()
        key = [("authorization", f"Bearer {KEY}")]
        emulator.handle(Request.to("PUT", "/_ftctl/clock", key, pace))
        with serve(emulator).start() as server:
            github = GitHub(
                tmp_path / "github",
                {"OPENAI_API_KEY": KEY},
                {"OPENAI_BASE_URL": server.url},
                ftctl,
            )
            github.commit(
                "main",
                {
                    "ftctl.yaml": PROJECT,
                    ".gitignore": ".ftctl/\n",
                    "finetunes/tone.yaml": FINETUNE,
                    "data/train.jsonl": chat_rows(12),
                    "data/warm.jsonl": chat_rows(20, "surely"),
                },
            )
            github.set_up()
            yield github


def _proposal(github: GitHub, files: Mapping[str, str] | None = None) -> int:
    github.commit("change", files or {"finetunes/warm.yaml": WARM})
    return github.open_pull("change")


def _digest(comment: str) -> str:
    found = re.fullmatch(
        r"<!-- ftctl reviewed: [0-9a-f]{40} (none|sha256:[0-9a-f]{64}) \d+ 1 -->",
        comment.splitlines()[1],
    )
    assert found
    return found[1]


def _status(job: JobRun, step: str) -> int:
    (found,) = [one for one in job.steps if one.name == step]
    return found.status


def test_a_pull_request_gets_one_comment_that_is_kept_up_to_date(github: GitHub) -> None:
    number = _proposal(github)

    first = github.check_pull(number)["plan"]
    (comment,) = github.comments(number)
    github.commit("change", {"data/warm.jsonl": chat_rows(24, "surely")})
    second = github.check_pull(number)["plan"]

    assert (first.errors, second.errors) == ([], [])
    (changed,) = github.comments(number)
    assert comment.startswith("<!-- ftctl comment: default . -->\n<!-- ftctl reviewed: ")
    assert "warm" in comment
    assert comment.rstrip() in first.summary
    assert _digest(comment) == first.outputs["digest"]
    assert _digest(changed) == second.outputs["digest"] != _digest(comment)


def test_the_outputs_say_what_was_planned(github: GitHub) -> None:
    job = github.check_pull(_proposal(github))["plan"]

    assert {name: job.outputs[name] for name in ("exitcode", "changes")} == {
        "exitcode": "2",
        "changes": "true",
    }
    plan = json.loads(Path(job.outputs["plan-file"]).read_text("utf-8"))
    assert plan["digest"] == job.outputs["digest"]
    cost = (float(job.outputs["cost-low"]), float(job.outputs["cost-high"]))
    assert cost == (plan["cost"]["low"], plan["cost"]["high"])


def test_a_merge_applies_what_was_reviewed_and_a_second_run_does_nothing(github: GitHub) -> None:
    number = _proposal(github)
    github.check_pull(number)
    github.merge(number)

    applied = github.push_main()
    again = github.push_main()

    assert applied.errors == []
    assert f"Pull request #{number} approved sha256:" in applied.log
    assert "warm: started ftjob-" in applied.log
    assert list(github.last) == ["announce", "apply", "wait", "result"]
    assert "All there: 'ftctl output' prints the models' names." in applied.log
    assert again.errors == []
    assert again.outputs["changes"] == "false"
    assert "started" not in again.log


def test_once_the_kept_plan_has_expired_a_person_applies_what_they_read(github: GitHub) -> None:
    number = _proposal(github)
    github.check_pull(number)
    github.merge(number)
    state = github.state
    state["artifacts"][0]["expired"] = True
    github.state = state

    refused = github.push_main()
    digest = re.search(r"approve = (sha256:[0-9a-f]{64})", refused.errors[0])
    assert digest
    by_hand = github.push_main("workflow_dispatch", approve=digest[1])

    assert "has expired (the plan's 'retention-days')" in refused.errors[0]
    assert "started ftjob-" not in refused.log
    assert by_hand.errors == []
    assert "warm: started ftjob-" in by_hand.log


def test_a_plan_that_a_fork_left_under_the_same_name_is_not_taken(github: GitHub) -> None:
    number = _proposal(github)
    github.check_pull(number)
    github.merge(number)
    state = github.state
    theirs = json.loads(json.dumps(state["artifacts"][0]))
    theirs.update(id=9_999, run=9_998, content="")
    theirs["workflow_run"].update(id=9_998, head_repository_id=666)
    state["artifacts"].append(theirs)
    github.state = state

    applied = github.push_main()

    assert applied.errors == []
    assert "GET actions/artifacts/9999/zip" not in github.state["requests"]


def test_what_changed_since_the_review_is_refused_until_somebody_reads_it(github: GitHub) -> None:
    number = _proposal(github)
    github.check_pull(number)
    github.commit("main", {"data/warm.jsonl": chat_rows(30, "never")})
    github.merge(number)

    stale = github.push_main()
    digest = re.search(r"approve = (sha256:[0-9a-f]{64})", stale.errors[0])
    assert digest
    by_hand = github.push_main("workflow_dispatch", approve=digest[1])

    assert stale.outputs["exitcode"] == "5"
    assert stale.errors[0].startswith("the approved plan is stale")
    assert "started ftjob-" not in stale.log
    assert by_hand.errors == []
    assert "warm: started ftjob-" in by_hand.log


def _nobody(github: GitHub, number: int) -> None:
    """Merged before any plan was made."""


def _by_a_person(github: GitHub, number: int) -> None:
    """Somebody else writes what looks like our comment."""
    github.check_pull(number)
    state = github.state
    state["comments"][0]["user"] = {"login": "mallory", "type": "User"}
    github.state = state


def _edited(github: GitHub, number: int) -> None:
    github.check_pull(number)
    state = github.state
    state["comments"][0]["body"] = "<!-- ftctl comment: default . -->\napproved"
    github.state = state


def _pushed_after(github: GitHub, number: int) -> None:
    """A commit that no plan was made of."""
    github.check_pull(number)
    github.commit("change", {"data/warm.jsonl": chat_rows(25, "never")})
    state = github.state
    state["pulls"][0]["head"]["sha"] = github.git("rev-parse", "change")
    github.state = state


@pytest.mark.parametrize(
    ("meddle", "why"),
    [
        (_nobody, "has no comment of github-actions[bot] with a plan"),
        (_by_a_person, "has no comment of github-actions[bot] with a plan"),
        (_edited, "was changed by hand"),
        (_pushed_after, "; what was merged is "),
    ],
)
def test_nothing_is_bought_that_nobody_reviewed(github: GitHub, meddle: Any, why: str) -> None:
    number = _proposal(github)
    meddle(github, number)
    github.merge(number)

    job = github.push_main()

    assert job.steps[-1].status == 1
    assert job.errors[0].startswith("nobody approved this plan: ")
    assert why in job.errors[0]
    assert "started ftjob-" not in job.log


def test_a_push_past_pull_requests_buys_nothing(github: GitHub) -> None:
    github.commit("main", {"finetunes/warm.yaml": WARM})

    job = github.push_main()

    assert "was merged by no pull request" in job.errors[0]
    assert "started ftjob-" not in job.log


def test_a_policy_that_refuses_is_told_and_can_not_be_merged_into_a_purchase(
    github: GitHub,
) -> None:
    dear = {"finetunes/warm.yaml": WARM, "data/warm.jsonl": chat_rows(40_000, "surely" * 9)}
    number = _proposal(github, dear)

    job = github.check_pull(number)["plan"]
    github.merge(number)
    merged = github.push_main()

    assert _status(job, "Validate and plan") == 3
    comment, _ = github.comments(number)  # the other says what became of the merge
    assert _digest(comment) == "none"
    assert "max_cost_per_job" in comment.replace("\\", "")
    assert merged.steps[-1].status == 3
    assert "started ftjob-" not in merged.log


def test_policy_is_what_the_base_branch_says(github: GitHub) -> None:
    files = {
        "ftctl.yaml": PROJECT.replace("max_cost_per_job: 5", "max_cost_per_job: 5000"),
        "finetunes/warm.yaml": WARM,
        "data/warm.jsonl": chat_rows(40_000, "surely" * 9),
    }

    job = github.check_pull(_proposal(github, files))["plan"]

    assert _status(job, "Validate and plan") == 3


def test_mistakes_are_annotated_and_told_in_the_comment(github: GitHub) -> None:
    number = _proposal(github, {"finetunes/warm.yaml": WARM + "sed: 7\n"})

    job = github.check_pull(number)["plan"]

    assert _status(job, "Validate and plan") == 1
    assert any("unknown key" in text for text in job.errors)
    (comment,) = github.comments(number)
    assert _digest(comment) == "none"
    assert "unknown key 'sed'" in comment


@pytest.mark.parametrize(
    ("fork", "actor"), [(True, "a-person"), (False, "dependabot[bot]"), (True, "dependabot[bot]")]
)
def test_a_pull_request_without_a_key_is_planned_offline_and_not_commented(
    github: GitHub, fork: bool, actor: str
) -> None:
    number = _proposal(github)

    jobs = github.check_pull(number, fork=fork, actor=actor)

    assert list(jobs) == ["plan-fork", "ftctl"]
    job = jobs["plan-fork"]
    assert job.errors == []
    assert "warm" in job.summary
    assert "ftctl.lock" in job.summary
    assert github.comments(number) == []
    assert github.state["artifacts"] == []
    assert all(KEY not in str(step.environ) for step in job.steps)


def test_only_the_step_that_asks_has_the_key_and_nothing_shows_it(github: GitHub) -> None:
    number = _proposal(github)
    jobs = [github.check_pull(number)["plan"]]
    github.merge(number)
    jobs += [github.push_main(), github.morning()]

    holders = {step.name for job in jobs for step in job.steps if KEY in str(step.environ)}

    assert holders == {"Validate and plan", "Apply", "Look for drift"}
    assert all(KEY not in job.log + job.summary for job in jobs)
    assert KEY not in github.state_file.read_text("utf-8")


@pytest.mark.parametrize("event", ["pull_request_target", "issue_comment", "workflow_run"])
def test_on_events_that_lend_a_key_to_strangers_nothing_is_read(github: GitHub, event: str) -> None:
    number = _proposal(github)

    job = github.check_pull(number, event=event)["plan"]

    assert job.steps[-1].status == 1
    assert f"ftctl does not run on '{event}'" in job.errors[0]
    assert github.comments(number) == []


def test_what_a_pull_request_brings_is_not_run(github_as_it_is: GitHub) -> None:
    github = github_as_it_is
    trap = "import pathlib\npathlib.Path('/proc/self/cwd/sprung').touch()\n"
    names = ("sitecustomize", "venv", "pip", "yaml", "json", "zipfile", "click", "ftctl")
    number = _proposal(
        github,
        {"finetunes/warm.yaml": WARM, **{f"{name}.py": trap for name in names}},
    )

    job = github.check_pull(number)["plan"]

    assert job.errors == []
    assert list(github.folder.glob("run-*/**/sprung")) == []


def test_a_text_of_a_pull_request_is_no_command_of_the_runner(github: GitHub) -> None:
    line = "::warning title=gotcha::gotcha\n::add-mask::e\n"
    number = _proposal(
        github,
        {
            "finetunes/warm.yaml": WARM + f"description: {json.dumps(line)}\n",
            f"finetunes/{'%0A::error::gotcha'}.yaml": "nonsense: [\n",
            "data/warm.jsonl": chat_rows(3) + "\n" + line,
        },
    )

    job = github.check_pull(number)["plan"]

    assert _status(job, "Validate and plan") == 1
    assert all(name in ("error", "warning") for name, _ in job.commands)
    assert all(not text.startswith("gotcha") for _, text in job.commands)


def test_drift_opens_one_issue_and_closes_it_again(github: GitHub) -> None:
    first = github.morning()
    second = github.morning()
    (issue,) = github.state["issues"]
    applied = github.push_main("workflow_dispatch", approve=first.outputs["digest"])
    third = github.morning()

    assert [job.errors for job in (first, second, applied, third)] == [[]] * 4
    assert issue["title"] == "ftctl: the service differs from the manifests (default)"
    assert "tone" in issue["body"]
    (closed,) = github.state["issues"]
    assert closed["state"] == "closed"
    (told,) = github.comments(closed["number"])
    assert told.startswith("The service is as the manifests say again ([the run](")


def _lose_models(github: GitHub) -> None:
    """Delete the fine-tuned models at the service, as somebody may by hand."""
    address = github.variables["OPENAI_BASE_URL"]

    def ask(method: str, path: str) -> Any:
        headers = {"Authorization": f"Bearer {KEY}"}
        asked = urllib.request.Request(f"{address}{path}", method=method, headers=headers)
        with urllib.request.urlopen(asked) as answer:
            return json.loads(answer.read())

    for model in ask("GET", "/models")["data"]:
        if model["id"].startswith("ft:"):
            ask("DELETE", f"/models/{model['id']}")


def test_what_needs_attention_is_a_warning_and_an_issue_and_needs_no_approval(
    github: GitHub,
) -> None:
    first = github.morning()
    github.push_main("workflow_dispatch", approve=first.outputs["digest"])
    _lose_models(github)

    second = github.morning()
    applied = github.push_main()

    assert (second.errors, applied.errors) == ([], [])
    issue = github.state["issues"][-1]
    assert issue["state"] == "open"
    assert "a person decides it, as the plan says" in issue["body"]
    assert "--replace tone" in issue["body"]
    assert second.outputs["attention"] == "1"
    words = "1 needing attention: nothing is bought for that by itself"
    for job in (second, applied):
        assert any(name == "warning" and words in text for name, text in job.commands)
    assert "started ftjob-" not in applied.log


def test_a_drift_run_that_can_not_ask_fails_and_touches_no_issue(github: GitHub) -> None:
    github.secrets["OPENAI_API_KEY"] = "sk-wrong-0123456789"

    job = github.morning()

    assert job.failed
    assert github.state["issues"] == []
    assert "whether the service differs is not known, and no issue was touched" in job.errors[0]
    assert "ftctl: no plan could be made" in job.summary
    assert "sk-wrong-0123456789" not in job.log + job.summary
