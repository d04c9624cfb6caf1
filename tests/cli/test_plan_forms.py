"""Files that a plan is written to: their names say the form, and none of it moves the digest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Shell

COMMIT = "1A2B3C4D5E6F" + "0" * 28


@pytest.fixture
def project(example: Callable[[str], Shell]) -> Shell:
    return example("classifier")


def test_the_end_of_a_name_says_the_form(project: Shell) -> None:
    forms = {
        "a.json": "json",
        "b.html": "html",
        "c.md": "markdown",
        "d.MD": "markdown",
        "e": "json",
    }
    out = [word for name in forms for word in ("--out", name)]

    printed = {form: project.ok("plan", "--format", form).out for form in forms.values()}
    project.ok("plan", *out)

    for name, form in forms.items():
        assert (project.folder / name).read_text("utf-8") == printed[form], name


def test_only_json_is_an_approval(project: Shell) -> None:
    project.ok("plan", "--out", "plan.md")

    refused = project("apply", "plan.md")

    assert refused.status == 1
    assert "plan.md is not a plan of ftctl: it is not JSON" in refused.err


def test_how_a_plan_is_approved_and_its_commit_leave_the_json_as_it_is(project: Shell) -> None:
    plain = project.ok("plan", "--format", "json").out

    merged = project.ok(
        "plan", "--format", "json", "--commit", COMMIT, "--approved-by", "merge",
        "--out", "plan.md", "--out", "plan.html",
    )  # fmt: skip

    assert merged.out == plain
    digest = merged.json["digest"]
    comment, page = (
        (project.folder / name).read_text("utf-8") for name in ("plan.md", "plan.html")
    )
    assert "\n\nPlan of commit `1a2b3c4d5e6f`. Project " in comment
    assert f"<p>Plan of commit <code>{COMMIT.lower()}</code>.</p>" in page
    assert comment.endswith(
        f"Merging applies exactly this plan, and nothing else. Its digest: `{digest}`.\n"
    )


@pytest.mark.parametrize("commit", ["main", "1a2b3c4", "g" * 40, "a" * 41, "a" * 40 + "\n", ""])
def test_a_commit_is_a_whole_hash(project: Shell, commit: str) -> None:
    refused = project("plan", "--commit", commit)

    assert refused.status == 64
    assert "--commit takes the whole hash of a commit" in refused.err
