"""A path of GitLab's API in; its answer out. The token goes to GitLab's own address alone."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
    build_opener,
)

MOST_ANSWER = 16 * 1024 * 1024  # bytes
MOST_PAGES = 30
PAUSES_SECONDS = (1.0, 4.0)  # before a read is asked for again
TIMEOUT_SECONDS = 60.0


class Missing(Exception):
    """What was asked for is not there."""


class Unanswered(Exception):
    """GitLab did not say what is needed to know; the sentence says what it said."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class _Redirects(HTTPRedirectHandler):
    """Artifacts may lie at another host; a write is sent nowhere else."""

    def redirect_request(  # noqa: PLR0917 # the shape of the library
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if req.get_method() != "GET" or urlsplit(newurl).scheme != urlsplit(req.full_url).scheme:
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True)
class Api:
    """One project at GitLab."""

    url: str  # https://gitlab.example/api/v4
    project: int
    token: str  # empty: what everybody may read
    certificates: str = ""  # a file with those of GitLab's own address

    def get(self, path: str) -> Any:
        """An answer about the project."""
        return parsed(self.download(path, MOST_ANSWER), path)

    def download(self, path: str, most: int) -> bytes:
        """The bytes of a file, at most so many."""
        return self._ask("GET", f"projects/{self.project}/{path}", None, most)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Write; asked for once."""
        data = self._ask(method, f"projects/{self.project}/{path}", body, MOST_ANSWER)
        return parsed(data, path) if data else None

    def user(self) -> int:
        """The id of the user whose token this is."""
        return number(parsed(self._ask("GET", "user", None, MOST_ANSWER), "user"), "id")

    def pages(self, path: str) -> Iterator[Any]:
        """Each item of a list."""
        sign = "&" if "?" in path else "?"
        for page in range(1, MOST_PAGES + 1):
            items = self.get(f"{path}{sign}per_page=100&page={page}")
            if not isinstance(items, list):
                raise Unanswered(f"GitLab's answer to {path} is no list")
            yield from items
            if len(items) < 100:
                return
        raise Unanswered(f"GitLab has more than {MOST_PAGES * 100:,} entries for {path}")

    @cached_property
    def _opener(self) -> OpenerDirector:
        context = ssl.create_default_context()
        if self.certificates:
            context.load_verify_locations(self.certificates)
        return build_opener(_Redirects, HTTPSHandler(context=context))

    def _ask(self, method: str, path: str, body: Any, most: int) -> bytes:
        for pause in (*PAUSES_SECONDS, None):
            try:
                return self._once(method, path, body, most)
            except HTTPError as error:
                error.close()
                if error.code in {404, 410}:
                    raise Missing(path) from None
                if method == "GET" and pause is not None and error.code in {429, 500, 502, 503}:
                    time.sleep(pause)
                    continue
                raise Unanswered(_words(error, path), error.code) from None
            except (URLError, OSError, http.client.HTTPException) as error:
                if method == "GET" and pause is not None:
                    time.sleep(pause)
                    continue
                reason = getattr(error, "reason", error)
                raise Unanswered(f"GitLab did not answer {path}: {shown(reason)}") from None
        raise AssertionError

    def _once(self, method: str, path: str, body: Any, most: int) -> bytes:
        request = Request(f"{self.url}/{path}", method=method)  # noqa: S310 # GitLab's own
        if self.token:
            request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            data: bytes = answer.read(most + 1)
        if len(data) > most:
            raise Unanswered(f"GitLab's answer to {path} has more than {most:,} bytes")
        return data


def _words(error: HTTPError, path: str) -> str:
    cure = {
        401: ": FTCTL_GITLAB_TOKEN has expired, was revoked or is not whole",
        403: ": FTCTL_GITLAB_TOKEN needs the scope 'api' and the role Reporter"
        " (Developer for labels, the order of applies and the record)",
    }
    return f"GitLab refuses {path} with {error.code}{cure.get(error.code, '')}"


def in_path(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def parsed(data: bytes, name: str) -> Any:
    """JSON as values."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise Unanswered(f"{name} is no JSON") from None


def at(value: Any, *keys: str) -> Any:
    """What stands under these keys, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def number(value: Any, *keys: str) -> int:
    """What stands under these keys and must be a number."""
    found = at(value, *keys)
    if type(found) is not int:
        raise Unanswered(f"GitLab gave no number for {'.'.join(keys)}")
    return found


def text(value: Any, *keys: str) -> str:
    """What stands under these keys and must be a text."""
    found = at(value, *keys)
    if not isinstance(found, str):
        raise Unanswered(f"GitLab gave no text for {'.'.join(keys)}")
    return found


def shown(value: Any) -> str:
    """A value that others chose, in a line of ours: short, and nothing but ordinary letters."""
    plain = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in " ._/@:,+=~#-") else "?"
        for letter in str(value)
    )
    return f"'{plain[:100]}'"
