"""Addresses of services: what all readers read alike, and whose they are."""

from __future__ import annotations

import pytest

from ftctl.domain.service_address import NoAddress, read_service_address


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("https://API.OpenAI.com:443/v1//", "https://api.openai.com/v1"),
        ("https://host", "https://host"),
        ("https://host:8443", "https://host:8443"),
        ("http://host:80/v1", "http://host/v1"),
        ("http://host:443", "http://host:443"),
        ("https://host:1", "https://host:1"),
        ("https://host:65535", "https://host:65535"),
        ("https://a_b.c-d.example/x.y/%2f;,=", "https://a_b.c-d.example/x.y/%2f;,="),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://10.0.0.7/v1", "https://10.0.0.7/v1"),
        ("https://1host.2example.3a", "https://1host.2example.3a"),
        ("https://[2001:DB8:0::7]:8/v1", "https://[2001:db8::7]:8/v1"),
        (f"https://{'a' * 63}.example", f"https://{'a' * 63}.example"),
        (f"https://{'a.' * 126}a", f"https://{'a.' * 126}a"),
        ("https://host?a=b&c=../d", "https://host"),
        ("https://host/v1?a=b", "https://host/v1"),
        ("https://host/...", "https://host/..."),
        ("https://host/.well-known", "https://host/.well-known"),
    ],
)
def test_an_address_has_one_spelling(text: str, shown: str) -> None:
    assert str(read_service_address(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "", "https://", "https:///v1", "//host", "ftp://host", "Https://host", " https://host",
        "https://host ", "https://ho st", "https://host/\x7f", "https://hÖst", "https://host\n",
        "https://me@host", "https://host/@", "https://host?a=@", "https://host#", "https://host/#a",
        "https://host\\", "https://host/%5C", "https://host/..", "https://host/./a",
        "https://host/%2e%2E/", "https://host/a/%2e", "https://host:", "https://host:0",
        "https://host:65536", "https://host:100000", "https://host:1a", "https://host:1:2",
        "https://[::1]x", "https://[::1", "https://::1", "https://[host]", "https://[1.2.3.4]",
        "https://[fe80::1%eth0]", "https://ho%73t", "https://host.", "https://.host",
        "https://a..b", "https://-host", "https://host-", "https://a.-b", f"https://{'a' * 64}",
        f"https://{'a.' * 127}a", "https://127.1", "https://1", "https://0x7f.1", "https://a.0x",
        "https://1.2.3.04", "https://1.2.3.256", "https://1.2.3.4.5", "https://a.1", "https://a,b",
    ],
)  # fmt: skip
def test_what_is_read_in_several_ways_is_none(text: str) -> None:
    with pytest.raises(NoAddress) as told:
        read_service_address(text)

    assert "host" not in text or text not in str(told.value)


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("http://localhost", True), ("http://LocalHost:1/a", True), ("http://127.0.0.1", True),
        ("http://127.255.255.254", True), ("http://[::1]", True), ("https://localhost", True),
        ("http://128.0.0.1", False), ("http://126.0.0.1", False), ("http://0.0.0.0", False),
        ("http://[::]", False), ("http://[::2]", False), ("http://[::ffff:127.0.0.1]", False),
        ("http://localhost.example", False), ("http://a.localhost", False),
        ("http://127.0.0.1.example", False), ("http://localhos", False),
    ],
)  # fmt: skip
def test_this_machine_is_told_by_what_is_written(text: str, *, here: bool) -> None:
    assert read_service_address(text).is_loopback == here


def test_only_https_is_read_by_nobody_else() -> None:
    assert read_service_address("https://host").is_encrypted
    assert not read_service_address("http://host").is_encrypted


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("https://host/v1", True), ("https://host/v1/a", True), ("https://HOST:443/v1/?a=b", True),
        ("https://host/v", False), ("https://host/v12", False), ("https://host", False),
        ("http://host/v1", False), ("https://host:8/v1", False), ("https://a.host/v1", False),
    ],
)  # fmt: skip
def test_below_an_address_is_what_begins_with_it(text: str, *, below: bool) -> None:
    assert read_service_address(text).is_below(read_service_address("https://host/v1")) == below


@pytest.mark.parametrize(
    ("text", "its"),
    [
        ("https://api.example", True), ("https://eu.api.example/x", True),
        ("https://a.b.api.example", True), ("https://evilapi.example", False),
        ("https://api.example.evil", False), ("https://example", False),
        ("http://api.example", False), ("https://api.example:8443", False),
    ],
)  # fmt: skip
def test_who_has_a_name_gives_out_what_is_below_it(text: str, *, its: bool) -> None:
    assert read_service_address(text).is_of(read_service_address("https://api.example/v1")) == its
