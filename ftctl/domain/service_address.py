"""The text of a service's address in; its parts, or why it is none that a key goes to, out.

Readers of addresses differ in what they make of odd ones, and a key follows the last of them. So
an address is only what all of them read alike: every other spelling is refused, not mended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_FORM = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?")
_PLAIN = re.compile(r"[\x21-\x7e]*")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBER = re.compile(r"\d+|0[xX][0-9a-fA-F]*")  # what some readers take for a part of an IPv4
_STEPS_OUT = frozenset({".", ".."})
_DOT, _BACKSLASH = re.compile("%2e", re.IGNORECASE), re.compile(r"\\|%5c", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
_LONGEST_HOST = 253


class NoAddress(ValueError):
    """Why a text is no address of a service, in words that go on from 'the service's address'."""


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """Where a service is asked: `https://host:port/path`, each part in its one spelling."""

    scheme: str
    host: str  # lower case; IPv6 without its brackets
    port: int
    path: str  # without '/' at its end
    query: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a key never leaves."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    def __str__(self) -> str:
        return self.origin + self.path

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine by what is written, whatever names resolve to."""
        if self.host in {"localhost", "::1"}:
            return True
        return _is_ipv4(self.host) and IPv4Address(self.host).is_loopback

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way reads along."""
        return self.scheme == "https"

    def is_below(self, other: ServiceAddress) -> bool:
        """Whether it is the other address, or one that begins with it."""
        return self.origin == other.origin and f"{self.path}/".startswith(f"{other.path}/")

    def is_of(self, other: ServiceAddress) -> bool:
        """Whether the one who has the other address's name gives out this one's."""
        alike = (self.scheme, self.port) == (other.scheme, other.port)
        return alike and f".{self.host}".endswith(f".{other.host}")


def read_service_address(text: str) -> ServiceAddress:
    """The address, or `NoAddress`. No message repeats it: it may hold a password."""
    form = _FORM.fullmatch(text)
    if form is None or not _PLAIN.fullmatch(text):
        raise NoAddress("must begin with http:// or https:// and have no blanks, nor letters beyond"
                        " a to z: bücher.example is written xn--bcher-kva.example")  # fmt: skip
    scheme, place, path, query, part = form.groups(default="")
    if "@" in text:
        raise NoAddress("has an '@', before which names and passwords stand")
    if part:
        raise NoAddress("has a '#', behind which nothing is sent")
    if _BACKSLASH.search(text):
        raise NoAddress("has a backslash, which some read as a '/'")
    if not _STEPS_OUT.isdisjoint(_DOT.sub(".", path).split("/")):
        raise NoAddress("has a '.' or '..' between its '/', which leads elsewhere")
    host, port = _host_and_port(place)
    return ServiceAddress(scheme, host, port or _PORTS[scheme], path.rstrip("/"), query)


def _host_and_port(place: str) -> tuple[str, int | None]:
    if "%" in place:
        raise NoAddress("has a '%' in its host: write the name itself")
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?", place)
    if found is None or (found[2] and not 0 < int(found[2]) < 65536):
        raise NoAddress("has a host and port that are none; write https://HOST:PORT/v1")
    port = int(found[2]) if found[2] else None
    if found[1].startswith("["):
        try:
            return str(IPv6Address(found[1][1:-1])), port
        except AddressValueError:
            raise NoAddress("has brackets around what is no IPv6 address") from None
    return _name(found[1]), port


def _name(host: str) -> str:
    if not host:
        raise NoAddress("has no host; write https://HOST/v1")
    if host.endswith("."):
        raise NoAddress("has a '.' at the end of its host: leave it out")
    labels = host.split(".")
    if len(host) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise NoAddress("has a host that is no name: its parts are letters, digits and '-'")
    if _NUMBER.fullmatch(labels[-1]) and not _is_ipv4(host):
        raise NoAddress("has a number for its host: write an IPv4 address as 127.0.0.1")
    return host.lower()


def _is_ipv4(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except AddressValueError:
        return False
