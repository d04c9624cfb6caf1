"""The text after `source:` in; whether it is an address, and which, or what is wrong with it, out.

Nothing is looked up here. Whatever is shown of an address passes through `show_source`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ftctl.errors import Finding, redact
from ftctl.text.invisible import first_hidden, name_of
from ftctl.text.suggest import nearest

# `C:\rows.jsonl` is a path; `zip::s3://…` is a chain of fsspec and no path either.
_ADDRESS = re.compile(r"(?:[A-Za-z][\w+.\-]*::)*[A-Za-z][A-Za-z0-9+.\-]+://")

# By scheme: the extra of ftctl that reads it. The package behind each is named in `backend`.
EXTRAS: Mapping[str, str] = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "abfs": "az",
    "abfss": "az",
    "hf": "hf",
    "https": "https",
    "http": "https",
}
_LISTED = "s3://, gs://, az://, abfs://, hf:// and https://"

# What the parts of an address are called that let their bearer in.
_SECRET_NAME = re.compile(
    r"sig|signature|.*token.*|.*secret.*|.*passw(?:or)?d.*|pwd|.*signature|.*credential.*|auth"
    r"|authorization|key|.*api[-_]?key.*|.*access[-_]?key.*|accountkey|googleaccessid|jwt|bearer"
)
_UNQUOTED = 3  # times that an address is unquoted to see where it leads: servers do it once
_LONGEST_VALUE = 20  # characters of a parameter that are shown; what lets people in is longer
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CHAIN = re.compile(r"(?:[A-Za-z][\w+.\-]*::)+")
_USER = re.compile(r"(?<=://)[^/\s@]+(?=@)")  # in an address within an address
_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}")


@dataclass(frozen=True, slots=True)
class Address:
    """An address that could be one of a file."""

    url: str
    scheme: str  # lower case
    shown: str

    @property
    def extra(self) -> str:
        """Which extra of ftctl reads it."""
        return EXTRAS[self.scheme]

    @property
    def is_web(self) -> bool:
        """Whether it is read over plain HTTP requests."""
        return self.extra == "https"


@dataclass(frozen=True, slots=True)
class AllowedUrls:
    """The beginnings of addresses that may be fetched from, and who says so."""

    addresses: tuple[str, ...]
    told_by: str  # the file that lists them, as people know it


def is_remote(source: str) -> bool:
    """Whether a source is an address, readable or not; everything else is a path."""
    return _ADDRESS.match(source) is not None


def show_source(source: str) -> str:
    """The source as it may be shown: an address without passwords, tokens and control characters.

    A path stays as it is.
    """
    if not is_remote(source):
        return source
    chain, plain = _split_chain(_CONTROL.sub("�", source))
    try:
        parts = urlsplit(plain)
    except ValueError:
        return redact(chain + _USER.sub("[redacted]", re.split("[?#]", plain)[0]))
    user, at, host = parts.netloc.rpartition("@")
    shown_user = user if _names_container(parts, user) else "[redacted]"
    parts = parts._replace(
        netloc=f"{shown_user}@{host}" if at else host,
        path=_USER.sub("[redacted]", parts.path),
        query=_without_secrets(parts.query),
        fragment=_without_secrets(parts.fragment),
    )
    return redact(chain + parts.geturl())


def read_address(source: str) -> Address | Finding:
    """The address, or why it is none that ftctl reads."""
    shown = show_source(source)
    try:
        parts = urlsplit(_split_chain(source)[1])
    except ValueError as error:
        return Finding("bad-address", f"'{shown}' is no address: {error}")
    # First of all: what is said further on must not have to care.
    if _holds_secret(parts):
        return _secret(shown, parts)
    scheme = parts.scheme.lower()
    if not parts.netloc.isascii():
        odd = next(letter for letter in parts.netloc if not letter.isascii())
        hint = f"it holds {name_of(odd)}; a host beyond ASCII is written as xn--…"
        return Finding("bad-address", f"'{shown}' has a host or bucket that is not ASCII", hint)
    if _CONTROL.search(source) or "::" in source or first_hidden(source) is not None:
        return Finding(
            "bad-address",
            f"'{shown}' holds '::' or characters that no address has",
            "write a plain address of one file; ':' and the like in a name as %3A",
        )
    if scheme not in EXTRAS:
        return _unknown_scheme(scheme, shown)
    address = Address(source, scheme, shown)
    return _incomplete(address, parts) or address


def is_listed(url: str, beginnings: Iterable[str]) -> bool:
    """Whether an address begins with one of these, and stays below it.

    `https://host` lists that host and not `https://host.elsewhere`; nor does `..` lead out of what
    is listed, however it is written.
    """
    path = url.partition("://")[2]
    for _ in range(_UNQUOTED):
        path = unquote(path)
    if ".." in re.split(r"[/\\?#]", path):
        return False
    for beginning in beginnings:
        rest = url.removeprefix(beginning)
        bare = "/" not in beginning.partition("://")[2]  # nothing but a host or bucket
        if is_remote(beginning) and rest != url and (not bare or rest.startswith("/")):
            return True
    return False


def not_listed(shown: str, told_by: str) -> Finding:
    """What to say of an address that is not on the list."""
    return Finding(
        "address-not-listed",
        f"'{shown}' is not among the addresses that {told_by} allows",
        "have its beginning listed there first: 'sources: {addresses: [BEGINNING]}'",
    )


def _incomplete(address: Address, parts: SplitResult) -> Finding | None:
    path = parts.path.strip("/")
    if address.scheme == "http" and not _LOOPBACK.fullmatch(parts.hostname or ""):
        return Finding(
            "unencrypted-address",
            f"'{address.shown}' is read without encryption",
            "write https://",
        )
    if address.extra == "hf":
        if parts.netloc != "datasets" or path.count("/") < 2:
            hint = "write hf://datasets/OWNER/NAME/FILE, or …/NAME@REVISION/FILE"
            return Finding("bad-address", f"'{address.shown}' names no file of a dataset", hint)
    elif not parts.netloc or (not path and not parts.query):
        place = "host" if address.is_web else "bucket"
        hint = f"write {address.scheme}://{place.upper()}/PATH"
        return Finding("bad-address", f"'{address.shown}' lacks a {place} or a path", hint)
    if parts.path.endswith("/") and not parts.query:
        return Finding(
            "not-a-regular-file", f"'{address.shown}' is a folder", "name one file in it"
        )
    return None


def _unknown_scheme(scheme: str, shown: str) -> Finding:
    message = f"'{shown}' starts with '{scheme}://'; ftctl reads {_LISTED}"
    if scheme in ("file", "local"):
        return Finding("unknown-scheme", message, "a file on this machine is named by its path")
    near = nearest(scheme, EXTRAS)
    return Finding("unknown-scheme", message, f"did you mean '{near}://'?" if near else None)


def _secret(shown: str, parts: SplitResult) -> Finding:
    scheme = parts.scheme.lower()
    ways = {
        "s3": "let AWS_PROFILE or ~/.aws say who you are",
        "gs": "log in: gcloud auth application-default login",
        "az": "set AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING instead",
        "hf": "set HF_TOKEN instead",
        "https": "keep the password in ~/.netrc; for a signed address use the store's own s3://,"
        " gs:// or az://",
    }
    hint = "take it out of the address and, where others could read it, have it replaced"
    way = ways.get(EXTRAS.get(scheme, ""), "")
    message = f"'{shown}' holds a secret, which would be written to the repository and to logs"
    return Finding("secret-in-address", message, f"{hint}; {way}" if way else hint)


def _holds_secret(parts: SplitResult) -> bool:
    user, at, _ = parts.netloc.rpartition("@")
    if (at and not _names_container(parts, user)) or _USER.search(parts.path):
        return True
    return any(
        _SECRET_NAME.fullmatch(name.lower())
        for text in (parts.query, parts.fragment)
        for name, value in _parameters(text)
        if value
    )


def _split_chain(source: str) -> tuple[str, str]:
    """What fsspec would lay over the address (`zip::`), and the address."""
    found = _CHAIN.match(source)
    return (found[0], source[found.end() :]) if found else ("", source)


def _names_container(parts: SplitResult, user: str) -> bool:
    """`abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/…`: what stands there is no name of a user."""
    return EXTRAS.get(parts.scheme.lower()) == "az" and ":" not in user


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split("[&;?]", text):
        yield from parse_qsl(part, keep_blank_values=True)


def _without_secrets(text: str) -> str:
    return "&".join(
        f"{name}=[redacted]"
        if value and (_SECRET_NAME.fullmatch(name.lower()) or len(value) >= _LONGEST_VALUE)
        else f"{name}={value}"
        if value
        else name
        for name, value in _parameters(text)
    )
