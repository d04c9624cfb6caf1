"""An address and what to ask of it in; a short answer of one who must be who they say, out.

The forge's token goes to one address, over https, and no further: redirects are not followed. What
comes back is bounded, and what is told of it holds neither token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ftctl.domain.service_address import NoAddress, read_service_address
from ftctl.errors import FtctlError, UsageError, redact
from ftctl.extras import install_command
from ftctl.text.credentials import looks_taken_out
from ftctl.text.escape.single_line import one_line, short

_TIMEOUT_SECONDS = 20.0
_MOST_READ = 64 * 1024  # bytes of an answer
# What libraries raise over an answer that is not what they know.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
_LONGEST_TOLD = 400  # characters of what it complains of


class NoExchangeError(FtctlError):
    """Nobody gave a key for the forge's token."""


def address_of_exchange(pinned: str, other: str | None) -> str:
    """The service's own address; another one only on this machine, where tests listen."""
    if other is None:
        return pinned
    try:
        address = read_service_address(other)
    except NoAddress as fault:
        raise UsageError(f"the address of --exchange-url {fault}") from None
    if not address.is_loopback:
        raise UsageError(
            "--exchange-url leads off this machine: the forge's token goes to"
            f" {urlsplit(pinned).hostname} and nowhere else",
            "leave --exchange-url out",
        )
    return other


def ask(
    who: str,
    method: str,
    address: str,
    *,
    hidden: Sequence[str],
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    document: Mapping[str, str] | None = None,
) -> str:
    """The text of an answer with status 200; `NoExchangeError` tells of any other.

    `who` is asked, in words; `hidden` are the tokens that must be told nowhere.
    """
    import httpx2  # noqa: PLC0415 - 60 ms

    parts = urlsplit(address)
    here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme != "https" and not here:
        raise NoExchangeError(f"{who} is asked over https alone, and its address is none")
    try:
        with (
            httpx2.Client(
                timeout=_TIMEOUT_SECONDS,
                follow_redirects=False,
                trust_env=not here,
                verify=parts.scheme == "https",  # else nothing is to be loaded for it
            ) as client,
            client.stream(method, address, headers=headers, data=form, json=document) as answer,
        ):
            status, body = answer.status_code, _beginning(answer)
    except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
        raise weird(who, str(fault) or type(fault).__name__, hidden) from None
    if status != 200:
        said = _complaint(read_object(body))
        raise refusal(who, f"HTTP {status}{f': {said}' if said else ''}", hidden)
    return body


def refusal(who: str, said: str, hidden: Sequence[str]) -> NoExchangeError:
    """What to tell where somebody gives no key for the token; `said` are their words."""
    return NoExchangeError(
        f"{who} gave no key: {_without(said, hidden)}",
        "look at the trust condition there: issuer, audience and subject must be those of this job;"
        " docs/ci-keys.md has each",
    )


def weird(who: str, why: str, hidden: Sequence[str]) -> NoExchangeError:
    """What to tell where no answer came, or one that is none."""
    return NoExchangeError(
        f"{who} could not be asked: {_without(why, hidden)}",
        "check the network, then run the same command again",
    )


def missing(extra: str, service: str) -> NoExchangeError:
    """What to tell where the packages of a service are not installed."""
    return NoExchangeError(
        f"a key of {service} wants packages that are not installed: the extra '{extra}'",
        f"{install_command(extra)}; in CI, 'extras: {extra}'",
    )


def _without(text: str, hidden: Sequence[str]) -> str:
    return short(looks_taken_out(redact(one_line(text), hidden)), _LONGEST_TOLD)


def _beginning(answer: Any) -> str:
    body = b""
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > _MOST_READ:
            break
    return body[:_MOST_READ].decode("utf-8", "replace")


def _complaint(document: Mapping[str, Any]) -> str:
    error = document.get("error")
    if isinstance(error, dict):
        error = error.get("message")
    said = (error, document.get("error_description"), document.get("message"))
    return ": ".join(word for word in said if isinstance(word, str) and word)


def read_object(body: str) -> Mapping[str, Any]:
    """An answer's JSON object; an empty one for anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
