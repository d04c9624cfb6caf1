"""What a service says when it refuses in; what stands in the way, and for how long, out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT_SECONDS = 86_400.0  # nobody waits for longer; a service may ask for years

_MAY_BE_FULL = (400, 403, 409, 422, 429)
_MAY_BE_PENDING = (400, 404, 409, 422, 423, 425)

_ANY = re.IGNORECASE | re.DOTALL | re.VERBOSE

_FULL_CODE = re.compile(
    r"daily | concurrent | active_?jobs | jobs?_?(?:limit|quota) | too_?many_?jobs", _ANY
)
_CAP = r"\b(?:limit\w*|maximum|max|quota|too\ many|at\ most|exceed\w*|reached|only|already)\b"
_STATE = r"\b(?:active|concurrent\w*|simultaneous\w*|parallel|running|ongoing|pending|queued)\b"
_MANY = r"\b(?:jobs|runs|fine-?tunes|fine-?tuning\ requests)\b"
_FULL = re.compile(
    rf"""{_STATE} .{{0,40}} \bjobs?\b .{{0,80}} {_CAP}
    | {_CAP} .{{0,80}} {_STATE} .{{0,40}} \bjobs?\b
    | {_CAP} .{{0,60}} {_MANY} .{{0,40}}
        \b(?:at\ once|at\ a\ time|at\ the\ same\ time|per\ day|in\ progress)\b
    | \b(?:too\ many|(?:limit|maximum)\ of|max(?:imum)?\ number\ of|quota\ (?:of|for))\b
        .{{0,40}} {_MANY}
    | \bjobs?\ (?:limit|quota)\b""",
    _ANY,
)
# Of one job's size, and not of how many there are.
_SIZE = re.compile(r"\b(?:tokens|examples|rows|lines|epochs|characters|bytes|size|context)\b", _ANY)

_PENDING_CODE = re.compile(
    r"file_?(?:is_?)?(?:not_?ready | not_?processed | pending | processing)", _ANY
)
_FILE = re.compile(r"\bfiles?\b | \bfile[-_]\w", _ANY)
_PENDING = re.compile(
    r"""\b(?:still|currently|not\ yet)\ (?:being\ )?(?:process|validat|import|upload)
    | \bbeing\ (?:processed|validated|imported)\b
    | \bnot\ (?:yet\ )?(?:been\ )?(?:fully\ )?(?:ready|processed|imported|done\ processing)\b
    | \bmust\ be\ \W?processed\b
    | \b(?:state|status)\b .{0,20} \b(?:pending|running|uploaded|processing|notrunning)\b""",
    _ANY,
)
_UNKNOWN_FILE = re.compile(
    r"\b(?:no\ such | not\ found | does(?:\ not|n't)\ exist | could\ not\ find)\b", _ANY
)
_LENGTH = re.compile(r"\b(?:characters|long|length|pairs|keys|entries|bytes)\b", _ANY)
_NOT_TAKEN = re.compile(
    r"""\b(?:unknown | unrecogni[sz]ed | unsupported | unexpected | invalid | additional | extra
    | not\ (?:supported|allowed|permitted|recogni[sz]ed|accepted|known|available))\b""",
    _ANY,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal to start a job, in the service's words."""

    status: int
    code: str
    message: str
    param: str | None = None

    @property
    def about_job_limit(self) -> bool:
        """Whether no more jobs are taken now: OpenAI says it with 429, others with 400 or 403."""
        if self.status not in _MAY_BE_FULL or self.code == "insufficient_quota":
            return False
        told = _FULL.search(self.message) is not None and not _SIZE.search(self.message)
        return told or _FULL_CODE.search(self.code) is not None

    @property
    def about_pending_file(self) -> bool:
        """Whether a file that was sent is still looked at, or not known yet where jobs start."""
        if self.status not in _MAY_BE_PENDING:
            return False
        named = _FILE.search(self.message) or (self.param or "").endswith("_file")
        waits = _PENDING.search(self.message) or _UNKNOWN_FILE.search(self.message)
        return bool(_PENDING_CODE.search(self.code) or (named and waits))

    @property
    def about_metadata(self) -> bool:
        """Whether the service takes no metadata, and not only none of this length."""
        if self.status not in (400, 422):
            return False
        named = "metadata" in self.message.lower() or (self.param or "").startswith("metadata")
        said = f"{self.code.replace('_', ' ')} {self.message}"
        return named and _NOT_TAKEN.search(said) is not None and not _LENGTH.search(self.message)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """What a service asks us to wait, in seconds and at most a day; None where it does not say.

    A date counts from the answer's own, where it has one: the machine's clock may be wrong.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    value = headers.get("retry-after", "").strip()
    seconds = _number(value)
    if seconds is not None:
        return _bounded(seconds)
    until = _moment(value)
    if until is None:
        return None
    return _bounded((until - (_moment(headers.get("date", "")) or now)).total_seconds())


def _number(value: str | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


def _bounded(seconds: float) -> float:
    if math.isnan(seconds):
        return 0.0
    return min(max(0.0, seconds), LONGEST_WAIT_SECONDS)


def _moment(value: str) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = read(value)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
