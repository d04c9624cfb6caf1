"""A path of GitHub's API in; its answer out, through GitHub's own program, which has the token."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_ANSWER = 16 * 1024 * 1024  # bytes
MOST_PAGES = 30
PAUSES_SECONDS = (1.0, 4.0)  # before a read is asked for again


class Missing(Exception):
    """What was asked for is not there."""


class Unanswered(Exception):
    """GitHub did not do or say what it was asked; the sentence says what it said."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status  # of HTTP, 0 where it is not known


@dataclass(frozen=True)
class Api:
    """One repository at GitHub."""

    repository: str  # owner/name

    def get(self, path: str) -> Any:
        """An answer as values."""
        return _parsed(self.download(path, MOST_ANSWER), path)

    def download(self, path: str, most: int) -> bytes:
        """The bytes of an answer, at most so many."""
        for pause in (*PAUSES_SECONDS, None):
            try:
                return _gh(["api", f"repos/{self.repository}/{path}".rstrip("/")], path, most)
            except Unanswered as unanswered:
                if pause is None or unanswered.status not in {429, 500, 502, 503, 504}:
                    raise
                time.sleep(pause)
        raise AssertionError

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Write; asked for once."""
        words = ["api", "--method", method, f"repos/{self.repository}/{path}"]
        if body is None:
            data = _gh(words, path, MOST_ANSWER)
        else:
            with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
                json.dump(body, file)
                file.flush()
                data = _gh([*words, "--input", file.name], path, MOST_ANSWER)
        return _parsed(data, path) if data.strip() else None

    def pages(self, path: str, key: str | None = None) -> Iterator[Any]:
        """Each item of a list, which may stand under a key."""
        for page in range(1, MOST_PAGES + 1):
            items = self.page(path, key, page)
            yield from items
            if len(items) < 100:
                return
        raise Unanswered(f"GitHub has more than {MOST_PAGES * 100:,} entries for {path}")

    def page(self, path: str, key: str | None = None, page: int = 1) -> list[Any]:
        """A hundred items of a list at most."""
        sign = "&" if "?" in path else "?"
        answer = self.get(f"{path}{sign}per_page=100&page={page}")
        items = answer if key is None else at(answer, key)
        if not isinstance(items, list):
            raise Unanswered(f"GitHub's answer to {path} is no list")
        return items


def _gh(words: list[str], path: str, most: int) -> bytes:
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(  # noqa: S603 # no word of it is anybody's but ours
            ["gh", *words],  # noqa: S607 # the runner brings it
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
        ) as program:  # fmt: skip
            assert program.stdout is not None
            data = program.stdout.read(most + 1)
            if len(data) > most:
                program.kill()
                raise Unanswered(f"GitHub's answer to {path} has more than {most:,} bytes")
        errors.seek(0)
        said = errors.read(10_000).decode("utf-8", "replace")
    if program.returncode == 0:
        return data
    found = re.search(r"HTTP (\d{3})", said)
    status = int(found[1]) if found else 0
    if status in {404, 410}:
        raise Missing(path)
    raise Unanswered(f"GitHub did not answer {path} ({shown(said.strip())})", status)


def _parsed(data: bytes, path: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise Unanswered(f"GitHub's answer to {path} is no JSON") from None


def at(value: Any, *keys: str) -> Any:
    """What stands under these keys, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def number(value: Any, *keys: str) -> int:
    """What stands under these keys and must be a number."""
    found = at(value, *keys)
    if type(found) is not int:
        raise Unanswered(f"GitHub gave no number for {'.'.join(keys)}")
    return found


def shown(value: Any) -> str:
    """A value that others chose, in a line of ours: short, and nothing but ordinary letters."""
    text = re.sub(r"[^A-Za-z0-9 ._/@:,+=~#()-]", "?", str(value))
    return f"'{text[:200]}'"
