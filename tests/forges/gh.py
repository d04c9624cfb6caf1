"""`gh api` against a repository in a JSON file: what the templates ask, with the token's rights.

Stands in PATH as `gh`. FORGE_STATE names the file; GH_TOKEN says what it may do. Beside the file
lies `origin.git`, which answers what is in a commit. Fields and rights are those of
docs.github.com/rest (API version 2022-11-28, as read on 2026-11-30).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PAGE = 2  # of `--paginate`; small, so that there are several


class NotThere(Exception):
    """404."""


class Unprocessable(Exception):
    """422, with GitHub's words."""


def main(arguments: list[str]) -> int:
    """Answer one request; 1 with GitHub's words where it is refused."""
    assert arguments[0] == "api", arguments
    options = {"--method": "GET", "--input": "", "--header": ""}
    path, paginate, rest = "", False, arguments[1:]
    while rest:
        word = rest.pop(0)
        word = {"-X": "--method", "-H": "--header"}.get(word, word)
        if word in options:
            options[word] = rest.pop(0)
        elif word == "--paginate":
            paginate = True
        else:
            path = word
    sent = None
    if given := options["--input"]:
        sent = json.loads(sys.stdin.read() if given == "-" else Path(given).read_text("utf-8"))
    place = Path(os.environ["FORGE_STATE"])
    alone = place.with_suffix(".lock").open("w")  # one request after the other, until we end
    fcntl.flock(alone, fcntl.LOCK_EX)
    state = json.loads(place.read_text("utf-8"))
    forge = Forge(state, place.parent / "origin.git", os.environ.get("GH_TOKEN", ""))
    try:
        answer = forge.answer(options["--method"], path, sent)
    except PermissionError as fault:
        sys.stderr.write(f"gh: Resource not accessible by integration (HTTP 403): {fault}\n")
        answer = None
    except Unprocessable as fault:
        sys.stderr.write(f"gh: {fault} (HTTP 422)\n")
        answer = None
    except NotThere:
        sys.stdout.write('{"message":"Not Found","status":"404"}')
        sys.stderr.write("gh: Not Found (HTTP 404)\n")
        answer = None
    place.write_text(json.dumps(state), "utf-8")
    if answer is None:
        return 1
    if isinstance(answer, bytes):
        sys.stdout.buffer.write(answer)
    elif isinstance(answer, list) and paginate:
        pages = [answer[at : at + PAGE] for at in range(0, len(answer), PAGE)] or [[]]
        sys.stdout.write("".join(map(json.dumps, pages)))
    else:
        sys.stdout.write(json.dumps(page_of(answer, path)))
    return 0


def page_of(answer: Any, path: str) -> Any:
    """One page of a list, also of one that stands under a key beside its count."""
    query = {name: int(values[0]) for name, values in parse_qs(urlsplit(path).query).items()
             if name in {"per_page", "page"}}  # fmt: skip
    size, page = min(query.get("per_page", 30), 100), query.get("page", 1)
    at = slice((page - 1) * size, page * size)
    if isinstance(answer, list):
        return answer[at]
    if isinstance(answer, dict) and "total_count" in answer:
        return {k: v[at] if isinstance(v, list) else v for k, v in answer.items()}
    return answer


def now() -> str:
    """The time as GitHub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Forge:
    """The repository's answers, as values; what is sent changes the state."""

    def __init__(self, state: dict[str, Any], origin: Path, token: str) -> None:
        self.state = state
        self.origin = origin
        self.held = token.split()

    def answer(self, method: str, path: str, sent: Any = None) -> Any:
        """The whole answer, lists unpaged; `PermissionError`, or `NotThere`."""
        address = urlsplit(path)
        prefix = f"repos/{self.state['name']}/"
        assert f"{address.path}/".startswith(prefix), path
        route = f"{method} {address.path[len(prefix) :]}".strip()
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.state["requests"].append(route)
        for pattern, rights, ask in self._routes():
            if found := re.fullmatch(pattern, route):
                if not any(right in self.held for right in rights.split()):
                    raise PermissionError(f"{route} wants {rights.replace(' ', ' or ')}")
                return ask(*map(unquote, found.groups()), query=query, sent=sent)
        raise AssertionError(f"no answer to {route}")

    def _routes(self) -> list[tuple[str, str, Any]]:
        return [
            (r"GET issues/(\d+)/comments", "pull-requests:read issues:read", self._comments),
            (r"POST issues/(\d+)/comments", "pull-requests:write issues:write", self._add_comment),
            (
                r"PATCH issues/comments/(\d+)",
                "pull-requests:write issues:write",
                self._edit_comment,
            ),
            (r"GET issues/(\d+)/events", "issues:read", self._events),
            (r"GET issues/(\d+)/labels", "issues:read pull-requests:read", self._labels),
            (r"POST issues/(\d+)/labels", "issues:write pull-requests:write", self._add_labels),
            (
                r"DELETE issues/(\d+)/labels/([^/]+)",
                "issues:write pull-requests:write",
                self._remove_label,
            ),
            (r"GET labels/([^/]+)", "issues:read pull-requests:read", self._label),
            (r"POST labels", "issues:write pull-requests:write", self._make_label),
            (r"GET pulls/(\d+)", "pull-requests:read", self._pull),
            (r"GET", "contents:read actions:read", self._repository),
            (r"GET git/commits/(\w+)", "contents:read", self._commit),
            (r"GET git/ref/heads/(.+)", "contents:read", self._ref),
            (r"GET git/trees/(\w+)", "contents:read", self._tree),
            (r"POST git/trees", "contents:write", self._make_tree),
            (r"POST git/commits", "contents:write", self._make_commit),
            (r"POST git/refs", "contents:write", self._make_ref),
            (r"PATCH git/refs/heads/(.+)", "contents:write", self._move_ref),
            (r"POST pulls", "pull-requests:write", self._make_pull),
            (r"GET commits/(\w+)/pulls", "pull-requests:read", self._pulls_of_commit),
            (r"GET pulls", "pull-requests:read", self._pulls),
            (r"GET compare/(\w+)\.\.\.(\w+)", "contents:read", self._compare),
            (r"GET contents/(.*)", "contents:read", self._contents),
            (r"GET git/blobs/(\w+)", "contents:read", self._blob),
            (r"GET actions/workflows/([\w.%-]+)", "actions:read", self._workflow),
            (r"GET actions/workflows/([\w.%-]+)/runs", "actions:read", self._runs),
            (r"GET actions/runs", "actions:read", self._all_runs),
            (r"GET actions/artifacts", "actions:read", self._all_artifacts),
            (r"GET actions/runs/(\d+)", "actions:read", self._run),
            (r"GET actions/runs/(\d+)/attempts/(\d+)/jobs", "actions:read", self._jobs),
            (r"GET actions/runs/(\d+)/jobs", "actions:read", self._jobs_of_run),
            (r"GET actions/runs/(\d+)/artifacts", "actions:read", self._artifacts),
            (r"GET actions/artifacts/(\d+)/zip", "actions:read", self._archive),
            (r"GET commits/(\w+)/check-runs", "checks:read", self._check_runs),
            (r"GET issues", "issues:read", self._issues),
            (r"POST issues", "issues:write", self._add_issue),
            (r"PATCH issues/(\d+)", "issues:write", self._change_issue),
        ]

    # Comments.

    def _comments(self, number: str, **_: Any) -> Any:
        return [one for one in self.state["comments"] if one["issue"] == int(number)]

    def _add_comment(self, number: str, *, sent: Any, **_: Any) -> Any:
        comment = {
            "id": self._next(), "issue": int(number), "body": sent["body"],
            "user": {"login": "github-actions[bot]", "type": "Bot"},
            "created_at": now(), "updated_at": now(),
        }  # fmt: skip
        self.state["comments"].append(comment)
        return comment

    def _edit_comment(self, number: str, *, sent: Any, **_: Any) -> Any:
        comment = self._find("comments", int(number))
        comment.update(body=sent["body"], updated_at=now())
        return comment

    # Pull requests and what is in a commit.

    def _events(self, number: str, **_: Any) -> Any:
        return [one for one in self.state["events"] if one["issue"] == int(number)]

    def _pulls_of_commit(self, sha: str, **_: Any) -> Any:
        return [
            one
            for one in self.state["pulls"]
            if sha in (one["merge_commit_sha"], one["head"]["sha"], *one.get("landed", []))
        ]

    def _pulls(self, *, query: dict[str, str], **_: Any) -> Any:
        owner, _, ref = query.get("head", "").partition(":")
        states = {"open", "closed"} if query.get("state") == "all" else {"open"}
        return [
            one
            for one in self.state["pulls"]
            if one["state"] in states
            and query.get("base", one["base"]["ref"]) == one["base"]["ref"]
            and ref in ("", one["head"]["ref"])
            and (one["head"]["repo"] or {})
            .get("full_name", "")
            .startswith(f"{owner}/" if ref else "")
        ]

    def _pull(self, number: str, **_: Any) -> Any:
        for one in self.state["pulls"]:
            if one["number"] == int(number):
                return one
        raise NotThere

    def _labelled(self, number: str) -> Any:
        for one in (*self.state["pulls"], *self.state["issues"]):
            if one["number"] == int(number):
                one.setdefault("labels", [])
                return one
        raise NotThere

    def _labels(self, number: str, **_: Any) -> Any:
        return self._labelled(number)["labels"]

    def _add_labels(self, number: str, *, sent: Any, **_: Any) -> Any:
        """Add labels; one that the repository does not have is made."""
        names = sent["labels"] if isinstance(sent, dict) else sent
        labels = self._labelled(number)["labels"]
        for name in names:
            if name.lower() not in [one["name"].lower() for one in self.state["labels"]]:
                self.state["labels"].append({"name": name, "color": "ededed", "description": None})
            if name not in [one["name"] for one in labels]:
                labels.append({"name": name})
        return labels

    def _remove_label(self, number: str, name: str, **_: Any) -> Any:
        one = self._labelled(number)
        left = [label for label in one["labels"] if label["name"] != name]
        if len(left) == len(one["labels"]):
            raise NotThere
        one["labels"] = left
        return left

    def _label(self, name: str, **_: Any) -> Any:
        for one in self.state["labels"]:
            if one["name"].lower() == name.lower():
                return one
        raise NotThere

    def _make_label(self, *, sent: Any, **_: Any) -> Any:
        if sent["name"].lower() in [one["name"].lower() for one in self.state["labels"]]:
            raise Unprocessable("Validation Failed: already_exists")
        self.state["labels"].append(sent)
        return sent

    def _commit(self, sha: str, **_: Any) -> Any:
        parents = self._git("rev-list", "--parents", "-1", sha).split()[1:]
        tree = self._git("rev-parse", f"{sha}^{{tree}}").strip()
        return {
            "sha": sha, "tree": {"sha": tree}, "parents": [{"sha": parent} for parent in parents]
        }  # fmt: skip

    def _repository(self, **_: Any) -> Any:
        return {"id": 1, "full_name": self.state["name"], "default_branch": "main"}

    def _ref(self, branch: str, **_: Any) -> Any:
        sha = self._git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}").strip()
        return {"ref": f"refs/heads/{branch}", "object": {"type": "commit", "sha": sha}}

    def _tree(self, sha: str, **_: Any) -> Any:
        entries = []
        for line in self._git("ls-tree", "-z", sha).split("\0")[:-1]:
            head, _, name = line.partition("\t")
            mode, kind, blob = head.split()
            entries.append({"path": name, "mode": mode, "type": kind, "sha": blob})
        return {"sha": sha, "tree": entries, "truncated": False}

    def _make_tree(self, *, sent: Any, **_: Any) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            self._git("read-tree", sent["base_tree"], environ=index)
            for entry in sent["tree"]:
                blob = self._git("hash-object", "-w", "--stdin", given=entry["content"]).strip()
                cache = f"{entry['mode']},{blob},{entry['path']}"
                self._git("update-index", "--add", "--cacheinfo", cache, environ=index)
            return {"sha": self._git("write-tree", environ=index).strip()}

    def _make_commit(self, *, sent: Any, **_: Any) -> Any:
        parents = [word for parent in sent["parents"] for word in ("-p", parent)]
        bot = "github-actions[bot]"
        who = {f"GIT_{role}_{fact}": bot for role in ("AUTHOR", "COMMITTER")
               for fact in ("NAME", "EMAIL")}  # fmt: skip
        words = ["commit-tree", sent["tree"], *parents, "-m", sent["message"]]
        return {"sha": self._git(*words, environ=who).strip()}

    def _make_ref(self, *, sent: Any, **_: Any) -> Any:
        try:
            self._git("update-ref", sent["ref"], sent["sha"], "0" * 40)
        except NotThere:
            raise Unprocessable("Reference already exists") from None
        return sent

    def _move_ref(self, branch: str, *, sent: Any, **_: Any) -> Any:
        """Forward only, and only from where it was when that was looked at: as git pushes."""
        assert sent["force"] is False
        before = self._ref(branch)["object"]["sha"]
        try:
            self._git("merge-base", "--is-ancestor", before, sent["sha"])
            self._git("update-ref", f"refs/heads/{branch}", sent["sha"], before)
        except NotThere:
            raise Unprocessable("Update is not a fast forward") from None
        return sent

    def _make_pull(self, *, sent: Any, **_: Any) -> Any:
        if self.state.get("no_pulls_of_actions"):
            raise PermissionError(
                "GitHub Actions is not permitted to create or approve pull requests."
            )
        repository = {"id": 1, "full_name": self.state["name"]}
        if any(one["state"] == "open" and one["head"]["ref"] == sent["head"]
               for one in self.state["pulls"]):  # fmt: skip
            raise Unprocessable("Validation Failed: A pull request already exists")
        pull = {
            "number": self._next(), "state": "open", "user": {"login": "github-actions[bot]"},
            "labels": [], "title": sent["title"], "body": sent["body"], "created_at": now(),
            "closed_at": None, "merged_at": None, "merge_commit_sha": None,
            "head": {"ref": sent["head"], "sha": self._ref(sent["head"])["object"]["sha"],
                     "repo": repository},
            "base": {"ref": sent["base"], "sha": self._ref(sent["base"])["object"]["sha"],
                     "repo": repository},
        }  # fmt: skip
        self.state["pulls"].append(pull)
        return pull

    def _compare(self, base: str, head: str, **_: Any) -> Any:
        return {
            "merge_base_commit": {"sha": self._git("merge-base", base, head).strip()},
            "ahead_by": int(self._git("rev-list", "--count", f"{base}..{head}")),
        }

    def _contents(self, path: str, *, query: dict[str, str], **_: Any) -> Any:
        lines = self._git("ls-tree", query["ref"], *([f"{path}/"] if path else [])).splitlines()
        if not lines:
            raise NotThere
        entries = []
        for line in lines:
            mode, _, sha = line.partition("\t")[0].split()
            kind = {"120000": "symlink", "040000": "dir", "160000": "submodule"}.get(mode, "file")
            name = line.partition("\t")[2]
            entries.append(
                {"name": name.rpartition("/")[2], "path": name, "type": kind, "sha": sha}
            )
        return entries

    def _blob(self, sha: str, **_: Any) -> Any:
        text = self._git("cat-file", "blob", sha).encode()
        return {"sha": sha, "encoding": "base64", "content": base64.encodebytes(text).decode()}

    def _git(
        self, *arguments: str, given: str | None = None, environ: Mapping[str, str] | None = None
    ) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.origin, capture_output=True, text=True, check=False,
            input=given, env={**os.environ, **(environ or {})},
        )  # fmt: skip
        if done.returncode:
            raise NotThere
        return done.stdout

    # Workflows, their runs and what they kept.

    def _workflow(self, name: str, **_: Any) -> Any:
        for one in self.state["workflows"]:
            if name in (str(one["id"]), one["path"].rpartition("/")[2]):
                return one
        raise NotThere

    def _runs(self, number: str, *, query: dict[str, str], **_: Any) -> Any:
        workflow = self._workflow(number)
        return self._listed(query, [workflow["id"]])

    def _all_runs(self, *, query: dict[str, str], **_: Any) -> Any:
        return self._listed(query, [one["id"] for one in self.state["workflows"]])

    def _listed(self, query: dict[str, str], workflows: list[int]) -> Any:
        keys = {"event": "event", "head_sha": "head_sha", "branch": "head_branch"}
        status = query.get("status")
        runs = [
            one
            for one in reversed(self.state["runs"])
            if one["workflow_id"] in workflows
            and all(one[key] == query[name] for name, key in keys.items() if name in query)
            and status in (None, one["status"], one["conclusion"])
        ]
        return {"total_count": len(runs), "workflow_runs": runs}

    def _run(self, number: str, **_: Any) -> Any:
        return self._find("runs", int(number))

    def _jobs(self, number: str, attempt: str, **_: Any) -> Any:
        jobs = [
            one
            for one in self.state["jobs"]
            if (one["run_id"], one["run_attempt"]) == (int(number), int(attempt))
        ]
        return {"total_count": len(jobs), "jobs": jobs}

    def _jobs_of_run(self, number: str, *, query: dict[str, str], **_: Any) -> Any:
        jobs = [one for one in self.state["jobs"] if one["run_id"] == int(number)]
        if query.get("filter") != "all":
            newest = max((one["run_attempt"] for one in jobs), default=0)
            jobs = [one for one in jobs if one["run_attempt"] == newest]
        return {"total_count": len(jobs), "jobs": jobs}

    def _artifacts(self, number: str, *, query: dict[str, str], **_: Any) -> Any:
        artifacts = [
            {key: value for key, value in one.items() if key != "content"}
            for one in self.state["artifacts"]
            if one["run"] == int(number) and query.get("name", one["name"]) == one["name"]
        ]
        return {"total_count": len(artifacts), "artifacts": artifacts}

    def _all_artifacts(self, *, query: dict[str, str], **_: Any) -> Any:
        artifacts = [
            {key: value for key, value in one.items() if key != "content"}
            for one in reversed(self.state["artifacts"])
            if query.get("name", one["name"]) == one["name"]
        ]
        return {"total_count": len(artifacts), "artifacts": artifacts}

    def _archive(self, number: str, **_: Any) -> bytes:
        artifact = self._find("artifacts", int(number))
        if artifact["expired"]:
            raise NotThere  # 410, in truth
        return base64.b64decode(artifact["content"])

    def _check_runs(self, sha: str, **_: Any) -> Any:
        runs = [one for one in self.state["check_runs"] if one["head_sha"] == sha]
        return {"total_count": len(runs), "check_runs": runs}

    # Issues.

    def _issues(self, *, query: dict[str, str], **_: Any) -> Any:
        # A pull request is an issue, too.
        pulls = [
            {**one, "user": {"login": "someone"}, "pull_request": {}, "state": "open"}
            for one in self.state["pulls"]
        ]
        return [
            one
            for one in (*pulls, *self.state["issues"])
            if one["state"] == query["state"]
            and query.get("creator", one["user"]["login"]) == one["user"]["login"]
        ]

    def _add_issue(self, *, sent: Any, **_: Any) -> Any:
        issue = {
            "number": self._next(),
            "user": {"login": "github-actions[bot]"},
            "state": "open",
            **sent,
        }
        self.state["issues"].append(issue)
        return issue

    def _change_issue(self, number: str, *, sent: Any, **_: Any) -> Any:
        issue = next(one for one in self.state["issues"] if one["number"] == int(number))
        issue.update(sent)
        return issue

    def _find(self, what: str, number: int) -> Any:
        for one in self.state[what]:
            if one["id"] == number:
                return one
        raise NotThere

    def _next(self) -> int:
        self.state["last_id"] += 1
        return int(self.state["last_id"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
