"""What services say when they start no job, and what of it passes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ftctl.providers.openai.refusals import LONGEST_WAIT_SECONDS, Refusal, retry_after

NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [400, 403, 409, 422, 429])
@pytest.mark.parametrize(
    "message",
    [
        "You have 3 active fine-tuning jobs, which is the maximum",
        "This resource has reached its limit of 1 running fine-tuning job.",
        "Too many active jobs; wait for one to end",
        "Only one training job may run, and one is running: your limit of concurrent jobs is 1",
        "Your organization has reached the maximum of 8 fine-tuning requests per day for 'gpt'.",
        "Quota of training jobs exceeded",
        "The job limit of this project is used up",
        "maximum number of simultaneously running jobs (5) exceeded",
        "You can only run 2 jobs at a time",
    ],
)
def test_a_limit_on_jobs_is_known_by_its_words(status: int, message: str) -> None:
    assert Refusal(status, "", message).about_job_limit


@pytest.mark.parametrize(
    "code", ["daily_rate_limit_exceeded", "concurrent_jobs", "active_jobs_limit", "TooManyJobs"]
)
def test_a_limit_on_jobs_is_known_by_its_code(code: str) -> None:
    assert Refusal(403, code, "no").about_job_limit


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (500, "", "Too many active jobs"),
        (404, "", "Too many active jobs"),
        (429, "insufficient_quota", "You exceeded your quota; active jobs go on within its limit"),
        (400, "", "A training job exceeds the maximum number of tokens for jobs of this model"),
        (400, "", "n_epochs of a running job must be at most 50 epochs, which is the limit"),
        (403, "training_not_available", "Your organization may start no training jobs"),
        (400, "", "This model takes no fine-tuning jobs"),
        (429, "rate_limit_exceeded", "Too many requests"),
        (400, "", ""),
    ],
)
def test_what_does_not_pass_when_another_job_ends_is_no_limit_on_jobs(
    status: int, code: str, message: str
) -> None:
    assert not Refusal(status, code, message).about_job_limit


@pytest.mark.parametrize("status", [400, 404, 409, 422])
@pytest.mark.parametrize(
    "message",
    [
        "File 'file-1' is still being processed and is not ready. Please try again later.",
        "File file-1 is not ready",
        "The training file has not been processed yet",
        "file-1 must be 'processed' before a job can use it",
        "The specified file is in status 'running'",
        "No such File object: file-1",
        "training file not found",
    ],
)
def test_a_file_that_is_not_there_yet_is_known_by_the_words(status: int, message: str) -> None:
    assert Refusal(status, "", message).about_pending_file


def test_a_file_that_is_not_there_yet_is_known_by_its_code_or_parameter() -> None:
    assert Refusal(400, "file_not_ready", "wait").about_pending_file
    assert Refusal(404, "", "does not exist", "training_file").about_pending_file
    assert Refusal(409, "", "is not ready", "validation_file").about_pending_file


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "Not Found"),
        (404, "The model 'gpt-5' does not exist"),
        (400, "file-1 has invalid rows"),
        (400, "The file is too large to be processed"),
        (500, "File 'file-1' is still being processed"),
        (403, "No such File object: file-1"),
    ],
)
def test_what_stays_wrong_about_a_file_or_an_address_is_not_waited_for(
    status: int, message: str
) -> None:
    assert not Refusal(status, "", message).about_pending_file


@pytest.mark.parametrize(
    ("status", "code", "message", "param", "is_it"),
    [
        (400, "unknown_parameter", "Unknown parameter: 'metadata'.", "metadata", True),
        (400, "", "metadata: Extra inputs are not permitted", None, True),
        (422, "invalid_request_error", "Metadata is not supported by this model", None, True),
        (400, "unknown_parameter", "no", "metadata.ftctl_project", True),
        (400, "invalid", "metadata values have at most 512 characters", "metadata", False),
        (400, "", "metadata has too many pairs: invalid", None, False),
        (400, "unknown_parameter", "Unknown parameter: 'seed'.", "seed", False),
        (403, "unknown_parameter", "Unknown parameter: 'metadata'.", "metadata", False),
        (400, "", "metadata please", None, False),
    ],
)
def test_a_service_that_takes_no_metadata_is_known_by_its_words(
    status: int, code: str, message: str, param: str | None, is_it: bool
) -> None:
    assert Refusal(status, code, message, param).about_metadata is is_it


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0), (" 7 ", 7.0), ("0.5", 0.5), ("1e3", 1000.0),
        ("-3", 0.0), ("nan", 0.0), ("-inf", 0.0),
        ("inf", LONGEST_WAIT_SECONDS), ("1e400", LONGEST_WAIT_SECONDS),
        (str(10**9), LONGEST_WAIT_SECONDS), ("9" * 5000, LONGEST_WAIT_SECONDS),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0), ("Wed, 21 Oct 2026 09:28:30 +0200", 30.0),
        ("Wednesday, 21-Oct-26 07:28:30 GMT", 30.0), ("2026-10-21T07:28:30Z", 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0), ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Wed, 21 Oct 2126 07:28:00 GMT", LONGEST_WAIT_SECONDS),
        ("soon", None), ("", None), ("Wed, 99 Foo 2026", None), ("7 seconds", None),
    ],
)  # fmt: skip
def test_how_long_a_service_asks_us_to_wait_is_bounded(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_a_date_counts_from_that_of_the_answer() -> None:
    headers = {
        "retry-after": "Wed, 21 Oct 2026 08:00:30 GMT",
        "date": "Wed, 21 Oct 2026 08:00:00 GMT",
    }

    assert retry_after(headers, NOW) == 30.0
    assert retry_after({**headers, "date": "yesterday"}, NOW) == 32 * 60 + 30


def test_milliseconds_come_first_as_at_azure() -> None:
    assert retry_after({"retry-after-ms": "1500", "retry-after": "2"}, NOW) == 1.5
    assert retry_after({"retry-after-ms": "soon", "retry-after": "2"}, NOW) == 2.0
    assert retry_after({}, NOW) is None
