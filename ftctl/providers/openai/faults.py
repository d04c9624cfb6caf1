"""The SDK's errors in, `ProviderError` out: what failed, why, and whether it may have been done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ftctl.domain.observed import UNREADABLE
from ftctl.errors import FtctlError, ProviderError, redact
from ftctl.providers.openai.bounds import AnswerTooLong
from ftctl.providers.openai.refusals import Refusal, retry_after
from ftctl.providers.openai.values import UNKNOWN_CODE, OddValue, reason
from ftctl.text.escape.single_line import one_line, short

# What the reading of an answer may come to: numbers without end and lists in lists in lists, too.
_UNREADABLE = (
    ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError, RecursionError,
)  # fmt: skip
_NO_METADATA = (
    "write 'mark: file-name' below 'provider' in ftctl.yaml, and leave out 'metadata' of your own"
)
_LONGEST_REQUEST = 128  # characters of its id
_NOT_IMPLEMENTED = 501  # the one fault of a server that stays
_IS_IT_AN_API = "is 'base_url' the address of an API of this kind, up to and with /v1?"


@contextmanager
def translate_errors(
    operation: str, base_url: str, secrets: Sequence[str], *, write: bool, buys: bool = False
) -> Iterator[None]:
    """Turn the SDK's errors into ours; a write that may have been done is ambiguous.

    `buys`: it is the start of a job, which may have to wait for others or for its files.
    """
    import httpx2  # noqa: PLC0415 - loaded with the client
    import openai  # noqa: PLC0415

    try:
        yield
    except openai.APIStatusError as fault:
        raise _refused(operation, fault, secrets, write=write, buys=buys) from None
    except openai.APIConnectionError as fault:
        if isinstance(
            own := fault.__cause__, FtctlError
        ):  # of ours, on the way out or of a redirect
            told = own if isinstance(own, ProviderError) else ProviderError(operation, "")
            message = redact(own.message, secrets)
            raise ProviderError(
                operation, message, status=told.status, ambiguous=told.ambiguous, hint=own.hint
            ) from None
        never_sent = isinstance(
            fault.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout
        )
        timed_out = isinstance(fault, openai.APITimeoutError) and not never_sent
        why = "no answer in time" if timed_out else str(fault.__cause__ or fault)
        raise ProviderError(
            operation,
            redact(f"the service at {base_url} cannot be reached: {why}", secrets),
            ambiguous=write and not never_sent,
            retryable=True,
            hint="check the network and 'base_url', then run the same command again",
        ) from None
    except (openai.OpenAIError, httpx2.HTTPError) as fault:
        raise ProviderError(operation, redact(str(fault), secrets), ambiguous=write) from None
    except AnswerTooLong as fault:
        raise ProviderError(operation, str(fault), ambiguous=write, hint=_IS_IT_AN_API) from None
    except _UNREADABLE as fault:
        # The answer is no JSON, or not of the shape that the SDK knows.
        why = str(fault) if isinstance(fault, OddValue) else type(fault).__name__
        raise ProviderError(
            operation,
            f"the answer cannot be read ({why})",
            ambiguous=write,
            code=UNREADABLE if isinstance(fault, OddValue) else None,
            hint=_IS_IT_AN_API,
        ) from None


def _refused(
    operation: str, fault: Any, secrets: Sequence[str], *, write: bool, buys: bool
) -> ProviderError:
    status = fault.status_code
    code, message, param = _told(fault.body, secrets)
    refusal = Refusal(status, code or "", message, param)
    full, pending = buys and refusal.about_job_limit, buys and refusal.about_pending_file
    return ProviderError(
        operation,
        message or f"HTTP {status}",
        status=status,
        code=code,
        request_id=_shown(fault.request_id),
        # Who says which limit or file stands in the way has carried out nothing.
        ambiguous=write and not (full or pending) and (status >= 500 or status in (408, 409)),
        retryable=_is_retryable(status, code or "") or pending,
        retry_after=retry_after(fault.response.headers, datetime.now(UTC)),
        job_limit=full,
        file_pending=pending,
        hint=_NO_METADATA if buys and refusal.about_metadata else _cure(status, code or ""),
    )


def _shown(request: str | None) -> str | None:
    """A request's id, of a length that somebody would send on."""
    return short(one_line(request), _LONGEST_REQUEST) if request else None


def _told(body: object, secrets: Sequence[str]) -> tuple[str | None, str, str | None]:
    """The code, the words and the parameter of a refusal. A page of HTML tells nobody anything."""
    told = reason(body, secrets) if isinstance(body, dict | list) else None
    if told is None:
        return None, "", None
    code = told.code if told.code != UNKNOWN_CODE else None
    return code, told.message if told.message != code else "", told.param


@contextmanager
def with_cures(cures: Mapping[str, str]) -> Iterator[None]:
    """Say what to do about a refusal that has certain words in it."""
    try:
        yield
    except ProviderError as fault:
        known = (cure for words, cure in cures.items() if words in fault.message)
        fault.hint = next(known, fault.hint)
        raise


@contextmanager
def ignore_not_found() -> Iterator[None]:
    """Take 'not found' for done: what was to be deleted is gone."""
    try:
        yield
    except ProviderError as fault:
        if fault.status != 404:
            raise


def without_quoted_input(fault: ProviderError) -> ProviderError:
    """The same fault without what the service said where that may quote what it was sent."""
    if fault.status in (None, 401, 403, 404, 429):  # of the key, the address, the rate
        return fault
    return ProviderError(
        fault.operation,
        "the service did not answer the question",
        status=fault.status,
        code=fault.code,
        request_id=fault.request_id,
        retryable=fault.retryable,
        retry_after=fault.retry_after,
        hint=fault.hint,
    )


def _is_retryable(status: int, code: str) -> bool:
    """Whether a refusal may be over in a little while."""
    if status == 429:
        return code != "insufficient_quota"
    return (status >= 500 and status != _NOT_IMPLEMENTED) or status in (408, 409)


def _cure(status: int, code: str) -> str | None:
    """What to do about a refusal, where that is known."""
    if code == "training_not_available":
        return (
            "this organization can no longer train here (OpenAI closes on 2027-01-06);"
            " choose another service with 'provider' in ftctl.yaml"
        )
    if code == "insufficient_quota":
        return "the account's quota is used up; raise it at the service, then apply again"
    match status:
        case 401:
            return (
                "the key is not accepted; check the variable that 'api_key_env' names, or the"
                " program of 'api_key_command'"
            )
        case 403:
            return "the key may not do this; check its permissions and the account's project"
        case 429:
            return "too many requests; apply again later: what is done stays done"
    return None
