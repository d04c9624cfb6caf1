"""From a review to what its merge carries out: what others write on the way approves nothing."""

from __future__ import annotations

import base64
import copy
import hashlib
import importlib.util
import io
import json
import os
import re
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from forges.expressions import filled_in
from forges.gh import Forge, NotThere, page_of
from forges.github import ELSEWHERE, HERE, NAME, TEMPLATES, WORKFLOWS, GitHub
from forges.standby import Standby

_SPEC = importlib.util.spec_from_file_location("approved", ROOT / "ci" / "approved.py")
assert _SPEC is not None
assert _SPEC.loader is not None
approved: Any = importlib.util.module_from_spec(_SPEC)
sys.modules["approved"] = approved
_SPEC.loader.exec_module(approved)

RIGHTS = "actions:read contents:read issues:read pull-requests:read"
PLAN_WORKFLOW = f"{WORKFLOWS}/ftctl-plan.yml"
BOT = "github-actions[bot]"
MARK = "<!-- ftctl comment: default . -->"
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64

# Plans the same whatever it is asked: what is tried here is the way from it to the merge.
FTCTL = f"""\
#!{sys.executable} -I
import json, pathlib, sys
words = sys.argv[1:]
print("asked:", *words, file=sys.stderr)
if "plan" in words:
    summary = dict(create=1, replace=0, cancel=0, delete=0, defer=0)
    plan = dict(digest="{DIGEST}", summary=summary, cost=dict(low=900, high=900))
    pathlib.Path(words[words.index("--out") + 1]).write_text(json.dumps(plan))
    print("### ftctl: 1 to create, 900 dollars")
    sys.exit(2)
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, standby: Standby) -> GitHub:
    """A repository whose pull requests are planned by the real steps."""
    github = GitHub(
        tmp_path_factory.mktemp("chain"), {"OPENAI_API_KEY": "sk-test"}, {}, FTCTL,
        standby=standby.program,
    )  # fmt: skip
    github.commit("main", {"ftctl.yaml": "project: demo\n"})
    github.set_up()
    return github


@dataclass
class Scene:
    """A merged pull request, as GitHub knows it; a test changes a copy."""

    github: GitHub
    state: dict[str, Any]
    number: int
    sha: str
    before: str
    ref: str = "refs/heads/main"
    place: str = "default@."
    mark: str = MARK
    raw: dict[str, bytes] = field(default_factory=dict)  # answers of a forge gone wild

    @property
    def pull(self) -> Any:
        return next(one for one in self.state["pulls"] if one["number"] == self.number)

    @property
    def comment(self) -> Any:
        return next(one for one in self.state["comments"] if one["issue"] == self.number)

    @property
    def run(self) -> Any:
        head = self.pull["head"]["sha"]
        return next(one for one in self.state["runs"] if one["head_sha"] == head)

    @property
    def artifact(self) -> Any:
        return next(one for one in self.state["artifacts"] if one["run"] == self.run["id"])

    def say(self, old: str, new: str) -> None:
        """Edit the comment, as if it had always been so."""
        assert old in self.comment["body"]
        self.comment["body"] = self.comment["body"].replace(old, new)

    def add_comment(self, body: str, login: str = BOT, at: int | None = None) -> None:
        comment = {**copy.deepcopy(self.comment), "id": 9_000 + len(self.state["comments"])}
        comment.update(body=body, user={"login": login, "type": "Bot"})
        self.state["comments"].insert(len(self.state["comments"]) if at is None else at, comment)

    def add_run(self, **changes: Any) -> Any:
        run = {**copy.deepcopy(self.run), "id": 9_500, "run_number": 9_500, **changes}
        self.state["runs"].append(run)
        return run

    def files(self) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(self.artifact["content"]))) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def keep(self, data: bytes) -> None:
        """Let the artifact hold this, with all that GitHub says of it."""
        self.artifact.update(
            content=base64.b64encode(data).decode(), size_in_bytes=len(data),
            digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
        )  # fmt: skip

    def keep_files(self, **changes: bytes) -> None:
        names = {"plan": "plan.json", "comment": "comment.md", "reviewed": "reviewed.json"}
        self.keep(_zip({**self.files(), **{names[key]: value for key, value in changes.items()}}))

    def reviewed(self, **changes: Any) -> None:
        said = json.loads(self.files()["reviewed.json"])
        self.keep_files(reviewed=json.dumps({**said, **changes}).encode())

    def ask(self, path: str, most: int) -> bytes:
        for part, answer in self.raw.items():
            if part in path:
                return answer
        try:
            answer = Forge(self.state, self.github.folder / "origin.git", RIGHTS).answer(
                "GET", path
            )
        except NotThere:
            raise approved.Missing(path) from None
        data = answer if isinstance(answer, bytes) else json.dumps(page_of(answer, path)).encode()
        if len(data) > most:
            raise approved.Refused(f"GitHub's answer to {path} has more than {most:,} bytes")
        return data

    def find(self) -> Any:
        """The plan of the one merge of this push."""
        (approval,) = self.find_all().plans
        return approval

    def find_all(self) -> Any:
        merge = approved.Merge(
            NAME, self.sha, self.ref, self.before, PLAN_WORKFLOW, self.place, self.mark, BOT
        )
        return approved.find_approvals(merge, self.ask)


def _zip(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


_BRANCHES = iter(range(1_000))


def _merged(
    github: GitHub, how: str = "merge", *, files: dict[str, str] | None = None,
    removed: tuple[str, ...] = (), linked: bool = False, again: bool = False,
) -> Scene:  # fmt: skip
    """A branch of its own, planned and merged by the real steps."""
    branch = f"change-{next(_BRANCHES)}"
    if linked:
        github.git("checkout", "--quiet", "-B", branch)
        path = github.folder / "clone" / PLAN_WORKFLOW
        path.rename(path.with_name("real.yml"))
        path.symlink_to("real.yml")
        github.git("checkout", "--quiet", branch)
    # `removed` and links need the file of a run: GitHub ran it before the branch took it away.
    github.commit(branch, files or {f"{branch}.txt": "x\n"}, removed=removed)
    number = github.open_pull(branch)
    github.check_pull(number)
    if again:
        github.run_again()
    sha = github.merge(number, how)
    return Scene(github, github.state, number, sha, github.before)


@pytest.fixture(scope="module")
def honest(repository: GitHub) -> Scene:
    return _merged(repository)


@pytest.fixture
def scene(honest: Scene) -> Scene:
    return Scene(
        honest.github, copy.deepcopy(honest.state), honest.number, honest.sha, honest.before
    )


Meddle = Callable[[Scene], Any]


def _later(**distance: int) -> str:
    return (datetime.now(UTC) + timedelta(**distance)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _after(moment: str, seconds: int) -> str:
    """A time, so many seconds after another one."""
    return (datetime.fromisoformat(moment) + timedelta(seconds=seconds)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def _edited_after(seconds: int) -> Meddle:
    """The comment was last changed so long after the run had ended."""
    return lambda scene: scene.comment.update(
        updated_at=_after(scene.state["jobs"][0]["completed_at"], seconds)
    )


def _clocks_apart(scene: Scene) -> None:
    """The clock of runs is behind; comment and merge have one."""
    _edited_after(60)(scene)
    scene.pull.update(merged_at=scene.comment["updated_at"])


def _set(what: str, **changes: Any) -> Meddle:
    """Let GitHub say something else of the run, the pull request or the artifact."""
    return lambda scene: getattr(scene, what).update(changes)


# What people and other workflows write on a pull request.


def _forged(scene: Scene) -> str:
    return scene.comment["body"].replace("900 dollars", "0.01 dollars")


COMMENTS: dict[str, tuple[Meddle, str]] = {
    "an older forged comment": (lambda s: s.add_comment(_forged(s), at=0), "has 2 comments"),
    "a newer forged comment": (lambda s: s.add_comment(_forged(s)), "has 2 comments"),
    "a copy of ours": (lambda s: s.add_comment(s.comment["body"]), "has 2 comments"),
    "another workflow's comment with our mark further down": (
        lambda s: s.add_comment(f"Costs one cent.\n\n{s.comment['body']}"), "has 2 comments",
    ),
    "a forged comment with carriage returns": (
        lambda s: s.add_comment(_forged(s).replace("\n", "\r\n")), "has 2 comments",
    ),
    "ten forged comments": (
        lambda s: [s.add_comment(_forged(s)) for _ in range(10)], "has 11 comments",
    ),
    "another workflow's comment instead of ours": (
        lambda s: s.comment.update(body=f"{MARK}\nftctl: nothing to do"), "was changed by hand",
    ),
    "the price edited": (lambda s: s.say("900 dollars", "0.01 dollars"), "somebody changed it"),
    "a word added": (lambda s: s.say("900 dollars", "1900 dollars"), "somebody changed it"),
    "something invisible added": (
        lambda s: s.say("900 dollars", "9\u200b00 dollars"), "somebody changed it",
    ),
    "a line added below": (
        lambda s: s.comment.update(body=s.comment["body"] + "\nLGTM"), "somebody changed it",
    ),
    "the plan taken out": (
        lambda s: s.comment.update(body="\n".join(s.comment["body"].split("\n")[:2])),
        "somebody changed it",
    ),
    "the digest edited": (lambda s: s.say(DIGEST, OTHER), f"planned '{DIGEST}'"),
    "the digest in capitals": (lambda s: s.say("a" * 64, "A" * 64), "was changed by hand"),
    "the digest cut": (lambda s: s.say("a" * 64, "a" * 63), "was changed by hand"),
    "the digest without its kind": (lambda s: s.say("sha256:", ""), "was changed by hand"),
    "the digest none": (lambda s: s.say(DIGEST, "none"), "without a plan that may be applied"),
    "edited and put back": (_edited_after(86_400), "was edited after run"),
    "put back a minute too late": (
        _edited_after(61), "was edited after run",
    ),
    "ours deleted": (lambda s: s.state["comments"].clear(), "has no comment of"),
    "ours deleted and a person's in its place": (
        lambda s: s.comment["user"].update(login="mallory"), "has no comment of",
    ),
    "a bot's whose name is nearly ours": (
        lambda s: s.comment["user"].update(login="github-actions"), "has no comment of",
    ),
    "a bot's whose name looks like ours": (
        lambda s: s.comment["user"].update(login="gith\u0443b-actions[bot]"), "has no comment of",
    ),
    "another bot's": (
        lambda s: s.comment["user"].update(login="dependabot[bot]"), "has no comment of",
    ),
    "of nobody, whose account is gone": (_set("comment", user=None), "has no comment of"),
    "the mark of another environment": (
        lambda s: s.say("comment: default", "comment: staging"), "has no comment of",
    ),
    "the mark of another folder": (lambda s: s.say("default .", "default x"), "has no comment of"),
    "an earlier version's line": (
        lambda s: s.say(f" {s.run['id']} 1 -->", " -->"), "an earlier version of the action wrote",
    ),
    "a line with a word more": (lambda s: s.say(" 1 -->", " 1 1 -->"), "was changed by hand"),
    "a run of no number": (
        lambda s: s.say(f" {s.run['id']} 1", " ../../x 1"), "was changed by hand",
    ),
    "a run with zeros before it": (
        lambda s: s.say(f" {s.run['id']} 1", f" 00{s.run['id']} 1"), "was changed by hand",
    ),
    "a run of thirty digits": (
        lambda s: s.say(f" {s.run['id']} 1", f" {'9' * 30} 1"), "was changed by hand",
    ),
    "attempt 0": (lambda s: s.say(" 1 -->", " 0 -->"), "was changed by hand"),
    "an attempt that was not": (lambda s: s.say(" 1 -->", " 2 -->"), "has no attempt 2"),
    "another commit": (
        lambda s: s.say(s.pull["head"]["sha"], "c" * 40), f"is of commit {'c' * 40}; what was",
    ),
    "no second line": (_set("comment", body=MARK), "was changed by hand"),
    "no body": (_set("comment", body=None), "has no comment of"),
}  # fmt: skip


# The run that the comment names.


def _another_workflow(scene: Scene) -> None:
    scene.state["workflows"].append({"id": 7_777, "path": f"{WORKFLOWS}/evil.yml"})
    scene.run.update(workflow_id=7_777, path=f"{WORKFLOWS}/evil.yml")


def _other_runs_plan(scene: Scene) -> None:
    """A comment that names a run of the change's own workflow, with all that it kept."""
    run = scene.add_run(workflow_id=7_777, path=f"{WORKFLOWS}/evil.yml", run_number=1)
    scene.say(f" {scene.run['id']} 1", f" {run['id']} 1")


def _second_plan(scene: Scene) -> None:
    scene.run["run_attempt"] = 2
    artifact = copy.deepcopy(scene.artifact)
    artifact.update(id=9_700, name=artifact["name"][:-1] + "2")
    scene.state["artifacts"].append(artifact)


def _newer(conclusion: str = "success", **jobs: str) -> Meddle:
    """A later run of the commit, and how each of its jobs ended."""

    def meddle(scene: Scene) -> None:
        run = scene.add_run(conclusion=conclusion)
        scene.state["jobs"] += [
            {"run_id": run["id"], "run_attempt": 1, "name": name.replace("_", " "),
             "conclusion": ended, "completed_at": run["created_at"]}
            for name, ended in jobs.items()
        ]  # fmt: skip

    return meddle


NEWER: dict[str, Meddle] = {
    "the same job planned": _newer(plan="success", ftctl="success"),
    "the verdict was given anew": _newer(plan="skipped", ftctl="success"),
    "planning failed": _newer("failure", plan="failure", ftctl="failure"),
    "planning was stopped": _newer("cancelled", plan="cancelled", ftctl="skipped"),
    "all that ran has another name, and one failed": _newer("failure", another="failure"),
    "an earlier attempt planned": lambda s: (
        _newer(plan="success")(s),
        s.state["jobs"].append({**s.state["jobs"][-1], "run_attempt": 2, "conclusion": "skipped"}),
    ),
}


RUNS: dict[str, tuple[Meddle, str]] = {
    "deleted": (lambda s: s.state["runs"].clear(), "is not there (any more)"),
    "of another workflow": (_another_workflow, "is of another workflow than"),
    "of another workflow, named by the comment": (_other_runs_plan, "is of another workflow than"),
    "of another file with the same id": (
        _set("run", path=f"{WORKFLOWS}/evil.yml"), "is of another file",
    ),
    "of a file that begins like ours": (
        _set("run", path=f"{PLAN_WORKFLOW}.evil.yml"), "is of another file",
    ),
    "of a file of no name": (_set("run", path=None), "is of another file"),
    "of a file whose name is a command": (
        _set("run", path="x\n::error::y"), "is of another file: 'x?::error::y'",
    ),
    "of a push": (_set("run", event="push"), "of another event than a pull request: 'push'"),
    "of a hand": (_set("run", event="workflow_dispatch"), "of another event than a pull request"),
    "of pull_request_target": (
        _set("run", event="pull_request_target"), "of another event than a pull request",
    ),
    "of a merge queue": (_set("run", event="merge_group"), "of another event than a pull request"),
    "of another commit": (_set("run", head_sha="c" * 40), "of another commit than"),
    "of another branch": (_set("run", head_branch="evil"), "of another branch than"),
    "of a branch without a name": (_set("run", head_branch=None), "of another branch than"),
    "of a fork": (_set("run", head_repository=ELSEWHERE), "is of a fork"),
    "of a fork that is gone": (_set("run", head_repository=None), "is of a fork"),
    "of another repository": (_set("run", repository=ELSEWHERE), "is of another repository"),
    "in progress": (_set("run", status="in_progress", conclusion=None), "is not over"),
    "queued": (_set("run", status="queued", conclusion=None), "is not over"),
    "waiting for somebody": (_set("run", status="waiting", conclusion=None), "is not over"),
    **{
        f"ended as {how}": (_set("run", conclusion=how), f"did not end well: '{how}'")
        for how in ("failure", "cancelled", "timed_out", "skipped", "neutral", "stale", None)
    },
    "before a newer one of the commit": (lambda s: s.add_run(), "planned the same commit after"),
    **{
        f"before a newer one in which {what}": (meddle, "planned the same commit after")
        for what, meddle in NEWER.items()
    },
    "before a newer one that is not over": (
        lambda s: s.add_run(status="in_progress", conclusion=None), "planned the same commit after",
    ),
    "before a newer one that failed": (
        lambda s: s.add_run(conclusion="failure"), "planned the same commit after",
    ),
    "whose second attempt made another plan": (_second_plan, "attempt 2 of run"),
    "without a job": (lambda s: s.state["jobs"].clear(), "has no jobs"),
    "of a workflow that is gone": (
        lambda s: s.state["workflows"].clear(), f"has no workflow '{PLAN_WORKFLOW}'",
    ),
    "of a workflow that was moved": (
        lambda s: [one.update(path="x/ftctl-plan.yml") for one in s.state["workflows"]],
        "has no workflow",
    ),
}  # fmt: skip


# The pull request, and what it goes to.


def _other_pull(scene: Scene, **changes: Any) -> None:
    pull = copy.deepcopy(scene.pull)
    pull.update(number=9_900, merged_at=None, merge_commit_sha=None, base={"ref": "evil"})
    pull.update(changes)
    scene.state["pulls"].append(pull)


def _event(kind: str, seconds: int) -> Meddle:
    """Something happened to the pull request, so long after its run had begun."""
    return lambda scene: scene.state["events"].append(
        {
            "issue": scene.number, "event": kind,
            "created_at": _after(scene.run["created_at"], seconds),
        }
    )  # fmt: skip


PULLS: dict[str, tuple[Meddle, str]] = {
    "of a fork": (lambda s: s.pull["head"].update(repo=ELSEWHERE), "came from a fork"),
    "of a fork that is gone": (lambda s: s.pull["head"].update(repo=None), "came from a fork"),
    "beside one of the branch to another base": (
        lambda s: _other_pull(s, closed_at=None, state="open"), "#9900 was open for the same",
    ),
    "beside one that was closed later": (
        lambda s: _other_pull(s, closed_at=_after(s.pull["created_at"], 600)),
        "#9900 was open for the same branch",
    ),
    "beside one that was closed just before": (
        lambda s: _other_pull(s, closed_at=_after(s.pull["created_at"], -5)),
        "#9900 was open for the same",
    ),
    "beside one that was opened with the run": (
        lambda s: _other_pull(
            s, created_at=_after(s.run["created_at"], 5), closed_at=None, state="open"
        ),
        "#9900 was open for the same",
    ),
    "beside one whose base is this one by now": (
        lambda s: _other_pull(s, closed_at=None, base={"ref": "main", "repo": HERE}),
        "#9900 was open for the same branch",
    ),
    "whose base was changed": (_event("base_ref_changed", 3_600), "the base of pull request #"),
    "whose base GitHub changed": (
        _event("automatic_base_change_succeeded", 3_600), "the base of pull request #",
    ),
    "whose base was changed at that moment": (
        _event("base_ref_changed", -5), "the base of pull request #",
    ),
    "merged before its plan was there": (
        lambda s: s.pull.update(merged_at=_after(s.comment["updated_at"], -6)),
        "was written after it was merged: nobody had read it then",
    ),
    "not merged": (lambda s: s.pull.update(merged_at=None), "was merged by no pull request"),
    "merged as another commit": (
        lambda s: s.pull.update(merge_commit_sha="c" * 40), "was merged by no pull request",
    ),
    "merged elsewhere, and pushed here as it is": (
        lambda s: s.pull.update(merge_commit_sha="c" * 40, head={**s.pull["head"], "sha": s.sha}),
        "was merged by no pull request",
    ),
    "merged into another branch": (
        lambda s: s.pull["base"].update(ref="evil"), "was merged by no pull request",
    ),
    "of another repository": (
        lambda s: s.pull["base"].update(repo=ELSEWHERE), "was merged by no pull request",
    ),
    "none": (lambda s: s.state["pulls"].clear(), "was merged by no pull request"),
    "two of one merge": (
        lambda s: _other_pull(s, merged_at=s.pull["merged_at"], merge_commit_sha=s.sha,
                              base=s.pull["base"]),
        "is the merge of several pull requests",
    ),
    "pushed as a tag called main": (
        lambda s: setattr(s, "ref", "refs/tags/main"), "'refs/tags/main' is no branch",
    ),
    "pushed to another branch": (
        lambda s: setattr(s, "ref", "refs/heads/evil"), "was merged by no pull request",
    ),
    "pushed to a new branch": (
        lambda s: setattr(s, "before", "0" * 40), "does not say what the branch was before",
    ),
    "pushed from nowhere": (
        lambda s: setattr(s, "before", "None"), "does not say what the branch was before",
    ),
    "for another folder": (
        lambda s: setattr(s, "place", "default@other"), "is gone: it was deleted, has expired",
    ),
    "for another environment": (
        lambda s: setattr(s, "place", "production@."), "is gone: it was deleted, has expired",
    ),
}  # fmt: skip


# What the run kept.


def _duplicate(scene: Scene) -> None:
    scene.state["artifacts"].append({**copy.deepcopy(scene.artifact), "id": 9_800})


def _swap(scene: Scene) -> None:
    """Other content, while what GitHub says of it stays."""
    data = _zip({**scene.files(), "plan.json": b'{"digest": "%s"}' % DIGEST.encode()})
    scene.artifact["content"] = base64.b64encode(data).decode()


def _kept_by(**changes: Any) -> Meddle:
    return lambda scene: scene.artifact["workflow_run"].update(changes)


ARTIFACTS: dict[str, tuple[Meddle, str]] = {
    "expired": (_set("artifact", expired=True), "kept has expired (the plan's 'retention-days')"),
    "maybe expired": (_set("artifact", expired=None), "kept has expired"),
    "deleted": (lambda s: s.state["artifacts"].clear(), "is gone: it was deleted, has expired"),
    "there twice": (_duplicate, "has 2 artifacts of one name"),
    "replaced": (_swap, "is not what it uploaded: its hash differs"),
    "of a fork": (_kept_by(head_repository_id=666), "was made by another run"),
    "of another repository": (_kept_by(repository_id=666), "was made by another run"),
    "of another run": (_kept_by(id=9_999), "was made by another run"),
    "of another commit": (_kept_by(head_sha="c" * 40), "was made by another run"),
    "of no run": (_set("artifact", workflow_run=None), "was made by another run"),
    "of another name": (
        _set("artifact", name="ftctl-plan-other"), "is gone: it was deleted, has expired",
    ),
    "of a name that differs in case": (
        lambda s: s.artifact.update(name=s.artifact["name"].upper()), "is gone: it was deleted",
    ),
    "too large by its own word": (
        _set("artifact", size_in_bytes=16 * 1024**2 + 1), "has more than 16,777,216 bytes",
    ),
    "larger than it says": (
        lambda s: s.artifact.update(content=base64.b64encode(bytes(16 * 1024**2 + 1)).decode()),
        "has more than 16,777,216 bytes",
    ),
    "gone while it is fetched": (
        lambda s: setattr(s, "state", {**s.state, "artifacts": [_Vanishing(s.artifact)]}),
        "can not be fetched any more",
    ),
}  # fmt: skip


class _Vanishing(dict[str, Any]):
    """An artifact that is listed and no longer there."""

    def __getitem__(self, key: str) -> Any:
        return -1 if key == "id" else super().__getitem__(key)


def _another(**changes: Any) -> Meddle:
    return lambda scene: scene.reviewed(**changes)


REVIEWED: dict[str, tuple[Meddle, str]] = {
    "another commit": (_another(head="c" * 40), "says that its head is"),
    "another folder": (_another(place="default@other"), "says that its place is"),
    "another repository": (_another(repository="stranger/support"), "says that its repository is"),
    "another workflow": (_another(workflow=f"{NAME}/x.yml@refs/pull/1/merge"), "its workflow is"),
    "a workflow of a branch": (
        _another(workflow=f"{NAME}/{PLAN_WORKFLOW}@refs/heads/main"), "its workflow is",
    ),
    "another event": (_another(event="workflow_dispatch"), "says that its event is"),
    "another base": (_another(base="evil"), "says that its base is 'evil', and it is 'main'"),
    "another pull request": (_another(number="7"), "says that its number is '7'"),
    "another run": (_another(run="7"), "says that its run is '7'"),
    "another attempt": (_another(attempt="7"), "says that its attempt is '7'"),
    "a number where a text is": (_another(attempt=1), "says that its attempt is '1'"),
    "another digest": (_another(digest=OTHER), f"planned '{OTHER}'"),
    "a command for a digest": (_another(digest="$(id)\n::x::"), "planned '?(id)?::x::'"),
    "another version": (_another(format=2), "of another version of the action"),
    "a list": (lambda s: s.keep_files(reviewed=b"[]"), "of another version of the action"),
    "no JSON": (lambda s: s.keep_files(reviewed=b"{"), "reviewed.json is no JSON"),
    "no text": (lambda s: s.keep_files(reviewed=b"\xff\xfe{"), "reviewed.json is no JSON"),
    "deep JSON": (
        lambda s: s.keep(
            _zip({**s.files(), "reviewed.json": b"[" * 15_000}, zipfile.ZIP_STORED)
        ),
        "reviewed.json is no JSON",
    ),
    "another plan": (
        lambda s: s.keep_files(plan=b'{"digest": "%s"}' % OTHER.encode()), "kept is not the one",
    ),
    "no plan": (lambda s: s.keep_files(plan=b"null"), "kept is not the one"),
    "another comment": (
        lambda s: s.keep_files(comment=s.files()["comment.md"] + b"more"), "somebody changed it",
    ),
    "no comment": (lambda s: s.keep_files(comment=b""), "somebody changed it"),
}  # fmt: skip


def _archive(change: Callable[[dict[str, bytes]], bytes]) -> Meddle:
    return lambda scene: scene.keep(change(scene.files()))


def _with(*names: str) -> Meddle:
    return _archive(lambda files: _zip({**files, **dict.fromkeys(names, b"x")}))


def _renamed(old: str, new: str) -> Meddle:
    return _archive(
        lambda files: _zip({new if name == old else name: files[name] for name in files})
    )


def _twice(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("plan.json", "comment.md"):
            archive.writestr(name, files[name])
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("plan.json", files["plan.json"])
    return packed.getvalue()


def _noted(files: dict[str, bytes]) -> bytes:
    """The three files, with five thousand bytes of notes in the list."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.comment = b"x" * 2_000
            archive.writestr(info, content)
    return packed.getvalue()


class _Stream(io.RawIOBase):
    """Takes bytes one after the other, and never goes back."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(data)


def _streamed(files: dict[str, bytes]) -> bytes:
    """As upload-artifact packs: sizes stand behind each file, and files have rights."""
    packed = _Stream()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return packed.data


def _linked(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16 if name == "plan.json" else 0
            archive.writestr(info, content)
    return packed.getvalue()


def _patched(find: bytes, at: int, new: bytes) -> Meddle:
    """Other bytes at a distance from the last place of a signature."""

    def change(files: dict[str, bytes]) -> bytes:
        data = bytearray(_zip(files))
        start = data.rfind(find) + at
        data[start : start + len(new)] = new
        return bytes(data)

    return _archive(change)


def _many(files: dict[str, bytes]) -> bytes:
    """A list of 200,000 entries of which the ending admits three."""
    ending = _zip(files)[-22:]
    entry = b"PK\x01\x02" + bytes(42)
    size = len(entry) * 200_000
    return entry * 200_000 + ending[:12] + struct.pack("<II", size, 0) + b"\0\0"


def _large_list(files: dict[str, bytes]) -> bytes:
    """The same, by a list in the form for large archives."""
    data = _zip(files)
    far = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 9**9, 9**9, 9**9, 0)
    return data[:-22] + far + b"PK\x06\x07" + struct.pack("<IQI", 0, len(data) - 22, 1) + data[-22:]


_UNREADABLE = "can not be read"
ARCHIVES: dict[str, tuple[Meddle, str]] = {
    "nothing": (_archive(lambda _: b""), "is no archive"),
    "a text": (_archive(lambda _: b"not a zip"), "is no archive"),
    "an ending alone": (_archive(lambda _: b"PK\x05\x06" + bytes(18)), "holds other files"),
    "an ending cut": (_archive(lambda f: _zip(f)[:-1]), "is no archive"),
    "a start cut": (_archive(lambda f: _zip(f)[40:]), _UNREADABLE),
    "one file more": (_with("run.sh"), "holds other files"),
    "one file less": (
        _archive(lambda f: _zip({"plan.json": f["plan.json"], "comment.md": b""})),
        "holds other files",
    ),
    "a file twice": (_archive(_twice), "holds other files"),
    "a file above": (_renamed("comment.md", "../comment.md"), "holds other files"),
    "a file from the root": (_renamed("plan.json", "/plan.json"), "holds other files"),
    "a file of Windows": (_renamed("plan.json", "C:\\plan.json"), "holds other files"),
    "a file in capitals": (_renamed("plan.json", "PLAN.JSON"), "holds other files"),
    "a file with a zero": (_patched(b"plan.json", 4, b"\0"), "holds other files"),
    "a folder": (_renamed("plan.json", "plan.json/"), "holds other files"),
    "a link": (_archive(_linked), "is no file"),
    "with notes in its list": (_archive(_noted), "holds other files"),
    "a bomb": (
        _archive(lambda f: _zip({**f, "plan.json": b" " * 20_000_000})), "larger than a plan's",
    ),
    "a bomb that lies of its size": (
        _archive(lambda f: _lying(f, b" " * 20_000_000, 100)), _UNREADABLE,
    ),
    "a file that is smaller than it says": (
        _archive(lambda f: _lying(f, b"{}", 100)), "has another size than it says",
    ),
    "a comment larger than GitHub's": (
        _archive(lambda f: _zip({**f, "comment.md": os.urandom(600_000)})), "larger than a plan's",
    ),
    "packed as bzip2": (
        _archive(lambda f: _zip(f, zipfile.ZIP_BZIP2)), "is packed in an odd way",
    ),
    "packed as lzma": (_archive(lambda f: _zip(f, zipfile.ZIP_LZMA)), "is packed in an odd way"),
    "packed in no known way": (_patched(b"PK\x01\x02", 10, b"\x63\0"), "is packed in an odd way"),
    "with a password": (_patched(b"PK\x01\x02", 8, b"\x01\0"), "is packed in an odd way"),
    "broken inside": (_patched(b"PK\x03\x04", 45, b"\xff\xff\xff"), _UNREADABLE),
    "with another name inside": (_patched(b"PK\x03\x04", 30, b"evil"), _UNREADABLE),
    "with an offset beyond its end": (
        _patched(b"PK\x01\x02", 42, b"\xff\xff\xff\x7f"), _UNREADABLE,
    ),
    "with a long list": (_archive(_many), "holds other files"),
    "with a list for large archives": (_archive(_large_list), "holds other files"),
    "with its count wrong": (_patched(b"PK\x05\x06", 10, b"\xff\xff"), "holds other files"),
}  # fmt: skip


def _lying(files: dict[str, bytes], plan: bytes, size: int) -> bytes:
    """An archive whose plan says another size than it has, in both places."""
    data = bytearray(_zip({**files, "plan.json": plan}))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.find(signature)
        while data[start:].find(b"plan.json") != (30 if at == 22 else 46):
            start = data.find(signature, start + 1)
        data[start + at : start + at + 4] = struct.pack("<I", size)
    return bytes(data)


# Answers that GitHub does not give.

ANSWERS: dict[str, tuple[Meddle, str]] = {
    "an error page": (lambda s: s.raw.update({"/pulls?": b"<html>"}), "is no JSON"),
    "nothing": (lambda s: s.raw.update({"/comments?": b""}), "is no JSON"),
    "an object for a list": (lambda s: s.raw.update({"/comments?": b"{}"}), "is no list"),
    "a list for a run": (lambda s: s.raw.update({"actions/runs/": b"[]"}), "another repository"),
    "texts for pull requests": (lambda s: s.raw.update({"/pulls?": b'["x"]'}), "no pull request"),
    "no end of pages": (
        lambda s: s.raw.update({"/comments?": json.dumps([{}] * 100).encode()}), "more than 3,000",
    ),
    "a time that is none": (_set("run", created_at="yesterday"), "gave no time"),
    "a time of no zone": (_set("run", created_at="2026-11-30T10:00:00"), "gave no time"),
    "no time": (_set("comment", updated_at=None), "gave no text"),
    "a text for a number": (_set("run", run_attempt="1"), "gave no number"),
    "true for a number": (_set("run", run_number=True), "gave no number"),
    "a fork point of no commit": (lambda s: s.raw.update({"compare/": b"{}"}), "gave no text"),
    "folders without files": (lambda s: s.raw.update({"contents/": b"{}"}), "was not there"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("meddle", "why"),
    [
        pytest.param(*value, id=f"{area}: {name}")
        for area, table in (
            ("comment", COMMENTS), ("run", RUNS), ("pull request", PULLS), ("artifact", ARTIFACTS),
            ("what the run says", REVIEWED), ("archive", ARCHIVES), ("answer", ANSWERS),
        )
        for name, value in table.items()
    ],
)  # fmt: skip
def test_what_others_can_write_approves_nothing(scene: Scene, meddle: Meddle, why: str) -> None:
    meddle(scene)

    with pytest.raises((approved.Refused, approved.Unanswered)) as refused:
        scene.find()

    sentence = str(refused.value)
    assert why in sentence
    assert "\n" not in sentence
    assert not sentence.endswith(".")


# What must go on as before.


def _many_comments(scene: Scene) -> None:
    for number in range(150):
        scene.add_comment(f"Note {number}.", login="a-person", at=0)


def _earlier_pull(scene: Scene) -> None:
    closed = _after(scene.pull["created_at"], -6)
    _other_pull(scene, created_at=_after(closed, -60), closed_at=closed, state="closed")


def _later_pull(scene: Scene) -> None:
    _other_pull(scene, created_at=_after(scene.run["created_at"], 6), closed_at=None, state="open")


def _other_job_again(scene: Scene) -> None:
    scene.run["run_attempt"] = 2


def _unfiltered(scene: Scene) -> None:
    """An answer that holds more than was asked for."""
    other = {**copy.deepcopy(scene.artifact), "id": 9_801, "name": "coverage"}
    artifacts = [{**one, "content": ""} for one in (scene.artifact, other)]
    answer = {"total_count": 2, "artifacts": artifacts}
    scene.raw[f"runs/{scene.run['id']}/artifacts?"] = json.dumps(answer).encode()


def _fork_with_the_same_name(scene: Scene) -> None:
    artifact = copy.deepcopy(scene.artifact)
    artifact.update(id=9_800, run=9_500)
    artifact["workflow_run"].update(id=9_500, head_repository_id=666)
    scene.state["artifacts"].append(artifact)


HONEST: dict[str, Meddle] = {
    "as it is": lambda _: None,
    "a person quotes the comment": lambda s: s.add_comment("> " + s.comment["body"], "a-person"),
    "a person copies the comment": lambda s: s.add_comment(s.comment["body"], "a-person"),
    "another environment has its own comment": lambda s: s.add_comment(
        s.comment["body"].replace("comment: default", "comment: staging")
    ),
    "another bot writes something": lambda s: s.add_comment("Coverage: 90 %"),
    "150 comments": _many_comments,
    "GitHub ends lines with a carriage return": lambda s: s.comment.update(
        body=s.comment["body"].replace("\n", "\r\n")
    ),
    "GitHub cuts the end of the comment": lambda s: s.comment.update(
        body=s.comment["body"].rstrip()
    ),
    "clocks of GitHub's services that are a minute apart": _clocks_apart,
    "another workflow ran on the commit": lambda s: s.add_run(
        workflow_id=7_777, path=f"{WORKFLOWS}/tests.yml"
    ),
    "a newer run that planned nothing": lambda s: s.add_run(conclusion="skipped"),
    "a newer run for another label": _newer(plan="skipped", ftctl_another_label="success"),
    "an older run of the commit that failed": lambda s: s.add_run(
        conclusion="failure", run_number=s.run["run_number"] - 1
    ),
    "the same workflow by hand": lambda s: s.add_run(event="workflow_dispatch"),
    "the same workflow in a fork": lambda s: s.add_run(head_repository=ELSEWHERE),
    "the same workflow on another branch of the commit": lambda s: s.add_run(head_branch="copy"),
    "the workflow's revision stands in the path": _set("run", path=f"{PLAN_WORKFLOW}@main"),
    "another job was run again": _other_job_again,
    "an earlier pull request of the branch was closed": _earlier_pull,
    "a fork's branch of the same name": lambda s: _other_pull(
        s, closed_at=None, head={**s.pull["head"], "repo": {**ELSEWHERE, "full_name": "acme/fork"}}
    ),
    "a job that never ended": lambda s: s.state["jobs"].append(
        {"run_id": s.run["id"], "run_attempt": 1, "completed_at": None}
    ),
    "a later pull request of the branch": _later_pull,
    "the base was changed before the plan": _event("base_ref_changed", -6),
    "labels": _event("labeled", 3_600),
    "an artifact of the time before hashes": _set("artifact", digest=None),
    "a fork has an artifact of this name": _fork_with_the_same_name,
    "packed as a stream": _archive(_streamed),
    "packed by nothing": _archive(lambda files: _zip(files, zipfile.ZIP_STORED)),
    "the run has another artifact": _unfiltered,
    "a check run of another workflow": lambda s: s.state["check_runs"].append(
        {"id": 1, "name": "plan", "head_sha": s.pull["head"]["sha"], "conclusion": "success"}
    ),
    "the branch is deleted": lambda s: s.state.update(name=s.state["name"]),
}


@pytest.mark.parametrize("meddle", HONEST.values(), ids=HONEST)
def test_an_honest_merge_is_approved(scene: Scene, meddle: Meddle) -> None:
    meddle(scene)

    approval = scene.find()

    assert (approval.number, approval.digest) == (scene.number, DIGEST)
    assert json.loads(approval.plan)["digest"] == DIGEST


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_each_way_to_merge_is_approved(repository: GitHub, how: str) -> None:
    assert _merged(repository, how).find().digest == DIGEST


def test_a_second_attempt_is_approved_by_its_own_plan(repository: GitHub) -> None:
    scene = _merged(repository, again=True)

    assert f" {scene.run['id']} 2 -->" in scene.comment["body"]
    assert scene.find().digest == DIGEST


# Several merges in one push: a group of a merge queue, or a push by hand.


def _group(github: GitHub, how: str = "merge", *, commits: tuple[int, ...] = (1, 1)) -> Scene:
    """Branches with so many commits each, planned, queued and merged in one push."""
    for many in commits:
        branch = f"change-{next(_BRANCHES)}"
        for at in range(many):
            github.commit(branch, {f"{branch}-{at}.txt": "x\n"})
        number = github.open_pull(branch)
        github.check_pull(number)
        github.queue(number, how)
    sha = github.merge_queued()
    return Scene(github, github.state, number, sha, github.before)


@pytest.fixture(scope="module")
def honest_group(repository: GitHub) -> Scene:
    return _group(repository, "squash", commits=(1, 1, 1))


@pytest.fixture
def group(honest_group: Scene) -> Scene:
    """The last of three; `first` are the others."""
    one = honest_group
    return Scene(one.github, copy.deepcopy(one.state), one.number, one.sha, one.before)


def _numbers(group: Scene) -> list[int]:
    """The pull requests of the group, as they were merged."""
    *_, first, second, third = [one["number"] for one in group.state["pulls"]]
    return [first, second, third]


def _first(group: Scene) -> Scene:
    number = _numbers(group)[0]
    return Scene(group.github, group.state, number, group.sha, group.before)


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_of_a_group_in_a_merge_queue_each_is_approved_oldest_first(
    repository: GitHub, how: str
) -> None:
    found = _group(repository, how, commits=(2, 1, 3)).find_all()

    numbers = [one["number"] for one in repository.state["pulls"]][-3:]
    assert [one.number for one in found.plans] == numbers
    assert found.without == ()


GROUPS: dict[str, tuple[Meddle, str]] = {
    "the first's comment was edited": (
        lambda s: _first(s).say("900 dollars", "1 dollar"), "somebody changed it",
    ),
    "the first was refused": (
        lambda s: _first(s).say(DIGEST, "none"), "without a plan that may be applied",
    ),
    "the first's plan has expired": (lambda s: _first(s).artifact.update(expired=True), "expired"),
    "the first was planned by another workflow": (
        lambda s: _first(s).run.update(path=f"{WORKFLOWS}/evil.yml"), "is of another file",
    ),
    "a later run of the first failed": (
        lambda s: _first(s).add_run(conclusion="failure"), "planned the same commit after",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("meddle", "why"), GROUPS.values(), ids=GROUPS)
def test_one_of_a_group_that_is_not_believed_refuses_all(
    group: Scene, meddle: Meddle, why: str
) -> None:
    meddle(group)

    with pytest.raises(approved.Refused, match=re.escape(why)) as refused:
        group.find_all()

    number = _numbers(group)[0]
    begins = f"of the 3 merges of this push, that of pull request #{number} approves nothing: "
    assert str(refused.value).startswith(begins)


UNPLANNED: dict[str, tuple[Meddle, str]] = {
    "of a fork": (lambda s: _first(s).pull["head"].update(repo=ELSEWHERE), "came from a fork"),
    "of a fork that is gone": (lambda s: _first(s).pull["head"].update(repo=None), "from a fork"),
    "never planned": (lambda s: s.state["comments"].remove(_first(s).comment), "has no comment of"),
}


@pytest.mark.parametrize(("meddle", "why"), UNPLANNED.values(), ids=UNPLANNED)
def test_one_of_a_group_that_was_never_planned_approves_nothing_and_stops_nothing(
    group: Scene, meddle: Meddle, why: str
) -> None:
    meddle(group)

    found = group.find_all()

    assert [one.number for one in found.plans] == _numbers(group)[1:]
    (without,) = found.without
    assert why in without


def test_a_group_of_which_none_was_planned_is_refused(group: Scene) -> None:
    for number in _numbers(group):
        one = next(pull for pull in group.state["pulls"] if pull["number"] == number)
        one["head"]["repo"] = ELSEWHERE

    with pytest.raises(approved.Refused, match=f"#{_numbers(group)[0]} came from a fork"):
        group.find_all()


@pytest.mark.parametrize("at", [0, 1])
def test_a_commit_of_no_pull_request_in_a_push_refuses_all(group: Scene, at: int) -> None:
    number = _numbers(group)[at]
    group.state["pulls"] = [one for one in group.state["pulls"] if one["number"] != number]

    with pytest.raises(approved.Refused, match="was merged by no pull request"):
        group.find_all()


def test_commits_before_a_rebased_one_are_of_the_same_pull_request(repository: GitHub) -> None:
    scene = _group(repository, "rebase", commits=(3,))
    assert scene.find().number == scene.number

    scene.pull["landed"] = [scene.sha]

    with pytest.raises(approved.Refused, match="was merged by no pull request"):
        scene.find()


def test_a_branch_that_was_moved_approves_nothing(group: Scene) -> None:
    github = group.github
    github.git("checkout", "--quiet", "--detach", group.before)
    github.git("commit", "--quiet", "--allow-empty", "--message", "lost")
    github.git("push", "--quiet", "origin", f"HEAD:refs/heads/lost-{next(_BRANCHES)}")
    group.before = github.git("rev-parse", "HEAD")
    github.git("checkout", "--quiet", "main")

    with pytest.raises(approved.Refused, match="but was moved"):
        group.find_all()


def test_a_push_that_takes_main_in_as_a_side_branch_approves_nothing(repository: GitHub) -> None:
    """A branch into which main was merged, and that main was then moved to."""
    github, branch = repository, f"change-{next(_BRANCHES)}"
    before = github.commit("main", {f"{branch}-main.txt": "x\n"})
    github.git("checkout", "--quiet", "-B", branch, "main~1")
    github.git("commit", "--quiet", "--allow-empty", "--message", "mine")
    github.git("merge", "--quiet", "--no-edit", "main")
    github.git("push", "--quiet", "origin", branch)
    github.git("checkout", "--quiet", "main")
    number = github.open_pull(branch)
    github.check_pull(number)
    github.git("merge", "--quiet", "--ff-only", branch)
    github.git("push", "--quiet", "origin", "main")
    sha = github.git("rev-parse", "main")
    scene = Scene(github, github.state, number, sha, before)
    landed = github.git("rev-list", f"{before}..{sha}").split()
    scene.pull.update(merged_at=_later(), merge_commit_sha=sha, state="closed", landed=landed)

    with pytest.raises(approved.Refused, match="does not lead back to"):
        scene.find_all()


def test_a_push_of_more_commits_than_a_group_has_approves_nothing(
    group: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approved, "MOST_COMMITS", 2)

    with pytest.raises(approved.Refused, match="more than 2 commits"):
        group.find_all()


def test_the_second_of_a_group_may_not_change_the_workflow_either(repository: GitHub) -> None:
    github, text = repository, _text(repository)
    for files in ({"first.txt": "x\n"}, {PLAN_WORKFLOW: f"{text}\n# second\n"}):
        branch = f"change-{next(_BRANCHES)}"
        github.commit(branch, files)
        number = github.open_pull(branch)
        github.check_pull(number)
        github.queue(number)
    sha = github.merge_queued()

    with pytest.raises(approved.Refused, match=f"#{number} approves nothing: .* changes "):
        Scene(github, github.state, number, sha, github.before).find_all()


def test_what_stands_on_another_of_a_group_brings_no_workflow_along(repository: GitHub) -> None:
    """A fork changed the workflow, and a branch of ours stands on that: both are in one push."""
    github, text = repository, _text(repository)
    theirs, ours = (f"change-{next(_BRANCHES)}" for _ in range(2))
    github.commit(theirs, {PLAN_WORKFLOW: f"{text}\n# theirs\n"})
    github.git("branch", ours, theirs)
    github.commit(ours, {f"{ours}.txt": "x\n"})
    numbers = [github.open_pull(branch) for branch in (theirs, ours)]
    github.check_pull(numbers[0], fork=True)
    github.check_pull(numbers[1])
    for number in numbers:
        github.queue(number)
    sha = github.merge_queued()

    with pytest.raises(approved.Refused, match=f"#{numbers[1]} approves nothing: .* changes "):
        Scene(github, github.state, numbers[1], sha, github.before).find_all()


@pytest.mark.parametrize("other", [{"INPUT_DIRECTORY": "b"}, {"INPUT_ENVIRONMENT": "prod"}])
def test_two_uses_in_one_job_share_what_is_installed_and_nothing_else(
    tmp_path: Path, other: dict[str, str]
) -> None:
    one, two = (
        _bash(tmp_path, 'printf "%s %s" "$root" "$work"', **given)[1].split()
        for given in ({"INPUT_DIRECTORY": "a"}, other)
    )

    assert one[0] == two[0] == str(tmp_path / "temp" / "ftctl")
    assert one[1] != two[1]
    assert {Path(one[1]).parent, Path(two[1]).parent} == {Path(one[0])}


# What one job of a run hands to the next.


def _hand(scene: Scene, attempt: int, *plans: bytes, **changes: Any) -> None:
    data = _zip({f"{at}.plan.json": plan for at, plan in enumerate(plans, 1)})
    scene.state["artifacts"].append(
        {
            **copy.deepcopy(scene.artifact), "id": 9_800 + len(scene.state["artifacts"]),
            "run": 77, "name": f"ftctl-waiting-default@.-{attempt}", "workflow_run": {"id": 77},
            "content": base64.b64encode(data).decode(), "size_in_bytes": len(data),
            "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", **changes,
        }
    )  # fmt: skip


def _handed(scene: Scene, attempt: int = 2, *, to_wait: bool = True) -> list[bytes]:
    merge = approved.Merge(
        NAME, scene.sha, scene.ref, scene.before, PLAN_WORKFLOW, scene.place, scene.mark, BOT
    )
    handed: list[bytes] = approved.find_handed(
        approved._Api(NAME, scene.ask), merge, run=77, attempt=attempt, to_wait=to_wait
    )
    return handed


def test_what_the_last_attempt_applied_is_handed_on_in_order(scene: Scene) -> None:
    _hand(scene, 1, b"old")
    _hand(scene, 2, *(b"%d" % at for at in range(12)))
    _hand(scene, 3, b"later")

    assert _handed(scene) == [b"%d" % at for at in range(12)]
    assert _handed(scene, attempt=1) == [b"old"]


def test_an_apply_that_goes_on_takes_what_is_begun_in_part_too(scene: Scene) -> None:
    _hand(scene, 1, b"whole")
    _hand(scene, 2, b"part", name="ftctl-approved-default@.-2")

    assert _handed(scene, to_wait=False) == [b"part"]
    assert _handed(scene) == [b"whole"]


HANDED: dict[str, tuple[Meddle, str]] = {
    "nothing": (lambda _: None, "has kept nothing that was approved"),
    "another place's": (
        lambda s: _hand(s, 1, b"x", name="ftctl-waiting-prod@.-1"), "has kept nothing",
    ),
    "what is begun in part": (
        lambda s: _hand(s, 1, b"x", name="ftctl-approved-default@.-1"), "has kept nothing",
    ),
    "both kinds of one attempt": (
        lambda s: (_hand(s, 1, b"x"), _hand(s, 1, b"x")), "has 2 artifacts",
    ),
    "another run's": (lambda s: _hand(s, 1, b"x", run=78), "has kept nothing"),
    "one that says it is another run's": (
        lambda s: _hand(s, 1, b"x", workflow_run={"id": 78}), "or is another run's",
    ),
    "one that has expired": (lambda s: _hand(s, 1, b"x", expired=True), "has expired"),
    "two of one name": (lambda s: [_hand(s, 1, b"x") for _ in range(2)], "has 2 artifacts"),
    "one whose hash differs": (
        lambda s: _hand(s, 1, b"x", digest="sha256:" + "0" * 64), "its hash differs",
    ),
    "one without a plan": (lambda s: _hand(s, 1), "holds other files than plans"),
    "too many": (lambda s: _hand(s, 1, *[b"x"] * 101), "holds other files than plans"),
}  # fmt: skip


@pytest.mark.parametrize(("meddle", "why"), HANDED.values(), ids=HANDED)
def test_what_was_not_handed_on_by_this_run_is_not_taken(
    scene: Scene, meddle: Meddle, why: str
) -> None:
    meddle(scene)

    with pytest.raises(approved.Refused, match=re.escape(why)):
        _handed(scene)


def test_a_branch_that_is_behind_a_changed_workflow_is_approved(repository: GitHub) -> None:
    repository.git("branch", "behind")
    text = repository.git("show", f"main:{PLAN_WORKFLOW}")
    repository.commit("main", {PLAN_WORKFLOW: f"{text}\n# changed on main\n"})
    repository.commit("behind", {"behind.txt": "x\n"})
    number = repository.open_pull("behind")
    repository.check_pull(number)
    sha = repository.merge(number)

    assert Scene(repository, repository.state, number, sha, repository.before).find()


def _text(github: GitHub) -> str:
    return github.git("show", f"main:{PLAN_WORKFLOW}")


def _changed(github: GitHub) -> Scene:
    return _merged(github, files={PLAN_WORKFLOW: f"{_text(github)}\n# mine\n"})


def _changed_and_squashed(github: GitHub) -> Scene:
    return _merged(github, "squash", files={PLAN_WORKFLOW: f"{_text(github)}\n# mine, too\n"})


def _changed_and_rebased(github: GitHub) -> Scene:
    return _merged(github, "rebase", files={PLAN_WORKFLOW: f"{_text(github)}\n# mine, again\n"})


def _changed_in_an_earlier_commit_of_the_push(github: GitHub) -> Scene:
    """A branch of two commits that main is moved to: only the first changes the workflow."""
    files = {PLAN_WORKFLOW: f"{_text(github)}\n# early\n"}
    branch = f"change-{next(_BRANCHES)}"
    github.commit(branch, files)
    github.commit(branch, {f"{branch}.txt": "x\n"})
    number = github.open_pull(branch)
    github.check_pull(number)
    before = github.git("rev-parse", "main")
    github.git("merge", "--quiet", "--ff-only", branch)
    github.git("push", "--quiet", "origin", "main")
    sha = github.git("rev-parse", "main")
    scene = Scene(github, github.state, number, sha, before)
    landed = github.git("rev-list", f"{before}..{sha}").split()
    scene.pull.update(merged_at=_later(), merge_commit_sha=sha, state="closed", landed=landed)
    return scene


@pytest.mark.parametrize(
    "make",
    [_changed, _changed_and_squashed, _changed_and_rebased,
     _changed_in_an_earlier_commit_of_the_push],
)  # fmt: skip
def test_a_change_of_the_workflow_that_plans_it_approves_nothing(
    repository: GitHub, make: Callable[[GitHub], Scene]
) -> None:
    scene = make(repository)

    with pytest.raises(approved.Refused, match=r"changes .*, the workflow that planned it"):
        scene.find()


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({PLAN_WORKFLOW: None}, "was not there when the branch was made"),
        ({PLAN_WORKFLOW: "link"}, "was not there when the branch was made"),
    ],
    ids=["deleted by the branch", "a link in the branch"],
)
def test_a_workflow_that_is_no_file_of_the_branch_approves_nothing(
    scene: Scene, files: dict[str, str | None], why: str
) -> None:
    github = scene.github
    head, clone = scene.pull["head"]["sha"], github.folder / "clone"
    github.git("checkout", "--quiet", "--detach", head)
    (clone / PLAN_WORKFLOW).unlink()
    if files[PLAN_WORKFLOW] == "link":
        (clone / PLAN_WORKFLOW).symlink_to("ftctl-drift.yml")
    github.git("add", "--all")
    github.git("commit", "--quiet", "--message", "x")
    other = github.git("rev-parse", "HEAD")
    github.git("push", "--quiet", "origin", f"HEAD:refs/heads/no-file-{len(other)}{other[:5]}")
    github.git("checkout", "--quiet", "main")
    scene.state = json.loads(json.dumps(scene.state).replace(head, other))

    with pytest.raises(approved.Refused, match=why):
        scene.find()


@pytest.mark.parametrize(
    "line",
    ["uses: ./ours", "uses: './.github/actions/x'", '- uses: "./x"', '"uses": ./x', "uses:   ./x"],
)
def test_a_workflow_that_uses_what_the_change_brings_approves_nothing(
    scene: Scene, line: str
) -> None:
    text = f"jobs:\n  plan:\n    steps:\n      {line}\n".encode()
    scene.raw["git/blobs/"] = json.dumps({"content": base64.b64encode(text).decode()}).encode()

    with pytest.raises(approved.Refused, match="which is the change's own"):
        scene.find()


@pytest.mark.parametrize(
    "line",
    ["# uses: ./ours", "uses: actions/checkout@abc", "run: echo uses", "uses: docker://x/./y"],
)
def test_a_workflow_that_uses_pinned_things_goes_on(scene: Scene, line: str) -> None:
    text = f"jobs:\n  plan:\n    steps:\n      {line}\n".encode()
    scene.raw["git/blobs/"] = json.dumps({"content": base64.b64encode(text).decode()}).encode()

    assert scene.find().digest == DIGEST


def test_a_token_that_may_not_read_is_no_approval(scene: Scene) -> None:
    forge = Forge(scene.state, scene.github.folder / "origin.git", "contents:read")

    with pytest.raises(PermissionError):
        forge.answer("GET", f"repos/{NAME}/commits/{scene.sha}/pulls")


# The same by the real steps, from the push to apply.


@pytest.fixture
def github(tmp_path: Path, standby: Standby) -> GitHub:
    secrets = {"OPENAI_API_KEY": "sk-test"}
    github = GitHub(tmp_path / "github", secrets, {}, FTCTL, standby=standby.program)
    github.commit("main", {"ftctl.yaml": "project: demo\n"})
    github.set_up()
    github.commit("change", {"a.txt": "x\n"})
    return github


def _state(github: GitHub, change: Callable[[dict[str, Any]], Any]) -> None:
    state = github.state
    change(state)
    github.state = state


def _comment_of_another_workflow(github: GitHub) -> None:
    _state(github, lambda state: state["comments"].append(
        {**state["comments"][0], "id": 9_000, "body": state["comments"][0]["body"] + "free"}
    ))  # fmt: skip


def _exclaimed(state: dict[str, Any]) -> str:
    return f"{state['comments'][0]['body']}!"


@pytest.mark.parametrize(
    ("meddle", "why"),
    [
        (_comment_of_another_workflow, "has 2 comments of github-actions[bot]"),
        (
            lambda g: _state(g, lambda s: s["comments"][0].update(body=_exclaimed(s))),
            "somebody changed it",
        ),
        (
            lambda g: _state(g, lambda s: s["artifacts"][0].update(digest="sha256:" + "0" * 64)),
            "its hash differs",
        ),
        (
            lambda g: _state(g, lambda s: s["pulls"][0]["head"].update(repo=ELSEWHERE)),
            "came from a fork",
        ),
        (
            lambda g: _state(g, lambda s: s["runs"][0].update(path=f"{WORKFLOWS}/evil.yml")),
            "is of another file",
        ),
    ],
    ids=["another workflow's comment", "an edited one", "a replaced artifact", "a fork", "a run"],
)  # fmt: skip
def test_the_merge_says_why_and_what_to_do(
    github: GitHub, meddle: Callable[[GitHub], Any], why: str
) -> None:
    number = github.open_pull("change")
    github.check_pull(number)
    meddle(github)
    github.merge(number)

    job = github.push_main()

    (error,) = job.errors
    assert error.startswith("nobody approved this plan: ")
    assert why in error
    assert error.endswith(f"run this workflow by hand with approve = {DIGEST}")
    assert "--no-color apply " not in job.log


def test_the_honest_neighbour_is_applied(github: GitHub) -> None:
    number = github.open_pull("change")
    github.check_pull(number)
    github.merge(number)

    job = github.push_main()

    assert job.errors == []
    assert f"Pull request #{number} approved {DIGEST}." in job.log
    assert "--no-color apply " in job.log
    assert "/1.plan.json" in job.log


@pytest.mark.parametrize("command", ["plan", "validate"])
def test_a_pull_request_is_checked_against_its_base(github: GitHub, command: str) -> None:
    workflow = github.git("show", f"main:{PLAN_WORKFLOW}")
    files = {PLAN_WORKFLOW: workflow.replace("command: plan", f"command: {command}")}
    github.commit("main", files)
    github.git("push", "--quiet", "origin", "change:refs/tags/origin/main")
    number = github.open_pull("change")

    job = github.check_pull(number)["plan"]

    assert job.errors == []
    assert "asked: -C . --no-color validate --format github --base refs/remotes/origin/main" in (
        job.log
    )


def test_addresses_and_settings_are_those_that_were_reviewed(github: GitHub) -> None:
    for name in ("plan", "apply", "drift"):
        workflow = f"{WORKFLOWS}/ftctl-{name}.yml"
        text = github.git("show", f"main:{workflow}")
        more = r'\g<0>          allow-address: "https://a.example/v1\\nhttps://b.example"\n'
        github.commit("main", {workflow: re.sub(r"(?m)^ *command: .*\n", more, text)})
    github.git("rebase", "--quiet", "main", "change")
    github.git("checkout", "--quiet", "main")
    number = github.open_pull("change")
    planned = github.check_pull(number)["plan"]
    merged = github.merge(number)

    logs = planned.log, github.push_main().log, github.morning().log

    addresses = "--allow-address https://a.example/v1 --allow-address https://b.example"
    for log, base in zip(logs, ("refs/remotes/origin/main", merged, merged), strict=True):
        assert f"--format markdown --base {base} {addresses}" in log
    asked = f"/report.json --base {merged} {addresses}"
    assert f"{asked} /" in logs[1]
    assert f"{asked} --wait --timeout 5h /" in logs[1]


def test_a_project_in_a_folder_is_applied_by_its_own_plan(github: GitHub) -> None:
    files = {"services/support/ftctl.yaml": "project: support\n"}
    for name in ("plan", "apply"):
        text = github.git("show", f"main:{WORKFLOWS}/ftctl-{name}.yml")
        more = r"\g<0>          directory: ./services/support/\n"
        files[f"{WORKFLOWS}/ftctl-{name}.yml"] = re.sub(r"(?m)^ *command: .*\n", more, text)
    github.commit("main", files)
    github.git("rebase", "--quiet", "main", "change")
    github.git("checkout", "--quiet", "main")
    number = github.open_pull("change")
    github.check_pull(number)
    github.merge(number)

    job = github.push_main()

    assert job.errors == []
    assert "asked: -C services/support --no-color apply " in job.log
    assert "/1.plan.json" in job.log


def test_two_projects_of_one_job_have_each_their_own_plan_and_comment(github: GitHub) -> None:
    text = github.git("show", f"main:{PLAN_WORKFLOW}")
    line = "          command: plan\n"
    other = "directory: services/support\n          environment: default\n          "
    step = "      - uses: OWNER/ftctl@PIN_ftctl\n        with:\n"
    key = "          api-key: ${{ secrets.OPENAI_API_KEY }}\n"
    twice = f"{step}{line}          {other}{key.lstrip()}{step}{line}{key}"
    assert f"{step}{line}{key}" in text
    files = {
        PLAN_WORKFLOW: text.replace(f"{step}{line}{key}", twice),
        "services/support/ftctl.yaml": "project: support\n",
    }
    github.commit("main", files)
    github.git("rebase", "--quiet", "main", "change")
    github.git("checkout", "--quiet", "main")
    number = github.open_pull("change")

    planned = github.check_pull(number)["plan"]
    sha = github.merge(number)

    assert planned.errors == []
    head = github.state["pulls"][0]["head"]["sha"]
    names = [one["name"] for one in github.state["artifacts"]]
    assert names == [
        f"ftctl-plan-_64efault@services_2fsupport-{head}-1", f"ftctl-plan-default@.-{head}-1",
    ]  # fmt: skip
    marks = [body.split("\n")[0] for body in github.comments(number)]
    assert marks == ["<!-- ftctl comment: _64efault services/support -->", MARK]
    for place, mark in (("_64efault@services_2fsupport", marks[0]), ("default@.", MARK)):
        scene = Scene(github, github.state, number, sha, github.before, place=place, mark=mark)
        assert scene.find().number == number
    crossed = Scene(github, github.state, number, sha, github.before, mark=marks[0])
    with pytest.raises(approved.Refused, match="somebody changed it"):
        crossed.find()


def test_an_older_forged_comment_is_taken_over_and_the_rest_emptied(github: GitHub) -> None:
    number = github.open_pull("change")
    forged = {
        "issue": number,
        "user": {"login": BOT},
        "created_at": _later(),
        "updated_at": _later(),
    }
    _state(github, lambda state: state["comments"].extend(
        [{**forged, "id": 8, "body": f"{MARK}\nfree\n"}, {**forged, "id": 9, "body": f"x {MARK}"}]
    ))  # fmt: skip

    planned = github.check_pull(number)["plan"]
    github.merge(number)
    job = github.push_main()

    first, second, result = github.comments(number)
    assert "900 dollars" in first
    assert MARK not in second + result
    assert [name for name, _ in planned.commands] == ["warning"]
    assert job.errors == []


def test_what_a_fork_is_planned_with_a_key_for_is_no_merge_s(github: GitHub) -> None:
    workflow = github.git("show", f"main:{PLAN_WORKFLOW}")
    lent = re.sub(r"(?s)    if: >-\n.*?\n    runs-on", "    if: always()\n    runs-on", workflow)
    lent = lent.replace("command: plan\n", 'command: plan\n          allow-forks: "true"\n')
    github.commit("main", {PLAN_WORKFLOW: lent})
    github.git("rebase", "--quiet", "main", "change")
    github.git("checkout", "--quiet", "main")
    number = github.open_pull("change")

    jobs = github.check_pull(number, fork=True, with_key=True)

    assert jobs["plan"].errors == []
    assert github.state["artifacts"] == []
    assert f"{github.state['pulls'][0]['head']['sha']} none " in github.comments(number)[0]


def test_an_api_that_does_not_answer_approves_nothing_and_can_be_asked_again(
    github: GitHub,
) -> None:
    workflow = f"{WORKFLOWS}/ftctl-apply.yml"
    text = re.sub(r"      issues: read.*\n", "", github.git("show", f"main:{workflow}"))
    github.commit("main", {workflow: text})
    github.git("rebase", "--quiet", "main", "change")
    github.git("checkout", "--quiet", "main")
    number = github.open_pull("change")
    github.check_pull(number)
    github.merge(number)

    job = github.push_main()

    (error,) = job.errors
    assert "what was approved is not known: GitHub did not answer" in error
    assert "the job needs 'actions', 'contents', 'issues' and 'pull-requests', each 'read'" in error
    assert error.endswith("Run this job again")
    assert "--no-color apply " not in job.log


# What the steps are given: folders, environments, revisions, the event.

COMMON = ROOT / "ci" / "common.sh"


def _bash(folder: Path, script: str, **given: str) -> tuple[int, str]:
    """The status and the log of a piece of a step, in a checkout of its own."""
    event = folder / "event.json"
    if not event.exists():
        event.write_text("{}", "utf-8")
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "RUNNER_TEMP": str(folder / "temp"),
        "GITHUB_EVENT_PATH": str(event), "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REPOSITORY": NAME, "GITHUB_OUTPUT": str(folder / "output"),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-c", f'source "$COMMON"\n{script}'], cwd=folder, text=True, check=False,
        env={**environ, "COMMON": str(COMMON), **given}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


SPELLINGS = [
    ("", "."), ("", ""), ("", "./"), ("default", "."), ("default", ""), ("", "default"),
    ("eu", "."), ("eu-prod", "."), ("eu", "prod"), ("eu_prod", "."), ("eu", "a/b"), ("eu", "a_2fb"),
    ("eu", "a-b"), ("eu", "a b"), ("eu", "a@b"), ("eu@a", "b"), ("", "A"), ("", "a"), ("", "_41"),
    ("", "ä"), ("", "a\u0308"), ("", "a/b/c"), ("", "a/b-c"), ("", "a-b/c"), ("", "-x"), ("", "x-"),
    ("", "*"), ("", "?"), ("", "["), ("", "]"), ("", "a\\b"), ("", "a:b"), ("", "a|b"), ("", "a>b"),
    ("", "a<b"), ("", 'a"b'), ("", "a\tb"), ("", "$(id)"), ("", "`id`"), ("", "%0a"),
    ("", "\u202e"),
    ("", "a" * 200), ("", "a" * 201), ("", "x" * 119 + "/y"), ("", "x" * 119 + "/z"), ("", " "),
    ("", "a "), ("", " a"),
]  # fmt: skip
SAME = {".", "", "./"}


def test_no_two_places_share_a_name_or_a_mark(tmp_path: Path) -> None:
    names: dict[str, list[tuple[str, str]]] = {}
    marks: dict[str, list[tuple[str, str]]] = {}
    for environment, directory in SPELLINGS:
        status, told = _bash(
            tmp_path, 'printf "%s\\n" "$place"; mark comment',
            INPUT_ENVIRONMENT=environment, INPUT_DIRECTORY=directory,
        )  # fmt: skip
        assert status == 0, told
        name, mark = told.split("\n")
        key = (environment, "." if directory in SAME else directory)
        names.setdefault(name.lower(), []).append(key)
        marks.setdefault(mark, []).append(key)

    assert all(len(set(keys)) == 1 for keys in names.values()), names
    assert all(len(set(keys)) == 1 for keys in marks.values()), marks
    assert not [name for name in names if re.search(r'["\\:<>|*?\r\n/ ]', name)]
    assert max(map(len, names)) <= 120
    assert all(re.fullmatch(r"<!-- ftctl comment: [^<>\n]* -->", mark) for mark in marks)


@pytest.mark.parametrize(
    ("directory", "meant"),
    [
        (".", "."), ("./", "."), ("", "."), ("services/support", "services/support"),
        ("./services//support/", "services/support"), ("services/./x", "services/./x"),
        ("-x", "./-x"), ("--env", "./--env"), ("a b", "a b"),
        ("$(touch sprung)", "$(touch sprung)"),
        ("`touch sprung`", "`touch sprung`"), ("a;touch sprung", "a;touch sprung"),
        ("a'b\"c", "a'b\"c"), ("*", "*"), ("ä", "ä"), ("..x", "..x"), ("{work}/a", "a"),
        ("{work}", "."), ("{work}x", "{work}x"),
    ],
)  # fmt: skip
def test_a_folder_is_a_folder_and_nothing_else(tmp_path: Path, directory: str, meant: str) -> None:
    work = str(tmp_path / "work")

    status, told = _bash(
        tmp_path, 'printf "%s" "$directory"',
        INPUT_DIRECTORY=directory.replace("{work}", work), GITHUB_WORKSPACE=work,
    )  # fmt: skip

    assert (status, told) == (0, meant.replace("{work}", work))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "directory", ["..", "../x", "a/../../x", "a/..", "x\ny", "a\n::error::x", "{work}/../x"]
)
def test_a_folder_outside_is_refused(tmp_path: Path, directory: str) -> None:
    work = str(tmp_path / "work")

    status, told = _bash(
        tmp_path, "echo sprung",
        INPUT_DIRECTORY=directory.replace("{work}", work), GITHUB_WORKSPACE=work,
    )  # fmt: skip

    assert status == 1
    assert told == (
        "::error title=ftctl::'directory' is a folder of this checkout, such as services/support\n"
    )


@pytest.mark.parametrize("name", ["nowhere", "-x", "a file", "a b"])
def test_a_folder_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").touch()

    status, told = _bash(tmp_path, "require_folder", INPUT_DIRECTORY=name)

    assert status == 1
    assert "in this checkout: 'directory' names the one with ftctl.yaml" in told


def _checkout(folder: Path) -> dict[str, str]:
    """A checkout with every branch and tag, as fetch-depth 0 leaves it; commits by their names."""

    def git(*words: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        done = subprocess.run(
            ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch", "local")
    commits = {}
    for name in ("main", "evil"):
        git("commit", "--quiet", "--allow-empty", "--message", name)
        commits[name] = git("rev-parse", "HEAD")
    git("update-ref", "refs/remotes/origin/main", commits["main"])
    for name in ("refs/tags/origin/main", "refs/heads/origin/main", "refs/tags/main"):
        git("update-ref", name, commits["evil"])
    return commits


@pytest.mark.parametrize("ref", ["main", "refs/heads/", "refs/tags/main", None, "refs/heads/-x"])
def test_a_merge_queue_without_a_branch_has_no_base(tmp_path: Path, ref: str | None) -> None:
    _checkout(tmp_path)
    (tmp_path / "event.json").write_text(json.dumps({"merge_group": {"base_ref": ref}}), "utf-8")

    status, told = _bash(tmp_path, "find_base", GITHUB_EVENT_NAME="merge_group")

    assert status == 1
    assert "the event has no branch" in told or "is not in this checkout" in told


def test_a_merge_queue_s_base_is_the_branch_that_it_goes_to(tmp_path: Path) -> None:
    commits = _checkout(tmp_path)
    # What waits before it in the queue is not taken into the branch yet, whoever wrote it.
    event = {"merge_group": {"base_ref": "refs/heads/main", "base_sha": commits["evil"]}}
    (tmp_path / "event.json").write_text(json.dumps(event), "utf-8")

    status, told = _bash(tmp_path, BASE, GITHUB_EVENT_NAME="merge_group", GITHUB_BASE_REF="evil")

    assert (status, told.strip()) == (0, commits["main"])


BASE = 'find_base 2>&1; git rev-parse "${base_options[1]}"'


@pytest.mark.parametrize(
    "given",
    [
        {"GITHUB_BASE_REF": "main"},
        {"INPUT_BASE": "origin/main", "GITHUB_BASE_REF": "evil"},
        {"INPUT_BASE": "refs/remotes/origin/main"},
        {"INPUT_BASE": "origin/main", "GITHUB_EVENT_NAME": "push"},
    ],
    ids=["the event's", "asked for", "spelled out", "on a push"],
)
def test_a_tag_called_origin_main_is_no_base(tmp_path: Path, given: dict[str, str]) -> None:
    commits = _checkout(tmp_path)

    status, told = _bash(tmp_path, BASE, **given)

    assert (status, told.strip()) == (0, commits["main"])


@pytest.mark.parametrize(
    "given",
    [
        {"GITHUB_BASE_REF": "nowhere"}, {"GITHUB_BASE_REF": "--help"}, {"GITHUB_BASE_REF": ""},
        {"GITHUB_BASE_REF": "$(touch sprung)"}, {"GITHUB_BASE_REF": "main;touch sprung"},
        {"INPUT_BASE": "--output=sprung"}, {"INPUT_BASE": "-x"}, {"INPUT_BASE": "a\nb"},
        {"INPUT_BASE": "origin/nowhere"}, {"INPUT_BASE": "origin/main^{/x}"},
    ],
    ids=repr,
)  # fmt: skip
def test_a_base_that_is_none_is_told(tmp_path: Path, given: dict[str, str]) -> None:
    _checkout(tmp_path)

    status, told = _bash(tmp_path, "find_base", **given)

    assert status == 1
    assert told.startswith("::error title=ftctl::the base '")
    assert told.endswith("is not in this checkout: check out with 'fetch-depth: 0'\n")
    assert told.count("\n") == 1
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "said",
    ["", "main", "$(touch sprung)", "a" * 39, "A" * 40, "a" * 41, "a" * 40 + "\nb", None, 7, ["x"]],
    ids=repr,
)
def test_an_event_s_commit_is_a_commit(tmp_path: Path, said: Any) -> None:
    event = {"pull_request": {"head": {"sha": said}}}
    (tmp_path / "event.json").write_text(json.dumps(event), "utf-8")

    status, told = _bash(tmp_path, "event_commit .pull_request.head.sha; echo sprung")

    assert (status, told.splitlines()[-1]) == (
        1, "::error title=ftctl::the event has no commit at .pull_request.head.sha",
    )  # fmt: skip
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "name",
    ["PATH", "LD_PRELOAD", "BASH_ENV", "GITHUB_OUTPUT", "GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN",
     "GH_TOKEN", "GIT_SSH_COMMAND", "PYTHONPATH", "HOME", "INPUT_BOT", "RUNNER_TEMP", "ENV"],
)  # fmt: skip
def test_a_key_is_no_variable_that_steers_programs(tmp_path: Path, name: str) -> None:
    status, told = _bash(tmp_path, "use_key", INPUT_API_KEY="sk-x", INPUT_API_KEY_ENV=name)

    assert status == 1
    assert "by which programs are steered: name a variable of your own" in told


@pytest.mark.parametrize("name", ["a b", "x", "1X", "X=Y", "X;id", "$(id)", "X\nY", "Ä", "-X"])
def test_a_key_s_variable_is_a_name(tmp_path: Path, name: str) -> None:
    status, told = _bash(tmp_path, "use_key", INPUT_API_KEY="sk-x", INPUT_API_KEY_ENV=name)

    assert status == 1
    assert "which names no variable" in told
    assert "sk-x" not in told


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "MY_KEY_2", "_KEY"])
def test_a_key_s_own_variable_is_set(tmp_path: Path, name: str) -> None:
    status, told = _bash(
        tmp_path, f"use_key; printenv {name}", INPUT_API_KEY="sk-x", INPUT_API_KEY_ENV=name
    )

    assert (status, told) == (0, "sk-x\n")


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ("", []),
        ("https://llm.example/v1", ["--allow-address", "https://llm.example/v1"]),
        ("a\nb", ["--allow-address", "a", "--allow-address", "b"]),
        ("  a  \n\n b\r\n", ["--allow-address", "a", "--allow-address", "b"]),
        ("--out x", ["--allow-address", "--out x"]),
        ("$(touch sprung)", ["--allow-address", "$(touch sprung)"]),
        ("*", ["--allow-address", "*"]),
        ("a\\nb", ["--allow-address", "a\\nb"]),
    ],
)
def test_addresses_stand_one_a_line(tmp_path: Path, given: str, options: list[str]) -> None:
    status, told = _bash(
        tmp_path, 'address_options; printf "%s\\n" "${addresses[@]}"', INPUT_ALLOW_ADDRESS=given
    )

    assert (status, told.split("\n")[:-1]) == (0, options or [""])
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("said", "elsewhere"),
    [
        ({"head": {"repo": {"full_name": NAME}}, "user": {"login": "a-person"}}, False),
        ({"head": {"repo": {"full_name": "stranger/support"}}, "user": {"login": "a"}}, True),
        ({"head": {"repo": {"full_name": NAME.upper()}}, "user": {"login": "a"}}, True),
        ({"head": {"repo": None}, "user": {"login": "a"}}, True),
        ({"head": {"repo": {"full_name": NAME}}, "user": {"login": "dependabot[bot]"}}, True),
        ({}, True),
    ],
    ids=["ours", "a fork", "nearly ours", "a fork that is gone", "dependabot's", "of nothing"],
)
def test_who_is_given_no_key(tmp_path: Path, said: Any, elsewhere: bool) -> None:
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": said}), "utf-8")

    status, _ = _bash(tmp_path, "from_elsewhere", GITHUB_ACTOR="a-person")

    assert (status == 0) is elsewhere


@pytest.mark.parametrize(
    "given",
    ["sha256:" + "A" * 64, "a" * 63, "a" * 65, "sha512:" + "a" * 64, "$(touch sprung)", "none",
     "a" * 64 + "\n", "--out", "sha256:sha256:" + "a" * 64],
    ids=repr,
)  # fmt: skip
def test_what_a_person_approves_is_a_digest(tmp_path: Path, given: str) -> None:
    status, told = _approve(tmp_path, given)

    assert status == 1
    assert told == "::error title=ftctl::'approve' takes a digest such as sha256:…\n"
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("given", ["a" * 64, "sha256:" + "a" * 64])
def test_a_digest_that_a_person_approves_is_taken(tmp_path: Path, given: str) -> None:
    assert _approve(tmp_path, given) == (0, "")
    assert "sha256:" + "a" * 64 in (tmp_path / "output").read_text("utf-8")


def _approve(folder: Path, given: str) -> tuple[int, str]:
    return _bash(
        folder, f'source "{ROOT}/ci/approved.sh"',
        INPUT_APPROVE=given, GITHUB_EVENT_NAME="workflow_dispatch", GH_TOKEN="x",
    )  # fmt: skip


# The job that applies, the one that waits for it, and the check that is required.

# An ftctl whose plan has one thing to buy, and whose apply ends as it is told.
APPLYING = f"""\
#!{sys.executable} -I
import json, os, pathlib, sys
words = sys.argv[1:]
print("asked:", *words)
if "plan" in words:
    summary = dict(create=int(os.environ["BOUGHT"]), replace=0, cancel=1, delete=0, defer=0)
    plan = dict(digest="{DIGEST}", summary=summary, cost=dict(low=1, high=1))
    pathlib.Path(words[words.index("--out") + 1]).write_text(json.dumps(plan))
    sys.exit(2)
report = dict(finetunes=[dict(outcome=word) for word in os.environ["OUTCOMES"].split()])
if "OUTCOMES" in os.environ and os.environ["OUTCOMES"] != "none":
    for at, word in enumerate(words):
        if word == "--report" and words[at + 1].endswith(".json"):
            pathlib.Path(words[at + 1]).write_text(json.dumps(report))
sys.exit(int(os.environ["ENDS"]))
"""


def _apply(folder: Path, **given: str) -> tuple[int, str, str]:
    """Status, log and outputs of the step that applies."""
    program = folder / "temp" / "ftctl" / "bin" / "ftctl"
    program.parent.mkdir(parents=True)
    program.write_text(APPLYING, "utf-8")
    program.chmod(0o755)
    environ = {
        "GITHUB_EVENT_NAME": "push", "GITHUB_SHA": "c" * 40, "GITHUB_RUN_ATTEMPT": "3",
        "GITHUB_STEP_SUMMARY": str(folder / "summary"), "GITHUB_RUN_ID": "77",
        "GITHUB_SERVER_URL": "https://github.example", "INPUT_COMMAND": "apply",
        "INPUT_WAIT": "false", "BOUGHT": "1", "ENDS": "0", "OUTCOMES": "running",
        "APPROVED_DIGEST": DIGEST,
    }  # fmt: skip
    status, told = _bash(folder, f'source "{ROOT}/ci/apply.sh"', **{**environ, **given})
    output = folder / "output"
    return status, told, output.read_text("utf-8") if output.exists() else ""


@pytest.mark.parametrize(
    ("ends", "outcomes", "bought", "waits", "kept"),
    [
        ("0", "running", "1", True, True),
        ("0", "running", "0", False, True),  # it only cleans up
        ("1", "running failed attention", "1", True, True),
        ("4", "running failed", "1", True, True),
        ("4", "running not-done", "1", False, True),
        ("1", "not-done", "1", False, True),
        ("4", "running not-known", "1", False, True),  # it may be begun, or not
        ("1", "none", "1", False, True),  # it does not say
        ("1", "", "1", False, True),  # nobody could look
        ("5", "running", "1", False, False),
        ("6", "running", "1", False, True),
        ("70", "running", "1", False, True),
    ],
)
def test_a_wait_is_wanted_once_all_of_it_is_begun(
    tmp_path: Path, ends: str, outcomes: str, bought: str, *, waits: bool, kept: bool
) -> None:
    status, told, outputs = _apply(tmp_path, ENDS=ends, OUTCOMES=outcomes, BOUGHT=bought)

    assert status == int(ends), told
    assert ("waiting<<" in outputs) is waits
    assert ("ftctl-waiting-default@.-3" in outputs) is waits
    assert ("ftctl-approved-default@.-3" in outputs) is (kept and not waits)
    handed = tmp_path / "temp" / "ftctl" / "default@." / "handed" / "1.plan.json"
    assert handed.exists() is kept


def test_what_waits_hands_nothing_on_and_takes_no_option_of_the_apply(tmp_path: Path) -> None:
    plan = tmp_path / "one.json"
    plan.write_text("{}", "utf-8")
    status, told, outputs = _apply(
        tmp_path, INPUT_COMMAND="wait", INPUT_RETRY_FAILED="true", INPUT_TIMEOUT="5h",
        APPROVED_PLANS=f"{plan}\n{plan}", GITHUB_EVENT_NAME="workflow_dispatch",
    )  # fmt: skip

    assert status == 0
    assert f"--wait --timeout 5h {plan} {plan}" in told
    assert "--retry-failed" not in told
    assert "handed" not in outputs


def test_failed_jobs_are_bought_again_by_hand_alone(tmp_path: Path) -> None:
    status, told, _ = _apply(tmp_path, INPUT_RETRY_FAILED="true")

    assert status == 1
    assert "'retry-failed' is for a run by hand" in told
    assert "asked:" not in told


def test_a_digest_of_another_plan_is_handed_to_ftctl_with_the_options_of_the_plan(
    tmp_path: Path,
) -> None:
    status, told, outputs = _apply(
        tmp_path, APPROVED_DIGEST=OTHER, INPUT_RETRY_FAILED="true", ENDS="5",
        GITHUB_EVENT_NAME="workflow_dispatch", APPROVED_NOTES="one\ntwo",
    )  # fmt: skip

    assert status == 5
    assert f"--retry-failed --approve {OTHER}" in told
    assert "is not what was reviewed (one; two), and nothing was done" in told
    assert f"approve = {DIGEST} and retry-failed" in told
    assert "handed" not in outputs


def test_a_wait_that_finds_nothing_handed_on_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text('#!/bin/sh\necho \'{"why": "nothing is there"}\'\n', "utf-8")
    (tmp_path / "python3").chmod(0o755)
    status, told = _bash(
        tmp_path, f'source "{ROOT}/ci/approved.sh"', INPUT_COMMAND="wait", GH_TOKEN="x",
        GITHUB_EVENT_NAME="push", PATH=f"{tmp_path}:{os.environ['PATH']}",
    )  # fmt: skip

    assert status == 1
    assert "what this run approved is not known: nothing is there. Run all jobs of it again" in told


GATE = yaml.safe_load((TEMPLATES / "ftctl-plan.yml").read_text("utf-8"))["jobs"]["ftctl"]
ENDS = ("success", "failure", "cancelled", "skipped", "")


@pytest.mark.parametrize("fork", ENDS)
@pytest.mark.parametrize("plan", ENDS)
def test_the_required_check_passes_where_one_planned_and_the_other_did_not(
    tmp_path: Path, plan: str, fork: str
) -> None:
    (step,) = GATE["steps"]
    needs = {"plan": {"result": plan}, "plan-fork": {"result": fork}}
    results = filled_in(step["env"]["RESULTS"], {"needs": needs})

    status, _ = _bash(tmp_path, step["run"], RESULTS=results)

    assert (status == 0) is ({plan, fork} == {"success", "skipped"})


def test_the_required_check_runs_always_and_leaves_its_name_to_plans() -> None:
    def name(action: str, label: str = "") -> str:
        event = {"action": action, "label": {"name": label}}
        return filled_in(GATE["name"], {"github": {"event": event}})

    assert GATE["if"] == "always()"
    assert GATE["needs"] == ["plan", "plan-fork"]
    assert [name("opened"), name("labeled", "ftctl-plan"), name("checks_requested")] == [
        "ftctl"
    ] * 3
    assert name("labeled", "bug") == "ftctl (another label)"


# GitHub's own program, as it answers and as it must not.

BODY = '{"message":"x"}'


def _gh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder / "gh"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("script", "error", "why"),
    [
        ("echo 'gh: Not Found (HTTP 404)' >&2; exit 1", "Missing", "a/path"),
        ("echo 'gh: Gone (HTTP 410)' >&2; exit 1", "Missing", "a/path"),
        ("echo 'gh: Forbidden (HTTP 403)' >&2; exit 1", "Unanswered", "the job needs 'actions'"),
        ("echo 'gh: Bad credentials (HTTP 401)' >&2; exit 1", "Unanswered", "the job needs"),
        ("echo 'Server Error (HTTP 502)' >&2; exit 1", "Unanswered", "('Server Error (HTTP 502)')"),
        ("echo 'no network' >&2; exit 1", "Unanswered", "('no network')"),
        ("printf 'a\\n::error::b\\033[1m' >&2; exit 1", "Unanswered", "('a?::error::b??1m')"),
        ("exit 4", "Unanswered", "did not answer a/path ('')"),
        ("head -c 101 /dev/zero", "Refused", "answer to a/path has more than 100 bytes"),
        ("cat /dev/zero", "Refused", "answer to a/path has more than 100 bytes"),
        ("head -c 101 /dev/zero; echo 'HTTP 404' >&2; exit 1", "Refused", "more than 100 bytes"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, error: str, why: str
) -> None:
    _gh(tmp_path, monkeypatch, script)

    with pytest.raises(getattr(approved, error)) as raised:
        approved.ask_gh("a/path", 100)

    assert why in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("script", ["head -c 100 /dev/zero", "head -c 100 /dev/zero; echo x >&2"])
def test_an_answer_within_its_limit_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    _gh(tmp_path, monkeypatch, script)

    assert approved.ask_gh("a/path", 100) == bytes(100)
