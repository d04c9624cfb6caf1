"""gitleaks' list of rules in; the same for Python, as `ftctl/text/credential_rules.py`, out.

    python release/credential_rules.py            writes the module
    python release/credential_rules.py --check    says whether it is what the list makes

The list is `ftctl/text/gitleaks.toml`, as it was published. A newer one takes its place, its commit
and hash in `ftctl/text/NOTICE.md`, and this program is run again.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).resolve().parent.parent / "ftctl" / "text"
LIST = FOLDER / "gitleaks.toml"
MODULE = FOLDER / "credential_rules.py"

_OURS = "a form of ours takes all that it takes, and more"
_OPENS_NOTHING = "what it finds names an application or is published: it opens nothing"
_BY_FILE = "it goes by the path of a file, and rows have none"
# What is not taken, and why.
LEFT_OUT: Mapping[str, str] = {
    "generic-api-key": "any value of 12 signs behind a word such as 'key' or 'access': of ordinary"
    " rows and code it reports too many (see docs/decisions/0035); ours asks for more",
    "curl-auth-header": "its work grows with the square of a text's lines; a header has a form of"
    " ours, with and without curl",
    "curl-auth-user": "its work grows with the square of a text's lines",
    "kubernetes-secret-yaml": "its work grows with the square of a text; what is packed in such a"
    " file is unpacked",
    "jwt": "ours reads the header, and asks that it names an algorithm",
    "jwt-base64": "what is packed is unpacked",
    "private-key": "ours also finds a key that was cut before its end",
    "anthropic-admin-api-key": _OURS,
    "aws-amazon-bedrock-api-key-short-lived": _OURS,
    "anthropic-api-key": _OURS,
    "openai-api-key": _OURS,
    "github-app-token": _OURS,
    "github-oauth": _OURS,
    "github-pat": _OURS,
    "github-refresh-token": _OURS,
    "gcp-api-key": "ours, without those keys of examples that this rule lists",
    "gitlab-pat": _OURS,
    "gitlab-pat-routable": _OURS,
    "npm-access-token": _OURS,
    "pypi-upload-token": _OURS,
    "perplexity-api-key": _OURS,
    "telegram-bot-api-token": _OURS,
    "twilio-api-key": "its prefix is two letters: ours asks for the word",
    "sidekiq-secret": "two words of eight digits: no run that ordinary rows have not",
    "sidekiq-sensitive-url": "a password in an address has a form of ours",
    "adobe-client-id": _OPENS_NOTHING,
    "asana-client-id": _OPENS_NOTHING,
    "bitbucket-client-id": _OPENS_NOTHING,
    "discord-client-id": _OPENS_NOTHING,
    "flutterwave-public-key": _OPENS_NOTHING,
    "linkedin-client-id": _OPENS_NOTHING,
    "lob-pub-api-key": _OPENS_NOTHING,
    "looker-client-id": _OPENS_NOTHING,
    "mailgun-pub-key": _OPENS_NOTHING,
    "mapbox-api-token": _OPENS_NOTHING,
    "messagebird-client-id": _OPENS_NOTHING,
    "new-relic-browser-api-token": _OPENS_NOTHING,
    "plaid-client-id": _OPENS_NOTHING,
    "sendbird-access-id": _OPENS_NOTHING,
    "sumologic-access-id": _OPENS_NOTHING,
    "freemius-secret-key": _BY_FILE,
    "hashicorp-tf-password": _BY_FILE,
    "nuget-config-password": _BY_FILE,
    "pkcs12-file": _BY_FILE,
}
# A part of a rule that is another here: what it finds otherwise is too common a text.
_PARTS_CHANGED: Mapping[str, tuple[str, str]] = {
    "sourcegraph-access-token": ("|[a-fA-F0-9]{40}", ""),  # every commit
    "vault-service-token": (r"|s\.(?i:[a-z0-9]{24})", ""),  # a call of a method of s
    # A group that is no secret would be taken for one: the first is.
    "sonar-api-token": ("(login|token)", "(?:login|token)"),
    "microsoft-teams-webhook": ("([a-z0-9]{4}-)", "(?:[a-z0-9]{4}-)"),
}
# A keyword that is a part of half of all rows; and what is always beside it.
_NARROWER = {
    "airtable-personnal-access-token": ("pat",),
    "vault-service-token": ("hvs.",),
    "sourcegraph-access-token": ("sgp_",),
    "intra42-client-secret": ("s-s4t2ud-", "s-s4t2af-"),
    "cloudflare-origin-ca-key": ("v1.0-",),
    "microsoft-teams-webhook": ("webhook.office.com",),
}

# What a rule for an assigned value begins with, its sign of assignment, and what ends a value.
_BEGIN = r"[\w.-]{0,50}?"
_BEFORE_SIGN = r"""(?:[ \t\w.-]{0,20})[\s'"]{0,3}"""
_AFTER_WORD = r"""(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}"""
_END = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
_ENDS = (
    _END,
    r"""(?:[\x60'"\s;]|\\[nr]|$|\b)""",
    r"(?:[^\w-]|\z)",
    r"(?:[^a-zA-Z0-9+/]|\z)",
    r"""(?:$|[\\'"\x60\s<),])""",
)
# In prose a value ends with a comma, in JSON within JSON with a backslash: what matters is that it
# goes no further. Quotes may be escaped, and a sentence says `is`.
_OUR_END = r"(?![\w-])"
_OUR_BEFORE_SIGN = r"""[ \t\w.-]{0,20}[\s'"\\\])]{0,5}"""
_OUR_AFTER_WORD = r"""(?:=|>|:{1,3}=|\|\||:|=>|\?=|,| is |value=)[\x60'"\s=\\]{0,6}"""
_NO_MORE = "(?![A-Za-z0-9])"
_OUR_BEGIN = "(?<![A-Za-z0-9])"


class Rule(NamedTuple):
    """A rule as the module has it: see there."""

    name: str
    what: str
    hints: tuple[str, ...]
    pattern: str
    bits: float
    named: bool
    allowed: tuple[str, ...]


def rules() -> Iterator[Rule]:
    """Those that are taken."""
    document = tomllib.loads(LIST.read_text("utf-8"))
    for rule in document["rules"]:
        name = rule["id"]
        if name in LEFT_OUT:
            continue
        regex = rule["regex"]
        if name in _PARTS_CHANGED:
            part, instead = _PARTS_CHANGED[name]
            if part not in regex:
                message = f"{name}: no {part} in {regex}"
                raise ValueError(message)
            regex = regex.replace(part, instead)
        yield Rule(
            name,
            words_of(name),
            _NARROWER.get(name) or tuple(rule["keywords"]),
            pattern_of(regex),
            float(rule.get("entropy", 0)),
            _AFTER_WORD in regex,
            tuple(_allowed(rule)),
        )


def allowed_everywhere() -> tuple[str, ...]:
    """What is no secret of any form: patterns, words that it has in it, and published keys."""
    document = tomllib.loads(LIST.read_text("utf-8"))
    everywhere = document["allowlist"]
    words = (re.escape(word) for word in everywhere["stopwords"])
    (google,) = (rule for rule in document["rules"] if rule["id"] == "gcp-api-key")
    return (
        *(python_of(regex) for regex in everywhere["regexes"]),
        *(f"(?i:{word})" for word in words),
        "|".join(_allowed(google)),
    )


def _allowed(rule: Mapping[str, Any]) -> Iterator[str]:
    for allowed in rule.get("allowlists", ()):
        if allowed.get("regexTarget", "secret") == "secret" and "condition" not in allowed:
            yield from (python_of(regex) for regex in allowed.get("regexes", ()))
            yield from (f"(?i:{re.escape(word)})" for word in allowed.get("stopwords", ()))


def pattern_of(regex: str) -> str:
    """A rule's expression for rows: prose and JSON around a value as well as code."""
    for end in _ENDS:
        regex = regex.replace(end, _OUR_END)
    named = _AFTER_WORD in regex
    regex = regex.replace(_BEFORE_SIGN, _OUR_BEFORE_SIGN).replace(_AFTER_WORD, _OUR_AFTER_WORD)
    # Where a match begins does not matter, and the search for it costs the most.
    regex = regex.replace(_BEGIN, "")
    begins = r"""(?:^|[\\'"\x60\s>=:(,)])"""
    if regex.startswith(begins):
        return r"(?<![\w~.-])" + python_of(regex.removeprefix(begins))
    pattern = python_of(regex)
    opened = re.match(r"(?:\(\?[a-z-]*:|\()*", pattern)
    first = pattern[opened.end() if opened else 0 :]
    if not (named or first.startswith((r"\b", "["))):
        pattern = _OUR_BEGIN + pattern
    return pattern if pattern.endswith((r"\b", _OUR_END, f"{_OUR_END})")) else pattern + _NO_MORE


_CLASSES = {"[:alnum:]": "A-Za-z0-9"}


def python_of(regex: str) -> str:
    """An expression of Go's as Python reads it; `re.ASCII` does the rest.

    Go lets flags begin in the middle of a group; Python wants a group of their own for them. Go's
    `$` is the end of the text alone, and so is its `\\z`.
    """
    for go, python in _CLASSES.items():
        regex = regex.replace(go, python)
    written: list[str] = []
    within = False
    groups: list[list[str]] = [[]]  # those of flags within each group
    place = 0
    while place < len(regex):
        sign = regex[place]
        if sign == "\\":
            pair = regex[place : place + 2]
            written.append(r"\Z" if pair == r"\z" else pair)
            place += 2
            continue
        if within:
            within = sign != "]" or regex[place - 1] == "[" or regex[place - 2 : place] == "[^"
            written.append("\\[" if sign == "[" else sign)
        elif sign == "[":
            within = True
            written.append(sign)
        elif flags := re.compile(r"\(\?(-?[a-z]+)\)").match(regex, place):
            written.append(f"(?{flags[1]}:")
            groups[-1].append(written[-1])
            place = flags.end()
            continue
        elif sign == "(":
            named = re.compile(r"\(\?P<\w+>").match(regex, place)
            written.append("(")
            groups.append([])
            place = named.end() if named else place + 1
            continue
        elif sign == ")":
            written.append(")" * (len(groups.pop()) + 1))
        elif sign == "|":
            # Flags hold for what follows in the group: in its other branches too.
            written += [")" * len(groups[-1]), "|", *groups[-1]]
        else:
            written.append(r"\Z" if sign == "$" else sign)
        place += 1
    return "".join(written) + ")" * len(groups[0])


_SPELT = {
    "1password": "1Password", "api": "API", "aws": "AWS", "ad": "AD", "ca": "CA", "gcp": "Google",
    "github": "GitHub", "gitlab": "GitLab", "hashicorp": "HashiCorp", "tf": "Terraform",
    "linkedin": "LinkedIn", "pat": "personal access token", "jfrog": "JFrog", "npm": "npm",
    "pypi": "PyPI", "sendgrid": "SendGrid", "digitalocean": "DigitalOcean", "openshift":
    "OpenShift", "openai": "OpenAI", "flyio": "Fly.io", "droneci": "Drone CI", "easypost":
    "EasyPost", "facebook": "Facebook", "huggingface": "Hugging Face", "hubspot": "HubSpot",
    "launchdarkly": "LaunchDarkly", "maxmind": "MaxMind", "messagebird": "MessageBird",
    "planetscale": "PlanetScale", "gocardless": "GoCardless", "nytimes": "New York Times",
    "privateai": "Private AI", "rapidapi": "RapidAPI", "rubygems": "RubyGems", "sonar": "Sonar",
    "travisci": "Travis CI", "clickhouse": "ClickHouse", "cicd": "CI/CD", "oauth": "OAuth",
    "url": "address", "scim": "SCIM", "rrt": "runner registration token",
    "ptt": "pipeline trigger token", "id": "ID",
    "personnal": "personal", "mailchimp": "Mailchimp", "newrelic": "New Relic", "sumologic":
    "Sumo Logic", "twilio": "Twilio", "settlemint": "SettleMint", "sendinblue": "Sendinblue",
    "aiven": "Aiven", "frameio": "Frame.io", "intra42": "Intra 42", "readme": "ReadMe",
    "v2": "", "rest": "REST",
}  # fmt: skip
# Words that are no name, whatever place they have.
_PLAIN_WORDS = (
    "access account admin agent app application authentication batch bearer bot client cloud config"
    " cookie custom delivery deploy encryption feature feed fine flag global grained identity"
    " incoming insert key legacy license mail org organization origin page password personal"
    " private reference refresh runner secret service session shared signing test token user"
    " webhook"
)
_LAST_WORDS = frozenset(_PLAIN_WORDS.split())


_CALLED = {
    "aws-amazon-bedrock-api-key-long-lived": "a Bedrock API key",
    "dropbox-long-lived-api-token": "a Dropbox API token",
    "dropbox-short-lived-api-token": "a Dropbox API token",
    "github-fine-grained-pat": "a GitHub token",
    "gitlab-cicd-job-token": "a GitLab job token",
    "gitlab-runner-authentication-token-routable": "a GitLab runner authentication token",
    "new-relic-user-api-id": "a New Relic API key",
    "slack-webhook-url": "a Slack webhook",
}


def words_of(name: str) -> str:
    """A rule's name in words with its article: `a DigitalOcean access token`."""
    if name in _CALLED:
        return _CALLED[name]
    words = []
    for number, word in enumerate(name.split("-")):
        if word in _SPELT:
            words.append(_SPELT[word])
        elif number == 0 or word not in _LAST_WORDS:
            words.append(word.capitalize())
        else:
            words.append(word)
    text = " ".join(filter(None, words))
    return f"{'an' if text[0] in 'AEIO' or text.startswith('npm') else 'a'} {text}"


def module() -> str:
    """The module's text."""
    lines = [
        '"""gitleaks\' rules for Python, as data: for `credentials`, which says what they mean.',
        "",
        "Made by `release/credential_rules.py` from `gitleaks.toml`: written there, not here.",
        '"""',
        "",
        "# ruff: noqa: E501, Q000",
        "# fmt: off",
        "",
        "# A name, what it is in words, hints in small letters, the expression (ASCII), the least",
        "# entropy of a secret, whether only a word before a value names it, and what is none.",
        "Rule = tuple[str, str, tuple[str, ...], str, float, bool, tuple[str, ...]]",
        "RULES: tuple[Rule, ...] = (",
        *(f"    {tuple(rule)!r}," for rule in rules()),
        ")",
        "",
        "# No secret of any form.",
        "ALLOWED: tuple[str, ...] = (",
        *(f"    {regex!r}," for regex in allowed_everywhere()),
        ")",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Write the module, or say whether it is up to date."""
    if "--check" in sys.argv[1:]:
        return int(MODULE.read_text("utf-8") != module())
    MODULE.write_text(module(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
