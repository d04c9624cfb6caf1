"""`gh api` against a repository in a JSON file: what the templates ask, with the token's rights.

Stands in PATH as `gh`. FORGE_STATE names the file; GH_TOKEN says what it may do.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 2  # small, so that there are several


def main(arguments: list[str]) -> int:
    """Answer one request; 1 with GitHub's words where it is refused."""
    assert arguments[0] == "api", arguments
    options = {"--method": "GET", "--input": ""}
    path, paginate, rest = "", False, arguments[1:]
    while rest:
        word = rest.pop(0)
        if word in options:
            options[word] = rest.pop(0)
        elif word == "--paginate":
            paginate = True
        else:
            path = word
    sent = json.loads(Path(options["--input"]).read_text("utf-8")) if options["--input"] else None
    place = Path(os.environ["FORGE_STATE"])
    state = json.loads(place.read_text("utf-8"))
    address = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    route = f"{options['--method']} {address.path.removeprefix('repos/' + state['name'] + '/')}"
    state["requests"].append(route)
    try:
        answer = _answer(state, route, query, sent)
    except PermissionError as fault:
        sys.stderr.write(f"gh: Resource not accessible by integration (HTTP 403): {fault}\n")
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
        sys.stdout.write(json.dumps(answer))
    return 0


def _answer(state: dict[str, Any], route: str, query: dict[str, str], sent: Any) -> Any:
    rows: list[tuple[str, str, Any]] = [
        (r"GET issues/(\d+)/comments", "pull-requests:read issues:read", _comments),
        (r"POST issues/(\d+)/comments", "pull-requests:write issues:write", _add_comment),
        (r"PATCH issues/comments/(\d+)", "pull-requests:write issues:write", _change_comment),
        (r"GET commits/(\w+)/pulls", "pull-requests:read", _pulls),
        (r"GET actions/artifacts", "actions:read", _artifacts),
        (r"GET actions/artifacts/(\d+)/zip", "actions:read", _archive),
        (r"GET issues", "issues:read", _issues),
        (r"POST issues", "issues:write", _add_issue),
        (r"PATCH issues/(\d+)", "issues:write", _change_issue),
    ]
    for pattern, rights, answer in rows:
        if found := re.fullmatch(pattern, route):
            held = os.environ.get("GH_TOKEN", "").split()
            if not any(right in held for right in rights.split()):
                raise PermissionError(f"{route} wants {rights.replace(' ', ' or ')}")
            return answer(state, *found.groups(), query=query, sent=sent)
    raise AssertionError(f"no answer to {route}")


def _comments(state: dict[str, Any], number: str, **_: Any) -> Any:
    return [one for one in state["comments"] if one["issue"] == int(number)]


def _add_comment(state: dict[str, Any], number: str, *, sent: Any, **_: Any) -> Any:
    comment = {
        "id": _next(state),
        "issue": int(number),
        "user": {"login": "github-actions[bot]", "type": "Bot"},
        "body": sent["body"],
    }
    state["comments"].append(comment)
    return comment


def _change_comment(state: dict[str, Any], number: str, *, sent: Any, **_: Any) -> Any:
    comment = next(one for one in state["comments"] if one["id"] == int(number))
    comment["body"] = sent["body"]
    return comment


def _pulls(state: dict[str, Any], sha: str, **_: Any) -> Any:
    return [one for one in state["pulls"] if sha in (one["merge_commit_sha"], one["head"]["sha"])]


def _artifacts(state: dict[str, Any], *, query: dict[str, str], **_: Any) -> Any:
    named = [one for one in state["artifacts"] if one["name"] == query["name"]]
    return {"total_count": len(named), "artifacts": named}


def _archive(state: dict[str, Any], number: str, **_: Any) -> bytes:
    artifact = next(one for one in state["artifacts"] if one["id"] == int(number))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(artifact["file"], artifact["content"])
    return packed.getvalue()


def _issues(state: dict[str, Any], *, query: dict[str, str], **_: Any) -> Any:
    # A pull request is an issue, too.
    pulls = [
        {**one, "user": {"login": "someone"}, "pull_request": {}, "state": "open"}
        for one in state["pulls"]
    ]
    return [one for one in (*pulls, *state["issues"]) if one["state"] == query["state"]]


def _add_issue(state: dict[str, Any], *, sent: Any, **_: Any) -> Any:
    issue = {
        "number": _next(state),
        "user": {"login": "github-actions[bot]"},
        "state": "open",
        **sent,
    }
    state["issues"].append(issue)
    return issue


def _change_issue(state: dict[str, Any], number: str, *, sent: Any, **_: Any) -> Any:
    issue = next(one for one in state["issues"] if one["number"] == int(number))
    issue.update(sent)
    return issue


def _next(state: dict[str, Any]) -> int:
    state["last_id"] += 1
    return int(state["last_id"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
