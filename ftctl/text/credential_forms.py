"""What keys and tokens look like, each form once: for `credentials`, which redacts, and for rows.

`exact` is for where a false alarm costs: its first group must look random besides. `loose` is for
where a key that stays costs more. Patterns read letters and digits as ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple


class CredentialForm(NamedTuple):
    """A kind of key, in words with its article."""

    what: str
    hints: tuple[str, ...]  # in small letters: a text without any of them holds none
    exact: str
    loose: str | None = None
    bits: float = 0.0  # the secret's entropy is more than this
    named: bool = False  # by a word before it alone: that must say that a secret follows
    placed: bool = False  # found by where it stands: it must look made up besides
    allowed: tuple[str, ...] = ()  # patterns of what is no secret


def _form(what: str, hint: str, exact: str, loose: str | None = None) -> CredentialForm:
    return CredentialForm(what, (hint.lower(),), exact, loose)


def _after(what: str, words: str, secret: str, *hints: str) -> CredentialForm:
    """A value that looks like any other: a word before it, and another that it is secret."""
    pattern = rf"(?i:{words})[^\n]{{0,48}}?(?<![A-Za-z0-9/+_-])({secret})(?![A-Za-z0-9/+_-])"
    return CredentialForm(what, hints, pattern, named=True)


_HEX_32, _HEX_40, _HEX_64 = "[0-9a-f]{32}", "[0-9a-f]{40}", "[0-9a-f]{64}"

# Ours: the services that ftctl speaks with and writes for, those who write keys in one form of
# several lengths, and what a list of prefixes cannot say. Longer prefixes first: the first form
# that fits names the key. The forms are those that issuers document, or issue (2026-11).
FORMS = (
    _form("an Anthropic key", "sk-ant-", r"\bsk-ant-[a-z0-9]{2,12}-([A-Za-z0-9_-]{20,})"),
    _form("an OpenRouter key", "sk-or-v1-", r"\bsk-or-v1-([a-f0-9]{48,})"),
    _form("a Langfuse key", "sk-lf-", r"\bsk-lf-([a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12})\b"),
    _form("an OpenAI key", "sk-", r"\bsk-(?:proj-|svcacct-|admin-|None-)?([A-Za-z0-9_-]{20,})"),
    _form("an AWS access key", "AKIA", r"\bAKIA([A-Z2-7]{16})\b", r"\bAKIA[A-Z0-9]{12,}"),
    _form(
        "a temporary AWS access key", "ASIA", r"\bASIA([A-Z2-7]{16})\b", r"\bASIA[A-Z0-9]{12,}"
    ),
    _form(
        "a Bedrock API key",
        "bedrock-api-key-",
        r"\bbedrock-api-key-([A-Za-z0-9+/_-]{40,}={0,2})",
        r"\bbedrock-api-key-[A-Za-z0-9+/_-]{16,}={0,2}",
    ),
    CredentialForm(
        "an AWS secret key",
        ("secret_access_key", "secretaccesskey", "secret-access-key", "secret access key",
         "aws_secret"),
        r"(?i:(?:aws[ _-]?)?secret[ _-]?access[ _-]?key|aws_secret(?:_key)?)[\"'\\]{0,4}"
        r"(?:\s{0,9}[=:,>]{1,2}|\sis\b)\s{0,9}[\"'\\]{0,4}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    ),
    CredentialForm(
        "an AWS session token",
        ("fwogzxivyxdz", "iqojb3jpz2lu"),
        r"\b(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)([A-Za-z0-9+/]{80,}={0,2})",
    ),
    _form("a GitHub token", "github_pat_", r"\bgithub_pat_([A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b"),
    *(
        _form(
            "a GitHub token",
            prefix,
            rf"\b{prefix}([A-Za-z0-9]{{36,}})\b",
            rf"\b{prefix}[A-Za-z0-9]{{16,}}",
        )
        for prefix in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")
    ),
    _form("a GitLab token", "glpat-", r"\bglpat-([A-Za-z0-9_.-]{20,})(?<![.-])"),
    _form("a Slack token", "xox", r"\bxox[abeoprs]-([A-Za-z0-9-]{16,})"),
    _form(
        "a Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/services/T[A-Z0-9]{6,14}/B[A-Z0-9]{6,14}/([A-Za-z0-9]{20,})",
    ),
    _form("a Google key", "AIza", r"\bAIza([A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])"),
    _form("a Google client secret", "GOCSPX-", r"\bGOCSPX-([A-Za-z0-9_-]{28})(?![A-Za-z0-9_-])"),
    _form("a Stripe key", "k_live_", r"\b[sr]k_live_([A-Za-z0-9]{20,})"),
    _form("a Hugging Face token", "hf_", r"\bhf_([A-Za-z]{34})\b", r"\bhf_[A-Za-z0-9]{8,}"),
    _form("an npm token", "npm_", r"\bnpm_([A-Za-z0-9]{36})\b"),
    _form("a SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.([A-Za-z0-9_-]{43})"),
    _form("a PyPI token", "pypi-", r"\bpypi-(AgE[A-Za-z0-9_-]{50,})"),
    _form("a Weights & Biases key", "wandb_v1_", r"\bwandb_v1_([A-Za-z0-9_]{40,})"),
    _form("a Nebius key", "hn0yxrpy2tle", r"\bv1\.(C[A-Za-z0-9_-]{2,6}HN0YXRpY2tle[\w.=-]{60,})"),
    _form("a Together key", "tgp_v1_", r"\btgp_v1_([A-Za-z0-9_-]{40,})"),
    _form("a Fireworks key", "fw_", r"\bfw_([A-Za-z0-9]{22,32})\b"),
    _form("a Groq key", "gsk_", r"\bgsk_([A-Za-z0-9]{40,})\b"),
    _form("an xAI key", "xai-", r"\bxai-([A-Za-z0-9]{60,})\b"),
    _form("a Replicate key", "r8_", r"\br8_([A-Za-z0-9]{37,40})\b"),
    _form("an NVIDIA key", "nvapi-", r"\bnvapi-([A-Za-z0-9_-]{50,})"),
    _form("a Perplexity key", "pplx-", r"\bpplx-([A-Za-z0-9]{40,})\b"),
    _form("a Cerebras key", "csk-", r"\bcsk-([a-z0-9]{40,})\b"),
    _form("a Pinecone key", "pcsk_", r"\bpcsk_([A-Za-z0-9]{4,8}_[A-Za-z0-9]{40,})\b"),
    _form("a LangSmith key", "lsv2_", r"\blsv2_(?:pt|sk)_([a-f0-9]{32}_[a-f0-9]{10})\b"),
    _form("a Docker token", "dckr_pat_", r"\bdckr_pat_([A-Za-z0-9_-]{24,})"),
    _form("a Figma token", "figd_", r"\bfigd_([A-Za-z0-9_-]{36,})"),
    _form("a Bitbucket password", "ATBB", r"\bATBB([A-Za-z0-9]{28,})\b"),
    _form("a Supabase token", "sbp_", r"\bsbp_([a-f0-9]{40})\b"),
    _form("a Netlify token", "nfp_", r"\bnfp_([A-Za-z0-9]{36,})\b"),
    _form("a RunPod key", "rpa_", r"\brpa_([A-Z0-9]{36,}[a-z0-9]{0,8})\b"),
    _form("a Stripe webhook secret", "whsec_", r"\bwhsec_([A-Za-z0-9+/]{32,})"),
    _form("a Square secret", "sq0csp-", r"\bsq0csp-([A-Za-z0-9_-]{40,})"),
    _form("a Tavily key", "tvly-", r"\btvly-((?:dev-|prod-)?[A-Za-z0-9-]{28,})"),
    _form("a Jina key", "jina_", r"\bjina_([A-Za-z0-9_-]{50,})"),
    _form("a Google key", "aq.ab", r"\bAQ\.(Ab[A-Za-z0-9_-]{40,})"),
    _form("an ElevenLabs key", "sk_", r"\bsk_([a-f0-9]{48})\b"),
    _form("a NuGet key", "oy2", r"\b(oy2[a-z0-9]{43})\b"),
    CredentialForm(
        "a Telegram bot token", (":aa",), r"(?<![\w:])\d{8,10}:(AA[A-Za-z0-9_-]{33})(?![\w-])"
    ),
    # Azure: what marks its newer keys; and where they had no mark, the words around them.
    _form("an Azure key", "jqqj99", r"\b([A-Za-z0-9]{40,60}JQQJ99[A-Za-z0-9]{16,32})\b"),
    CredentialForm(
        "an Azure storage key",
        ("accountkey", "sharedaccesskey"),
        r"(?i:AccountKey|SharedAccessKey)\s{0,3}=\s{0,3}([A-Za-z0-9+/]{86}==|[A-Za-z0-9+/]{43}=)",
    ),
    CredentialForm(
        "a signed Azure address",
        ("sig=",),
        r"\bsig=((?:[A-Za-z0-9+/]|%2[BbFf]){43}(?:=|%3[Dd]))(?![A-Za-z0-9])",
    ),
    _after("an Azure storage key", r"azure|storage", "[A-Za-z0-9+/]{86}==", "azure", "storage"),
    _after(
        "an Azure key", r"azure|ocp-apim|cognitive|aoai", _HEX_32, "azure", "ocp-apim", "cognitive",
        "aoai",
    ),
    _after(
        "a Weights & Biases key", r"wandb|w&b|weights (?:&|and) biases", f"(?:local-)?{_HEX_40}",
        "wandb", "w&b", "biases",
    ),
    _after("a Together key", r"together[._ -]?(?:ai|api|xyz|key)", _HEX_64, "together"),
    _after("a Twilio key", r"twilio", "(?:SK)?[0-9a-f]{32}", "twilio"),
    _after("a Mistral key", r"mistral", "[A-Za-z0-9]{32}", "mistral"),
    _after("a Cohere key", r"cohere|\bco_api_key", "[A-Za-z0-9]{40}", "cohere", "co_api_key"),
    _after("an Azure key", r"azure|devops", "[a-z2-7]{52}", "azure", "devops"),
    _form(
        "a Discord webhook",
        "discord",
        r"\bdiscord(?:app)?\.com/api/webhooks/\d{17,20}/([A-Za-z0-9_-]{60,})",
    ),
    _after(
        "a Discord bot token", "discord|bot[ _-]?token",
        "[MNO][A-Za-z0-9]{23,25}[.][A-Za-z0-9_-]{6}[.][A-Za-z0-9_-]{27,38}",
        "discord", "bot_token", "bot-token", "bot token",
    ),
)  # fmt: skip

_UUID = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_NO_UUID = "(?![0-9a-f]{8}-[0-9a-f]{4}-)"  # it names a thing, unless an API has it for a key


def _called(what: str, names: str, secret: str) -> CredentialForm:
    """A value that is assigned to a name: in code, JSON, YAML, XML, a shell, a sentence."""
    pattern = (
        rf"(?<![A-Za-z0-9])(?i:{names})[\"'\\\])]{{0,4}}\s{{0,3}}"
        r"(?:=>|:=|=|:|\sis\s|value=|(?<=[A-Z]) )"
        rf"\s{{0,3}}[\\\"'`]{{0,3}}({secret})(?![\w.(\[])"
    )
    return CredentialForm(what, ("key", "token", "secret", "passw", "pwd"), pattern)


def _placed(*forms: CredentialForm) -> tuple[CredentialForm, ...]:
    return tuple(form._replace(placed=True) for form in forms)


# In rows: where keys and passwords stand, whatever they look like. What is shown has looser ones.
ROW_FORMS = _placed(
    _form("a Google token", "ya29.", r"\bya29\.([A-Za-z0-9_-]{60,})"),
    _form(
        "a key in a header",
        "bearer",
        rf"(?i:\bbearer[ =:]{{1,3}})({_NO_UUID}[A-Za-z0-9._~+/=-]{{20,}})",
    ),
    _form(
        "a password in a header",
        "basic ",
        r"(?i:\bauthorization[\"'\\]{0,3}\s?[:=,]\s{0,3}[\"'\\]{0,3}basic )"
        r"([A-Za-z0-9+/]{16,}={0,2})",
    ),
    _form(
        "a password in an address",
        "://",
        r"(?<=://)[^/\s@:\"'<>]{1,64}:([^/\s@\"'<>,]{8,128})@(?=[A-Za-z0-9\[])",
    ),
    _called(
        "what is called a key or password",
        # Of names that end so, those of what identifies rows, pages and caches are left out.
        r"(?:api|access|secret|auth|private|client|master|encryption|signing|service|app|bot|user"
        r"|admin|db|database|root|webhook|refresh|personal|deploy|bearer|account|storage|shared"
        r"|jwt|tracking)[ _.-]?(?:access[ _.-]?)?(?:key|token|secret|password|passwd|pwd)"
        r"|apikey|passw(?:or)?d|token|secret",
        rf"{_NO_UUID}[A-Za-z0-9+/_~=-]{{16,200}}",
    ),
    _called("an API key", r"(?:api|secret|access)[ _.-]?key|apikey", _UUID),
)

GOOGLE_OAUTH = r"\bya29\.[\w.\-]+"  # of no fixed length: in rows it would be a guess
GOOGLE_FORM = _form("a Google token", "ya29.", GOOGLE_OAUTH)
JWT = _form(
    "a signed token (JWT)",
    "eyJ",
    r"\b(eyJ[A-Za-z0-9_-]{8,})\.(eyJ[A-Za-z0-9_-]{8,})\.([A-Za-z0-9_-]{20,})",
    r"\beyJ[\w\-]{8,}\.[\w\-]+(?:\.[\w\-]+)?",
)
WHOLE_PRIVATE_KEY = (
    r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]{40,}(?:-----END [A-Z ]+-----)?"
)
PRIVATE_KEY_BEGINS = "-----BEGIN"
PRIVATE_KEY = _form(
    "a private key",
    PRIVATE_KEY_BEGINS,
    r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----([^-]{40,})",
)


# Of those who speak OpenAI's wire: any length, so that only what looks random counts. A made-up key
# of words, as local services take, and a name such as sk-support-2025 (Slovak) are none.
SHORT_FORMS = tuple(
    _form("a key", f"{prefix}-", rf"\b{prefix}-[A-Za-z0-9_\-]{{8,}}")
    for prefix in ("sk", "ek", "rk")
)
# In the words of HTTP: `Authorization: Bearer …`, `x-api-key: …`. Case does not count.
IN_HEADERS = (
    _form("a key in a header", "bearer", r"(?i:(?<=\bbearer )[A-Za-z0-9._~+/=-]{16,})"),
    _form("a password in a header", "basic", r"(?i:(?<=\bbasic )[A-Za-z0-9+/_-]{12,}=*)"),
    _form(
        "a key in a header",
        "key",
        r"(?i:(?<=\bapi[-_]key: )[A-Za-z0-9._~+/=-]{16,}|(?<=\bsubscription-key: )[a-f0-9]{32})",
    ),
)
IN_ADDRESS = _form("a password in an address", "://", r"(?<=://)[^/\s@:\"'<>]*:[^/\s@\"'<>]+(?=@)")

# A value that only a word before it names is a secret where one of these stands before it, too.
_TELLING = re.compile(
    r"key|token|secret|passw|pwd|auth|cred|login|bearer|sig|webhook|connection|(?<![a-z])pat(?![a-z])",
    re.IGNORECASE,
)
_FAR = 24  # characters before a match in which it may stand
# And where one of these names it, it is none: each has as many hexadecimal digits as a key.
_NAMED_OTHERWISE = re.compile(
    r"(?:request|commit|revision|sha-?\d*|md5|etag|checksum|digest|hash|job|file|run|trace|version|\bid"
    r"|[_-]id)[\s\"'`:=#(]{0,4}\Z",
    re.IGNORECASE,
)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern; letters and digits are those of ASCII, as issuers use them."""
    return re.compile(pattern, re.ASCII)


def secret_of(form: CredentialForm, match: re.Match[str]) -> tuple[int, int] | None:
    """Where in a match the secret stands; None if only a word says so, and none says secret."""
    group = next((number for number in range(1, len(match.groups()) + 1) if match[number]), 0)
    start, end = match.span(group)
    if form.named and not match[group].lower().startswith(form.hints):
        before = match.string[max(0, match.start() - _FAR) : start + 4]  # as in mailgun: key-…
        if not _TELLING.search(before) or not _is_mixed(match[group]):
            return None
        if _NAMED_OTHERWISE.search(match.string[max(0, start - _FAR) : start]):
            return None
    return start, end


def _is_mixed(secret: str) -> bool:
    return any(map(str.isdigit, secret)) and any(map(str.isalpha, secret))


class FormList:
    """Forms in their order, by their hints: of most texts few forms are tried."""

    def __init__(self, forms: Iterable[CredentialForm]) -> None:
        self.forms = tuple(forms)
        self._at: dict[str, list[int]] = {}
        for place, form in enumerate(self.forms):
            for hint in form.hints:
                self._at.setdefault(hint, []).append(place)

    def in_text(self, text: str) -> list[CredentialForm]:
        """Those that the text has a hint of."""
        lowered = text.lower()
        places = {place for hint, at in self._at.items() if hint in lowered for place in at}
        return [self.forms[place] for place in sorted(places)]


_LONG = 15  # so many signs without a break has every secret that is found by a hint
_LONGER = 20
_SHORT = 20_000  # bytes
_RUN = b"w" * _LONG
_RUN_SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+%"
_RUNS = bytes(ord("w") if sign in _RUN_SIGNS else ord(" ") for sign in range(256))
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_BEFORE = 64  # bytes before a run in which its hint stands


def rules_in(text: str) -> list[CredentialForm]:
    """Those of `rules` that a text has a hint of, and a run long enough besides."""
    raw = text.encode("utf-8", "replace")
    if raw.translate(_RUNS).find(_RUN) < 0:
        return []
    # The tree of hints takes its time to be made, and a short text has been gone through by then.
    return [] if len(raw) > _SHORT and not may_hold_key(raw) else rules().in_text(text)


def may_hold_key(raw: bytes) -> bool:
    """Whether a text, as UTF-8, is worth a closer look: False is certain but for private keys.

    Ordinary text has few runs so long, and a hint stands before or in few of them.
    """
    runs = raw.translate(_RUNS)
    start = runs.find(_RUN)
    while start >= 0:
        end = (runs.find(b" ", start) + 1 or len(runs) + 1) - 1
        run = raw[start:end]
        before = max(0, start - _BEFORE)
        if not run.translate(None, _NO_DIGITS):
            # A value that a word names has digits; what has none mixes cases, and is longer.
            before = before if len(run) >= _LONGER and not run.islower() else end
        if before < end and _any_hint().search(raw[before:end].lower()):
            return True
        start = runs.find(_RUN, end)
    return False


@cache
def row_forms() -> FormList:
    """All that rows are looked through for, but for signed tokens and private keys."""
    from ftctl.text.credential_rules import ALLOWED  # noqa: PLC0415 - as below

    ours = (form._replace(allowed=ALLOWED) for form in (*FORMS, *ROW_FORMS))
    return FormList((*ours, *rules().forms))


@cache
def rules() -> FormList:
    """The forms of a list that others keep: gitleaks', see NOTICE.md. Loaded when first needed."""
    from ftctl.text.credential_rules import ALLOWED, RULES  # noqa: PLC0415 - few texts need it

    return FormList(
        CredentialForm(what, hints, pattern, None, bits, named, allowed=(*allowed, *ALLOWED))
        for _name, what, hints, pattern, bits, named, allowed in RULES
    )


@cache
def _any_hint() -> re.Pattern[bytes]:
    """All hints as a tree: a search goes through a text once."""
    hints = {hint.encode() for form in (*row_forms().forms, JWT) for hint in form.hints} - {b"://"}
    return re.compile(_tree(sorted(hints)))


def _tree(words: list[bytes]) -> bytes:
    """A pattern for any of these words; of two that begin alike the shorter one is enough."""
    if b"" in words:
        return b""
    heads = dict.fromkeys(word[:1] for word in words)
    branches = [
        re.escape(head) + _tree([word[1:] for word in words if word[:1] == head]) for head in heads
    ]
    return branches[0] if len(branches) == 1 else b"(?:" + b"|".join(branches) + b")"
