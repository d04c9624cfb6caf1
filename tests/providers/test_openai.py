"""The provider and the whole way through it, against an HTTP server that is not ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import KEY, Shell, small_project
from plain_server import Answer, World

PROJECT = small_project(**{"ftctl.yaml": "project: demo\nprovider: {type: openai}\n"})


def once(method: str, path: str, answer: Answer | str) -> Callable[[str, str], Answer | str | None]:
    """Misbehave the first time that a request comes."""
    left = [answer]

    def decide(asked: str, at: str) -> Answer | str | None:
        return left.pop() if (asked, at) == (method, path) and left else None

    return decide


def test_a_project_is_applied_to_a_server_that_is_not_ours(remote: Shell, world: World) -> None:
    result = remote.ok("apply", "--auto-approve", "--wait")

    assert "tone: succeeded as ft:gpt-4.1-mini-2025-04-14:plain::1" in result.out
    assert world.bodies[0]["method"] == {"type": "supervised"}
    assert world.bodies[0]["metadata"]["ftctl_project"] == "demo"
    assert world.headers[0]["authorization"] == f"Bearer {KEY}"


def test_a_second_apply_buys_nothing_and_asks_for_lists_alone(remote: Shell, world: World) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    world.requests.clear()

    result = remote.ok("apply", "--auto-approve")

    assert "no-op, up to date as ft:gpt-4.1-mini-2025-04-14:plain::1" in result.out
    assert world.requests == ["GET /files", "GET /fine_tuning/jobs", "GET /models"]


def test_jobs_of_others_are_left_alone_where_the_filter_is_ignored(
    remote: Shell, world: World
) -> None:
    world.jobs.append({"id": "ftjob-other", "status": "running", "created_at": 1, "metadata": None})
    world.jobs.append(
        {"id": "ftjob-theirs", "status": "running", "created_at": 1,
         "metadata": {"ftctl_project": "another", "ftctl_finetune": "tone"}}
    )  # fmt: skip
    remote.ok("apply", "--auto-approve")

    result = remote.ok("destroy", "--auto-approve")

    assert "ftjob-other" not in result.out
    assert "ftjob-theirs" not in result.out
    assert [job["status"] for job in world.jobs[:2]] == ["running", "running"]


@pytest.mark.parametrize("fault", ["cut", (500, {"error": {"message": "oops"}})])
def test_a_create_whose_answer_is_lost_buys_one_job(
    remote: Shell, world: World, fault: Answer | str
) -> None:
    world.after = once("POST", "/fine_tuning/jobs", fault)

    remote.ok("apply", "--auto-approve", "--wait")

    assert len(world.jobs) == 1


def test_a_create_that_was_never_carried_out_is_asked_once_more(
    remote: Shell, world: World
) -> None:
    fault = (502, b"<html>bad gateway</html>")
    world.before = once("POST", "/fine_tuning/jobs", fault)  # type: ignore[assignment]

    remote.ok("apply", "--auto-approve", "--wait")

    assert len(world.jobs) == 1
    assert world.requests.count("POST /fine_tuning/jobs") == 2


def test_an_upload_whose_answer_is_lost_is_sent_once(remote: Shell, world: World) -> None:
    world.after = once("POST", "/files", "cut")

    remote.ok("apply", "--auto-approve", "--wait")

    assert len(world.files) == 1


def test_a_refusal_is_told_in_the_services_own_words(remote: Shell, world: World) -> None:
    body = {"error": {"message": "The platform is winding down.", "code": "training_not_available"}}
    world.before = once("POST", "/fine_tuning/jobs", (403, body))  # type: ignore[assignment]

    result = remote("apply", "--auto-approve")

    assert result.status == 4  # the file is there, the job is not
    assert "The platform is winding down. (HTTP 403, training_not_available" in result.err
    assert "choose another service" in result.err
    assert world.requests.count("POST /fine_tuning/jobs") == 1


def test_a_refused_key_is_an_expected_failure_that_does_not_show_the_key(
    remote: Shell, world: World
) -> None:
    message = f"Incorrect API key provided: {KEY}."
    world.before = lambda _method, _path: (401, {"error": {"message": message}})

    result = remote("plan", "-v")

    assert result.status == 1
    assert "[redacted]" in result.err
    assert KEY not in result.out + result.err


def test_an_address_that_speaks_no_such_api_is_told(remote: Shell, world: World) -> None:
    world.before = lambda _method, _path: (200, b"<html>welcome</html>")

    result = remote("plan")

    assert result.status == 1
    assert "error: list files: the answer cannot be read" in result.err
    assert "base_url" in result.err


@pytest.mark.parametrize(
    "answer",
    [
        [],
        "text",
        {"data": 3},
        {"data": [3]},
    ],
)
def test_an_odd_list_is_a_fault_of_the_service(remote: Shell, world: World, answer: object) -> None:
    world.before = lambda _method, path: (200, answer) if path == "/fine_tuning/jobs" else None

    result = remote("plan")

    assert result.status == 1
    assert "error: list jobs: the answer cannot be read" in result.err


def test_a_server_that_cannot_be_reached_is_told(
    shell: Shell, write_project: Callable[[Mapping[str, str]], Path]
) -> None:
    write_project(PROJECT)
    shell.environ.update(OPENAI_BASE_URL="http://127.0.0.1:9/v1", OPENAI_API_KEY=KEY)

    result = shell("plan")

    assert result.status == 1
    assert "http://127.0.0.1:9/v1/ cannot be reached" in result.err


def test_a_missing_key_names_the_variable(
    shell: Shell, write_project: Callable[[Mapping[str, str]], Path]
) -> None:
    write_project(PROJECT)

    result = shell("plan")

    assert result.status == 1
    assert result.err.startswith("error: the environment variable OPENAI_API_KEY is not set")


def test_models_that_no_list_shows_are_not_bought_again(remote: Shell, world: World) -> None:
    world.lists_models = False
    remote.ok("apply", "--auto-approve", "--wait")

    result = remote.ok("apply", "--auto-approve")

    assert "no-op, up to date" in result.out
    assert len(world.jobs) == 1


def test_a_service_that_refuses_to_list_models_is_believed_about_its_jobs(
    remote: Shell, world: World
) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    world.before = lambda _method, path: (
        (403, {"error": {"message": "no"}}) if path == "/models" else None
    )

    result = remote.ok("plan")

    assert "Warning: the service does not list models" in result.out
    assert "no-op, up to date" in result.out


def test_a_model_that_one_list_left_out_is_not_bought_again(remote: Shell, world: World) -> None:
    second = PROJECT["finetunes/tone.yaml"].replace("name: tone", "name: voice") + "seed: 1\n"
    (remote.folder / "finetunes" / "voice.yaml").write_text(second, "utf-8")
    remote.ok("apply", "--auto-approve", "--wait")
    listed = {"object": "list", "data": [{"id": world.models[0], "object": "model"}]}
    world.before = lambda _method, path: (200, listed) if path == "/models" else None

    result = remote.ok("plan")

    assert "Plan: 2 unchanged." in result.out


def test_a_model_that_is_not_visible_is_bought_on_request_alone(
    remote: Shell, world: World
) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    world.models.clear()

    again = [remote("apply", "--auto-approve") for _ in range(3)]

    assert {result.status for result in again} == {0}
    assert "ftjob-1 made ft:gpt-4.1-mini-2025-04-14:plain::1, which this key cannot see" in (
        again[-1].out
    )
    assert again[-1].out.splitlines()[-1].startswith("1 needing attention: tone.")
    assert len(world.jobs) == 1
    remote.ok("apply", "--auto-approve", "--replace", "tone")
    assert len(world.jobs) == 2


def test_a_service_that_keeps_no_metadata_is_noticed_at_the_first_job(
    remote: Shell, world: World
) -> None:
    world.keeps_metadata = False

    result = remote("apply", "--auto-approve")

    assert result.status == 4
    assert "keeps no metadata" in result.err
    assert "write 'mark: file-name' below 'provider'" in result.err


def test_a_mark_in_the_files_name_serves_where_there_is_no_metadata(
    remote: Shell, world: World
) -> None:
    world.keeps_metadata = False
    provider = "provider: {type: openai, mark: file-name}"
    (remote.folder / "ftctl.yaml").write_text(f"project: demo\n{provider}\n", "utf-8")
    remote.ok("apply", "--auto-approve", "--wait")

    result = remote.ok("apply", "--auto-approve")

    assert "no-op, up to date" in result.out
    assert len(world.jobs) == 1
    assert "metadata" not in world.bodies[0]


def test_destroy_leaves_nothing_of_the_project(remote: Shell, world: World) -> None:
    remote.ok("apply", "--auto-approve", "--wait")

    remote.ok("destroy", "--auto-approve")

    assert (world.files, world.models) == ([], [])
    assert "Nothing to do" in remote.ok("destroy").out


def test_what_only_the_service_knows_is_sent_as_it_stands(remote: Shell, world: World) -> None:
    manifest = remote.folder / "finetunes" / "tone.yaml"
    extra = "extra: {trainingType: GlobalStandard}\n"
    manifest.write_text(manifest.read_text("utf-8") + extra, "utf-8")

    remote.ok("apply", "--auto-approve")

    assert world.bodies[0]["trainingType"] == "GlobalStandard"
