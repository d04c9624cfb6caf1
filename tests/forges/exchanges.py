"""The forge's identity service and the exchanges that trust it, on loopback.

A token is signed, so that nobody but the forge makes one, and each exchange asks of it what the
real one is documented to ask: issuer, audience and subject. What was asked is kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from loopback import Loopback

GITHUB = "https://token.actions.githubusercontent.com"
_SIGNED_WITH = b"the forge's own"


def signed(claims: dict[str, Any]) -> str:
    """A token of the forge."""
    head, body = _packed({"alg": "HS256", "typ": "JWT"}), _packed(claims)
    return f"{head}.{body}.{_signature(f'{head}.{body}')}"


def _packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _signature(text: str) -> str:
    made = hmac.digest(_SIGNED_WITH, text.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def claims_of(token: str) -> dict[str, Any]:
    """What a token of the forge says; nothing for what is none."""
    text, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(text), signature):
        return {}
    body = text.partition(".")[2]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return said


@dataclass
class Trust:
    """What an exchange asks of a token."""

    audience: str
    subject: str
    issuer: str = GITHUB

    def holds(self, token: str) -> bool:
        said = claims_of(token)
        return (said.get("iss"), said.get("aud"), said.get("sub")) == (
            self.issuer, self.audience, self.subject,
        )  # fmt: skip


@dataclass
class Asked:
    """One question, and the token in it."""

    path: str
    token: str
    given: dict[str, Any] = field(default_factory=dict)


class Exchanges(Loopback):
    """GitHub's identity service, and the exchanges of OpenAI, Entra and AWS."""

    def __init__(self, subject: str) -> None:
        self.subject = subject  # of the job that is trusted
        self.openai = Trust("https://api.openai.com/v1", subject)
        self.entra = Trust("api://AzureADTokenExchange", subject)
        self.sts = Trust("sts.amazonaws.com", subject)
        # Other accounts by their id, each with the subjects that may have its keys.
        self.subjects: dict[str, tuple[str, ...]] = {}
        self.asked: list[Asked] = []
        self.keys: list[str] = []
        self.accounts: dict[str, str] = {}  # by the key, or what a Bedrock key was signed with
        self.good_for: Any = 3600
        self.answer: tuple[int, str] | None = None  # instead of what an exchange would say
        exchanges = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                exchanges._write(self, *exchanges._identity(self.path, self.headers))

            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(size).decode()
                kind = self.headers.get("Content-Type", "")
                exchanges._write(self, *exchanges._exchange(self.path, kind, text))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(Handler)

    @property
    def variables(self) -> dict[str, str]:
        """What GitHub puts into the environment of a job of ours, with `id-token: write`."""
        return self.prove(self.subject)

    def prove(self, subject: str) -> dict[str, str]:
        """The same for another job: its tokens are asked for with one that is its own."""
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.address}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": signed({"job": subject}),
        }

    @property
    def url(self) -> str:
        """For `--exchange-url`: the exchange is told by what it is asked."""
        return f"{self.address}/exchange"

    def token(self, audience: str, **claims: Any) -> str:
        return signed({"iss": GITHUB, "sub": self.subject, "aud": audience, **claims})

    @staticmethod
    def _write(handler: BaseHTTPRequestHandler, status: int, body: str) -> None:
        handler.send_response(status)
        if status in (301, 302, 307, 308):
            handler.send_header("Location", body)
        handler.send_header("Content-Length", str(len(body.encode())))
        handler.end_headers()
        handler.wfile.write(body.encode())

    def _identity(self, path: str, headers: Any) -> tuple[int, str]:
        job = claims_of(headers.get("Authorization", "").removeprefix("Bearer ")).get("job")
        if job is None:
            return 401, json.dumps({"message": "no token of a job"})
        audience = parse_qs(urlsplit(path).query).get("audience", ["https://github.com/acme"])[0]
        return 200, json.dumps({"value": self.token(audience, sub=job)})

    def _exchange(self, path: str, kind: str, text: str) -> tuple[int, str]:
        if kind.startswith("application/json"):
            given = json.loads(text)
        else:
            given = {name: values[0] for name, values in parse_qs(text).items()}
        names = ("subject_token", "client_assertion", "WebIdentityToken")
        token = next((given.pop(name) for name in names if name in given), "")
        self.asked.append(Asked(path, token, given))
        if self.answer is not None:
            return self.answer
        fields = ("service_account_id", "client_id", "RoleArn")
        account = next((given[name] for name in fields if name in given), "")
        if "identity_provider_id" in given:
            return self._oauth(self.openai, account, token, "no rule fits this subject")
        if "client_assertion_type" in given:
            said = claims_of(token).get("sub")
            words = f"AADSTS700213: No matching federated identity record found for '{said}'"
            return self._oauth(self.entra, account, token, words)
        return self._assume_role(account, token)

    def account_of(self, key: str) -> str | None:
        """Whose key this is, of those that were given."""
        if key.startswith("bedrock-api-key-"):
            address = base64.b64decode(key.removeprefix("bedrock-api-key-")).decode()
            signer = parse_qs(urlsplit(f"https://{address}").query)["X-Amz-Credential"][0]
            return self.accounts.get(signer.partition("/")[0])
        return self.accounts.get(key)

    def _oauth(self, trust: Trust, account: str, token: str, why: str) -> tuple[int, str]:
        if not self._holds(trust, account, token):
            return 400, json.dumps({"error": "invalid_request", "error_description": why})
        key = self._key()
        self.accounts[key] = account
        given = {"access_token": key, "token_type": "Bearer", "expires_in": self.good_for}
        return 200, json.dumps(given)

    def _key(self) -> str:
        self.keys.append(f"short-lived-{len(self.keys) + 1}-K7vQx9Zr2Lm4Tn8Wp")
        return self.keys[-1]

    def _holds(self, trust: Trust, account: str, token: str) -> bool:
        subjects = self.subjects.get(account, (trust.subject,))
        return any(replace(trust, subject=subject).holds(token) for subject in subjects)

    def _assume_role(self, account: str, token: str) -> tuple[int, str]:
        if not self._holds(self.sts, account, token):
            code, words = "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"
            error = (
                f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{words}</Message></Error>"
            )
            return 403, f"<ErrorResponse>{error}</ErrorResponse>"
        signer = f"ASIAEXAMPLEEXAMPLE{len(self.accounts):02}"
        self.accounts[signer] = account
        return 200, (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            "<AssumeRoleWithWebIdentityResult><Credentials>"
            f"<AccessKeyId>{signer}</AccessKeyId>"
            "<SecretAccessKey>wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY</SecretAccessKey>"
            "<SessionToken>IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLXdlc3QtMiJHMEUCIQD+a/b=c"
            "</SessionToken><Expiration>2026-11-30T13:00:00Z</Expiration>"
            "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        )
