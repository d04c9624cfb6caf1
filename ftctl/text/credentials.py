"""What keys and tokens look like, each form once: for those who redact, and those who search rows.

`exact` is for where a false alarm costs: its last group must look random besides. `loose` is for
where a key that stays costs more. Forms are those that the issuers document.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class CredentialForm(NamedTuple):
    """A kind of key, in words with its article. A text without `hint` holds none."""

    what: str
    hint: str
    exact: str
    loose: str | None = None


# Longer prefixes first: the first form that fits names the key.
FORMS = (
    CredentialForm("an Anthropic key", "sk-ant-", r"\bsk-ant-[a-z0-9]{2,12}-([A-Za-z0-9_-]{20,})"),
    CredentialForm(
        "an OpenAI key", "sk-", r"\bsk-(?:proj-|svcacct-|admin-|None-)?([A-Za-z0-9_-]{20,})"
    ),
    CredentialForm("an AWS access key", "AKIA", r"\bAKIA([A-Z2-7]{16})\b", r"\bAKIA[A-Z0-9]{12,}"),
    CredentialForm(
        "a temporary AWS access key", "ASIA", r"\bASIA([A-Z2-7]{16})\b", r"\bASIA[A-Z0-9]{12,}"
    ),
    CredentialForm(
        "an AWS secret key",
        "aws_secret_access_key",
        r"aws_secret_access_key[\"']?\s{0,9}[=:]\s{0,9}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    ),
    CredentialForm(
        "a GitHub token", "github_pat_", r"\bgithub_pat_([A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b"
    ),
    *(
        CredentialForm(
            "a GitHub token",
            prefix,
            rf"\b{prefix}([A-Za-z0-9]{{36,}})\b",
            rf"\b{prefix}[A-Za-z0-9]{{16,}}",
        )
        for prefix in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")
    ),
    CredentialForm("a GitLab token", "glpat-", r"\bglpat-([A-Za-z0-9_-]{20,})"),
    CredentialForm("a Slack token", "xox", r"\bxox[abeoprs]-([A-Za-z0-9-]{16,})"),
    CredentialForm(
        "a Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/services/T[A-Z0-9]{6,14}/B[A-Z0-9]{6,14}/([A-Za-z0-9]{20,})",
    ),
    CredentialForm("a Google key", "AIza", r"\bAIza([A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])"),
    CredentialForm("a Stripe key", "k_live_", r"\b[sr]k_live_([A-Za-z0-9]{20,})"),
    CredentialForm(
        "a Hugging Face token", "hf_", r"\bhf_([A-Za-z]{34})\b", r"\bhf_[A-Za-z0-9]{8,}"
    ),
    CredentialForm("an npm token", "npm_", r"\bnpm_([A-Za-z0-9]{36})\b"),
    CredentialForm("a SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.([A-Za-z0-9_-]{43})"),
    CredentialForm("a PyPI token", "pypi-", r"\bpypi-(AgE[A-Za-z0-9_-]{50,})"),
)

_GOOGLE_OAUTH = r"\bya29\.[\w.\-]+"  # of no fixed length: in rows it would be a guess
JWT = CredentialForm(
    "a signed token (JWT)",
    "eyJ",
    r"\b(eyJ[A-Za-z0-9_-]{8,})\.(eyJ[A-Za-z0-9_-]{8,})\.([A-Za-z0-9_-]{20,})",
    r"\beyJ[\w\-]{8,}\.[\w\-]+(?:\.[\w\-]+)?",
)
PRIVATE_KEY = CredentialForm(
    "a private key",
    "-----BEGIN",
    r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----([^-]{40,})",
)

# What is taken out of everything that is printed: the keys of OpenAI and its kin, which ftctl
# handles itself, and the user:password part of an address.
PRINTED = re.compile(r"\b(?:sk|ek|rk)-[A-Za-z0-9_\-]{8,}|(?<=://)[^/\s@:]+:[^/\s@]+(?=@)")


def loose_pattern() -> str:
    """One pattern for whatever looks like a key: for text of others that may quote ours."""
    loose = [form.loose for form in (*FORMS, JWT) if form.loose is not None]
    return "|".join([*loose, _GOOGLE_OAUTH])


# Words in the name of a header, parameter or field whose value lets its bearer in.
_SECRET_WORDS = frozenset({
    "key", "apikey", "accesskey", "subscriptionkey", "token", "accesstoken", "authtoken", "secret",
    "password", "passwd", "pwd", "auth", "authorization", "credential", "credentials", "signature",
    "sig", "jwt", "bearer", "cookie",
})  # fmt: skip
_WORDS = re.compile(r"[^a-z0-9]+")
_SHORTEST_KEY = 16  # characters; what is shorter is a name


def names_secret(name: str) -> bool:
    """Whether what is called so is a secret, such as `x-api-key`."""
    return not _SECRET_WORDS.isdisjoint(_WORDS.split(name.lower()))


def key_in(text: str) -> str | None:
    """What kind of key a setting holds, in words with its article; None for plain text.

    Stricter than a search of rows: no setting needs a text that looks so, not even a made-up one.
    """
    for form in FORMS:
        if form.hint in text and any(map(_is_key, _matches(form, text))):
            return form.what
    if JWT.hint in text and re.search(JWT.loose or JWT.exact, text):
        return JWT.what
    if PRIVATE_KEY.hint in text and re.search(PRIVATE_KEY.exact, text):
        return PRIVATE_KEY.what
    if re.search(_GOOGLE_OAUTH, text):
        return "a Google token"
    if any(found[0][:3] not in ("sk-", "ek-", "rk-") for found in PRINTED.finditer(text)):
        return "a password in an address"
    return None


def _matches(form: CredentialForm, text: str) -> list[str]:
    patterns = (form.exact, form.loose or form.exact)
    return [found[0] for pattern in patterns for found in re.finditer(pattern, text)]


def _is_key(match: str) -> bool:
    """Whether it is more than words, as names in code are: sk-learn-models-for-text."""
    return len(match) >= _SHORTEST_KEY and not (
        match.islower() and not any(sign.isdigit() for sign in match)
    )


def looks_taken_out(text: str) -> str:
    """The words of another program without what looks like a key, for certain or not."""
    looks = (form.loose or form.exact for form in (*FORMS, JWT, PRIVATE_KEY))
    return re.sub("|".join((*looks, _GOOGLE_OAUTH)), "[redacted]", text)
