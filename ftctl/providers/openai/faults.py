"""The SDK's errors in, `ProviderError` out: what failed, why, and whether it may have been done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ftctl.errors import FtctlError, ProviderError, redact


@contextmanager
def translate_errors(
    operation: str, base_url: str, secrets: Sequence[str], *, write: bool
) -> Iterator[None]:
    """Turn the SDK's errors into ours; a write that may have been done is ambiguous."""
    import httpx2  # noqa: PLC0415 - loaded with the client
    import openai  # noqa: PLC0415

    try:
        yield
    except openai.APIStatusError as fault:
        raise _refused(operation, fault, secrets, write=write) from None
    except openai.APIConnectionError as fault:
        if isinstance(own := fault.__cause__, FtctlError):  # of ours, on the way out: not sent
            raise ProviderError(operation, redact(own.message, secrets), hint=own.hint) from None
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
    except (ValueError, TypeError, AttributeError, KeyError) as fault:
        # The answer is no JSON, or not of the shape that the SDK knows.
        raise ProviderError(
            operation,
            f"the answer cannot be read ({type(fault).__name__})",
            ambiguous=write,
            hint="is 'base_url' the address of an API of this kind, up to and with /v1?",
        ) from None


def _refused(operation: str, fault: Any, secrets: Sequence[str], *, write: bool) -> ProviderError:
    body = fault.body if isinstance(fault.body, dict) else {}
    message = body.get("message") or f"HTTP {fault.status_code}"
    code = body.get("code") or body.get("type")
    return ProviderError(
        operation,
        redact(str(message), secrets),
        status=fault.status_code,
        code=str(code) if code else None,
        request_id=fault.request_id,
        ambiguous=write and (fault.status_code >= 500 or fault.status_code in (408, 409)),
        retryable=_is_retryable(fault.status_code, str(code)),
        retry_after=_retry_after(fault.response.headers),
        hint=_cure(fault.status_code, str(code)),
    )


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
    return status >= 500 or status in (408, 409)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """What the service asks us to wait, in seconds; dates are not understood and passed over."""
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))  # in this order nan is no time at all
    except ValueError:
        return None


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
            return "the key is not accepted; check the variable that 'api_key_env' names"
        case 403:
            return "the key may not do this; check its permissions and the account's project"
        case 429:
            return "too many requests; apply again later: what is done stays done"
    return None
