"""What is seen in one text: keys, personal data, refusals, placeholders, its language."""

from __future__ import annotations

import base64
import json
import random
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftctl.data.quality.checkdigits import (
    is_brazilian_taxpayer,
    is_card,
    is_dutch_citizen,
    is_german_tax,
    is_iban,
    is_korean_resident,
    is_luhn,
)
from ftctl.data.quality.fold import folded
from ftctl.data.quality.languages import language_of
from ftctl.data.quality.personal import may_hold_personal, personal_in
from ftctl.data.quality.refusals import missing, refuses, unwritten
from ftctl.data.quality.secret_search import entropy, may_hold_secret, secrets_in
from ftctl.errors import redact
from ftctl.text.credential_forms import FORMS, JWT, PRIVATE_KEY, ROW_FORMS
from ftctl.text.credentials import loose_pattern

_ALL = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
PASSWORD = "k7Wq2xPz9v"


def chance(length: int, alphabet: str = _ALL) -> str:
    """A body as a key has one; written out here, scanners of our own repository would report it."""
    return "".join(random.Random(f"{length}{alphabet}").choices(alphabet, k=length))


def token(header: object) -> str:
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{first}.eyJzdWIiOiI0MiJ9.{chance(43)}"


PEM = "\n".join(chance(64, _ALL + "+/") for _ in range(4))

KEYS = {
    "openai": ("an OpenAI key", "sk-" + chance(48)),
    "openai project": ("an OpenAI key", "sk-proj-" + chance(120, _ALL + "_-")),
    "openai service": ("an OpenAI key", "sk-svcacct-" + chance(60)),
    "anthropic": ("an Anthropic key", "sk-ant-api03-" + chance(90, _ALL + "_-")),
    "aws": ("an AWS access key", "AKIA" + chance(16, string.ascii_uppercase + "234567")),
    "aws session": (
        "a temporary AWS access key",
        "ASIA" + chance(16, string.ascii_uppercase + "234567"),
    ),
    "bedrock": ("a Bedrock API key", "bedrock-api-key-" + chance(80)),
    "aws secret": ("an AWS secret key", "aws_secret_access_key = " + chance(40)),
    "github": ("a GitHub token", "ghp_" + chance(36)),
    "github oauth": ("a GitHub token", "gho_" + chance(36)),
    "github fine": ("a GitHub token", f"github_pat_{chance(22)}_{chance(59)}"),
    "gitlab": ("a GitLab token", "glpat-" + chance(20)),
    "slack": ("a Slack token", f"xoxb-904218845566-{chance(24)}"),
    "slack webhook": (
        "a Slack webhook",
        f"https://hooks.slack.com/services/T02AB34CD/B05EF67GH/{chance(24)}",
    ),
    "google": ("a Google key", "AIza" + chance(35)),
    "stripe": ("a Stripe key", "sk_live_" + chance(24)),
    "hugging face": ("a Hugging Face token", "hf_" + chance(34, string.ascii_letters)),
    "npm": ("an npm token", "npm_" + chance(36)),
    "sendgrid": ("a SendGrid key", f"SG.{chance(22)}.{chance(43)}"),
    "pypi": ("a PyPI token", "pypi-AgE" + chance(60)),
    "openrouter": ("an OpenRouter key", "sk-or-v1-" + chance(64, _HEX)),
    "langfuse": (
        "a Langfuse key",
        "sk-lf-" + "-".join(chance(length, _HEX) for length in (8, 4, 4, 4, 12)),
    ),
    "aws session token": ("an AWS session token", "IQoJb3JpZ2lu" + chance(400, _ALL + "+/")),
    "google client": ("a Google client secret", "GOCSPX-" + chance(28)),
    "wandb": ("a Weights & Biases key", "wandb_v1_" + chance(77)),
    "wandb of old": ("a Weights & Biases key", "WANDB_API_KEY=" + chance(40, _HEX)),
    "wandb login": ("a Weights & Biases key", "wandb login " + chance(40, _HEX)),
    "nebius": ("a Nebius key", f"v1.CmQKHHN0YXRpY2tleS1l{chance(180)}"),
    "together": ("a Together key", "tgp_v1_" + chance(43)),
    "together of old": ("a Together key", "TOGETHER_API_KEY=" + chance(64, _HEX)),
    "fireworks": ("a Fireworks key", "fw_" + chance(24)),
    "groq": ("a Groq key", "gsk_" + chance(52)),
    "xai": ("an xAI key", "xai-" + chance(80)),
    "replicate": ("a Replicate key", "r8_" + chance(37)),
    "nvidia": ("an NVIDIA key", "nvapi-" + chance(64, _ALL + "_-")),
    "perplexity": ("a Perplexity key", "pplx-" + chance(48)),
    "cerebras": ("a Cerebras key", "csk-" + chance(48, string.ascii_lowercase + string.digits)),
    "pinecone": ("a Pinecone key", f"pcsk_{chance(6)}_{chance(63)}"),
    "langsmith": ("a LangSmith key", f"lsv2_pt_{chance(32, _HEX)}_{chance(10, _HEX)}"),
    "mistral": ("a Mistral key", "MISTRAL_API_KEY: " + chance(32)),
    "twilio": ("a Twilio key", "TWILIO_AUTH_TOKEN: " + chance(32, _HEX)),
    "cohere": ("a Cohere key", "CO_API_KEY=" + chance(40)),
    "docker": ("a Docker token", "dckr_pat_" + chance(27)),
    "figma": ("a Figma token", "figd_" + chance(40)),
    "bitbucket": ("a Bitbucket password", "ATBB" + chance(32)),
    "supabase": ("a Supabase token", "sbp_" + chance(40, _HEX)),
    "netlify": ("a Netlify token", "nfp_" + chance(36)),
    "runpod": ("a RunPod key", "rpa_" + chance(40, string.ascii_uppercase + string.digits)),
    "stripe webhook": ("a Stripe webhook secret", "whsec_" + chance(32)),
    "square": ("a Square secret", "sq0csp-" + chance(43)),
    "tavily": ("a Tavily key", "tvly-dev-" + chance(32)),
    "jina": ("a Jina key", "jina_" + chance(60)),
    "google of 2026": ("a Google key", "AQ.Ab" + chance(48)),
    "elevenlabs": ("an ElevenLabs key", "sk_" + chance(48, _HEX)),
    "nuget": ("a NuGet key", "oy2" + chance(43, string.ascii_lowercase + string.digits)),
    "basic": (
        "a password in a header",
        "Authorization: Basic " + base64.b64encode(b"anna:q7Rk2Wm9Xc4V").decode(),
    ),
    "by its name": ("what is called a key or password", "client_secret: " + chance(24)),
    "by its name in a shell": (
        "what is called a key or password",
        "ENV ACME_API_KEY " + chance(24),
    ),
    "by its name in Python": (
        "what is called a key or password",
        f"os.environ['ACME_TOKEN'] = '{chance(24)}'",
    ),
    "by its name in XML": (
        "what is called a key or password",
        f"<add key='JWT_SECRET' value='{chance(32)}' />",
    ),
    "azure devops": (
        "an Azure key",
        "AZURE_DEVOPS_PAT_TOKEN=" + chance(52, string.ascii_lowercase + "234567"),
    ),
    "discord webhook": (
        "a Discord webhook",
        f"https://discord.com/api/webhooks/118273645546372819/{chance(68)}",
    ),
    "google login": ("a Google token", "ya29.a0" + chance(180, _ALL + "_-")),
    "by its name as UUID": (
        "an API key",
        "api_key=" + "-".join(chance(length, _HEX) for length in (8, 4, 4, 4, 12)),
    ),
    "telegram": ("a Telegram bot token", f"8123456789:AA{chance(33)}"),
    "discord": (
        "a Discord bot token",
        f"DISCORD_TOKEN=MTA{chance(21)}.{chance(6)}.{chance(38)}",
    ),
    "azure": ("an Azure key", f"{chance(52)}JQQJ99BGACHYHv6XJ3w3AAABACOG{chance(4)}"),
    "azure of old": ("an Azure key", "AZURE_OPENAI_API_KEY=" + chance(32, _HEX)),
    "azure header": ("an Azure key", "Ocp-Apim-Subscription-Key: " + chance(32, _HEX)),
    "azure storage": ("an Azure storage key", f"AccountKey={chance(86, _ALL + '+/')}=="),
    "azure signed": ("a signed Azure address", f"sv=2024-11-04&sig={chance(43)}%3D"),
    "bearer": ("a key in a header", "Authorization: Bearer " + chance(40)),
    "address": (
        "a password in an address",
        f"postgresql://app:{PASSWORD}@db.acme.io:5432/shop",
    ),
    "jwt": ("a signed token (JWT)", token({"alg": "HS256", "typ": "JWT"})),
    "private": ("a private key", f"-----BEGIN RSA PRIVATE KEY-----\n{PEM}\n-----END"),
    "private in json": (
        "a private key",
        "-----BEGIN PRIVATE KEY-----\\n" + PEM.replace("\n", "\\n") + "\\n-----END",
    ),
}


@pytest.mark.parametrize(("what", "key"), KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("text", ["{}", "My key is {}, keep it.", '{{"key": "{}"}}', "여기 {}"])
def test_a_key_is_found_wherever_it_stands(what: str, key: str, text: str) -> None:
    held = text.format(key)

    found = list(secrets_in(held, 3.0))

    assert may_hold_secret(held.encode())
    assert [one.what for one in found] == [what]


def test_every_known_form_of_a_key_is_tried_here() -> None:
    tried = {what for what, _ in KEYS.values()}

    assert tried == {form.what for form in (*FORMS, *ROW_FORMS, JWT, PRIVATE_KEY)}


REDACTED = ("aws", "aws session", "github", "github oauth", "hugging face", "jwt")


@pytest.mark.parametrize("key", [KEYS[name][1] for name in REDACTED], ids=REDACTED)
def test_a_key_that_is_found_exactly_looks_like_one_in_text_of_others(key: str) -> None:
    assert re.sub(loose_pattern(), "[redacted]", f"said: {key}, so") == "said: [redacted], so"


OURS = ("openai", "openai project", "openai service", "anthropic")


@pytest.mark.parametrize("key", [KEYS[name][1] for name in OURS], ids=OURS)
def test_a_key_of_openai_and_its_kin_is_taken_out_of_all_that_is_printed(key: str) -> None:
    assert redact(f"said: {key}, so") == "said: [redacted], so"


@pytest.mark.parametrize(("what", "key"), KEYS.values(), ids=KEYS)
def test_what_is_shown_of_a_key_does_not_open_anything(what: str, key: str) -> None:
    (found,) = secrets_in(key, 3.0)

    assert len(found.shown) <= 16
    assert key not in found.shown


@pytest.mark.parametrize(("what", "key"), KEYS.values(), ids=KEYS)
def test_an_allowed_key_is_let_by(what: str, key: str) -> None:
    if what != "a private key":
        whole = key.removeprefix("https://")
        allowed = [whole, *re.findall(r"(?<=sig=).+|[\w+/.-]{16,}=*", key), PASSWORD]

        assert list(secrets_in(key, 3.0, allowed)) == []


NO_KEYS = [
    "sk-XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
    "sk-your-api-key-goes-here-please",
    "sk-proj-0000000000000000000000000000",
    "sk-1234567890abcdef1234567890abcdef",
    "sk-learn-is-a-library-for-machine-learning",
    "risk-management-and-task-scheduling-for-teams",
    "AKIAIOSFODNN7EXAMPLE",
    "AKIAXXXXXXXXXXXXXXXX",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "ghp_short1234",
    "glpat-<your-token>",
    "xoxb-your-token-here-placeholder",
    "AIzaAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "-----BEGIN PUBLIC KEY-----\n" + PEM,
    "-----BEGIN CERTIFICATE-----\n" + PEM,
    "eyJhbGciOi.eyJzdWIi.short",
    "eyJub3RoaW5nIjoxfQ.eyJzdWIiOiI0MiJ9." + "a1b2c3d4e5" * 3,  # a header that names no algorithm
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "550e8400-e29b-41d4-a716-446655440000",
    "https://docs.acme.com/a-very-long-title-of-2024-that-goes-on-and-on",
    "--------------------------------------------------",
    "hf_hub_download_from_the_repository",
    "pk_live_is_not_secret_1234",
    "http://john:P%40SSWORD@localhost:3128/",
    "https://foo.com:123,foo:bar@bar.com/path",
    "postgresql://user:password@localhost:5432/db",
    "secret:MyTestDatabaseSecret-a1b2c3",
    "private_key = Ed25519PrivateKey.from_private_bytes(data)",
    "access_token = response.json()['access_token']",
    "session_token: 550e8400-e29b-41d4-a716-446655440000",
    "primary_key: 4f9Kq2LmX7wZ1bVt90QeRtYu",
    "sha256 of the Azure storage account's file: 9f86d081884c7d659a2feaa0c55ad015",
    "wandb: synced at commit 9a57b84a2c0d1e3f4a5b6c7d8e9f0a1b2c3d4e5f",
    "heroku, 550e8400-e29b-41d4-a716-446655440000",
    "Dropbox, internationalise",
    "Authorization: Bearer <your token goes in here>",
    "Authorization: Basic authentication-of-the-user",
    '"private_key": "...-----BEGIN PRIVATE KEY-----... in PEM format", and so on and so forth',
    "access_token: 482910375648291037564829",
    "access_token: fedcbaacefbdfedcbaacefbd",
    "client_secret: GetTheSecretOfTheClient2",
    "client_secret: app-config-2024-v1-prod-eu",
    "YOUR-API-KEY: AKIAEXAMPLE-OF-A-LONG-KEY",
    "eyJub3RqczonfQ.eyJzdWIiOiI0MiJ9." + "a1b2c3d4e5" * 3,  # a header that is no JSON
]


@pytest.mark.parametrize("text", NO_KEYS)
def test_a_placeholder_is_no_key(text: str) -> None:
    assert list(secrets_in(text, 3.0)) == []


SHOWN = {
    "sk-" + "4f9Kq2LmX7wZ1bVt90QeRtYu": "sk-…RtYu",
    "dapi" + "0f1e2d3c4b5a69788796a5b4c3d2e1f0": "dapi…e1f0",
    "github_pat_" + "4f9Kq2LmX7w" * 2 + "_" + "4f9Kq2LmX7w" * 5 + "4f9K": "github_pat_…4f9K",
    "wandb login 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c": "0f…2d3c",
    "heroku_api_key=0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0": "0f…e1f0",
    "mailgun_key: key-0f1e2d3c4b5a69788796a5b4c3d2e1f0": "ke…e1f0",
    "client_secret: q7Rk2Wm9Xc4Vb8NzT5": "q7…NzT5",
    "Bearer q7Rk2Wm9Xc4Vb8NzT5Lp": "q7…T5Lp",
    f"mysql://app:{PASSWORD}@db.acme.io/shop": "k…v",
    "mysql://app:k7Wq2xPz9vL4mN8r@db.acme.io/shop": "k7…mN8r",
}


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_shown_is_the_prefix_or_two_signs_and_the_last_four(text: str) -> None:
    assert [found.shown for found in secrets_in(f"It is {text}, so.", 3.0)] == [SHOWN[text]]


@pytest.mark.parametrize("allowed", ["client_secret: q7Rk2Wm9Xc4Vb8NzT5", "q7Rk2Wm9Xc4Vb8NzT5"])
def test_a_key_is_allowed_with_its_name_and_without(allowed: str) -> None:
    text = "client_secret: q7Rk2Wm9Xc4Vb8NzT5"

    assert list(secrets_in(text, 3.0, [allowed])) == []
    assert len(list(secrets_in(text, 3.0, [allowed + "x"]))) == 1


def test_a_key_is_told_once_whatever_forms_it_fits() -> None:
    key = "sk-or-v1-" + chance(64, _HEX)
    text = f"OPENAI_API_KEY={key} and AZURE_API_KEY: Bearer {key}"

    assert [found.what for found in secrets_in(text, 3.0)] == ["an OpenRouter key"] * 2


def test_a_long_key_may_have_a_word_in_it_by_chance() -> None:
    body = chance(40)

    assert list(secrets_in(f"sk-{body}your{body}", 3.0)) != []
    assert list(secrets_in(f"sk-your{body[:20]}", 3.0)) == []


@pytest.mark.parametrize(
    "text",
    [
        "call_4f9Kq2LmX7wZ1bVt90QeRtYu",
        "https://acme.io/a/b?c=d and mail@acme.io",
        "9a57b84a2c0d1e3f4a5b6c7d8e9f0a1b2c3d4e5f",
        "the_name_of_a_function_with_a_secret_token",
        "ftjob-4f9Kq2LmX7wZ1bVt90QeRtYu",
        "prose without any run that is long",
    ],
)
def test_ordinary_text_is_not_looked_at_closely(text: str) -> None:
    assert not may_hold_secret(text.encode())


def test_the_least_entropy_of_a_key_can_be_set() -> None:
    key = "sk-" + "a7Q" * 10

    assert entropy("a7Q" * 10) == pytest.approx(1.585, abs=0.001)
    assert list(secrets_in(key, 3.0)) == []
    assert [one.what for one in secrets_in(key, 1.0)] == ["an OpenAI key"]


PERSONAL = {
    "mail": ("an e-mail address", "jane.doe@acme.com", "j…@acme.com"),
    "mail in brackets": ("an e-mail address", "Jane <jane@mail.acme.co.uk>", "j…@mail.acme.co.uk"),
    "mail with plus": ("an e-mail address", "mailto:j.d+x@acme.io.", "j…@acme.io"),
    "mail in upper case": ("an e-mail address", "JANE@ACME.DE", "J…@ACME.DE"),
    "phone": ("a phone number", "+49 30 9018 2034", "+49…34"),
    "phone in one": ("a phone number", "call +14152009911 now", "+14…11"),
    "phone with brackets": ("a phone number", "+44 (20) 7183 8750", "+44…50"),
    "phone with dashes": ("a phone number", "+82-10-9284-1175", "+82…75"),
    "card": ("a card number", "4111 1111 1111 1111", "4111…1111"),
    "card in one": ("a card number", "card=5555555555554444;", "5555…4444"),
    "card with dashes": ("a card number", "6011-1111-1111-1117", "6011…1117"),
    "card of 15": ("a card number", "3782 822463 10005", "3782…0005"),
    "card of 14": ("a card number", "30569309025904", "3056…5904"),
    "iban": ("an account number (IBAN)", "DE89 3704 0044 0532 0130 00", "DE89…3000"),
    "iban in one": ("an account number (IBAN)", "IBAN:GB82WEST12345698765432", "GB82…5432"),
    "iban before capitals": ("an account number (IBAN)", "NL91 ABNA 0417 1643 00 ING", "NL91…4300"),
    "iban with a letter": (
        "an account number (IBAN)",
        "FR14 2004 1010 0505 0001 3M02 606",
        "FR14…2606",
    ),
    "ssn": ("a US social security number", "SSN 536-22-8726", "53…26"),
    "ssn in one": ("a US social security number", "social security number: 536228726", "53…26"),
    "rrn": ("a Korean resident number", "주민번호 900101-1234568", "90…68"),
    "cpf": ("a Brazilian CPF", "529.982.247-25", "52…25"),
    "cpf in one": ("a Brazilian CPF", "CPF: 52998224725", "52…25"),
    "german tax": ("a German tax number", "Steuer-ID: 86 095 742 719", "86…19"),
    "bsn": ("a Dutch citizen number", "BSN 111222333", "11…33"),
}


@pytest.mark.parametrize(("what", "text", "shown"), PERSONAL.values(), ids=PERSONAL)
@pytest.mark.parametrize("around", ["{}", "Note: {}\nBye.", "2024년 {} 입니다"])
def test_personal_data_is_found_and_shown_without_its_middle(
    what: str, text: str, shown: str, around: str
) -> None:
    held = around.format(text)

    assert may_hold_personal(held.encode())
    assert [(one.what, one.shown) for one in personal_in(held, ())] == [(what, shown)]


NOT_PERSONAL = [
    "jane@example.com",
    "bob@mail.example.org",
    "x@service.test",
    "support@acme.com",
    "no-reply@acme.com",
    "git@github.com:acme/shop.git",
    "icon@2x.png",
    "@jane follows @bob",
    "@app.route and @pytest.mark.skip",
    "A@B.shape",
    "npm i left-pad@1.3.0",
    "4111 1111 1111 1112",  # Luhn
    "1234 5678 9012 3456",
    "0000 0000 0000 0000",
    "1732237200000",  # milliseconds since 1970
    "order 9928371650128374",
    "0.4111111111111111",
    "4006381333931",  # a product's EAN
    "DE89 3704 0044 0532 0130 01",  # modulo 97
    "DE00 1234",
    "ISBN 978-3-16-148410-0",
    "000-12-3456",
    "666-12-3456",
    "912-34-5678",
    "123-45-6789",
    "2024-11-22",
    "900101-1234567",
    "901399-1234568",
    "529.982.247-26",
    "111.111.111-11",
    "52998224725",  # a CPF, were it called one
    "111222333",  # a BSN, were it called one
    "86095742719",
    "Steuer-ID 86095742718",
    "+1 202 555 0143",  # kept for stories
    "+44 7700 900123",
    "+1234567890",
    "+1900-01-01 00",
    "x = y +20000000",
    "+50 points",
    "192.168.100.101",
    "3.14159265358979",
    "10 20 30 40 50 60 70 80 90",
]


@pytest.mark.parametrize("text", NOT_PERSONAL)
def test_what_only_looks_like_personal_data_is_let_by(text: str) -> None:
    assert list(personal_in(text, ())) == []


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("jane@acme.com", "acme.com"),
        ("jane@mail.acme.com", "ACME.com"),
        ("jane@acme.com", "jane@acme.com"),
        ("4111 1111 1111 1111", "4111111111111111"),
        ("+49 30 9018 2034", "+493090182034"),
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    ],
)
def test_what_is_allowed_is_let_by(text: str, allowed: str) -> None:
    assert list(personal_in(text, (allowed,))) == []
    assert len(list(personal_in(text, ("other.com",)))) == 1


def test_each_of_several_numbers_is_found_in_order() -> None:
    text = "4111111111111111, then DE89370400440532013000, then 529.982.247-25."

    assert [one.shown for one in personal_in(text, ())] == ["4111…1111", "DE89…3000", "52…25"]


CHECKED = {
    is_card: "4111111111111111",
    is_luhn: "79927398713",
    is_korean_resident: "9001011234568",
    is_german_tax: "86095742719",
    is_dutch_citizen: "111222333",
    is_brazilian_taxpayer: "52998224725",
    is_iban: "GB82WEST12345698765432",
}


@pytest.mark.parametrize(("right", "number"), CHECKED.items(), ids=[f.__name__ for f in CHECKED])
def test_any_other_last_digit_is_wrong(right, number: str) -> None:
    others = [number[:-1] + digit for digit in string.digits]

    assert [one for one in others if right(one)] == [number]


@given(st.text(alphabet="0123456789+-. ()@abcA_/\n한", max_size=80))
def test_a_text_that_is_not_looked_at_holds_nothing(text: str) -> None:
    raw = text.encode()

    if not may_hold_personal(raw):
        assert list(personal_in(text, ())) == []
    if not may_hold_secret(raw):
        assert list(secrets_in(text, 0.0)) == []


REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, I cannot assist with that request.",
    "Sorry, I can't provide medical advice.",
    "I cannot help with this.",
    "I'm unable to provide that information.",
    "Unfortunately, I am not able to assist you with that.",
    "As an AI language model, I do not have personal opinions.",
    "As a large language model, I cannot browse.",
    "I apologize, but I won't be able to help.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Tut mir leid, ich kann Ihnen bei dieser Anfrage nicht weiterhelfen.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "Desculpe, mas não posso ajudar com isso.",
    "Mi dispiace, ma non posso aiutarti.",
    "Het spijt me, maar ik kan je daar niet mee helpen.",
    "Извините, но я не могу помочь с этим.",
    "Przepraszam, ale nie mogę pomóc.",
    "죄송하지만 그 요청은 도와드릴 수 없습니다.",
    "申し訳ありませんが、そのご要望にはお答えできません。",
    "抱歉，我无法提供这些信息。",
]


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_is_recognised(answer: str) -> None:
    assert refuses(answer)


NO_REFUSALS = [
    "I'm sorry to hear that your order is late. It will arrive tomorrow.",
    "I'm sorry, my mistake: the answer is 12.",
    "I can't wait to help you plan the party!",
    "I can't help but smile at this.",
    "I can help with that.",
    "Sorry for the delay; the parcel is on its way.",
    "Unfortunately, the item is sold out. Shall I suggest another?",
    "You said: I'm sorry, I can't help with that.",
    "The function cannot help here since it takes no argument.",
    "As an AI researcher, you will love this paper.",
    "Es tut mir leid, dass das Paket beschädigt ist. Ich schicke ein neues.",
    "Je suis désolé pour le retard.",
    "Lo siento mucho. Ya está en camino.",
    "죄송합니다. 내일 다시 보내 드리겠습니다.",
    "抱歉，让您久等了。",
    "joy",
    "",
]


@pytest.mark.parametrize("answer", NO_REFUSALS)
def test_what_only_sounds_sorry_is_no_refusal(answer: str) -> None:
    assert not refuses(answer)


def test_placeholders_and_words_for_none_are_told_apart() -> None:
    assert [word for word in ("TODO", " … ", "...", "tbd", "[Answer]") if not unwritten(word)] == []
    assert [word for word in ("N/A", "None", "null", "-") if not missing(word)] == []
    for word in ("To do this, press the button.", "no", "0", "joy", "", "None of them."):
        assert not unwritten(word)
        assert not missing(word)


LANGUAGES = {
    "en": "Please tell me where my order is, it should have been here by now.",
    "de": "Bitte sagen Sie mir, wo meine Bestellung ist, sie sollte schon hier sein.",
    "fr": "Dites-moi où est ma commande, elle devrait être là avec les autres.",
    "es": "Dígame dónde está mi pedido, que ya debería estar aquí con los otros.",
    "it": "Mi dica dove è il mio ordine, che non è ancora arrivato con gli altri.",
    "pt": "Diga-me onde está o meu pedido, que já não deveria estar na loja com você.",
    "nl": "Kunt u zeggen waar mijn bestelling is, die had er al voor het weekend moeten zijn.",
    "pl": "Proszę powiedzieć, gdzie jest moje zamówienie, bo już nie wiem co się z nim stało.",
    "sv": "Kan du säga var min vara är, den skulle ha kommit för en vecka sedan och inte nu.",
    "tr": "Siparişim nerede, bana söyler misiniz, çünkü çok uzun zamandır ve hala bir haber yok.",
    "id": "Tolong beri tahu di mana pesanan saya, karena sudah lama dan tidak ada kabar dari toko.",
    "vi": "Xin cho tôi biết đơn hàng của tôi ở đâu, vì đã lâu và không có tin.",
    "ru": "Скажите, пожалуйста, где мой заказ, он уже давно должен был быть здесь.",
    "uk": "Скажіть, будь ласка, де моє замовлення, його ще немає, і я хвилююся.",
    "ar": "من فضلك أخبرني أين طلبي، كان يجب أن يصل منذ أسبوع.",
    "fa": "لطفاً بگویید سفارش من کجاست، چرا هنوز نرسیده است؟",
    "he": "בבקשה תגידו לי איפה ההזמנה שלי, היא הייתה צריכה להגיע.",
    "hi": "कृपया बताइए कि मेरा ऑर्डर कहाँ है, वह अब तक आ जाना चाहिए था।",
    "th": "กรุณาบอกฉันว่าคำสั่งซื้อของฉันอยู่ที่ไหน",
    "el": "Πείτε μου πού είναι η παραγγελία μου, έπρεπε να είχε έρθει.",
    "ko": "제 주문이 어디에 있는지 알려 주세요. 벌써 왔어야 합니다.",
    "ja": "私の注文がどこにあるか教えてください。もう届いているはずです。",
    "zh": "请告诉我我的订单在哪里，它应该已经到了。",
    "cs": "Řekněte mi prosím, kde je moje objednávka, která už měla být tady, ale není.",
    "da": "Kan du sige mig hvad der er med min vare, den skulle også være her nu og ikke efter.",
}  # fmt: skip


@pytest.mark.parametrize(("code", "text"), LANGUAGES.items(), ids=LANGUAGES)
def test_a_language_is_told_from_a_sentence(code: str, text: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "joy",
        "OK",
        "Berlin, Paris, Rome",
        "42 17 3.5",
        '{"a": [1, 2], "b": null}',
        "for i in range(10): x[i] = y",
        "def f(self, key, value): return None",
        "https://acme.com/a/b/c?d=e",
        "Müller GmbH & Co. KG",
        "नम",
        "😀😀😀",
        "\ud83d lone",
    ],
)
def test_a_text_that_does_not_tell_is_in_no_language(text: str) -> None:
    assert language_of(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello, World!", "hello world"),
        ("  two\n\nlines ", "Two lines"),
        ("“Quoted” text…", '"quoted" text.'),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("STRASSE", "Straße"),
        ("a\u00a0b", "a b"),
    ],
)
def test_what_reads_the_same_folds_to_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 + 3", "5 - 3"),
        ("1.5", "15"),
        ("1 5", "15"),
        ("x < y", "x > y"),
        ("is it", "is he"),
        ("-3", "3"),
        ("가 나", "다 라"),
    ],
)
def test_what_reads_differently_does_not_fold_to_the_same(one: str, other: str) -> None:
    assert folded(one) != folded(other)
