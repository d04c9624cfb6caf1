"""Seeded secrets and identifiers, and ordinary rows in; how many of each are reported, out.

    python benchmarks/private_data.py --rows /tmp/corpus/rows.jsonl --others /tmp/x

Every kind is made from a seed in the form that its issuer gives it, and put into a sentence, JSON,
code, a `.env` line, YAML or an address, none of them real. `--rows` are lines with a `text`:
ordinary prose, numbers and code, in which everything that is reported is looked at (`--show`).
`--others` is a folder with detect-secrets (`pip install --target FOLDER detect-secrets`), which is
asked the same, each text as a file.
"""

# ruff: noqa: T201, S311 - a script that prints; a seed, so that every machine makes the same

from __future__ import annotations

import argparse
import json
import random
import string
import sys
import tempfile
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ftctl.data.quality.secret_search import may_hold_secret, secrets_in
from ftctl.domain.quality_settings import QualitySettings
from ftctl.errors import redact

_ALNUM = string.ascii_letters + string.digits
_URL = _ALNUM + "-_"
_HEX = "0123456789abcdef"
_BASE32 = string.ascii_uppercase + "234567"

Make = Callable[[random.Random], str]


def _signs(length: int, alphabet: str = _ALNUM, prefix: str = "", end: str = "") -> Make:
    return lambda chance: prefix + "".join(chance.choices(alphabet, k=length)) + end


def _parts(*parts: Make, between: str = "") -> Make:
    return lambda chance: between.join(part(chance) for part in parts)


def _base64(size: int) -> Make:
    return lambda chance: b64encode(chance.randbytes(size)).decode()


def _jwt(chance: random.Random) -> str:
    def packed(value: object) -> str:
        return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    payload = {"sub": f"user-{chance.randrange(10**6)}", "exp": chance.randrange(2 * 10**9)}
    return f"{packed({'alg': 'HS256', 'typ': 'JWT'})}.{packed(payload)}.{_signs(43, _URL)(chance)}"


def _private_key(chance: random.Random) -> str:
    body = "\\n".join(_base64(48)(chance) for _ in range(12))
    return f"-----BEGIN PRIVATE KEY-----\\n{body}\\n-----END PRIVATE KEY-----\\n"


def _database(chance: random.Random) -> str:
    scheme = chance.choice(("postgresql", "mysql", "mongodb+srv", "redis", "amqp"))
    return f"{scheme}://app:{_signs(14)(chance)}@db{chance.randrange(9)}.acme.io:5432/shop"


def _azure(chance: random.Random) -> str:
    marked = _parts(
        _signs(52), _signs(3, _BASE32, "JQQJ99B", "AC"), _signs(16), _signs(4, _ALNUM, "ACOG")
    )
    return marked(chance)


class Kind(NamedTuple):
    """A kind of secret: what people call its variable and it, and how one is made."""

    variable: str
    words: str
    make: Make


SECRETS: Mapping[str, Kind] = {
    "OpenAI, project": Kind("OPENAI_API_KEY", "OpenAI key", _signs(156, _URL, "sk-proj-")),
    "OpenAI, of old": Kind("OPENAI_API_KEY", "OpenAI key", _signs(48, _ALNUM, "sk-")),
    "Anthropic": Kind("ANTHROPIC_API_KEY", "key", _signs(93, _URL, "sk-ant-api03-", "AA")),
    "W&B": Kind(
        "WANDB_API_KEY", "W&B key",
        _parts(_signs(27, _ALNUM, "wandb_v1_"), _signs(49), between="_"),
    ),
    "W&B, of old": Kind("WANDB_API_KEY", "W&B key", _signs(40, _HEX)),
    "Azure OpenAI": Kind("AZURE_OPENAI_API_KEY", "Azure key", _azure),
    "Azure OpenAI, of old": Kind("AZURE_OPENAI_API_KEY", "Azure key", _signs(32, _HEX)),
    "Azure storage": Kind(
        "AZURE_STORAGE_CONNECTION_STRING", "connection string",
        lambda chance: "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey="
        f"{_base64(64)(chance)};EndpointSuffix=core.windows.net",
    ),
    "AWS access key": Kind("AWS_ACCESS_KEY_ID", "access key", _signs(16, _BASE32, "AKIA")),
    "AWS secret key": Kind("AWS_SECRET_ACCESS_KEY", "secret access key", _signs(40, _ALNUM + "+/")),
    "Bedrock": Kind(
        "AWS_BEARER_TOKEN_BEDROCK", "Bedrock key",
        _signs(128, _ALNUM + "+/", "ABSKQmVkcm9ja0FQSUtleS"),
    ),
    "Nebius": Kind("NEBIUS_API_KEY", "key", _signs(240, _URL, "v1.CmMKHHN0YXRpY2tleS1lMDB")),
    "Together": Kind("TOGETHER_API_KEY", "key", _signs(43, _URL, "tgp_v1_")),
    "Fireworks": Kind("FIREWORKS_API_KEY", "key", _signs(22, _ALNUM, "fw_")),
    "Mistral": Kind("MISTRAL_API_KEY", "Mistral key", _signs(32)),
    "Cohere": Kind("COHERE_API_KEY", "Cohere key", _signs(40)),
    "OpenRouter": Kind("OPENROUTER_API_KEY", "key", _signs(64, _HEX, "sk-or-v1-")),
    "Groq": Kind("GROQ_API_KEY", "key", _signs(52, _ALNUM, "gsk_")),
    "NVIDIA": Kind("NVIDIA_API_KEY", "key", _signs(64, _URL, "nvapi-")),
    "Replicate": Kind("REPLICATE_API_TOKEN", "token", _signs(37, _ALNUM, "r8_")),
    "Hugging Face": Kind("HF_TOKEN", "token", _signs(34, string.ascii_letters, "hf_")),
    "GitHub": Kind("GITHUB_TOKEN", "token", _signs(36, _ALNUM, "ghp_")),
    "GitLab": Kind("GITLAB_TOKEN", "token", _signs(20, _URL, "glpat-")),
    "Slack webhook": Kind(
        "SLACK_WEBHOOK", "webhook",
        _parts(
            _signs(8, _BASE32, "https://hooks.slack.com/services/T0"), _signs(8, _BASE32, "B0"),
            _signs(24), between="/",
        ),
    ),
    "Slack bot": Kind(
        "SLACK_BOT_TOKEN", "token",
        _parts(
            _signs(12, string.digits, "xoxb-"), _signs(12, string.digits), _signs(24), between="-"
        ),
    ),
    "Databricks": Kind("DATABRICKS_TOKEN", "token", _signs(32, _HEX, "dapi")),
    "Google": Kind("GOOGLE_API_KEY", "key", _signs(35, _URL, "AIza")),
    "Google, service account": Kind("GOOGLE_PRIVATE_KEY", "private_key", _private_key),
    "Stripe": Kind("STRIPE_SECRET_KEY", "key", _signs(99, _ALNUM, "sk_live_51")),
    "signed token": Kind("ACCESS_TOKEN", "token", _jwt),
    "database": Kind("DATABASE_URL", "address", _database),
    "Datadog": Kind("DATADOG_APP_KEY", "Datadog key", _signs(40, _HEX)),
    "Telegram": Kind(
        "TELEGRAM_BOT_TOKEN", "token",
        _parts(_signs(9, "123456789"), _signs(33, _URL, "AA"), between=":"),
    ),
    "npm": Kind("NPM_TOKEN", "token", _signs(36, _ALNUM, "npm_")),
}  # fmt: skip

CONTEXTS = (
    "My {words} is {secret}, please do not lose it.",
    "여기 우리 {words}: {secret} 입니다.",
    '{{"{variable}": "{secret}", "debug": true}}',
    "client = Client(\n    {lower}='{secret}',\n)",
    "DEBUG=1\n{variable}={secret}\n",
    "env:\n  {variable}: {secret}\n",
    "https://api.acme.io/v1/run?{lower}={secret}&page=2",
)


def seeded(kinds: Mapping[str, Kind], count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Kinds by turns, each with a text that it stands in."""
    chance = random.Random(seed)
    names = list(kinds)
    for number in range(count):
        kind = kinds[names[number % len(names)]]
        context = chance.choice(CONTEXTS)
        secret = kind.make(chance)
        yield (
            names[number % len(names)],
            context.format(
                words=kind.words, secret=secret, variable=kind.variable,
                lower=kind.variable.lower(),
            ),
        )  # fmt: skip


def found_by_ftctl(text: str) -> list[str]:
    """What kinds of key are reported in a row with this text."""
    if not may_hold_secret(text.encode("utf-8", "surrogatepass")):
        return []
    return [found.what for found in secrets_in(text, QualitySettings().secret_bits)]


def hidden_by_ftctl(text: str) -> list[str]:
    """Whether anything would be taken out of a text that is shown."""
    return ["taken out"] if redact(text) != text else []


def others(folder: Path) -> Mapping[str, Callable[[str], list[str]]]:
    """The same of other programs, as they are without settings."""
    sys.path.insert(0, str(folder))
    from detect_secrets.core.scan import scan_file  # noqa: PLC0415 - not installed with ftctl
    from detect_secrets.settings import default_settings  # noqa: PLC0415

    file = Path(tempfile.mkdtemp()) / "row.txt"

    def detect_secrets(text: str) -> list[str]:
        file.write_text(text, "utf-8")
        with default_settings():
            return [one.type for one in scan_file(str(file))]

    return {"detect-secrets": detect_secrets}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--others", type=Path)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    tools: dict[str, Callable[[str], list[str]]] = {
        "ftctl, rows": found_by_ftctl,
        "ftctl, shown": hidden_by_ftctl,
    }
    if given.others:
        tools |= others(given.others)
    _print_seeded(tools, given.count, given.seed, show=given.show)
    if given.rows:
        _print_rows(tools, given.rows, show=given.show)


def _print_seeded(
    tools: Mapping[str, Callable[[str], list[str]]], count: int, seed: int, *, show: bool
) -> None:
    texts = list(seeded(SECRETS, count, seed))
    made = Counter(name for name, _text in texts)
    found = {
        tool: Counter(name for name, text in texts if find(text)) for tool, find in tools.items()
    }
    print(f"{'kind':26} {'made':>6}", *(f"{tool:>16}" for tool in tools))
    for name in SECRETS:
        print(f"{name:26} {made[name]:6}", *(f"{found[tool][name]:16}" for tool in tools))
    print(f"{'all':26} {count:6}", *(f"{found[tool].total():16}" for tool in tools))
    if show:
        for name, text in texts:
            if not found_by_ftctl(text):
                print(f"missed: {name}: {text!r}")


def _print_rows(tools: Mapping[str, Callable[[str], list[str]]], rows: Path, *, show: bool) -> None:
    texts = [json.loads(line)["text"] for line in rows.read_text("utf-8").splitlines()]
    for tool, find in tools.items():
        reported = [(text, kinds) for text in texts if (kinds := find(text))]
        kinds = Counter(kind for _text, found in reported for kind in found)
        print(f"{tool}: {len(reported):,} of {len(texts):,} rows reported", dict(kinds))
        if show and tool.startswith("ftctl"):
            for text, found in reported:
                print(found, repr(text[:300]))


if __name__ == "__main__":
    main()
