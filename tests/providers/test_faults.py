"""What an error of the SDK's means: above all, whether the request may have been carried out."""

from __future__ import annotations

import httpx2
import openai
import pytest

from ftctl.errors import ProviderError
from ftctl.providers.openai.faults import ignore_not_found, translate_errors, without_quoted_input

REQUEST = httpx2.Request("POST", "https://api.example/v1/fine_tuning/jobs")
KEY = "sk-test-0123456789abcdef"


def status(code: int, body: object = None, **headers: str) -> openai.APIStatusError:
    response = httpx2.Response(code, request=REQUEST, headers={"x-request-id": "r-1", **headers})
    return openai.APIStatusError("said so", response=response, body=body)


def connection(cause: Exception, *, timeout: bool = False) -> Exception:
    kind = (
        openai.APITimeoutError(REQUEST) if timeout else openai.APIConnectionError(request=REQUEST)
    )
    kind.__cause__ = cause
    return kind


def translated(fault: Exception, *, write: bool = True) -> ProviderError:
    with (
        pytest.raises(ProviderError) as ours,
        translate_errors("create a job", "https://api.example/v1", (KEY,), write=write),
    ):
        raise fault
    return ours.value


def bought(fault: Exception) -> ProviderError:
    with (
        pytest.raises(ProviderError) as ours,
        translate_errors("create a job", "https://api.example/v1", (), write=True, buys=True),
    ):
        raise fault
    return ours.value


@pytest.mark.parametrize(
    ("code", "ambiguous"),
    [
        (400, False), (401, False), (403, False), (404, False), (422, False), (429, False),
        (408, True),  # the service gave up on a request that it may have acted on
        (409, True),  # it, or something in between, has seen this request before
        (500, True), (502, True), (503, True), (504, True), (529, True),
    ],
)  # fmt: skip
def test_a_create_may_have_been_carried_out_unless_it_was_refused_for_sure(
    code: int,
    ambiguous: bool,
) -> None:
    assert translated(status(code)).ambiguous is ambiguous
    assert translated(status(code), write=False).ambiguous is False


@pytest.mark.parametrize(
    "cause",
    [
        httpx2.ConnectError("refused"),
        httpx2.ConnectTimeout("slow"),
        httpx2.PoolTimeout("full"),
    ],
)
def test_what_was_never_sent_was_not_carried_out(cause: Exception) -> None:
    for timeout in (False, True):
        fault = translated(connection(cause, timeout=timeout))

        assert (fault.ambiguous, fault.retryable, fault.status) == (False, True, None)
        assert str(cause) in fault.message


@pytest.mark.parametrize(
    ("cause", "timeout", "told"),
    [
        (httpx2.ReadTimeout("slow"), True, "no answer in time"),
        (httpx2.WriteTimeout("slow"), True, "no answer in time"),
        (httpx2.ReadError("reset"), False, "reset"),
        (httpx2.RemoteProtocolError("cut"), False, "cut"),
    ],
)
def test_what_was_sent_and_not_answered_may_have_been_carried_out(
    cause: Exception,
    timeout: bool,
    told: str,
) -> None:
    fault = translated(connection(cause, timeout=timeout))

    assert (fault.ambiguous, fault.retryable) == (True, True)
    assert fault.message == f"the service at https://api.example/v1 cannot be reached: {told}"
    assert translated(connection(cause, timeout=timeout), write=False).ambiguous is False


def test_a_line_that_broke_without_a_reason_is_told_in_the_sdks_words() -> None:
    fault = translated(openai.APIConnectionError(request=REQUEST))

    assert fault.message.endswith("cannot be reached: Connection error.")
    assert fault.ambiguous


@pytest.mark.parametrize("cause", [openai.OpenAIError("odd"), httpx2.ReadError("reset")])
def test_any_other_fault_of_the_sdk_leaves_a_write_in_doubt(cause: Exception) -> None:
    assert translated(cause).ambiguous
    assert not translated(cause, write=False).ambiguous
    assert not translated(cause).retryable


@pytest.mark.parametrize(
    "cause",
    [
        ValueError(), TypeError(), AttributeError(), KeyError("id"), IndexError(), OverflowError(),
        RecursionError(),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_leaves_a_write_in_doubt(cause: Exception) -> None:
    fault = translated(cause)

    assert fault.ambiguous
    assert fault.message == f"the answer cannot be read ({type(cause).__name__})"
    assert not translated(cause, write=False).ambiguous


@pytest.mark.parametrize(
    ("code", "word", "retryable"),
    [
        (429, "rate_limit_exceeded", True), (429, "insufficient_quota", False),
        (500, None, True), (501, None, False), (503, None, True),
        (408, None, True), (409, None, True),
        (400, None, False), (401, None, False), (404, None, False), (499, None, False),
    ],
)  # fmt: skip
def test_what_may_pass_is_told_from_what_stays(
    code: int,
    word: str | None,
    retryable: bool,
) -> None:
    assert translated(status(code, {"code": word})).retryable is retryable


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("nan", 0.0), ("soon", None), ("1e9", 86_400.0)]
)
def test_how_long_the_service_asks_us_to_wait(header: str, seconds: float | None) -> None:
    assert translated(status(429, **{"retry-after": header})).retry_after == seconds
    assert translated(status(429)).retry_after is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"error": {"message": "words", "code": "bad"}}, "words (HTTP 400, bad"),
        ({"detail": [{"loc": ["body"], "msg": "words"}]}, "words (HTTP 400,"),
        ({"error": "words"}, "words (HTTP 400,"),
        ({"message": {"why": "words"}}, "words (HTTP 400,"),
        ({"code": 17}, "HTTP 400 (HTTP 400, 17,"),
        ({"message": "x" * 10**6}, f"{'x' * 1999}… (HTTP 400,"),
    ],
)
def test_a_refusal_is_told_whatever_its_shape(body: object, told: str) -> None:
    assert str(translated(status(400, body))).startswith(f"create a job: {told}")


def test_a_service_that_takes_no_metadata_is_told_with_what_to_write() -> None:
    body = {"message": "Unknown parameter: 'metadata'.", "code": "unknown_parameter"}

    assert "'mark: file-name' below 'provider'" in (bought(status(400, body)).hint or "")
    assert translated(status(400, body)).hint is None


def test_only_what_starts_a_job_waits_for_others_or_for_a_file() -> None:
    full = {"message": "too many active jobs"}
    pending = {"message": "file-1 is not ready"}

    assert not translated(status(400, full)).job_limit
    assert not translated(status(404, pending)).file_pending
    assert bought(status(400, full)).job_limit
    assert bought(status(404, pending)).file_pending


def test_a_refusal_keeps_the_services_words_and_request_without_the_key() -> None:
    body = {"message": f"the key {KEY} is odd", "type": "invalid_request_error", "code": None}

    fault = translated(status(400, body))

    assert str(fault) == (
        "create a job: the key [redacted] is odd (HTTP 400, invalid_request_error, request r-1)"
    )


@pytest.mark.parametrize("body", [None, "text", [], {}, {"message": ""}])
def test_a_refusal_without_words_is_told_by_its_status(body: object) -> None:
    assert str(translated(status(400, body))) == "create a job: HTTP 400 (HTTP 400, request r-1)"


@pytest.mark.parametrize(
    ("code", "word", "cure"),
    [
        (403, "training_not_available", "choose another service with 'provider' in ftctl.yaml"),
        (429, "insufficient_quota", "the account's quota is used up"),
        (401, None, "check the variable that 'api_key_env' names"),
        (403, None, "check its permissions"),
        (429, None, "too many requests"),
    ],
)
def test_a_refusal_that_can_be_mended_says_how(code: int, word: str | None, cure: str) -> None:
    assert cure in (translated(status(code, {"code": word})).hint or "")
    assert translated(status(400)).hint is None


def test_what_is_gone_already_is_deleted() -> None:
    with ignore_not_found():
        raise ProviderError("delete a file", "no such file", status=404)


@pytest.mark.parametrize("code", [None, 400, 403, 405, 500])
def test_any_other_fault_of_a_delete_is_told(code: int | None) -> None:
    with pytest.raises(ProviderError), ignore_not_found():
        raise ProviderError("delete a file", "no", status=code)


@pytest.mark.parametrize("code", [None, 401, 403, 404, 429])
def test_words_about_the_key_the_address_and_the_rate_are_kept(code: int | None) -> None:
    fault = ProviderError("moderate texts", "words", status=code)

    assert without_quoted_input(fault) is fault


@pytest.mark.parametrize("code", [400, 413, 422, 500])
def test_words_that_may_quote_a_text_are_left_out(code: int) -> None:
    fault = ProviderError(
        "moderate texts", "the text 'secret' is odd", status=code, code="bad", request_id="r-1",
        retryable=True, retry_after=3.0, hint="h",
    )  # fmt: skip

    quiet = without_quoted_input(fault)

    assert vars(quiet) == {
        **vars(fault),
        "message": "the service did not answer the question",
    }
    assert "secret" not in f"{quiet}{quiet.args}"
