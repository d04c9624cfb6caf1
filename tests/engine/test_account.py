"""Whom a key acts for: as the service tells, else as it is asked to; `expect` refuses another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Shell, small_project
from plain_server import World

Write = Callable[[Mapping[str, str]], Path]

EXPECTS = """\
project: demo
provider:
  type: openai
  expect: {organization: org-a, project: proj_a}
"""


def foreign_job(organization: str | None) -> dict[str, object]:
    """A job of somebody else in the account."""
    job = {"id": "ftjob-other", "status": "succeeded", "created_at": 1, "metadata": None}
    return job if organization is None else {**job, "organization_id": organization}


def test_another_organization_than_expected_stops_plan_apply_and_destroy(
    remote: Shell, world: World, write_project: Write
) -> None:
    write_project({"ftctl.yaml": EXPECTS})
    world.jobs.append(foreign_job("org-b"))

    results = [
        remote(*words)
        for words in (["plan"], ["apply", "--auto-approve"], ["destroy", "--auto-approve"])
    ]

    for result in results:
        assert result.status == 1
        assert result.err == (
            "ftctl.yaml:4:26: error[other-account]: the key acts for the organization org-b, and"
            " 'expect' wants org-a\n    hint: use a key of org-a, or change 'expect' in ftctl.yaml"
            " if org-b is right\n1 problem found.\n"
        )
    assert (world.files, len(world.jobs)) == ([], 1)


@pytest.mark.parametrize(("told", "status"), [("proj_a", 0), ("proj_b", 1), (None, 0)])
def test_the_project_is_told_by_a_header(
    remote: Shell, world: World, write_project: Write, told: str | None, status: int
) -> None:
    write_project({"ftctl.yaml": EXPECTS})
    world.project = told

    result = remote("plan")

    assert result.status == status
    assert ("the key acts for the project proj_b" in result.err) == bool(status)


@pytest.mark.parametrize(
    ("variable", "kind"), [("OPENAI_ORG_ID", "organization"), ("OPENAI_PROJECT_ID", "project")]
)
def test_a_variable_that_asks_for_another_is_refused(
    remote: Shell, world: World, write_project: Write, variable: str, kind: str
) -> None:
    write_project({"ftctl.yaml": EXPECTS})
    remote.environ[variable] = value = "of-another"

    result = remote("apply", "--auto-approve")

    assert result.status == 1
    assert f"the key acts for the {kind} {value}, and 'expect' wants" in result.err
    assert world.files == []


def test_what_is_expected_is_asked_for_where_nothing_else_is(
    remote: Shell, world: World, write_project: Write
) -> None:
    write_project({"ftctl.yaml": EXPECTS})

    remote.ok("apply", "--auto-approve", "--wait")

    assert {one["openai-organization"] for one in world.headers} == {"org-a"}
    assert {one["openai-project"] for one in world.headers} == {"proj_a"}


def test_each_environment_expects_its_own(
    remote: Shell, world: World, write_project: Write
) -> None:
    world.organization = "org-live"
    world.jobs.append(foreign_job("org-live"))
    text = (
        "project: demo\nprovider: {type: openai, expect: {organization: org-test}}\n"
        "environments:\n  live:\n    provider: {type: openai, expect: {organization: org-live}}\n"
    )
    write_project({"ftctl.yaml": text})

    assert remote("plan").status == 1
    remote.ok("plan", "--env", "live")


def test_an_account_that_tells_nothing_is_no_other(remote: Shell, write_project: Write) -> None:
    write_project({"ftctl.yaml": EXPECTS})

    result = remote.ok("plan", "-v")

    assert (
        "the service does not tell the organization and project that 'expect' names: it was asked"
        " to act so\n"
    ) in result.err
    assert "does not tell" not in remote.ok("plan").err


def test_whom_a_plan_is_for_is_what_the_service_tells(
    remote: Shell, world: World, write_project: Write
) -> None:
    world.jobs.append(foreign_job("org-a"))
    remote.environ["OPENAI_PROJECT_ID"] = "proj_a"

    document = remote.ok("plan", "--format", "json").json

    assert document["service"]["organization"] == "org-a"
    assert document["service"]["project"] == "proj_a"


def test_jobs_of_several_organizations_tell_of_none(remote: Shell, world: World) -> None:
    world.jobs += [foreign_job("org-a"), {**foreign_job("org-b"), "id": "ftjob-more"}]

    document = remote.ok("plan", "--format", "json").json

    assert document["service"]["organization"] is None


def test_doctor_says_whom_the_key_acts_for(
    remote: Shell, world: World, write_project: Write
) -> None:
    write_project({"ftctl.yaml": EXPECTS})
    world.jobs.append(foreign_job("org-b"))

    refused = remote("doctor")
    world.jobs[0]["organization_id"] = "org-a"
    fine = remote("doctor")

    assert "fail  account: the key acts for the organization org-b, and 'expect'" in refused.out
    assert "ok    account: organization org-a and project proj_a, as expected" in fine.out


def test_the_embedded_api_expects_nothing(shell: Shell, write_project: Write) -> None:
    text = "project: demo\nprovider: {type: emulator, expect: {organization: org-a}}\n"
    write_project(small_project(**{"ftctl.yaml": text}))

    assert "error[misplaced-key]" in shell("validate").out
