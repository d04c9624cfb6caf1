"""What people see at GitHub: labels, what a run's ending is called, and words of others in it."""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from forges.github import GitHub, JobRun

_FOLDER = str(ROOT / "ci" / "github")
_NAMES = ("forge", "job", "comments", "labels", "planned", "result", "drift", "record", "projects")


def _loaded() -> dict[str, Any]:
    """The program's modules; their plain names are left to others."""
    before = {name: sys.modules.pop(name, None) for name in _NAMES}
    sys.path.insert(0, _FOLDER)
    try:
        return {name: import_module(name) for name in _NAMES}
    finally:
        sys.path.remove(_FOLDER)
        for name, module in before.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module


_MODULES = _loaded()
labels, result, comments, job = (
    _MODULES[name] for name in ("labels", "result", "comments", "job")
)  # fmt: skip

PLACES = [
    "default@.",
    "_64efault@.",
    "production@.",
    "production@services_2fsupport",
    "production@services_2fsupport_2dand_2da_2dname_2dthat_2dis_2dlong",
    "production@services_2fsupport_2dand_2da_2dname_2dthat_2dis_2dlonger",
]


def test_a_label_fits_at_github_and_no_two_places_share_one() -> None:
    names = [labels.label(kind, place).lower() for place in PLACES for kind in labels._KINDS]

    assert max(map(len, names)) <= 50
    assert len(set(names)) == len(PLACES) * len(labels._KINDS)
    assert labels.AGAIN not in names
    assert all(len(description) <= 100 for _, description in labels._KINDS.values())
    assert labels.label("attention", "default@.") == "ftctl-attention"


def _plan(high: float | None = 3.5, **summary: int) -> Any:
    counts = dict.fromkeys(("create", "replace", "cancel", "delete", "defer", "attention"), 0)
    cost = None if high is None else {"low": 0, "high": high}
    return {"summary": {**counts, **summary}, "cost": cost}


@pytest.mark.parametrize(
    ("plan", "status", "kinds"),
    [
        (_plan(0), 0, {"nothing-to-do"}),
        (_plan(0.99, create=1), 2, {"cost-below-1"}),
        (_plan(1, create=1), 2, {"cost-below-10"}),
        (_plan(99, replace=1), 2, {"cost-below-100"}),
        (_plan(999.99, create=1, attention=1), 2, {"cost-below-1000", "attention"}),
        (_plan(1000, create=1), 3, {"cost-1000-or-more", "refused"}),
        (_plan(None, defer=1), 2, {"cost-unknown"}),
        (_plan(0, delete=1), 2, set()),
        (_plan(0, attention=2), 2, {"attention"}),
        (None, 1, set()),
        (_plan(0), 1, set()),
        ([], 0, set()),
    ],
)
def test_a_plan_is_labelled_by_what_it_does_and_costs(
    plan: Any, status: int, kinds: set[str]
) -> None:
    assert labels.kinds_of(plan, status) == kinds


def _report(status: int = 0, *, asked: bool = True, changes: bool = True, **more: Any) -> Any:
    given = {
        "attempt": 2,
        "waited": True,
        "why": "",
        "words": "",
        "started": "",
        "ended": "",
        **more,
    }
    return result.Report(status=status, asked=asked, changes=changes, **given)


STARTED = _report(waited=False)
BROKE = "started; waiting broke, or a job failed"
BEFORE = {"attempt": 1, "waited": False}  # this is attempt 2


@pytest.mark.parametrize(
    ("apply", "wait", "applied", "waited", "headline"),
    [
        ("success", "success", STARTED, _report(changes=False), "applied"),
        ("success", "", _report(), None, "applied"),
        ("success", "skipped", _report(changes=False, waited=False), None, "nothing to do"),
        ("success", "skipped", STARTED, None, "started"),
        ("success", "failure", STARTED, _report(1), "failed"),
        ("success", "failure", STARTED, _report(6), "started, and still training"),
        ("success", "failure", STARTED, None, BROKE),
        ("success", "cancelled", STARTED, None, "started; nobody waits any more"),
        ("failure", "skipped", _report(5, why="stale"), None, "not applied: outdated"),
        ("failure", "skipped", _report(1, asked=False), None, "not applied"),
        ("failure", "skipped", _report(3), None, "not applied: a policy refuses it"),
        ("failure", "success", _report(4), _report(), "applied"),
        ("failure", "failure", _report(4), _report(1), "failed"),
        ("failure", "skipped", _report(4), None, "applied in part"),
        ("failure", "skipped", None, None, "not applied, or not all of it"),
        ("cancelled", "skipped", None, None, "cancelled"),
        # It was done, and then an upload failed: never "not applied".
        ("failure", "skipped", STARTED, None, "started"),
        ("cancelled", "skipped", STARTED, None, "started"),
        ("success", "failure", STARTED, _report(), "applied"),
        # What is of an attempt before is believed of a job that was not run again.
        ("success", "success", _report(**BEFORE), _report(changes=False), "applied"),
        ("success", "skipped", _report(**BEFORE), None, "started"),
        ("failure", "skipped", _report(**BEFORE), None, "not applied, or not all of it"),
        ("cancelled", "skipped", _report(5, **BEFORE), None, "cancelled"),
        ("failure", "skipped", _report(5, **BEFORE), None, "not applied, or not all of it"),
        ("success", "failure", STARTED, _report(6, attempt=1), BROKE),
        ("success", "success", STARTED, _report(6, attempt=1), "applied"),
        ("success", "skipped", _report(5, **BEFORE), None, "over"),
        ("skipped", "skipped", None, None, "not applied"),
        # One job of a matrix: its own report is all that is known.
        ("", "", STARTED, _report(changes=False), "applied"),
        ("", "", _report(5), None, "not applied: outdated"),
        ("", "", None, None, "not applied"),
    ],
)
def test_an_ending_is_called_by_what_github_and_the_jobs_say(
    apply: str, wait: str, applied: Any, waited: Any, headline: str
) -> None:
    verdict = result.judge(apply, wait, applied, waited, 2)

    assert verdict.headline == headline
    if applied is not None and applied.attempt == 1 and apply != "success":
        assert verdict.told is None
        assert verdict.besides == applied  # folded, below words of ours


@pytest.mark.parametrize(
    ("apply", "wait"),
    [("success", "failure"), ("success", "cancelled"), ("cancelled", "skipped")],
)
def test_without_a_word_of_this_attempt_nobody_says_that_jobs_run_on(apply: str, wait: str) -> None:
    """The job `result` alone may be run again, days after a job failed."""
    applied = STARTED if apply == "success" else _report(**BEFORE)

    verdict = result.judge(apply, wait, applied, _report(1, attempt=1), 2)

    assert "whether one does is not known here, `ftctl status` knows" in verdict.advice
    assert "were started run on" not in verdict.advice


def test_a_job_that_broke_after_its_purchase_says_so_below_its_report() -> None:
    verdict = result.judge("failure", "skipped", STARTED, None, 2)

    assert verdict.told == STARTED
    assert verdict.advice.startswith("After that the job was stopped, or a later step of it broke")


HOSTILE = [
    "@acme/everybody and @mallory",
    "closes #12, fixes acme/support#12",
    "![x](https://elsewhere.example/x.png) [y](https://elsewhere.example)",
    "</code></pre><img src=x> <!-- ftctl comment: default . -->",
    "`` ` ~~~ \n\n### ftctl: applied\n\n| a | b |\n\\",
    "\x1b[2J\u202e",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_words_of_others_stay_words(text: str) -> None:
    line = job.as_code(text)
    block = job.verbatim(text)

    inside = re.fullmatch(r"<code>(.*)</code>", line)
    assert inside
    assert not re.search(r"[<>`*_\[\]!@\\\n]|#(?!\d)|(?<!&)#", inside[1])
    outside = re.fullmatch(r"<pre>\n(.*)\n</pre>", block, re.DOTALL)
    assert outside
    assert not re.search(r"[<>@\x1b]", outside[1])
    assert not re.search(r"(?<!&)#", outside[1])
    assert "<!-- ftctl" not in line + block


def test_why_something_was_not_done_is_told_as_words_of_others() -> None:
    why = "run 7 is of another branch: '@acme/all closes #1'"

    verdict = result.judge("failure", "skipped", _report(1, asked=False, why=why), None, 2)

    assert verdict.advice == job.as_code(why, 1_000)


def _packed(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def test_of_what_a_job_kept_only_known_files_of_a_fitting_size_are_read() -> None:
    large = "x" * (result._MOST_FILE + 1)
    files = {"result.json": "{}", "../evil": "x", "report.md": large}

    assert dict(result._unpacked(_packed(files))) == {"result.json": "{}"}


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ("<!-- ftctl comment: default . -->\n<!-- ftctl run: 7 2 -->\nx", (7, 2)),
        (f"m\r\n<!-- ftctl reviewed: {'a' * 40} none 12 3 -->\r\nx", (12, 3)),
        (f"m\n<!-- ftctl reviewed: {'a' * 40} sha256:{'b' * 64} 12 3 -->\nx", (12, 3)),
        ("m\nx\n<!-- ftctl run: 7 2 -->", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_a_comment_says_which_run_wrote_it(body: str, written: tuple[int, int]) -> None:
    assert comments.run_of(body) == written


def test_a_plan_is_outdated_by_when_it_was_begun() -> None:
    def body(digest: str, line: str) -> str:
        return f"m\n<!-- ftctl reviewed: {'a' * 40} {digest} 12 3 -->\n{line}\n"

    digest = f"sha256:{'b' * 64}"
    at = "<!-- ftctl planned at: 2026-11-30T20:00:00Z -->"
    since = "<!-- ftctl planning since: 2026-11-30T20:00:00Z -->"

    assert result._planned(body(digest, at)) == "2026-11-30T20:00:00Z"
    assert result._planned(body("none", since)) == "2026-11-30T20:00:00Z"
    assert result._planned(body("none", at)) == ""  # refused: no merge would take it
    assert result._planned(body(digest, "### x")) == ""
    assert result._planned("") == ""


def test_the_program_uses_python_alone() -> None:
    for path in sorted(Path(_FOLDER).glob("*.py")):
        names = re.findall(r"(?m)^(?:from|import) (\w+)", path.read_text("utf-8"))
        foreign = set(names) - set(sys.stdlib_module_names) - set(_NAMES)
        assert foreign <= {"__future__"}, path.name


def test_a_pull_requests_labels_of_other_places_and_people_stay(tmp_path: Path) -> None:
    api = _Labels(["bug", "ftctl-attention", "ftctl-cost-below-1", "ftctl-attention:stage@."])
    event = tmp_path / "event.json"
    event.write_text(json.dumps({}), "utf-8")
    here = job.Job({"FTCTL_PLACE": "default@.", "GITHUB_EVENT_PATH": str(event)})

    labels.put(api, here, 7, {"cost-below-10"}, keep=["outdated"])

    assert sorted(api.there) == ["bug", "ftctl-attention:stage@.", "ftctl-cost-below-10"]


class _Labels:
    """What the API knows of one pull request's labels."""

    def __init__(self, there: list[str]) -> None:
        self.there = there

    def pages(self, path: str) -> list[dict[str, str]]:
        assert path == "issues/7/labels"
        return [{"name": name} for name in self.there]

    def get(self, _path: str) -> Any:
        return {}

    def send(self, method: str, path: str, body: Any = None) -> None:
        if method == "DELETE":
            self.there.remove(path.removeprefix("issues/7/labels/").replace("%3A", ":"))
        else:
            self.there += body["labels"]


@pytest.mark.parametrize(
    ("run", "was_on"),
    [
        ({"status": "in_progress", "created_at": "2026-11-01T00:00:00Z"}, True),
        ({"status": "waiting", "created_at": "2026-11-28T12:00:00Z"}, True),
        ({"status": "waiting", "created_at": "2026-11-26T12:00:00Z"}, False),
        ({"status": "queued", "created_at": "2026-11-30T12:00:00Z"}, True),
        ({"status": "completed", "updated_at": "2026-11-30T05:17:01Z"}, True),
        ({"status": "completed", "updated_at": "2026-11-30T05:16:59Z"}, False),
        ({"status": "completed"}, False),
        ({"status": "waiting"}, True),
        ({}, True),
    ],
)
def test_an_apply_was_under_way_while_a_morning_looked(run: Any, was_on: bool) -> None:
    began = datetime.fromisoformat("2026-11-30T05:17:00Z")

    assert _MODULES["drift"]._was_on(run, began) is was_on


# What a morning's run makes of a plan.

_FTCTL = f"""\
#!{sys.executable} -I
import pathlib, sys
words = sys.argv[1:]
if "plan" in words:
    pathlib.Path(words[words.index("--out") + 1]).write_text(PLAN)
    print("### ftctl plan: as told")
    sys.exit(STATUS)
"""
_DIGEST = f"sha256:{'a' * 64}"


def _changes(*changes: tuple[str, str, str]) -> dict[str, Any]:
    """A plan that does this: names, actions, and what each change is besides."""
    summary = dict.fromkeys(
        ("create", "replace", "cancel", "delete", "defer", "no-op", "attention", "housekeeping",
         "waiting"), 0,
    )  # fmt: skip
    told = []
    for name, action, kind in changes:
        told.append({"name": name, "action": action, "housekeeping": False, "waiting": False})
        summary[action] += 1
        if kind:
            told[-1][kind] = True
            summary[kind] += 1
    return {"digest": _DIGEST, "summary": summary, "changes": told, "cost": None}


def _planning(tmp_path: Path, plan: Any, status: int) -> GitHub:
    """A repository where each plan is this one, whatever is asked."""
    text = _FTCTL.replace("PLAN", repr(json.dumps(plan))).replace("STATUS", str(status))
    github = GitHub(tmp_path / "github", {"OPENAI_API_KEY": "sk-x"}, {}, text)
    github.commit("main", {"ftctl.yaml": "project: demo\n"})
    github.set_up()
    return github


def _morning(tmp_path: Path, plan: Any, status: int) -> tuple[GitHub, JobRun]:
    github = _planning(tmp_path, plan, status)
    return github, github.morning()


TIDY = ("old", "delete", "housekeeping")
WAITS = ("child", "defer", "waiting")


@pytest.mark.parametrize(
    ("plan", "status", "named"),
    [
        (_changes(), 0, None),
        (_changes(TIDY), 2, None),
        (_changes(WAITS), 2, None),
        (_changes(TIDY, WAITS, ("x", "no-op", "")), 2, None),
        (_changes(TIDY, ("gone", "delete", "")), 2, "<code>gone</code> (delete)."),
        (_changes(WAITS, ("b@d", "attention", "")), 2, "<code>b&#64;d</code> (attention)."),
        (_changes(("a", "create", ""), ("b", "cancel", "")), 3, "<code>a</code> (create), "),
    ],
)
def test_an_issue_names_what_differs_and_tidying_up_is_no_drift(
    tmp_path: Path, plan: Any, status: int, named: str | None
) -> None:
    github, job_run = _morning(tmp_path, plan, status)

    issues = github.state["issues"]
    assert job_run.failed is (status == 3)
    assert len(issues) == (named is not None)
    if named is not None:
        body = issues[0]["body"]
        assert f"The service is not as the branch main says: {named}" in body
        assert ("A policy of this branch refuses" in body) is (status == 3)
        by_hand = status == 2 and "attention" not in named
        assert (f"<code>approve</code> = <code>{_DIGEST}</code>" in body) is by_hand


@pytest.mark.parametrize("status", [1, 4, 5, 6, 7, 130])
def test_without_a_plan_no_issue_is_touched(tmp_path: Path, status: int) -> None:
    github, job_run = _morning(tmp_path, _changes(("a", "create", "")), status)

    assert github.state["issues"] == []
    assert job_run.errors
    assert "no issue was touched" in job_run.errors[0]


def test_the_issue_is_found_among_more_than_a_list_has(tmp_path: Path) -> None:
    github, _ = _morning(tmp_path, _changes(("a", "create", "")), 2)
    state = github.state
    ours = state["issues"][0]["number"]
    others = {"user": {"login": "somebody"}, "state": "open", "title": "t", "body": ""}
    many = [{**others, "number": 1_000 + one} for one in range(3_000)]
    state["issues"] = [*many, *state["issues"]]
    github.state = state

    job_run = github.morning()

    assert job_run.errors == []
    (found,) = [one for one in github.state["issues"] if one["user"] != others["user"]]
    assert found["number"] == ours


class _Commits:
    """GitHub, as far as it says which commit is where: c1 is before c2, and so on."""

    def __init__(self, kept: dict[int, str], tip: str) -> None:
        self.kept, self.tip = kept, tip

    def get(self, path: str) -> Any:
        if path == "":
            return {"id": 1, "default_branch": "main"}
        if path == "git/ref/heads/main":
            return {"object": {"sha": self.tip}}
        if path.startswith("actions/artifacts?"):
            artifacts = [
                {"id": one, "name": "ftctl-lock-default@.", "expired": False,
                 "workflow_run": {"head_sha": head}}
                for one, head in self.kept.items()
            ]  # fmt: skip
            return {"artifacts": artifacts}
        one, other = path.removeprefix("compare/").partition("?")[0].split("...")
        if "gone" in (one, other):
            raise _MODULES["forge"].Missing(path)
        if "broken" in (one, other):
            raise _MODULES["forge"].Unanswered(path)
        return {"merge_base_commit": {"sha": min(one, other)}}


MANY = {100 + one: f"c0.{one:02}" for one in range(40)}


@pytest.mark.parametrize(
    ("kept", "tip", "known", "left"),
    [
        ({1: "c1", 2: "c2", 3: "c3"}, "c3", {1, 2, 3}, {1, 2}),
        ({1: "c1", 2: "c2", 3: "c3"}, "c3", {1, 3}, {1}),
        ({1: "c1", 2: "c3", 3: "c2"}, "c2", {1, 2}, {1, 2}),  # the branch has nothing newer
        ({1: "c1", 2: "gone"}, "c3", {1, 2}, {1}),
        ({1: "c1"}, "c3", {1, 7}, {1, 7}),  # not listed any more
        (MANY, "c3", {*MANY}, {one for one in MANY if one >= 110}),  # the newest are asked about
    ],
)
def test_what_newer_commits_kept_is_merged_again_after_an_apply(
    tmp_path: Path, kept: dict[int, str], tip: str, known: set[int], left: set[int]
) -> None:
    record = _record_of(tmp_path, _Commits(kept, tip), known)

    record.forget_newer("c2")

    assert record.known == left


def test_where_nobody_says_what_is_newer_nothing_is_known_any_more(tmp_path: Path) -> None:
    record = _record_of(tmp_path, _Commits({1: "c1", 2: "broken"}, "c3"), {1, 2})

    with pytest.raises(_MODULES["forge"].Unanswered):
        record.forget_newer("c2")

    assert record.known == set()


def _record_of(folder: Path, api: Any, known: set[int]) -> Any:
    return _MODULES["record"].Record(api, "default@.", "ftctl.lock", (), folder, "", known)


def test_a_run_of_another_branch_leaves_the_issue(tmp_path: Path) -> None:
    github, _ = _morning(tmp_path, _changes(("a", "create", "")), 2)
    before = github.state["issues"]
    sha = github.commit("feature", {"x": "y"})
    event = {"repository": {"default_branch": "main"}}

    runs = github.run("drift", "workflow_dispatch", event, sha=sha, ref="refs/heads/feature")

    assert github.state["issues"] == before
    assert "the issue is about main: this run of feature leaves it" in runs["drift"].log


@pytest.mark.parametrize("planned", [False, True])
def test_that_there_is_nothing_to_do_is_told_where_there_was_a_plan(
    tmp_path: Path, planned: bool
) -> None:
    github = _planning(tmp_path, _changes(), 0)
    github.commit("change", {"README.md": "# Hello\n"})
    number = github.open_pull("change")
    if planned:
        github.check_pull(number)
    github.merge(number)

    github.push_main()

    told = [body for body in github.comments(number) if "### ftctl: nothing to do" in body]
    assert len(told) == planned
    assert "### ftctl: nothing to do" in github.last["result"].summary
    assert [job_run.errors for job_run in github.last.values()] == [[]] * len(github.last)


def test_what_is_not_applied_is_told_also_where_there_was_no_plan(tmp_path: Path) -> None:
    github = _planning(tmp_path, _changes(("a", "create", "")), 2)
    github.commit("change", {"README.md": "# Hello\n"})
    number = github.open_pull("change")
    github.merge(number)

    github.push_main()

    (told,) = github.comments(number)
    assert "### ftctl: not applied\n\n<code>nobody approved this plan: pull request" in told


def test_a_plan_that_is_asked_for_after_the_merge_changes_nothing_there(tmp_path: Path) -> None:
    github = _planning(tmp_path, _changes(("a", "create", "")), 2)
    github.commit("change", {"README.md": "# Hello\n"})
    number = github.open_pull("change")
    github.check_pull(number)
    before = github.comments(number), github.state["pulls"][0]["labels"]
    github.git("checkout", "--quiet", "main")
    state = github.state
    state["pulls"][0].update(state="closed")
    github.state = state

    late = github.label(number, "ftctl-plan")["plan"]

    labels_then = [one for one in github.state["pulls"][0]["labels"] if one["name"] != labels.AGAIN]
    assert (github.comments(number), labels_then) == before
    assert any("is not open: what stands on it is left" in text for _, text in late.commands)
