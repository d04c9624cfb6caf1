"""Seeded secrets and identifiers, and ordinary rows in; how many of each are reported, out.

    python benchmarks/private_data.py --rows /tmp/corpus/rows.jsonl --others /tmp/x

Every kind is made from a seed in the form that its issuer gives it, and put into a sentence, JSON,
code, a `.env` line, YAML or an address, none of them real. `--rows` are lines with a `text`:
ordinary prose, numbers and code, in which everything that is reported is looked at (`--show`).
`--others` is a folder with detect-secrets (`pip install --target FOLDER detect-secrets`), which is
asked the same, each text as a file. Beside the identifiers stand phonenumbers and python-stdnum,
each as a program would use it alone: the first goes through the text for the regions, the second is
asked about every token of it.
"""

# ruff: noqa: T201, S311 - a script that prints; a seed, so that every machine makes the same

from __future__ import annotations

import argparse
import json
import random
import re
import string
import sys
import tempfile
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ftctl.data.quality.checkdigits import is_national_insurance, is_taiwanese
from ftctl.data.quality.personal import may_hold_personal, personal_in
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

REGIONS = ("KR", "DE", "US", "GB", "FR", "JP")


def _valid(module: str, places: str, parted: str = "") -> Make:
    """One that python-stdnum calls valid, made of the places (0 a digit, A a letter, d 0 to 2,
    s 1 or 2, m 0, else itself).

    `parted` shows it with separators, # being the next sign.
    """

    def make(chance: random.Random) -> str:
        from stdnum import get_cc_module, luhn  # noqa: PLC0415

        country, _, name = module.partition(".")
        right = get_cc_module(country, name).is_valid if name else luhn.is_valid
        return _drawn(chance, places, parted, lambda number: _quietly(right, number))

    return make


def _quietly(right: Callable[[str], bool], number: str) -> bool:
    """The same, where python-stdnum stumbles over a number that is none."""
    try:
        return right(number)
    except (KeyError, IndexError, ValueError):
        return False


def _checked(right: Callable[[str], bool], places: str, parted: str = "") -> Make:
    return lambda chance: _drawn(chance, places, parted, right)


def _drawn(chance: random.Random, places: str, parted: str, right: Callable[[str], bool]) -> str:
    signs = {"0": string.digits, "A": string.ascii_uppercase, "s": "12", "d": "012", "m": "0"}
    while True:
        number = "".join(chance.choice(signs.get(place, place)) for place in places)
        if right(number):
            rest = iter(number)
            return "".join(next(rest) if sign == "#" else sign for sign in parted) or number


def _iban(chance: random.Random) -> str:
    from stdnum import iban  # noqa: PLC0415

    country, size = chance.choice((("DE", 18), ("AT", 16), ("CH", 17), ("CR", 18), ("PL", 24)))
    body = "".join(chance.choices(string.digits, k=size))
    whole = country + iban.calc_check_digits(f"{country}00{body}") + body
    return chance.choice((whole, iban.format(whole), whole.lower()))


def _phone(region: str, *forms: str) -> Make:
    """A number that phonenumbers calls valid, in one of the forms, where 0 is drawn and Z is 0."""

    def make(chance: random.Random) -> str:
        import phonenumbers  # noqa: PLC0415

        while True:
            form = chance.choice(forms)
            shown = "".join(chance.choice(string.digits) if sign == "0" else sign for sign in form)
            shown = shown.replace("Z", "0")
            number = phonenumbers.parse(shown, region)
            if phonenumbers.is_valid_number(number) and "0000" not in shown:
                return shown

    return make


IDENTIFIERS: Mapping[str, Kind] = {
    "e-mail address": Kind(
        "email", "mail", _parts(_signs(7, string.ascii_lowercase), _signs(0, "a", "@acme.io"))),
    "phone, international": Kind(
        "phone", "phone", _phone("US", "+82 10-0000-0000", "+49 151 00000000", "+1 415-200-0000")),
    "phone, Korea": Kind("phone", "전화번호", _phone("KR", "Z1Z-0000-0000", "Z2-0000-0000")),
    "phone, Germany": Kind("telefon", "Telefon", _phone("DE", "Z3Z 00000000", "Z151 00000000")),
    "phone, US": Kind("phone", "phone number", _phone("US", "(415) 200-0000", "212-300-0000")),
    "phone, UK": Kind("phone", "mobile", _phone("GB", "Z7700 000000", "Z2Z 7100 0000")),
    "phone, France": Kind("telephone", "téléphone", _phone("FR", "Z6 00 00 00 00")),
    "phone, Japan": Kind("tel", "電話", _phone("JP", "Z9Z-0000-0000", "Z3-0000-0000")),
    "IBAN": Kind("iban", "IBAN", _iban),
    "card": Kind("card", "card", _valid("", "4539000000000000", "#### #### #### ####")),
    "US SSN": Kind("ssn", "SSN", _valid("us.ssn", "500000000", "###-##-####")),
    "Korean RRN": Kind(
        "rrn", "주민등록번호", _valid("kr.rrn", "90m5d010d0000", "######-#######")),
    "Brazilian CPF": Kind("cpf", "CPF", _valid("br.cpf", "0" * 11, "###.###.###-##")),
    "German tax ID": Kind("steuer_id", "Steuer-ID", _valid("de.idnr", "0" * 11)),
    "Dutch BSN": Kind("bsn", "BSN", _valid("nl.bsn", "0" * 9)),
    "Spanish DNI": Kind("dni", "DNI", _valid("es.dni", "00000000A")),
    "Italian codice fiscale": Kind(
        "codice_fiscale", "codice fiscale", _valid("it.codicefiscale", "AAAAAA80H1dF000A")),
    "French NIR": Kind(
        "nir", "numéro de sécurité sociale",
        _valid("fr.nir", "s80m57500000000", "# ## ## ## ### ### ##")),
    "Polish PESEL": Kind("pesel", "PESEL", _valid("pl.pesel", "80m5d000000")),
    "Aadhaar": Kind("aadhaar", "Aadhaar number", _valid("in_.aadhaar", "0" * 12, "#### #### ####")),
    "UK NHS": Kind("nhs_number", "NHS number", _valid("gb.nhs", "0" * 10, "### ### ####")),
    "UK NINO": Kind(
        "national_insurance_number", "National Insurance number",
        _checked(is_national_insurance, "AA000000A")),
    "Swedish personnummer": Kind(
        "personnummer", "personnummer", _valid("se.personnummer", "80m5d00000", "######-####")),
    "Chinese resident ID": Kind("id_card", "身份证号", _valid("cn.ric", "11m1m11980m5d00000")),
    "Japanese My Number": Kind("my_number", "マイナンバー", _valid("jp.in_", "0" * 12)),
    "Taiwanese ID": Kind("national_id", "身分證字號", _checked(is_taiwanese, "A100000000")),
    "Turkish TCKN": Kind("tckn", "TC Kimlik No", _valid("tr.tckimlik", "0" * 11)),
    "Australian TFN": Kind("tfn", "TFN", _valid("au.tfn", "0" * 9, "### ### ###")),
    "Canadian SIN": Kind("social_insurance", "social insurance number", _valid("ca.sin", "0" * 9)),
    "Mexican CURP": Kind("curp", "CURP", _valid("mx.curp", "AEAA80m5d0HDFAAA00")),
    "Finnish HETU": Kind("hetu", "henkilötunnus", _valid("fi.hetu", "d0m580-000A")),
    "Swiss AHV": Kind("ahv", "AHV-Nummer", _valid("ch.ssn", "7560000000000", "###.####.####.##")),
    "Belgian national": Kind(
        "national_register", "rijksregisternummer",
        _valid("be.nn", "80m5d000000", "##.##.##-###.##")),
}  # fmt: skip
# With the word that names it, without, and with the word in a table's head.
OF_PERSONS = (
    "My {words} is {secret}, please note it down.",
    "{words}: {secret}\n",
    '{{"{variable}": "{secret}", "active": true}}',
    "고객의 {words} {secret} 를 확인했습니다.",
)
WITHOUT_WORD = (
    "Please check {secret} once more.",
    "name,{variable}\nKim,{secret}\n",
)

CONTEXTS = (
    "My {words} is {secret}, please do not lose it.",
    "여기 우리 {words}: {secret} 입니다.",
    '{{"{variable}": "{secret}", "debug": true}}',
    "client = Client(\n    {lower}='{secret}',\n)",
    "DEBUG=1\n{variable}={secret}\n",
    "env:\n  {variable}: {secret}\n",
    "https://api.acme.io/v1/run?{lower}={secret}&page=2",
)


def seeded(
    kinds: Mapping[str, Kind], count: int, seed: int, contexts: Sequence[str] = CONTEXTS
) -> Iterator[tuple[str, str]]:
    """Kinds by turns, each with a text that it stands in."""
    chance = random.Random(seed)
    names = list(kinds)
    for number in range(count):
        kind = kinds[names[number % len(names)]]
        context = chance.choice(contexts)
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


def persons_by_ftctl(text: str) -> list[str]:
    """What addresses and numbers of persons are reported in a row with this text."""
    return _persons(text, ())


def persons_by_ftctl_in_regions(text: str) -> list[str]:
    """The same with `quality.regions`."""
    return _persons(text, REGIONS)


def _persons(text: str, regions: Sequence[str]) -> list[str]:
    if not may_hold_personal(text.encode("utf-8", "surrogatepass")):
        return []
    return [found.what for found in personal_in(text, (), regions)]


def phonenumbers_alone(text: str) -> list[str]:
    """What its matcher finds for the regions, as it is without settings."""
    from phonenumbers import PhoneNumberMatcher  # noqa: PLC0415

    return [
        "a phone number"
        for region in (None, *REGIONS)
        if next(iter(PhoneNumberMatcher(text, region)), None) is not None
    ][:1]


_MODULES = (
    "us.ssn kr.rrn br.cpf de.idnr nl.bsn es.dni it.codicefiscale fr.nir pl.pesel in_.aadhaar "
    "gb.nhs se.personnummer cn.ric jp.in_ tr.tckimlik au.tfn ca.sin mx.curp fi.hetu ch.ssn be.nn"
)


def stdnum_alone(text: str) -> list[str]:
    """Of every token of the text, whether it is a valid number of one of the kinds."""
    from stdnum import get_cc_module, iban, luhn  # noqa: PLC0415

    checks = {name: get_cc_module(*name.split(".")).is_valid for name in _MODULES.split()}
    checks |= {"iban": iban.is_valid}
    found = []
    for token in re.findall(r"[A-Za-z0-9](?:[A-Za-z0-9.-]| (?=\d)){7,40}[A-Za-z0-9]", text):
        found += [name for name, right in checks.items() if _quietly(right, token)]
        compact = re.sub(r"[ -]", "", token)
        if 13 <= len(compact) <= 19 and compact.isdecimal() and luhn.is_valid(compact):
            found.append("card")
    return found


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
    persons: dict[str, Callable[[str], list[str]]] = {
        "ftctl": persons_by_ftctl,
        "ftctl, regions": persons_by_ftctl_in_regions,
        "phonenumbers": phonenumbers_alone,
        "python-stdnum": stdnum_alone,
    }
    if given.others:
        tools |= others(given.others)
    _print_seeded(tools, list(seeded(SECRETS, given.count, given.seed)), show=given.show)
    for told, contexts in (("behind a word", OF_PERSONS), ("without one", WITHOUT_WORD)):
        print(f"\nNumbers of persons, {told}:")
        made = list(seeded(IDENTIFIERS, given.count, given.seed, contexts))
        _print_seeded(persons, made, show=given.show)
    if given.rows:
        _print_rows(tools | persons, given.rows, show=given.show)


def _print_seeded(
    tools: Mapping[str, Callable[[str], list[str]]], texts: list[tuple[str, str]], *, show: bool
) -> None:
    made = Counter(name for name, _text in texts)
    found = {
        tool: Counter(name for name, text in texts if find(text)) for tool, find in tools.items()
    }
    print(f"{'kind':26} {'made':>6}", *(f"{tool:>16}" for tool in tools))
    for name in made:
        print(f"{name:26} {made[name]:6}", *(f"{found[tool][name]:16}" for tool in tools))
    print(f"{'all':26} {len(texts):6}", *(f"{found[tool].total():16}" for tool in tools))
    if show:
        for name, text in texts:
            if not next(iter(tools.values()))(text):
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
