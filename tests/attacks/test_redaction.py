"""Keys in what is said, however they are written; and honest text, which stays as it is."""

from __future__ import annotations

import html
import json
import shlex
import textwrap
import time
import urllib.parse
from base64 import b32encode, b64encode, encodebytes, urlsafe_b64encode

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ftctl.errors import redact
from ftctl.text.credentials import key_in
from ftctl.text.escape import html_text, json_document, markdown, markdown_code
from ftctl.text.redaction import REDACTED, holds_secret, is_worth_hiding

# Keys of no known form: what hides them is that this run knows them. With all signs that are
# written otherwise somewhere.
KEY = "Zx9/kk+q2v=Lm_7wB~t%4&r<8'y"
PLAIN = "q7Rk2Wm9Xc4Vb8Nz"
WORDS = "correct horse 9 battery"

often = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def after(count: int) -> bytes:
    """What stands before a key in the same base64."""
    return b"ab:"[3 - count :]


WRITTEN = {
    "as it is": lambda key: f"Incorrect API key provided: {key}.",
    "in lower case": lambda key: f"header x-key: {key.lower()}",
    "in upper case": lambda key: f"HEADER X-KEY: {key.upper()}",
    "twice": lambda key: f"{key} and {key}",
    "within a word": lambda key: f"prefix{key}suffix",
    "in an address": lambda key: f"https://x.example/?k={urllib.parse.quote(key, '')}&n=1",
    "in an address, slashes kept": lambda key: f"/v1/{urllib.parse.quote(key)}/files",
    "in a form": lambda key: f"k={urllib.parse.quote_plus(key)}&n=1",
    "in an address, every sign": lambda key: f"?k={percent(key)}",
    "in an address, lower case": lambda key: f"?k={percent(key).lower()}",
    "in an address twice over": lambda key: urllib.parse.quote(urllib.parse.quote(key, ""), ""),
    "in JSON": lambda key: json.dumps({"key": key}),
    "in JSON, slashes escaped": lambda key: json.dumps({"key": key}).replace("/", r"\/"),
    "in JSON, every sign": lambda key: "".join(f"\\u{ord(c):04x}" for c in key),
    "in JSON, capitals": lambda key: "".join(f"\\u{ord(c):04X}" for c in key),
    "in JSON, first sign alone": lambda key: f"\\u{ord(key[0]):04x}{key[1:]}",
    "in JSON within JSON": lambda key: json.dumps(json.dumps({"key": key})),
    "in JSON that is our document": lambda key: json_document({"key": f"##[x] {key}"}),
    "as Python repeats it": lambda key: repr({"key": key}),
    "as Python's bytes": lambda key: repr(key.encode()),
    "as Python's escapes": lambda key: "".join(f"\\x{ord(c):02x}" for c in key),
    "in a shell's quotes": lambda key: shlex.quote(f"--key={key}"),
    "in HTML": html.escape,
    "in our HTML": lambda key: html_text(f"<b> {key}"),
    "in HTML, decimal": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "in HTML, hexadecimal": lambda key: "".join(f"&#x{ord(c):X};" for c in key),
    "in HTML, leading zeros": lambda key: "".join(f"&#0{ord(c)};" for c in key),
    "in HTML twice over": lambda key: html.escape(html.escape(key)),
    "in HTML, one sign": lambda key: f"{key[:4]}&#{ord(key[4])};{key[5:]}",
    "in our Markdown": lambda key: markdown(f"said: {key}"),
    "in our Markdown's code": lambda key: markdown_code(f"| {key}"),
    "hexadecimal": lambda key: key.encode().hex(),
    "hexadecimal, capitals": lambda key: key.encode().hex().upper(),
    "hexadecimal with colons": lambda key: key.encode().hex(":"),
    "hexadecimal with blanks": lambda key: key.encode().hex(" "),
    "hexadecimal within more": lambda key: f"00ff{key.encode().hex()}00ff",
    **{
        f"base64 after {count} bytes": (
            lambda key, count=count: b64encode(after(count) + key.encode() + b"!").decode()
        )
        for count in range(4)
    },
    **{
        f"base64 of addresses after {count} bytes": (
            lambda key, count=count: urlsafe_b64encode(after(count) + key.encode() + b"!")
            .decode()
            .rstrip("=")
        )
        for count in range(4)
    },
    "base64 alone": lambda key: b64encode(key.encode()).decode(),
    "base64 without padding": lambda key: b64encode(key.encode()).decode().rstrip("="),
    "Basic user:key": lambda key: f"Basic {b64encode(f'user:{key}'.encode()).decode()}",
    "Basic key:": lambda key: f"authorization: basic {b64encode(f'{key}:'.encode()).decode()}",
    "base64 in lines": lambda key: encodebytes(b"x" * 50 + key.encode()).decode(),
    "base64 in an address": lambda key: urllib.parse.quote(b64encode(key.encode()), ""),
    "base64 in JSON": lambda key: json.dumps(b64encode(key.encode()).decode()).replace("/", r"\/"),
    "base64 of a JSON": lambda key: b64encode(json.dumps({"k": [key]}).encode()).decode()
    if json.dumps(key)[1:-1] == key
    else b64encode(f"k={key}".encode()).decode(),
    "backwards": lambda key: key[::-1],
    "over a line's end": lambda key: f"{key[:9]}\n{key[9:]}",
    "over a line's end of Windows": lambda key: f"{key[:9]}\r\n{key[9:]}",
    "over a line's end with a margin": lambda key: f"    {key[:9]}\n    {key[9:]}",
    "over three lines": lambda key: f"{key[:5]}\n  {key[5:9]}\n  {key[9:]}",
    "in a box": lambda key: f"│ {key[:9]} │\n│ {key[9:]} │",
    "in a box of ASCII": lambda key: f"| {key[:9]} |\n| {key[9:]} |",
    "in a quoted mail": lambda key: f"> {key[:9]}\n> {key[9:]}",
    "over a shell's line": lambda key: f"{key[:9]}\\\n{key[9:]}",
    "as Python's neighbours": lambda key: f"('{key[:9]}'\n '{key[9:]}')",
    "wrapped as text": lambda key: "\n".join(textwrap.wrap(key, 7)),
    "on one line that was two": lambda key: f"{key[:9]} {key[9:]}",
    "coloured in its middle": lambda key: f"{key[:9]}\x1b[31m{key[9:]}\x1b[0m",
    "with blanks of no width": "\u200b".join,
    "with a soft hyphen": lambda key: f"{key[:9]}\xad{key[9:]}",
    "with Markdown's blank": lambda key: f"{key[:9]}&#8203;{key[9:]}",
}  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("key", [KEY, PLAIN], ids=["signs", "letters"])
def test_a_known_key_is_taken_out(key: str, written: str) -> None:
    text = f"before {WRITTEN[written](key)} after"

    said = redact(text, [key])

    assert REDACTED in said
    assert said.startswith("before ")
    assert said.endswith(" after")
    assert redact(said, [key]) == said
    for start in range(len(key) - 6):
        assert key[start : start + 6].lower() not in said.lower()
    assert holds_secret(text, [key])


@pytest.mark.parametrize("written", WRITTEN)
def test_a_key_that_is_all_of_a_text_goes_as_a_whole(written: str) -> None:
    said = redact(WRITTEN[written](PLAIN), [PLAIN])

    assert REDACTED in said
    for start in range(len(PLAIN) - 6):
        assert PLAIN[start : start + 6].lower() not in said.lower()


@pytest.mark.parametrize("key", ["schl\xfcssel-7-\u9375", "\U0001f511-of-the-house-7"])
@pytest.mark.parametrize(
    "written",
    ["as it is", "in JSON", "in HTML, decimal", "in an address", "hexadecimal", "base64 alone",
     "over a line's end"],
)  # fmt: skip
def test_a_key_of_other_letters_is_taken_out(key: str, written: str) -> None:
    assert REDACTED in redact(f"a {WRITTEN[written](key)} b", [key])


@pytest.mark.parametrize(
    "written",
    ["as it is", "in an address", "in a form", "in JSON", "over a line's end", "in our Markdown"],
)
def test_a_key_with_blanks_is_taken_out(written: str) -> None:
    said = redact(WRITTEN[written](WORDS), [WORDS])

    assert REDACTED in said
    assert "battery" not in said


LOOKS = {
    "OpenAI's": "sk-proj-4f9Kq2LmX7wZ1bVt90QeRt",
    "OpenAI's of old": "sk-4f9Kq2LmX7wZ1bVt90QeRtYu",
    "a service account's": "sk-svcacct-4f9Kq2LmX7wZ1bVt90QeRt",
    "Anthropic's": "sk-ant-api03-4f9Kq2LmX7wZ1bVt90QeRt",
    "a gateway's, short": "sk-4f9Kq2Lm",
    "ephemeral": "ek-4f9Kq2LmX7wZ",
    "AWS's": "AKIA2E0A8F3B244C9986",
    "AWS's, temporary": "ASIA2E0A8F3B244C9986",
    "AWS's secret": "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzKEYzzz",
    "Bedrock's": "bedrock-api-key-4f9Kq2LmX7wZ1bVt90QeRtYuIoPaSdFgHjKl4f9Kq2LmX7w/+A==",
    "GitHub's": "ghp_4f9Kq2LmX7wZ1bVt90QeRtYuIoPaSdFgHjKl",
    "GitHub's of a workflow": "ghs_4f9Kq2LmX7wZ1bVt90QeRtYuIoPaSdFgHjKl",
    "GitHub's, fine-grained": f"github_pat_{'4f9Kq2LmX7w' * 2}_{'Z1bVt90QeRt' * 5}Yu9K",
    "GitLab's": "glpat-4f9Kq2LmX7wZ1bVt90Qe",
    "Slack's": "xoxb-123456789012-4f9Kq2LmX7wZ",
    "Slack's webhook": "hooks.slack.com/services/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",
    "Google's": "AIza4f9Kq2LmX7wZ1bVt90QeRtYuIoPaSdFgHjK",
    "Google's, of a login": "ya29.a0AfH6SMBx-4f9Kq2LmX7wZ",
    "Stripe's": "sk_live_4f9Kq2LmX7wZ1bVt90Qe",
    "Hugging Face's": "hf_4f9Kq2LmX7wZ1bVt90QeRtYuIoPaSdFgHj",
    "npm's": "npm_4f9Kq2LmX7wZ1bVt90QeRtYuIoPaSdFgHjKl",
    "SendGrid's": "SG.4f9Kq2LmX7wZ1bVt90QeRt.4f9Kq2LmX7wZ1bVt90QeRtYuIoPaSdFgHjKl4f9Kq2L",
    "PyPI's": f"pypi-AgE{'4f9Kq2LmX7wZ1bVt90QeRtYu' * 3}",
    "a signed token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkw.dozjgNryP4J3jVmNHl0w5N_X",
    "a private key": f"-----BEGIN EC PRIVATE KEY-----\n{'MIIEvQIBADANBgkqhkiG9w0B' * 3}",
    "an address's password": "https://anna:hunter2@git.example/x",
    "an address's token": "https://:4f9Kq2LmX7wZ@git.example/x",
    "a bearer's": "Authorization: Bearer 4f9Kq2LmX7wZ1bVt",
    "a bearer's, capitals": "AUTHORIZATION: BEARER 4f9Kq2LmX7wZ1bVt",
    "a bearer's, small": "authorization: bearer 4f9kq2lmx7wz1bvt",
    "a Basic login": "Authorization: Basic dXNlcjpodW50ZXIyMTIz",
    "a header's": "X-Api-Key: 4f9Kq2LmX7wZ1bVt",
    "W&B's": "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",
    "W&B's of old": "wandb login 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
    "Azure's of old": "AZURE_OPENAI_API_KEY=0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "Azure's": f"{'4f9Kq2LmX7wZ1bVt90QeRtYuIo' * 2}JQQJ99BGACHYHv6XJ3w3AAABACOGYu9K",
    "Azure's storage": f"AccountName=acme;AccountKey={'4f9Kq2LmX7wZ1bVt90QeRtYuIo' * 3}4f9Kq2Lm==",
    "Nebius's": f"v1.CmQKHHN0YXRpY2tleS1l{'4f9Kq2LmX7wZ1bVt90QeRtYu' * 5}",
    "Together's": "tgp_v1_4f9Kq2LmX7wZ1bVt90QeRtYuIoPaSdFgHjKl4f9Kq2L",
    "Groq's": "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",
    "NVIDIA's": "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",
    "OpenRouter's": f"sk-or-v1-{'0f1e2d3c4b5a6978' * 4}",
    "Databricks'": "dapi0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "DigitalOcean's": f"dop_v1_{'0f1e2d3c4b5a6978' * 4}",
    "Datadog's": "datadog_app_key: 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
    "a header's of Azure": "api-key: 0f1e2d3c4b5a69788796a5b4c3d2e1f0",
}  # fmt: skip
_BODY = "4f9Kq2LmX7w"


@pytest.mark.parametrize("kind", LOOKS)
def test_what_looks_like_a_key_is_taken_out_although_nobody_knows_it(kind: str) -> None:
    said = redact(f"the service said: {LOOKS[kind]}")

    assert REDACTED in said
    assert said.startswith("the service said: ")
    for part in (_BODY, _BODY.lower(), "hunter2", "MIIEvQ", "dXNlcjpodW50ZXIy", "2E0A8F3B", "wJalr",
                 "0f1e2d3c", "dozjgNry"):  # fmt: skip
        assert part not in said
    assert key_in(LOOKS[kind]) is not None


@pytest.mark.parametrize(
    "written",
    [
        "in an address, every sign", "in JSON, every sign", "in HTML, decimal",
        "in HTML twice over",
        "as Python's escapes", "hexadecimal", "hexadecimal, capitals", "base64 alone",
        "base64 after 1 bytes", "base64 after 2 bytes", "base64 after 3 bytes",
        "base64 of addresses after 1 bytes", "Basic user:key",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["OpenAI's", "GitHub's", "AWS's"])
def test_what_looks_like_a_key_is_found_as_it_is_encoded(kind: str, written: str) -> None:
    text = f"trace {WRITTEN[written](LOOKS[kind])} end"

    if text == f"trace {LOOKS[kind]} end":
        pytest.skip("it is written as it is")
    assert key_in(text) is not None
    assert redact(text) == f"trace {REDACTED} end".replace(
        REDACTED, f"Basic {REDACTED}" if written.startswith("Basic") else REDACTED
    )


HONEST = {
    "a commit": "9a57b84a2c0d1e3f4a5b6c7d8e9f0a1b2c3d4e5f",
    "a short commit": "at 9a57b84",
    "a plan's digest": f"sha256:{'0b69d04f2abe6c52' * 4}",
    "a training's digest": f"v1:{'cebffca6249e1500' * 4}",
    "a job": "ftjob-abc123DEF456ghi789",
    "a file": "file-AbCdEf123456GhIjKl",
    "a request's id": "req_0123456789abcdef0123456789abcdef",
    "a checkpoint": "ftckpt_zc4Q7MP6XxulcVzj4MZdwsAB",
    "a model": "gpt-4.1-mini-2025-04-14",
    "a tuned model": "ft:gpt-4.1-mini-2025-04-14:acme-support:emotion:9TzQWe1x",
    "a model at a step": "ft:gpt-4.1-mini-2025-04-14:acme::9TzQWe1x:ckpt-step-88",
    "an upload": f"ftctl.demo.tone.{'240e34439a8ffcfc' * 4}.v1-{'ab' * 32}.over-0123456789.jsonl",
    "a name in Slovak": "sk-support-2025",
    "a name in Slovak, long": "sk-zakaznicka-podpora-bratislava-2025-11",
    "a name in code": "sk-learn-models-for-text-classification",
    "a name with a version": "sk-model-v2-large",
    "a library's": "hf_transformers",
    "a variable": "{env: OPENAI_API_KEY}",
    "a header without its value": "Authorization: Bearer {token}",
    "a sentence on keys": "Bearer authentication needs a key; basic understanding helps",
    "an address": "https://api.openai.com/v1/fine_tuning/jobs?limit=100&after=ftjob-1",
    "an address with a port": "http://localhost:8080/v1",
    "an address of mail": "anna@acme.example",
    "a time": "2026-11-30T12:00:00Z",
    "an ARN": "arn:aws:lambda:us-east-1:123456789012:function:grade",
    "a UUID": "550e8400-e29b-41d4-a716-446655440000",
    "an organization": "org-AbCdEfGhIjKlMnOpQrStUvWx",
    "a project": "proj_AbCdEfGhIjKlMnOpQrSt",
    "an amount": "$4.10 to $4.12: 98,319 tokens × 3 epochs",
    "base64 of words": b64encode(b"a text without any key, and long enough to be one").decode(),
    "base32": b32encode(b"a text without any key").decode(),
    "a path": "data/emotion/2025-11/train-part-0001-of-0100.jsonl",
    "a request at Azure": "azure: the key is wrong (request 0f1e2d3c4b5a69788796a5b4c3d2e1f0)",
    "a job at Azure": "azure said to that key: ftjob-0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "a file in Azure's storage": "azure's token, md5 0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "a commit that W&B has": "wandb, login by key: commit 9a57b84a2c0d1e3f4a5b6c7d8e9f0a1b2c3d4e5f",
    "a digest at Together": f"together.ai key: sha256:{'0b69d04f2abe6c52' * 4}",
    "a word behind a service's token": "the Dropbox token, Characteristics of which are told",
    "a name in code of a firmware": "fw_updaterOfTheFirmwareClassName",
    "a path of Windows": r"C:\users\xavier\data\train.jsonl",
    "percent signs": "37.5 % of 100%25 and 100%",
    "a Python wheel": "ftctl-0.1.0-py3-none-any.whl",
    "a risk": "risk-assessment-2025 and desk-12345678",
    "prose in another script": "Проверка ключа: 鍵はありません",
}  # fmt: skip


@pytest.mark.parametrize("kind", HONEST)
def test_honest_text_stays_as_it_is(kind: str) -> None:
    assert redact(HONEST[kind], [KEY, PLAIN]) == HONEST[kind]
    assert key_in(HONEST[kind]) is None


@pytest.mark.parametrize(
    "value",
    ["x", "test", "1234567", "hunter2", "EMPTY", "password", "emulator", "acme-support",
     "not-needed", "lm-studio", "Production", "no key needed"],
)  # fmt: skip
def test_a_short_value_or_a_word_is_taken_out_only_where_a_key_stands(value: str) -> None:
    honest = f"{value}: the {value} of {value}'s model; see docs/{value}.md"

    assert redact(honest, [value]) == honest
    assert not holds_secret(honest, [value])
    for where in ("Authorization: Bearer {}", "api_key={}", '"token": "{}"', "password: {}"):
        said = redact(where.format(value), [value])
        assert said == where.format(REDACTED)


@pytest.mark.parametrize(
    ("value", "hides"),
    [
        ("1234567", False), ("12345678", True), ("abcdefgh", False), ("abcdefg1", True),
        ("a" * 15, False), ("a" * 16, True), ("two-words", False), ("two-Words", True),
        ("TWOWORDS", False), ("Twowords", False), ("twoWords", True), ("two__words", True),
    ],
)  # fmt: skip
def test_what_is_a_word_is_decided_by_its_letters(value: str, *, hides: bool) -> None:
    assert is_worth_hiding(value) is hides
    assert (redact(f"see {value}.", [value]) == f"see {REDACTED}.") is hides


def test_a_key_within_a_longer_one_does_not_leave_its_ends() -> None:
    whole = f"{PLAIN}-{KEY}"

    assert redact(f"a {whole} b {PLAIN} c", [PLAIN, whole]) == f"a {REDACTED} b {REDACTED} c"


def test_a_token_of_kilobytes_goes_as_a_whole() -> None:
    token = "4f9Kq2LmX7wZ" * 300

    for text in (token, percent(token), f"{token[:80]}\n{token[80:]}", json.dumps(token)):
        said = redact(f"a {text} b", [token])
        assert _BODY not in said
        assert said.startswith("a ")


@given(st.text(max_size=60))
@example("sk-abcdefgh")
@example("Bearer abcdefghijklmnop1")
@example("https://a:b@c")
@example("eyJabcdefgh.x")
@often
def test_what_a_manifest_may_say_is_shown_as_it_is_said(text: str) -> None:
    assume(key_in(text) is None)

    assert redact(text) == text


SIGNS = st.characters(min_codepoint=33, max_codepoint=126)


@given(st.text(SIGNS, min_size=16, max_size=40), st.integers(0, 40))
@example("a\\\\nbcdefghijklmno", 3)
@example("&amp;&#65;%25%41\\u0041", 9)
@example("##[a]<!--b-->::c::", 1)
@settings(often, max_examples=25)
def test_any_value_is_taken_out_whatever_is_written_around_it(value: str, cut: int) -> None:
    for text in (value, json.dumps(value), html.escape(value), urllib.parse.quote(value, ""),
                 f"{value[:cut]}\n{value[cut:]}", b64encode(b"a:" + value.encode()).decode(),
                 value.encode().hex()):  # fmt: skip
        assert REDACTED in redact(text, [value])


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=30), max_size=3))
@often
def test_any_text_and_any_key_are_taken(text: str, keys: list[str]) -> None:
    once = redact(text, keys)

    assert isinstance(once, str)


@pytest.mark.parametrize(
    "text",
    [
        "sk-" * 100_000,
        "%" * 200_000,
        "\\" * 200_000,
        "&amp;" * 40_000,
        "A" * 300_000,
        "a%41" * 50_000,
        "://" * 100_000 + "@",
        "\n" * 200_000,
        " \\\n" * 60_000,
        "eyJabcdefgh." * 20_000,
        "bearer " * 40_000,
        f"{PLAIN[:-1]} " * 10_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_no_text_takes_long(text: str) -> None:
    began = time.monotonic()

    redact(text, [KEY, PLAIN])

    assert time.monotonic() - began < 5
