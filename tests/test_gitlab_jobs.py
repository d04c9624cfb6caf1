"""What single jobs of the GitLab template make of what ftctl says, without a forge or a service."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from forges.gitlab_scripts import JOB, JOBS

CI = {
    "CI_PIPELINE_ID": "7", "CI_JOB_ID": "70", "CI_COMMIT_SHA": "0" * 40,
    "CI_PIPELINE_SOURCE": "push", "CI_JOB_URL": "https://gitlab.example/job",
}  # fmt: skip
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


class Said:
    """An ftctl that says what it is told to, and remembers what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[list[str]] = []
        self.ends: dict[str, int] = {}
        self.summary: dict[str, int] = {}
        self.finetunes: list[dict[str, Any]] = []
        self.digest = DIGEST

    def __call__(
        self, _: Any, words: Sequence[str], **files: Any
    ) -> subprocess.CompletedProcess[bytes]:
        self.asked.append([*words])
        if words[0] == "plan":
            counts = dict.fromkeys(
                ("create", "replace", "cancel", "delete", "defer", "attention", "housekeeping",
                 "waiting"), 0,
            ) | self.summary  # fmt: skip
            plan = {"digest": self.digest, "summary": counts, "changes": []}
            Path(words[words.index("--out") + 1]).write_text(json.dumps(plan), "utf-8")
            files["stdout"].write(b"The plan.\n")
        for place in [place for place, word in enumerate(words) if word == "--report"]:
            file = Path(words[place + 1])
            report = {"outcome": "applied", "finetunes": self.finetunes}
            file.write_text(json.dumps(report) if file.suffix == ".json" else "Done.\n", "utf-8")
        waits = "wait" if words[0] == "apply" and "--wait" in words else ""
        return subprocess.CompletedProcess([], self.ends.get(f"{words[0]}{waits}", 0))

    @property
    def names(self) -> list[str]:
        """The commands that were given, a wait's apply as such."""
        return [f"{words[0]} --wait" if "--wait" in words else words[0] for words in self.asked]


@pytest.fixture
def ftctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Said:
    said = Said(tmp_path)
    (tmp_path / "work").mkdir()
    (tmp_path / "ftctl.yaml").write_text("project: demo\n", "utf-8")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(JOBS, "tool", said)
    return said


def _job(folder: Path, **more: str) -> Any:
    ci = {**CI, "FTCTL_WORK": str(folder / "work")}
    return JOB.Job(".", "", "ftctl", "5h", more.pop("approve", ""), (), {**ci, **more})


def _approved(folder: Path, **found: Any) -> None:
    (folder / "ftctl-approved").mkdir(exist_ok=True)
    for number in range(found.get("plans", 0)):
        (folder / f"ftctl-approved/plan-{number}.json").write_text("{}", "utf-8")
    text = json.dumps({"pipeline": "7", **found})
    (folder / "ftctl-approved/approved.json").write_text(text, "utf-8")


def _applied(folder: Path, **said: Any) -> None:
    (folder / "ftctl-applied").mkdir(exist_ok=True)
    text = json.dumps({"pipeline": "7", "status": 0, "carried": True, **said})
    (folder / "ftctl-applied/applied.json").write_text(text, "utf-8")


# Drift.


@pytest.mark.parametrize(
    ("summary", "differs"),
    [
        ({}, False),
        ({"create": 1}, True),
        ({"delete": 1}, True),
        ({"delete": 2, "housekeeping": 2}, False),
        ({"delete": 2, "housekeeping": 1}, True),
        ({"defer": 1, "waiting": 1}, False),
        ({"defer": 1}, True),
        ({"attention": 1}, True),
        ({"delete": 1, "housekeeping": 1, "attention": 1}, True),
    ],
)
def test_housekeeping_and_waiting_are_no_drift(
    ftctl: Said, summary: dict[str, int], differs: bool
) -> None:
    ftctl.summary = summary
    ftctl.ends["plan"] = 2 if summary else 0

    assert JOBS.drift(_job(ftctl.folder)) == 0

    said = json.loads((ftctl.folder / "ftctl-drift/drift.json").read_text("utf-8"))
    assert said["status"] == (2 if differs else 0)


# Apply.


def test_all_plans_of_a_push_are_given_the_oldest_first_and_nothing_is_waited_for(
    ftctl: Said,
) -> None:
    _approved(ftctl.folder, plans=3)
    ftctl.summary, ftctl.ends["plan"] = {"create": 1}, 2

    assert JOBS.apply(_job(ftctl.folder)) == 0

    words = ftctl.asked[-1]
    plans = [str(ftctl.folder / f"ftctl-approved/plan-{number}.json") for number in range(3)]
    assert words[0] == "apply"
    assert [word for word in words if "/plan-" in word] == plans
    assert "--wait" not in words
    assert "--retry-failed" not in words
    assert "--auto-approve" not in words


@pytest.mark.parametrize("retry", ["true", "false", "", "yes"])
@pytest.mark.parametrize("source", ["push", "web"])
def test_failed_jobs_are_asked_for_again_by_hand_alone(
    ftctl: Said, source: str, retry: str
) -> None:
    _approved(ftctl.folder, why="no digest was given")
    ftctl.summary, ftctl.ends["plan"] = {"create": 1}, 2
    job = JOB.Job(
        ".", "", "ftctl", "5h", "", (),
        {**CI, "CI_PIPELINE_SOURCE": source, "FTCTL_WORK": str(ftctl.folder / "work")},
        retry_failed=retry,
    )  # fmt: skip

    with pytest.raises(SystemExit):
        JOBS.apply(job)

    assert ftctl.names == ["plan"]  # nothing was bought
    assert ("--retry-failed" in ftctl.asked[0]) == (source == "web" and retry == "true")


def test_a_digest_by_hand_is_of_the_plan_that_waits_with_it(ftctl: Said) -> None:
    _approved(ftctl.folder, digest=DIGEST)
    ftctl.summary, ftctl.ends["plan"] = {"create": 1}, 2

    assert JOBS.apply(_job(ftctl.folder, approve=DIGEST)) == 0
    assert JOBS.wait(_job(ftctl.folder, approve=DIGEST)) == 0

    kept = str(ftctl.folder / "ftctl-applied/plan.json")
    assert kept in ftctl.asked[1]
    assert ftctl.names == ["plan", "apply", "apply --wait"]
    assert kept in ftctl.asked[2]


@pytest.mark.parametrize("approval", [{"digest": OTHER}, {"why": "no digest was given"}])
def test_a_wait_takes_no_plan_that_nobody_approved(ftctl: Said, approval: dict[str, str]) -> None:
    _approved(ftctl.folder, **approval)
    _applied(ftctl.folder)
    (ftctl.folder / "ftctl-applied/plan.json").write_text(json.dumps({"digest": DIGEST}), "utf-8")
    ftctl.summary, ftctl.ends["plan"] = {"create": 1}, 2

    assert JOBS.wait(_job(ftctl.folder)) == 0

    assert ftctl.names == ["plan", "wait"]


def test_a_digest_of_another_plan_is_left_to_ftctl_to_refuse(ftctl: Said) -> None:
    _approved(ftctl.folder, digest=OTHER)
    ftctl.summary, ftctl.ends = {"create": 1}, {"plan": 2, "apply": 5}

    with pytest.raises(SystemExit) as ended:
        JOBS.apply(_job(ftctl.folder, approve=OTHER))

    assert ended.value.code == 5
    assert ftctl.asked[-1][3:5] == ["--approve", OTHER]
    assert not (ftctl.folder / "ftctl-applied/plan.json").exists()


@pytest.mark.parametrize("digest", [None, "", "x", 7, [DIGEST], f"{DIGEST}\n", DIGEST.upper()])
def test_what_is_no_digest_buys_nothing(ftctl: Said, digest: Any) -> None:
    _approved(ftctl.folder, digest=digest)
    ftctl.summary, ftctl.ends["plan"] = {"create": 1}, 2

    with pytest.raises(SystemExit) as ended:
        JOBS.apply(_job(ftctl.folder))

    assert ended.value.code == 1
    assert ftctl.names == ["plan"]


def test_a_plan_that_is_said_to_be_there_and_is_not_buys_nothing(ftctl: Said) -> None:
    _approved(ftctl.folder, plans=1)
    (ftctl.folder / "ftctl-approved/plan-0.json").unlink()
    (ftctl.folder / "ftctl-approved/plan-0.json").symlink_to(ftctl.folder / "ftctl.yaml")
    ftctl.summary, ftctl.ends["plan"] = {"create": 1}, 2

    with pytest.raises(SystemExit):
        JOBS.apply(_job(ftctl.folder))

    assert ftctl.names == ["plan"]


# Wait.


def test_a_wait_has_the_same_plans_and_waits(ftctl: Said) -> None:
    _approved(ftctl.folder, plans=2)
    _applied(ftctl.folder)

    assert JOBS.wait(_job(ftctl.folder)) == 0

    assert ftctl.names == ["apply --wait"]
    assert [word for word in ftctl.asked[0] if "/plan-" in word] == [
        str(ftctl.folder / f"ftctl-approved/plan-{number}.json") for number in range(2)
    ]


@pytest.mark.parametrize("said", [{"status": 5}, {"status": 1, "carried": False}, {"status": 64}])
def test_nothing_is_waited_for_where_nothing_was_started(ftctl: Said, said: Any) -> None:
    _approved(ftctl.folder, plans=1)
    _applied(ftctl.folder, **said)

    with pytest.raises(SystemExit) as ended:
        JOBS.wait(_job(ftctl.folder))

    assert ended.value.code == 1
    assert ftctl.asked == []


def test_a_wait_after_a_half_done_apply_begins_nothing(ftctl: Said) -> None:
    _approved(ftctl.folder, plans=1)
    _applied(ftctl.folder, status=4, half=True)

    with pytest.raises(SystemExit) as ended:
        JOBS.wait(_job(ftctl.folder))

    assert ended.value.code == 4
    assert ftctl.names == ["wait"]


@pytest.mark.parametrize(
    ("words", "half"),
    [
        (["running", "failed"], False), (["running", "not-done"], True),
        (["running", "not-known"], True), ([], True),
    ],
)  # fmt: skip
def test_an_apply_is_half_done_where_something_may_not_be_begun(
    ftctl: Said, words: list[str], *, half: bool
) -> None:
    finetunes = [{"name": "a", "outcome": word, "done": []} for word in words]
    report = json.dumps({"outcome": "failed", "finetunes": finetunes})
    (ftctl.folder / "report.json").write_text(report, "utf-8")

    with pytest.raises(SystemExit):
        JOBS.end(_job(ftctl.folder), ftctl.folder, "apply", 1, "the log says why")

    said = json.loads((ftctl.folder / "applied.json").read_text("utf-8"))
    assert said["half"] is half


def test_a_wait_that_the_world_overtook_begins_nothing_more(ftctl: Said) -> None:
    _approved(ftctl.folder, plans=1)
    _applied(ftctl.folder)
    ftctl.ends["applywait"] = 5

    assert JOBS.wait(_job(ftctl.folder)) == 0

    assert ftctl.names == ["apply --wait", "wait"]


def test_a_wait_without_an_approval_begins_nothing(ftctl: Said) -> None:
    _approved(ftctl.folder, why="no digest was given")
    _applied(ftctl.folder)
    ftctl.summary, ftctl.ends["plan"] = {"create": 1}, 2

    assert JOBS.wait(_job(ftctl.folder)) == 0

    assert ftctl.names == ["plan", "wait"]


@pytest.mark.parametrize("status", [1, 4, 6])
def test_how_a_wait_ended_is_left_for_the_result(ftctl: Said, status: int) -> None:
    _approved(ftctl.folder, plans=1)
    _applied(ftctl.folder)
    ftctl.ends["applywait"] = status

    with pytest.raises(SystemExit) as ended:
        JOBS.wait(_job(ftctl.folder))

    said = json.loads((ftctl.folder / "ftctl-waited/applied.json").read_text("utf-8"))
    assert ended.value.code == status
    assert (said["status"], said["stage"], said["job"]) == (status, "wait", "70")
    assert "At GitLab: " in (ftctl.folder / "ftctl-waited/result.md").read_text("utf-8")
