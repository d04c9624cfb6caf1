"""What a library raised in; one fault in the user's words, without any secret, out.

Every library has errors of its own, and they are not imported here: they are known by their names
and by the HTTP status that they carry.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ftctl.data.sources.address import Address
from ftctl.data.sources.source_codes import CODES
from ftctl.errors import Diagnostic, Finding, FtctlError, Span, redact
from ftctl.extras import install_command
from ftctl.text.credentials import loose_pattern


class SourceFault(FtctlError):
    """A source could not be had.

    `code` is one of `CODES` where the manifest's author can mend it; else the world is at fault,
    and the same command may work later.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message, finding.hint)
        self.finding = finding

    @property
    def code(self) -> str:
        """What kind of fault it is."""
        return self.finding.code

    @property
    def mendable(self) -> bool:
        """Whether the author of the manifest can mend it."""
        return self.code in CODES

    def at(self, span: Span) -> Diagnostic:
        """The fault at the place where a manifest names the source."""
        return self.finding._replace(severity="error").at(span)


_UNREACHABLE = "check the network, then run the same command again"
_PIN = "; a source that is pinned with sha256 and was fetched once needs no network"

_DENIED = frozenset({
    "PermissionError", "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
    "TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOTokenLoadError", "ProfileNotFound",
    "ClientAuthenticationError", "CredentialUnavailableError", "GoogleAuthError",
    "DefaultCredentialsError", "RefreshError", "GatedRepoError", "LocalTokenNotFoundError",
})  # fmt: skip
_NO_LINE = frozenset({
    "ConnectionError", "TimeoutError", "gaierror", "ClientConnectionError", "ClientPayloadError",
    "HTTPClientError", "ServiceRequestError", "ServiceResponseError", "TransportError",
    "OfflineModeIsEnabled",
})  # fmt: skip
_MISSING = frozenset({"FileNotFoundError", "IsADirectoryError", "NotADirectoryError",
                      "ResourceNotFoundError", "NoSuchBucket"})  # fmt: skip

_LOG_IN: Mapping[str, str] = {
    "s3": "say who you are as for the AWS command line (AWS_PROFILE, or AWS_ACCESS_KEY_ID and"
    " AWS_SECRET_ACCESS_KEY); for a public bucket set FSSPEC_S3_ANON=true",
    "gs": "log in: gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
    "az": "set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and: az login",
    "hf": "set HF_TOKEN, or log in: hf auth login; accept a gated dataset's terms on its page",
    "https": "keep the password for this host in ~/.netrc",
}

# What gcsfs says instead of carrying the status.
_DENIED_WORDS = re.compile(r"(?:Forbidden|Unauthorized|Access ?Denied)\b", re.IGNORECASE)

_LONGEST_WORDS = 200  # characters of a library's own sentence


def missing_extra(address: Address, error: BaseException) -> SourceFault:
    """The package that reads the address cannot be imported."""
    return SourceFault(
        Finding(
            "missing-extra",
            f"reading {address.scheme}:// needs more than is installed: {_words(error)}",
            install_command(address.extra),
        )
    )


def fault_of(error: BaseException, address: Address) -> SourceFault:
    """The fault that a library's error stands for."""
    chain = list(chain_of(error))
    if any(isinstance(one, ImportError) for one in chain):
        return missing_extra(address, next(one for one in chain if isinstance(one, ImportError)))
    return SourceFault(_note_of(chain, address))


def _note_of(chain: list[BaseException], address: Address) -> Finding:
    names = {kind.__name__ for one in chain for kind in type(one).__mro__}
    status = next((found for one in reversed(chain) if (found := _status(one))), None)
    # An error's own words stand at the bottom; above it, libraries only say what they were doing.
    words = next((text for one in reversed(chain) if (text := _words(one))), "no reason given")
    denied = f"'{address.shown}' may not be read: {words}"
    if status in (401, 403) or (status is None and names & _DENIED):
        return Finding("source-denied", denied, _LOG_IN[address.extra])
    # What adlfs says where nothing tells it which account is meant.
    nobody = address.extra == "az" and "credentials" in words and "ValueError" in names
    if nobody or (status is None and _DENIED_WORDS.match(words)):
        return Finding("source-denied", denied, _LOG_IN[address.extra])
    if status in (404, 410) or (status is None and names & _MISSING and not names & _NO_LINE):
        hint = "check the address; upper and lower case matter"
        if address.extra == "hf":
            hint += ", and a private dataset is found only with HF_TOKEN"
        return Finding("source-missing", f"there is no file at '{address.shown}'", hint)
    return unreachable(address, words if status is None else f"HTTP {status}: {words}")


def unreachable(address: Address, why: str) -> Finding:
    """The world is at fault."""
    message = f"'{address.shown}' cannot be read: {why}"
    return Finding("source-unreachable", message, _UNREACHABLE + _PIN)


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, outermost first."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _status(error: Any) -> int | None:
    """The HTTP status that an error carries, wherever its library puts it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        known = response.get("ResponseMetadata")
        response = known.get("HTTPStatusCode") if isinstance(known, dict) else None
    if isinstance(response, int):
        return response
    places = ((response, "status_code"), (error, "status_code"), (error, "status"), (error, "code"))
    # One after the other: to look at a name that a library has given up is a warning.
    found = (getattr(holder, name, None) for holder, name in places)
    return next((one for one in found if isinstance(one, int) and 400 <= one <= 599), None)


def _words(error: BaseException) -> str:
    """The error's first line as it may be shown."""
    said = getattr(error, "message", None)  # without the address, which is told already
    said = said if isinstance(said, str) and said else str(error)
    text = next((line.strip() for line in said.splitlines() if line.strip()), "")
    text = without_secrets(text) or type(error).__name__
    return text if len(text) <= _LONGEST_WORDS else f"{text[: _LONGEST_WORDS - 1]}…"


# Secrets by their looks: parameters of signed addresses, headers, connection strings, and the keys
# of the stores.
_LOOKS = re.compile(
    r"(?<=://)[^/\s@]+(?=@)"
    r"|(?<=\?)[^\s'\"<>)]+(?=[\s'\"<>)]|$)"
    r"|(?i:(?<=bearer )|(?<=basic )|(?<=accountkey=)|(?<=sharedaccesssignature=)|(?<=sig=)"
    r"|(?<=signature=)|(?<=token=)|(?<=password=)|(?<=secret=))[^\s;&'\",]+"
    rf"|{loose_pattern()}"
)
_SECRET_VARIABLE = re.compile(r".*(?:KEY|TOKEN|SECRET|PASSWORD|CONNECTION_STRING|CREDENTIALS)")


def without_secrets(text: str) -> str:
    """The text of a library without what is, or looks like, a secret, and without control codes."""
    # The libraries read the environment themselves, and may say what they have read.
    known = [
        value
        for name, value in os.environ.items()
        if len(value) >= 8 and _SECRET_VARIABLE.fullmatch(name.upper())
    ]
    text = redact(text, sorted(known, key=len, reverse=True))
    text = _LOOKS.sub("[redacted]", text)
    return "".join(letter if letter.isprintable() else "�" for letter in text)
