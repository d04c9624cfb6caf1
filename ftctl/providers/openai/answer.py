"""An HTTP answer in, what it says of the service that gave it out: for looking, not for working."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ftctl.errors import redact

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class Answer:
    """How a service answered. Without a status, no answer came, and `message` says why."""

    status: int | None
    seconds: float
    body: Any = None  # as JSON; None where it is none
    code: str | None = None  # of an error in the body
    message: str | None = None
    date: str | None = None  # the header

    @property
    def ok(self) -> bool:
        """Whether it is what was asked for."""
        return self.status is not None and 200 <= self.status < 300 and self.body is not None

    @property
    def entries(self) -> tuple[Mapping[str, Any], ...] | None:
        """The entries of a list; None where the answer is no list."""
        found = self.body.get("data") if self.ok and isinstance(self.body, Mapping) else None
        if not isinstance(found, list):
            return None
        return tuple(one for one in found if isinstance(one, Mapping))


def read_answer(response: httpx2.Response, seconds: float, secrets: Iterable[str]) -> Answer:
    """The answer with its body read, whatever that is."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    error = body.get("error") if isinstance(body, Mapping) else None
    error = error if isinstance(error, Mapping) else {}
    code, message = error.get("code") or error.get("type"), error.get("message")
    return Answer(
        response.status_code,
        seconds,
        body,
        redact(str(code), secrets) if code else None,
        redact(str(message), secrets) if message else None,
        response.headers.get("date"),
    )
