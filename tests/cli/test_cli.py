"""The command line: exit statuses, where options may stand, and what is imported when."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import FINETUNE, HandClock, Result, Shell, chat_rows, small_project

from ftctl import errors
from ftctl.cli.exit_codes import MEANINGS, RESERVED, STATUSES, status_of
from ftctl.cli.main import COMMANDS, cli, run
from ftctl.cli.settings import Settings

Write = Callable[[Mapping[str, str]], Path]


class BrokenClock(HandClock):
    """A clock that fails as a bug of ours would."""

    def sleep(self, seconds: float) -> None:
        raise RuntimeError("out of order")


class ImpatientClock(HandClock):
    """Somebody presses Ctrl-C at the first wait."""

    def sleep(self, seconds: float) -> None:
        raise KeyboardInterrupt


def test_0_when_there_is_nothing_to_do(shell: Shell, write_project: Write) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")

    assert shell("apply").status == 0
    assert shell("plan", "--detailed-exitcode").status == 0


def test_1_when_something_expected_fails(shell: Shell) -> None:
    result = shell("plan")

    assert result.status == 1
    assert "run 'ftctl init' to make a project here" in result.err


def test_2_when_a_detailed_plan_has_changes(shell: Shell, write_project: Write) -> None:
    write_project(small_project())

    assert shell("plan", "--detailed-exitcode").status == 2
    assert shell("plan").status == 0


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
def test_3_when_a_limit_refuses(shell: Shell, write_project: Write, command: list[str]) -> None:
    policy = "project: demo\npolicy: {max_jobs_created: 0}\n"
    write_project(small_project(**{"ftctl.yaml": policy}))

    result = shell(*command)

    assert result.status == 3
    assert "policy.max_jobs_created allows 0" in result.err
    assert "no job yet" in shell("events", "tone").err


def test_4_when_some_changes_were_made_and_some_not(shell: Shell, write_project: Write) -> None:
    unknown = FINETUNE.replace("name: tone", "name: odd").replace("gpt-4.1-mini", "gpt-nowhere")
    write_project(small_project(**{"finetunes/odd.yaml": unknown}))

    result = shell("apply", "--auto-approve")

    assert result.status == 4
    assert "error: odd: create a job:" in result.err
    assert "tone: started ftjob-" in result.out


def test_5_when_something_else_was_approved(shell: Shell, write_project: Write) -> None:
    write_project(small_project())

    assert shell("apply", "--approve", "sha256:00").status == 5


def test_an_approved_plan_runs_without_asking(shell: Shell, write_project: Write) -> None:
    write_project(small_project())
    digest = shell.ok("plan", "--format", "json").json["digest"]

    result = shell("apply", "--approve", digest)

    assert result.status == 0
    assert "tone: started ftjob-" in result.out


def test_6_when_a_wait_runs_out_of_time(shell: Shell, write_project: Write) -> None:
    write_project(small_project())

    assert shell("apply", "--auto-approve", "--timeout", "1s").status == 6


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["plan", "--frobnicate"],
        ["plan", "--format", "pdf"],
        ["plan", "--select", "nobody"],
        ["events"],
        ["apply"],
    ],
)
def test_64_when_it_is_used_wrongly(
    shell: Shell, write_project: Write, arguments: list[str]
) -> None:
    write_project(small_project())

    result = shell(*arguments)

    assert result.status == 64
    assert result.err.startswith("error: ")
    assert "hint: " in result.err


def test_70_when_ftctl_has_a_bug(write_project: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_project(small_project())

    settings = Settings(clock=BrokenClock(), environ={}, folder=folder)
    status = run(["apply", "--auto-approve", "--wait"], settings)

    assert status == 70
    assert "error: this is a bug in ftctl" in capsys.readouterr().err


def test_130_when_it_is_interrupted(
    write_project: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_project(small_project())
    settings = Settings(clock=ImpatientClock(), environ={}, folder=folder)

    status = run(["apply", "--auto-approve", "--wait"], settings)

    assert status == 130
    told = capsys.readouterr().err
    assert "error: stopped; these run on at the service: tone (ftjob-" in told
    assert "'ftctl cancel tone' cancels them and touches nothing else" in told
    assert "destroy" not in told


def _subclasses(kind: type[errors.FtctlError]) -> set[type[errors.FtctlError]]:
    return {kind}.union(*(_subclasses(child) for child in kind.__subclasses__()))


def test_every_fault_has_a_status_of_the_table() -> None:
    for kind in _subclasses(errors.FtctlError):
        assert any(parent in STATUSES for parent in kind.__mro__)
    fault = errors.ProviderError("list jobs", "no")
    assert status_of(fault) == 1
    assert set(STATUSES.values()) < set(MEANINGS)


def test_waiting_for_a_job_that_fails_is_a_failure(shell: Shell, write_project: Write) -> None:
    # Ten rows for us and a dpo file for nobody: the service finds out what we cannot know.
    write_project(small_project())
    shell.ok("apply", "--auto-approve")
    files = shell.ok("plan", "--record", str(shell.folder / "seen.json"))
    file = json.loads((shell.folder / "seen.json").read_text("utf-8"))["files"][0]["id"]
    _delete_file(shell.folder, file)

    result = shell("apply", "--wait")

    assert files.status == 0
    assert result.status == 1
    assert "tone: failed: " in result.out
    again = shell("apply", "--auto-approve")
    assert (again.status, "--retry-failed buys it again" in again.err) == (1, True)
    assert "tone: started" in shell.ok("apply", "--auto-approve", "--retry-failed").out


def _delete_file(folder: Path, file: str) -> None:
    from ftctl.emulator import Request, open_emulator

    with open_emulator(folder / ".ftctl", clock=HandClock().now) as emulator:
        headers = (("authorization", "Bearer x"),)
        answer = emulator.handle(Request.to("DELETE", f"/v1/files/{file}", headers))
    assert answer.status == 200


@dataclass
class Terminal:
    """Answers a prompt as a person at a terminal would."""

    answer: str

    def isatty(self) -> bool:
        return True

    def readline(self, *_: object) -> str:
        return f"{self.answer}\n"


@pytest.mark.parametrize(("answer", "status"), [("yes", 0), ("no", 1), ("y", 1)])
def test_a_person_at_a_terminal_is_asked(
    shell: Shell, write_project: Write, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    write_project(small_project())
    monkeypatch.setattr(sys, "stdin", Terminal(answer))

    result = shell("apply")

    assert result.status == status
    assert "Apply this plan (1 training job)? Only 'yes' is taken as one." in result.err
    assert ("started ftjob-" in result.out) is (answer == "yes")


def test_shared_options_stand_before_or_after_the_command(
    shell: Shell, write_project: Write
) -> None:
    folder = write_project({f"below/{name}": text for name, text in small_project().items()})

    before = shell.ok("-C", "below", "validate")
    after = shell.ok("validate", "-C", "below")

    assert before == after == Result(0, "Valid: 1 fine-tune, 12 rows of data in 1 file.\n", "")
    assert not (folder / ".ftctl").exists()


def test_an_environment_overrides_the_settings(shell: Shell, write_project: Write) -> None:
    settings = (
        "project: demo\nprovider: {type: openai}\n"
        "environments:\n  dev: {provider: {type: emulator}}\n"
    )
    write_project(small_project(**{"ftctl.yaml": settings}))

    result = shell.ok("plan", "--env", "dev")

    assert result.out.startswith("Project demo at the embedded API in .ftctl")


def test_help_tells_of_every_command_what_the_command_tells_of_itself(shell: Shell) -> None:
    context = cli.make_context("ftctl", ["validate"], obj=Settings())
    for name, short in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(200) == short
    assert all(f"  {name} " in shell.ok("--help").out for name in COMMANDS)


def test_help_lists_no_status_that_no_command_ends_with(shell: Shell) -> None:
    told = " ".join(shell.ok("--help").out.split()).partition("Exit statuses: ")[2]

    assert {int(one.split()[0]) for one in told.split("; ")} == set(MEANINGS) - RESERVED


def test_secrets_do_not_get_out(shell: Shell, write_project: Write) -> None:
    key = "sk-abcdef0123456789"
    settings = f"project: demo\nprovider: {{type: openai, api_key_env: {key}}}\n"
    write_project(small_project(**{"ftctl.yaml": settings}))

    result = shell("plan")

    assert result.status == 1
    assert key not in result.out + result.err


def _imported_by(folder: Path, *arguments: str) -> set[str]:
    script = (
        "import sys\nfrom ftctl.cli.main import run\n"
        f"status = run({list(arguments)!r})\n"
        "print(status, *sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )
    status, *modules = done.stderr.split()
    assert status == "0"
    return set(modules)


def test_commands_do_not_import_what_they_do_not_use(write_project: Write) -> None:
    folder = write_project(small_project())
    heavy = {"openai", "tiktoken", "deepdiff", "httpx2", "ftctl.emulator"}

    assert not _imported_by(folder, "--help") & (heavy | {"yaml", "jsonschema"})
    # What plans and acts is a third of a light command's start.
    plans = {"ftctl.engine.workspace", "ftctl.planner", "ftctl.policy", "ftctl.apply", "subprocess"}
    # Grammars for a check that no schema asks for: most of a light command's start, where they are.
    assert not _imported_by(folder, "validate") & {*heavy, *plans, "lark"}
    assert not _imported_by(folder, "plan") & {"deepdiff", "numpy"}


def test_the_version_is_told_without_importing_anything() -> None:
    script = (
        "import sys\nsys.argv = ['ftctl', '--version']\nfrom ftctl.__main__ import main\nmain()\n"
        "print(*(name for name in sys.modules if name in ('click', 'yaml')))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "ftctl 0.1.0\n\n"


def test_init_makes_a_project_that_applies_as_it_stands(shell: Shell) -> None:
    shell.ok("init")

    result = shell.ok("apply", "--auto-approve", "--wait")

    assert "yes-or-no: succeeded as ft:" in result.out
    assert shell("init").status == 1
    assert shell.ok("validate").out.startswith("Valid: 1 fine-tune")


def test_a_schema_is_printed_or_written_where_an_editor_finds_it(shell: Shell) -> None:
    printed = shell.ok("schema", "finetune").json
    shell.ok("schema", "--out", "schemas")

    written = json.loads((shell.folder / "schemas" / "finetune.json").read_text("utf-8"))

    assert printed == written
    assert printed["title"] == "FineTune"


def test_a_reader_that_goes_away_ends_the_command_quietly(write_project: Write) -> None:
    folder = write_project(small_project())
    command = f"{sys.executable} -m ftctl schema finetune | true"

    done = subprocess.run(
        ["bash", "-c", f"for i in 1 2 3; do {command}; done"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "Traceback" not in done.stderr


def test_two_commands_at_once_share_one_embedded_api(write_project: Write) -> None:
    folder = write_project(small_project())
    command = [sys.executable, "-m", "ftctl", "plan"]

    started = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    outputs = {process.communicate()[0] for process in started}

    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(outputs) == 1


@pytest.mark.parametrize(("service", "status"), [("azure", 0), ("openai", 1)])
def test_a_service_has_its_own_limit_of_images_in_a_row(
    shell: Shell, write_project: Write, service: str, status: int
) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/lamp.png"}}
    turns = [
        {"role": "user", "content": [image] * 11},
        {"role": "assistant", "content": "Eleven lamps."},
    ]
    rows = chat_rows(12) + json.dumps({"messages": turns}) + "\n"
    provider = f"provider: {{type: {service}, base_url: 'https://example.com/v1'}}\n"
    write_project(
        small_project(**{"ftctl.yaml": f"project: demo\n{provider}", "data/train.jsonl": rows})
    )

    result = shell("validate")

    assert result.status == status
    assert ("too-many-images" in result.out) == bool(status)


# A recorded snapshot.


@pytest.fixture
def small(shell: Shell, write_project: Write) -> Shell:
    """ftctl in a small project at the embedded API."""
    write_project(small_project())
    return shell


def test_what_was_recorded_can_be_planned_on_without_the_service(small: Shell) -> None:
    small.ok("apply", "--auto-approve", "--wait")
    small.ok("plan", "--record", "seen.json")
    shutil.rmtree(small.folder / ".ftctl")

    result = small.ok("plan", "--observed", "seen.json", "--detailed-exitcode")

    assert "up to date as ft:" in result.out
    assert "Offline: compared with seen.json, no service was asked." in result.out
    assert small.requests("plan", "--observed", "seen.json") == []
    assert small("plan", "--detailed-exitcode").status == 2


def test_a_plan_on_a_snapshot_is_not_approved_by_its_file(small: Shell) -> None:
    small.ok("plan", "--record", "seen.json")
    small.ok("plan", "--observed", "seen.json", "--out", "plan.json")

    result = small("apply", "plan.json")

    assert result.status == 1
    assert "was made offline: it cannot be applied" in result.err


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", '{"jobs": 7}', '{"jobs": [7]}', '{"jobs": [{"id": "a"}]}',
     '{"jobs": [{"id": 7, "status": "succeeded", "created_at": 1}]}',
     '{"jobs": [{"id": "a", "status": "succeeded", "created_at": true}]}',
     '{"jobs": [{"id": "a", "status": "x", "created_at": 1, "error": 7}]}',
     '{"jobs": [{"id": "a", "status": "x", "created_at": 1, "result_files": [7]}]}',
     '{"jobs": [{"id": "a", "status": "x", "created_at": 1, "spec": []}]}',
     '{"jobs": [{"id": "a", "status": "x", "created_at": 1, "other": 1}]}',
     '{"files": [{"id": "a"}]}', '{"models": {"a": 1}}', '{"models": [7]}',
     '{"shutdowns": {"a": "soon"}}', '{"shutdowns": {"a": 7}}', '{"shutdowns": []}',
     "[" * 100_000],
    ids=range(19),
)  # fmt: skip
def test_what_is_no_snapshot_is_refused_in_a_sentence(small: Shell, text: str) -> None:
    (small.folder / "seen.json").write_text(text, "utf-8")

    result = small("plan", "--observed", "seen.json")

    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("error: ")
    assert "is no snapshot of ftctl" in result.err
    assert result.err.endswith("\n    hint: make it with 'ftctl plan --record FILE'\n")


def test_a_snapshot_that_is_not_there_and_two_things_to_plan_against(small: Shell) -> None:
    assert "seen.json cannot be read" in small("plan", "--observed", "seen.json").err
    assert small("plan", "--observed", "seen.json", "--offline").status == 64


def test_what_was_observed_is_recorded_where_no_plan_can_be_made(small: Shell) -> None:
    (small.folder / "ftctl.lock").write_text("{", "utf-8")

    result = small("plan", "--record", "seen.json")

    assert result.status == 1
    assert json.loads((small.folder / "seen.json").read_text("utf-8"))["jobs"] == []


def test_wrong_usage_of_a_saved_plan_is_told_before_the_project_is_read(small: Shell) -> None:
    small.ok("plan", "--out", "plan.json")
    (small.folder / "finetunes" / "tone.yaml").write_text("name: [", "utf-8")

    assert small("apply", "plan.json", "--prune").status == 64
    assert small("apply", "plan.json", "--env", "prod").status == 5
