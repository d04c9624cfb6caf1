"""What somebody may put between a review at GitLab and the purchase that it approved."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, KEY, chat_rows
from forges.gitlab import BOT, CONFIG, PROJECT, TOKEN, GitLab
from forges.gitlab_scripts import APPROVAL, FORGE, JOBS
from forges.standby import Standby

from ftctl.emulator import Settings as Options
from ftctl.emulator import open_emulator, serve

_MISSING = [name for name in ("bash", "git") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"{', '.join(_MISSING)} is not here")

WARM = FINETUNE.replace("tone", "warm")
FILES = {
    "ftctl.yaml": "project: demo\nprovider: {type: compatible}\n",
    "finetunes/tone.yaml": FINETUNE,
    "data/train.jsonl": chat_rows(12),
    "ci/more.yml": "include: ci/parts/*.yml\n",
    "ci/parts/one.yml": "{}\n",
    "ci/with space.yml": "{}\n",
    "ci/plain space.yml": "{}\n",
    ".gitlab-ci.yml": "include:\n  - local: /ftctl.gitlab-ci.yml\n  - local: ci/more.yml\n"
    "  - local: 'ci/with space.yml'\n  - ci/plain space.yml\n"
    "  - project: acme/tools\n    file: /templates/lint.yml\n",
}
EVIL = "sha256:" + "e" * 64


@dataclass
class Merged:
    """A merge request that was planned, reviewed and merged, before anybody meddles with it."""

    gitlab: GitLab
    request: dict[str, Any]
    commit: str
    number: int  # of the job that planned

    def look(self) -> Any:
        """What the job that looks for the approval finds."""
        merge = APPROVAL.Merge(
            sha=self.commit,
            branch="main",
            job="ftctl:plan",
            place="default@.",
            mark="<!-- ftctl comment: default . -->",
            config=".gitlab-ci.yml",
        )
        return APPROVAL.find_approval(merge, FORGE.Api(self.gitlab.url, PROJECT, TOKEN))

    @property
    def note(self) -> dict[str, Any]:
        return next(one for one in self.gitlab.notes if one["author"]["id"] == BOT)

    @property
    def job(self) -> dict[str, Any]:
        return next(one for one in self.gitlab.jobs if one["id"] == self.number)

    @property
    def pipeline(self) -> dict[str, Any]:
        return next(one for one in self.gitlab.pipelines if one["id"] == self.job["pipeline"]["id"])

    @property
    def kept(self) -> dict[str, bytes]:
        return self.gitlab.artifacts[self.job["id"]]

    @property
    def digest(self) -> str:
        digest: str = json.loads(self.kept["ftctl-plan/plan.json"])["digest"]
        return digest


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, standby: Standby) -> Iterator[GitLab]:
    """A project with a service, as a pipeline sees it."""
    folder = tmp_path_factory.mktemp("gitlab")
    options = Options(training=False, api_key=KEY)
    with (
        open_emulator(folder / "service", settings=options) as emulator,
        serve(emulator).start() as server,
    ):
        gitlab = GitLab(
            folder / "project",
            {"OPENAI_BASE_URL": server.url},
            {
                "ftctl/plan": {"OPENAI_API_KEY": KEY},
                "ftctl/notes": {"FTCTL_GITLAB_TOKEN": TOKEN},
            },
            standby.program,
        )
        with gitlab:
            gitlab.set_up(FILES)
            yield gitlab


@pytest.fixture(scope="module")
def reviewed(project: GitLab) -> Merged:
    project.commit("change", {"finetunes/warm.yaml": WARM})
    request = project.open_request("change")
    runs = project.plan(request)
    assert [run.status for run in runs.values()] == [0, 0, 0], runs["ftctl:plan"].log
    return Merged(project, request, project.merge(request), runs["ftctl:plan"].id)


@pytest.fixture
def merged(reviewed: Merged, monkeypatch: pytest.MonkeyPatch) -> Iterator[Merged]:
    """The same for each test, whatever the one before did to it."""
    monkeypatch.setattr(FORGE, "PAUSES_SECONDS", (0.0, 0.0))
    names = ("requests", "notes", "pipelines", "jobs", "artifacts")
    before = {name: copy.deepcopy(getattr(reviewed.gitlab, name)) for name in names}
    reviewed.request = reviewed.gitlab.requests[0]
    yield reviewed
    for name in names:
        setattr(reviewed.gitlab, name, before[name])
    reviewed.request = reviewed.gitlab.requests[0]
    reviewed.gitlab.instead = lambda _: None


def _refused(merged: Merged) -> str:
    with pytest.raises((APPROVAL.Refused, FORGE.Unanswered)) as caught:
        merged.look()
    return str(caught.value)


# What is honest.


def _nothing(merged: Merged) -> None:
    pass


def _line_ends(merged: Merged) -> None:
    merged.note["body"] = merged.note["body"].replace("\n", "\r\n")


def _stripped(merged: Merged) -> None:
    merged.note["body"] = merged.note["body"].strip()


def _reaction(merged: Merged) -> None:
    """A thumb on a note moves this."""
    merged.note["updated_at"] = "2027-01-01T00:00:00Z"


def _talk(merged: Merged) -> None:
    for number in range(250):
        merged.gitlab.note_by(2, 3, f"Fine by me. {number}")


def _quoted_by_a_person(merged: Merged) -> None:
    merged.gitlab.note_by(2, 3, merged.note["body"])


def _another_environment(merged: Merged) -> None:
    other = merged.note["body"].replace("comment: default .", "comment: prod .")
    merged.gitlab.note_by(BOT, 3, other.replace(merged.digest, EVIL))


def _another_folder(merged: Merged) -> None:
    other = merged.note["body"].replace("comment: default .", "comment: default services/a")
    merged.gitlab.note_by(BOT, 3, other.replace(merged.digest, EVIL))


def _a_branch_pipeline_after(merged: Merged) -> None:
    merged.gitlab.pipelines.append(
        {**merged.pipeline, "id": 9_999, "source": "push", "ref": "refs/heads/feature/3/x"}
    )


def _an_older_pipeline(merged: Merged) -> None:
    merged.gitlab.pipelines.insert(0, {**merged.pipeline, "id": 1})


def _an_older_try(merged: Merged) -> None:
    merged.gitlab.jobs.insert(0, {**merged.job, "id": 1, "status": "failed"})


def _a_train_after(merged: Merged) -> None:
    """It plans for itself, and puts nothing in a note."""
    ref = "refs/merge-requests/3/train"
    merged.gitlab.pipelines.append({**merged.pipeline, "id": 9_999, "ref": ref})


def _a_result_of_its_own(merged: Merged) -> None:
    """The note that says how the apply ended."""
    merged.gitlab.note_by(BOT, 3, "<!-- ftctl result: default . -->\n\nApplied.")


def _one_hiccup(merged: Merged) -> None:
    seen: list[str] = []

    def instead(asked: str) -> tuple[int, Any] | None:
        seen.append(asked)
        return (502, None) if seen.count(asked) == 1 else None

    merged.gitlab.instead = instead


@pytest.mark.parametrize(
    "happens",
    [
        _nothing, _line_ends, _stripped, _reaction, _talk, _quoted_by_a_person,
        _another_environment, _another_folder, _a_branch_pipeline_after, _an_older_pipeline,
        _an_older_try, _one_hiccup, _a_train_after, _a_result_of_its_own,
    ],
    ids=lambda happens: happens.__name__.strip("_"),
)  # fmt: skip
def test_an_honest_merge_is_found(merged: Merged, happens: Callable[[Merged], None]) -> None:
    happens(merged)

    found = merged.look()

    assert (found.iid, found.digest) == (3, merged.digest)
    assert found.plan == merged.kept["ftctl-plan/plan.json"]


def test_a_train_that_goes_fast_forward_is_found_by_its_pipeline(merged: Merged) -> None:
    """GitLab makes new commits of the branch's, and names them nowhere but in the pipeline."""
    merged.request.update(merge_commit_sha=None, squash_commit_sha=None)
    train = {**merged.pipeline, "id": 9_999, "ref": "refs/merge-requests/3/train"}
    merged.gitlab.pipelines.append({**train, "sha": merged.commit})
    listed = f"GET repository/commits/{merged.commit}/merge_requests"
    merged.gitlab.instead = lambda asked: (
        (200, [merged.request]) if listed.removeprefix("GET ") in asked else None
    )

    assert merged.look().digest == merged.digest
    merged.gitlab.pipelines[-1]["source"] = "push"
    assert "was merged by no merge request" in _refused(merged)
    merged.gitlab.pipelines.pop()
    assert "was merged by no merge request" in _refused(merged)


def test_of_two_merges_in_a_push_each_is_looked_at_by_itself(merged: Merged) -> None:
    gitlab = merged.gitlab
    before = gitlab.git("rev-parse", f"{merged.commit}^1")
    head = gitlab.commit("unplanned", {"README.md": "Nobody planned this.\n"})
    second = gitlab.open_request("unplanned")
    tip = gitlab.merge(second)
    try:
        api = FORGE.Api(gitlab.url, PROJECT, TOKEN)
        merge = APPROVAL.Merge(
            tip, "main", "ftctl:plan", "default@.", "<!-- ftctl comment: default . -->",
            ".gitlab-ci.yml",
        )  # fmt: skip
        found = APPROVAL.find_approvals(merge, before, api)
        alone = APPROVAL.find_approvals(merge, "0" * 40, api)
    finally:
        gitlab.git("reset", "--quiet", "--hard", merged.commit)
        gitlab.git("push", "--quiet", "--force", "origin", "main")

    assert head
    assert [one.digest for one in found.approvals] == [merged.digest]
    assert found.requests == (3, second["iid"])
    (problem,) = found.problems
    assert f"merge request !{second['iid']} has no note of our user" in problem
    assert alone.approvals == ()
    assert alone.requests == (second["iid"],)


@pytest.mark.parametrize("answer", [[], [{"id": "0" * 40}], [{}], {"id": "x"}])
def test_a_push_that_is_told_oddly_approves_no_more_than_its_last_commit(
    merged: Merged, answer: Any
) -> None:
    merged.gitlab.instead = lambda asked: (200, answer) if "ref_name=" in asked else None
    api = FORGE.Api(merged.gitlab.url, PROJECT, TOKEN)

    with contextlib.suppress(FORGE.Unanswered):
        assert APPROVAL.pushed(api, "1" * 40, merged.commit) == [merged.commit]


def test_a_push_of_very_many_commits_approves_nothing(merged: Merged) -> None:
    many = [{"id": f"{number:040x}"} for number in range(100)]
    merged.gitlab.instead = lambda asked: (200, many) if "ref_name=" in asked else None
    api = FORGE.Api(merged.gitlab.url, PROJECT, TOKEN)

    with pytest.raises(APPROVAL.Refused, match="more than 100 commits were pushed at once"):
        APPROVAL.pushed(api, "1" * 40, merged.commit)


# What is not: the note.


def _no_note(merged: Merged) -> None:
    merged.gitlab.notes.remove(merged.note)


def _by_another(merged: Merged) -> None:
    merged.note["author"] = {"id": 1}


def _older_forged(merged: Merged) -> None:
    forged = {**merged.note, "id": 1, "body": merged.note["body"].replace(merged.digest, EVIL)}
    merged.gitlab.notes.insert(0, forged)


def _newer_forged(merged: Merged) -> None:
    merged.gitlab.note_by(BOT, 3, merged.note["body"].replace(merged.digest, EVIL))


def _equal_twice(merged: Merged) -> None:
    merged.gitlab.note_by(BOT, 3, merged.note["body"])


def _mark_further_down(merged: Merged) -> None:
    merged.gitlab.note_by(BOT, 3, f"Approved.\n\n{merged.note['body']}")


def _one_word(merged: Merged) -> None:
    merged.note["body"] = merged.note["body"].replace("warm", "cold")


def _one_line_more(merged: Merged) -> None:
    merged.note["body"] += "\n\nThis buys nothing.\n"


def _one_invisible(merged: Merged) -> None:
    merged.note["body"] = merged.note["body"].replace("warm", "wa\u200brm")


def _another_digest(merged: Merged) -> None:
    merged.note["body"] = merged.note["body"].replace(merged.digest, EVIL)


def _another_head(merged: Merged) -> None:
    merged.note["body"] = merged.note["body"].replace(merged.request["sha"], "0" * 40)


def _no_second_line(merged: Merged) -> None:
    merged.note["body"] = "<!-- ftctl comment: default . -->\napproved"


def _mark_alone(merged: Merged) -> None:
    merged.note["body"] = "<!-- ftctl comment: default . -->"


def _words_behind(merged: Merged) -> None:
    lines = merged.note["body"].split("\n")
    merged.note["body"] = "\n".join((lines[0], f"{lines[1]} approved", *lines[2:]))


def _no_plan(merged: Merged) -> None:
    line = f"<!-- ftctl reviewed: {merged.request['sha']} none -->"
    merged.note["body"] = "\n".join((merged.note["body"].split("\n")[0], line))


def _without_ids(merged: Merged) -> None:
    line = f"<!-- ftctl reviewed: {merged.request['sha']} {merged.digest} -->"
    merged.note["body"] = "\n".join((merged.note["body"].split("\n")[0], line))


@pytest.mark.parametrize(
    ("meddle", "why"),
    [
        (_no_note, "merge request !3 has no note of our user with a plan for this environment"),
        (_by_another, "merge request !3 has no note of our user with a plan for this environment"),
        (_older_forged, "has 2 notes of our user that say what would be done here: one of them"),
        (_newer_forged, "has 2 notes of our user that say what would be done here: one of them"),
        (_equal_twice, "has 2 notes of our user that say what would be done here: one of them"),
        (_mark_further_down, "has 2 notes of our user that say what would be done here: one of"),
        (_one_word, "is not what job JOB wrote: somebody changed it"),
        (_one_line_more, "is not what job JOB wrote: somebody changed it"),
        (_one_invisible, "is not what job JOB wrote: somebody changed it"),
        (_another_digest, f"the note on merge request !3 says {EVIL}, and job JOB planned 'sha256"),
        (_another_head, "is of commit 0000000000000000000000000000000000000000; what was merged"),
        (_no_second_line, "the note on merge request !3 was changed by hand"),
        (_mark_alone, "the note on merge request !3 was changed by hand"),
        (_words_behind, "the note on merge request !3 was changed by hand"),
        (_no_plan, "merge request !3 was merged without a plan that may be applied"),
        (_without_ids, "the note on merge request !3 was changed by hand"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_a_note_that_is_not_as_it_was_written_approves_nothing(
    merged: Merged, meddle: Callable[[Merged], None], why: str
) -> None:
    meddle(merged)

    assert why.replace("JOB", str(merged.job["id"])) in _refused(merged)


# The job and its pipeline.


def _another_job_with_the_same_files(merged: Merged) -> None:
    """A job of any other name that keeps what the plan's job kept."""
    merged.gitlab.jobs.append({**merged.job, "id": 9_999, "name": "ftctl:plan:fork"})
    merged.gitlab.artifacts[9_999] = merged.kept
    merged.note["body"] = merged.note["body"].replace(f" {merged.job['id']} -->", " 9999 -->")


def _a_job_that_is_gone(merged: Merged) -> None:
    merged.gitlab.jobs.remove(merged.job)


def _a_job_of_another_project(merged: Merged) -> None:
    merged.job["pipeline"]["project_id"] = 2


def _a_job_of_another_pipeline(merged: Merged) -> None:
    merged.job["pipeline"]["id"] += 10_000


def _a_job_that_failed(merged: Merged) -> None:
    merged.job["status"] = "failed"


def _tried_again(merged: Merged) -> None:
    merged.gitlab.jobs.append({**merged.job, "id": 9_999})


def _planned_again(merged: Merged) -> None:
    merged.gitlab.pipelines.append({**merged.pipeline, "id": 9_999})


def _pipeline_of_a_train(merged: Merged) -> None:
    """What a train planned nobody read: it merges by itself."""
    merged.pipeline["ref"] = "refs/merge-requests/3/train"


def _pipeline_of_a_fork(merged: Merged) -> None:
    merged.pipeline["project_id"] = 2


def _pipeline_of_another_request(merged: Merged) -> None:
    merged.pipeline["ref"] = "refs/merge-requests/33/head"


def _pipeline_of_a_branch(merged: Merged) -> None:
    merged.pipeline["ref"] = "change"


def _pipeline_of_another_commit(merged: Merged) -> None:
    merged.pipeline["sha"] = "0" * 40


def _pipeline_that_is_gone(merged: Merged) -> None:
    merged.gitlab.pipelines.remove(merged.pipeline)


@pytest.mark.parametrize(
    ("meddle", "why"),
    [
        (_another_job_with_the_same_files, "which the note names, is not 'ftctl:plan': 'ftctl:pl"),
        (_a_job_of_another_project, "which the note names, is of another project: '2'"),
        (_a_job_of_another_pipeline, "which the note names, is not of pipeline "),
        (_a_job_that_failed, "which the note names, is not one that ended well: 'failed'"),
        (_tried_again, "job 9999 planned the same commit after job "),
        (_planned_again, "pipeline 9999 is of the same merge request and came after pipeline "),
        (_pipeline_of_a_train, "is not of merge request !3: 'refs/merge-requests/3/train'"),
        (_pipeline_of_a_fork, "which the note names, is of another project"),
        (_pipeline_of_another_request, "is not of merge request !3: 'refs/merge-requests/33/head'"),
        (_pipeline_of_a_branch, "is not of merge request !3: 'change'"),
        (_pipeline_of_another_commit, "is of commit '0000000000000000000000000000000000000000'"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_a_job_that_is_not_the_plans_own_approves_nothing(
    merged: Merged, meddle: Callable[[Merged], None], why: str
) -> None:
    meddle(merged)

    assert why in _refused(merged)


@pytest.mark.parametrize(
    "source",
    ["push", "web", "api", "schedule", "trigger", "pipeline", "parent_pipeline",
     "external_pull_request_event", "chat", "security_orchestration_policy", None],
)  # fmt: skip
def test_a_pipeline_of_another_source_approves_nothing(merged: Merged, source: str | None) -> None:
    merged.pipeline["source"] = source

    assert f"is of no merge request: '{source}'" in _refused(merged)


@pytest.mark.parametrize("meddle", [_a_job_that_is_gone, _pipeline_that_is_gone])
def test_what_is_not_there_any_more_approves_nothing(
    merged: Merged, meddle: Callable[[Merged], None]
) -> None:
    body, number = merged.note["body"], merged.job["id"]
    meddle(merged)

    assert str(number) in body
    assert "which the note names, is not there (any more)" in _refused(merged)


# What the job kept.


@pytest.mark.parametrize("name", ["note.md", "plan.json", "reviewed.json"])
def test_what_was_deleted_approves_nothing(merged: Merged, name: str) -> None:
    del merged.kept[f"ftctl-plan/{name}"]

    assert "kept is gone: it was deleted, has expired, or was never kept" in _refused(merged)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 2),
        ("head", "0" * 40),
        ("place", "prod@."),
        ("place", "default@services_2fa"),
        ("project", "2"),
        ("event", "push"),
        ("base", "staging"),
        ("number", "33"),
        ("pipeline", "1"),
        ("job", "1"),
        ("digest", EVIL),
        ("digest", None),
    ],
)
def test_what_the_job_says_must_be_what_gitlab_says(merged: Merged, key: str, value: Any) -> None:
    path = "ftctl-plan/reviewed.json"
    said = {**json.loads(merged.kept[path]), key: value}
    merged.kept[path] = json.dumps(said).encode()

    why = _refused(merged)

    assert re.search(f"says that its {key} is|planned '|is of another version of the template", why)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("plan.json", json.dumps({"digest": EVIL}).encode(), "is not the one that it names"),
        ("plan.json", b"[]", "is not the one that it names"),
        ("plan.json", b"[" * 100_000, "plan.json is no JSON"),
        ("reviewed.json", b"\xff\xfe", "reviewed.json is no JSON"),
        ("reviewed.json", b"[1]", "is of another version of the template"),
        ("reviewed.json", b" " * 20_000 + b"{}", "has more than 16,384 bytes"),
        ("note.md", b"another plan", "wrote: somebody changed it"),
        ("note.md", b"", "wrote: somebody changed it"),
        ("note.md", b"x" * (2 * 1024 * 1024 + 1), "has more than 2,097,152 bytes"),
    ],
)
def test_a_file_that_was_replaced_approves_nothing(
    merged: Merged, name: str, content: bytes, why: str
) -> None:
    merged.kept[f"ftctl-plan/{name}"] = content

    assert why in _refused(merged)


# The merge request.


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"source_project_id": 2}, "came from a fork, which is planned without a key"),
        ({"source_project_id": None}, "came from a fork, which is planned without a key"),
        ({"state": "opened"}, "was merged by no merge request"),
        ({"state": "closed"}, "was merged by no merge request"),
        ({"target_branch": "staging"}, "was merged by no merge request"),
        ({"target_project_id": 2}, "was merged by no merge request"),
        ({"merge_commit_sha": "0" * 40}, "was merged by no merge request"),
        ({"sha": "0" * 40}, "; what was merged is 0000000000000000000000000000000000000000"),
    ],
)
def test_a_request_that_did_not_become_this_commit_approves_nothing(
    merged: Merged, fields: dict[str, Any], why: str
) -> None:
    merged.request.update(fields)

    assert why in _refused(merged)


def test_two_requests_with_one_commit_approve_nothing(merged: Merged) -> None:
    merged.gitlab.requests.append({**merged.request, "iid": 4})

    assert "is the merge of several merge requests: !3, !4" in _refused(merged)


def test_a_head_that_later_is_pushed_past_review_is_no_merge_of_it(merged: Merged) -> None:
    """The branch's own commit is what was merged only where nothing else was made of it."""
    merged.commit = merged.request["sha"]
    try:
        assert "was merged by no merge request" in _refused(merged)
    finally:
        merged.commit = merged.request["merge_commit_sha"]


# What the pipeline is made of. Each is a merge request of its own.


@pytest.mark.parametrize(
    ("name", "files"),
    [
        (".gitlab-ci.yml", {".gitlab-ci.yml": FILES[".gitlab-ci.yml"] + "evil: {script: [id]}\n"}),
        (".gitlab-ci.yml", {".gitlab-ci.yml": CONFIG}),
        ("ftctl.gitlab-ci.yml", {"ftctl.gitlab-ci.yml": "evil: {script: [id]}\n"}),
        ("ci/more.yml", {"ci/more.yml": "include: ci/parts/*.yml\nevil: {script: [id]}\n"}),
        ("ci/parts/one.yml", {"ci/parts/one.yml": "evil: {script: [id]}\n"}),
        ("ci/parts/two.yml", {"ci/parts/two.yml": "evil: {script: [id]}\n"}),
        ("ci/with space.yml", {"ci/with space.yml": "evil: {script: [id]}\n"}),
        ("ci/plain space.yml", {"ci/plain space.yml": "evil: {script: [id]}\n"}),
        ("templates/lint.yml", {"templates/lint.yml": "evil: {script: [id]}\n"}),
    ],
)
def test_a_request_that_changes_its_own_pipeline_approves_nothing(
    merged: Merged, name: str, files: dict[str, str]
) -> None:
    gitlab = merged.gitlab
    base = gitlab.git("rev-parse", "main")
    head = gitlab.commit(f"pipeline-{len(gitlab.asked)}", {**files, "finetunes/warm.yaml": WARM})
    merged.request.update(sha=head, diff_refs={"base_sha": base, "head_sha": head})
    merged.pipeline["sha"] = head
    merged.note["body"] = re.sub(r"reviewed: \w{40}", f"reviewed: {head}", merged.note["body"])

    assert (
        f"the merge request changes '{name}', which says what its own pipeline does: change that in"
        " a merge request of its own" in _refused(merged)
    )


@pytest.mark.parametrize("name", ["'$PLACE/x.yml'", "$PLACE.yml", '"ci/$[[ inputs.x ]].yml"'])
def test_a_pipeline_that_is_named_by_a_variable_approves_nothing(merged: Merged, name: str) -> None:
    """On main itself: what its merge requests were planned by, nobody can tell."""
    gitlab = merged.gitlab
    files = {".gitlab-ci.yml": f"include:\n  - local: {name}\n"}
    head = gitlab.commit(f"variable-{len(gitlab.asked)}", files)
    merged.request.update(sha=head, diff_refs={"base_sha": head, "head_sha": head})
    merged.pipeline["sha"] = head
    merged.note["body"] = re.sub(r"reviewed: \w{40}", f"reviewed: {head}", merged.note["body"])

    assert "by a variable, so nobody can tell what the pipeline was: write the name" in _refused(
        merged
    )


def test_a_merged_result_is_of_the_head_and_of_what_the_branch_was(merged: Merged) -> None:
    gitlab = merged.gitlab
    parents = gitlab.git("rev-parse", f"{merged.commit}^@").split()
    merged.pipeline.update(ref="refs/merge-requests/3/merge", sha=merged.commit)

    assert merged.request["sha"] in parents
    assert merged.look().digest == merged.digest


@pytest.mark.parametrize("kind", ["merge"])
def test_a_result_merged_with_another_branch_approves_nothing(merged: Merged, kind: str) -> None:
    """Planned while it went to a branch whose pipeline is the author's own, then turned to main."""
    gitlab = merged.gitlab
    before = f"{merged.commit}^1"
    gitlab.commit(f"theirs-{kind}", {".gitlab-ci.yml": "evil: {script: [id]}\n"}, start=before)
    gitlab.git("checkout", "--quiet", "--detach", f"theirs-{kind}")
    gitlab.git("merge", "--quiet", "--no-ff", "--no-edit", "-X", "ours", merged.request["sha"])
    sha = gitlab.git("rev-parse", "HEAD")
    gitlab.git("push", "--quiet", "origin", f"HEAD:refs/merge-requests/3/{kind}")
    gitlab.git("checkout", "--quiet", "main")
    merged.pipeline.update(ref=f"refs/merge-requests/3/{kind}", sha=sha)

    assert "was planned for another branch than 'main', which does not have commit" in _refused(
        merged
    )


def test_a_result_that_was_merged_without_the_head_approves_nothing(merged: Merged) -> None:
    sha = merged.gitlab.git("rev-parse", f"{merged.commit}^1")
    merged.pipeline.update(ref="refs/merge-requests/3/merge", sha=sha)

    assert f"tested another commit than {merged.request['sha']}" in _refused(merged)


# A GitLab that answers oddly: nothing is guessed.


@pytest.mark.parametrize(
    ("status", "answer", "why"),
    [
        (401, None, "with 401: FTCTL_GITLAB_TOKEN has expired, was revoked or is not whole"),
        (403, None, "with 403: FTCTL_GITLAB_TOKEN needs the scope 'api' and the role Reporter"),
        (500, None, "with 500"),
        (302, None, "with 302"),
        (200, b"<html>Sign in</html>", "is no JSON"),
        (200, {"message": "hm"}, "is no list"),
        (200, b" " * (16 * 1024 * 1024 + 1), "has more than 16,777,216 bytes"),
        (200, [{}] * 100, "has more than 3,000 entries"),
        (200, [None, 7, "x", []], "was merged by no merge request"),
    ],
)
def test_an_answer_that_is_none_approves_nothing(
    merged: Merged, status: int, answer: Any, why: str
) -> None:
    merged.gitlab.instead = lambda _: (status, answer)

    assert why in _refused(merged)


@pytest.mark.parametrize(
    "answer",
    [{}, {"iid": "3"}, {"iid": 3, "sha": 7}, {"iid": True, "sha": "x"}, [], None],
)
def test_a_request_without_shape_approves_nothing(merged: Merged, answer: Any) -> None:
    merged.gitlab.instead = lambda asked: (
        (200, answer) if asked.endswith("/merge_requests/3") else None
    )

    assert _refused(merged)


# What is said in a note and in a log.


@pytest.mark.parametrize(
    "line",
    ["/merge", "/approve", "  /close", "\t/assign @root", "/label ~evil", "/run_pipeline"],
)
def test_no_line_of_a_note_is_a_quick_action(line: str) -> None:
    spoken = JOBS.spoken(f"Plan\n{line}\n\n{line}")

    assert not re.search(r"(?m)^\s*/", spoken)
    assert spoken.replace("\\/", "/") == f"Plan\n{line}\n\n{line}"


@pytest.mark.parametrize(
    "one",
    [
        ("", "."), ("default", "."), ("Default", "."), ("prod", "."), ("prod", "a/b"),
        ("prod", "a_2fb"), ("prod", "a b"), ("prod@a", "."), ("prod", "@"), ("_64efault", "."),
    ],
)  # fmt: skip
def test_places_share_no_name(one: tuple[str, str]) -> None:
    def job(environment: str, directory: str) -> Any:
        return JOBS.Job(directory, environment, "ftctl", "5h", "", (), {})

    others = [("", "a"), ("default", "a"), ("prod", "a@b"), ("prod", "a-2fb"), ("d", "efault")]

    assert all(job(*one).place != job(*other).place for other in others)
    assert all(job(*one).mark("comment") != job(*other).mark("comment") for other in others)
    assert re.fullmatch(r"[a-z0-9._@-]+", job(*one).place)


@pytest.mark.parametrize("directory", ["./a", "a/", "a//", "a/."])
def test_one_folder_has_one_name(directory: str) -> None:
    job = JOBS.Job(directory, "", "ftctl", "5h", "", (), {})

    assert job.place == "default@a"


# The job that fetches ftctl, and jobs with a token where none belongs.


def _job(gitlab: GitLab, name: str, **variables: str) -> Any:
    pipeline = {
        "id": 1, "project_id": PROJECT, "source": "push", "ref": "main",
        "sha": gitlab.git("rev-parse", "main"),
    }  # fmt: skip
    known = {
        "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_SHA": pipeline["sha"], "CI_COMMIT_BRANCH": "main",
        "CI_DEFAULT_BRANCH": "main", **variables,
    }  # fmt: skip
    return gitlab.run_job(name, pipeline, [], known)


def test_a_source_without_the_commit_starts_nothing(merged: Merged) -> None:
    honest = merged.gitlab.inputs
    merged.gitlab.inputs = {**honest, "commit": "0" * 40}
    try:
        run = _job(merged.gitlab, "ftctl:approved")
    finally:
        merged.gitlab.inputs = honest

    assert run.status != 0
    assert "approved" not in run.log.replace("ftctl:approved", "")


def test_a_branch_that_is_named_like_the_commit_is_not_taken(merged: Merged) -> None:
    gitlab = merged.gitlab
    honest = gitlab.inputs["commit"]
    scripts = Path(gitlab.inputs["source"].removeprefix("file://")).name
    gitlab.git("checkout", "--quiet", "-B", honest, at=scripts)
    (gitlab.folder / scripts / "ci" / "gitlab" / "__main__.py").write_text("print('evil')\n")
    gitlab.git("commit", "--quiet", "--all", "--message", "evil", at=scripts)

    run = _job(gitlab, "ftctl:approved", FTCTL_GITLAB_TOKEN=TOKEN)

    assert run.status == 0, run.log
    assert "evil" not in run.log


@pytest.mark.parametrize(
    "name", ["ftctl:apply", "ftctl:wait", "ftctl:plan", "ftctl:drift", "ftctl:plan:fork"]
)
def test_a_token_beside_the_key_starts_nothing(merged: Merged, name: str) -> None:
    run = _job(merged.gitlab, name, FTCTL_GITLAB_TOKEN=TOKEN, OPENAI_API_KEY=KEY)

    assert run.status == 1
    assert "FTCTL_GITLAB_TOKEN reaches a job that has the key" in run.log
    assert TOKEN not in run.log


def test_without_a_token_the_job_says_which_is_missing(merged: Merged) -> None:
    run = _job(merged.gitlab, "ftctl:approved", FTCTL_GITLAB_TOKEN="")

    assert run.status == 1
    assert "store it for the environment scope 'ftctl/notes'" in run.log


@pytest.mark.parametrize(
    "approve", ["yes", "sha256:", "a" * 63, "$(id)", "sha256:" + "E" * 64, "--help"]
)
def test_what_is_no_digest_approves_nothing(merged: Merged, approve: str) -> None:
    run = _job(
        merged.gitlab, "ftctl:approved", CI_PIPELINE_SOURCE="web", FTCTL_APPROVE=approve,
        FTCTL_GITLAB_TOKEN=TOKEN,
    )  # fmt: skip

    assert run.status != 0
    assert "approved.json" not in str(merged.gitlab.artifacts.get(run.id))
