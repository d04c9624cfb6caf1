"""Who is let in: the key, the name that a server is called by, the web page that a request is from.

A server on loopback can be reached by every web page that a browser on the same machine shows. A
page of somewhere else cannot send our Authorization header, nor read our answers, but it can send
plain requests, and by DNS rebinding it can give itself an address that leads here.
"""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

from ftctl.emulator.http.wire import ApiError, Request


def check_key(request: Request, api_key: str | None) -> None:
    """Any key will do if none is set, but one must be sent, as the hosted service wants it."""
    scheme, _, key = (request.header("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        which = "any key" if api_key is None else "the emulator's key"
        message = f"No API key: send an Authorization header with 'Bearer' and {which}."
        raise ApiError(401, message, code="invalid_api_key")
    if api_key is not None and not _same(key.strip(), api_key):
        raise ApiError(401, "The API key is not the emulator's.", code="invalid_api_key")


def check_site(request: Request) -> None:
    """ApiError for a request that a browser makes for a page of another origin."""
    site = request.header("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise _other_site(site)
    origin = request.header("origin")
    if origin is not None and origin.partition("://")[2] != request.header("host"):
        raise _other_site(origin)


def is_of_page(request: Request) -> bool:
    """Whether the emulator's own web page asks: only a browser says so, and only of it."""
    return request.header("sec-fetch-site") == "same-origin"


def is_loopback(host: str) -> bool:
    """Whether only this machine can be meant by that name or address."""
    name = host.removesuffix(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def names_loopback(host_header: str) -> bool:
    """Whether a Host header (`name`, `name:port`, `[address]:port`) names this machine only."""
    try:
        return is_loopback(urlsplit(f"//{host_header}").hostname or "")
    except ValueError:
        return False


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def _other_site(site: str) -> ApiError:
    message = f"This is only for the emulator's own page, not for a page of '{site[:200]}'."
    return ApiError(403, message, code="cross_site_request")
