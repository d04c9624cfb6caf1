"""`ftctl token`: what a job proves, what it is given for that, and to whom its token goes."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Shell
from forges.exchanges import Exchanges, signed

from ftctl.identity.short_key import read_seconds

SUBJECT = "repo:acme/models:environment:production"
TENANT, CLIENT = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
ROLE = "arn:aws:iam::123456789012:role/ftctl-production"
OPENAI = ("openai", "--identity-provider", "idp_1", "--service-account", "svc_acct_1")
AZURE = ("azure", "--tenant", TENANT, "--client", CLIENT)
BEDROCK = ("bedrock", "--role", ROLE, "--region", "us-west-2")
SERVICES = {"openai": OPENAI, "azure": AZURE, "bedrock": BEDROCK}
AUDIENCES = {
    "openai": "https://api.openai.com/v1",
    "azure": "api://AzureADTokenExchange",
    "bedrock": "sts.amazonaws.com",
}


@pytest.fixture(autouse=True)
def _packages(request: pytest.FixtureRequest) -> None:
    """Azure's and AWS's libraries are extras: requirements-dev.txt has them."""
    given = getattr(getattr(request.node, "callspec", None), "params", {})
    needed = {"azure": "azure.identity", "bedrock": "aws_bedrock_token_generator"}
    if package := needed.get(given.get("service", "")):
        pytest.importorskip(package)


@pytest.fixture
def exchanges() -> Iterator[Exchanges]:
    with Exchanges(SUBJECT) as running:
        yield running


@pytest.fixture
def token(shell: Shell, exchanges: Exchanges) -> Callable[..., Any]:
    """`ftctl token` in a job of GitHub."""
    shell.environ.update(exchanges.variables)

    def run(service: str, *more: str) -> Any:
        return shell("token", *SERVICES[service], "--exchange-url", exchanges.url, *more)

    return run


@pytest.mark.parametrize("service", ["openai", "azure"])
def test_a_key_is_printed_alone_or_with_its_seconds(
    token: Callable[..., Any], exchanges: Exchanges, service: str
) -> None:
    alone, whole = token(service), token(service, "--format", "json")

    first, second = exchanges.keys
    assert (alone.status, alone.out, alone.err) == (0, f"{first}\n", "")
    assert whole.json == {"access_token": second, "expires_in": whole.json["expires_in"]}
    assert 3590 <= whole.json["expires_in"] <= 3600


def test_the_request_is_the_one_that_openais_own_library_sends(
    token: Callable[..., Any], exchanges: Exchanges
) -> None:
    from openai.auth import WorkloadIdentityAuth

    signed_token = exchanges.token(AUDIENCES["openai"])
    theirs = WorkloadIdentityAuth(
        workload_identity={
            "identity_provider_id": "idp_1",
            "service_account_id": "svc_acct_1",
            "provider": {"token_type": "jwt", "get_token": lambda: signed_token},
        },
        token_exchange_url=exchanges.url,
    )

    token("openai")
    given = theirs.get_token()

    assert given == exchanges.keys[1]
    assert exchanges.asked[0] == exchanges.asked[1]


@pytest.mark.parametrize("service", ["azure"])
def test_entra_is_asked_for_the_resource_with_the_token_as_assertion(
    token: Callable[..., Any], exchanges: Exchanges, service: str
) -> None:
    token(service)
    token(service, "--resource", "ai")

    assert exchanges.asked[0].given == {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_id": CLIENT,
        "grant_type": "client_credentials",
        "scope": "https://cognitiveservices.azure.com/.default",
    }
    assert exchanges.asked[1].given["scope"] == "https://ai.azure.com/.default"


@pytest.mark.parametrize("service", ["bedrock"])
def test_a_role_is_taken_by_the_token_and_signs_the_key(
    token: Callable[..., Any], exchanges: Exchanges, service: str
) -> None:
    result = token(service, "--format", "json", "--seconds", "900")

    assert exchanges.asked[0].given == {
        "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": ROLE,
        "RoleSessionName": "ftctl", "DurationSeconds": "900",
    }  # fmt: skip
    assert result.json["expires_in"] == 900
    assert result.json["access_token"].startswith("bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t")


# Which account: planning and buying have one each, and share their ftctl.yaml.

ACCOUNTS = {
    "openai": ("FTCTL_OPENAI_SERVICE_ACCOUNT", "svc_of_the_environment", "service_account_id"),
    "azure": ("AZURE_CLIENT_ID", "99999999-7777-8888-9999-000000000000", "client_id"),
    "bedrock": ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/of-the-environment", "RoleArn"),
}


@pytest.mark.parametrize("service", SERVICES)
def test_an_environment_of_the_forge_may_say_which_account(
    shell: Shell, exchanges: Exchanges, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    variable, account, field = ACCOUNTS[service]
    words = list(SERVICES[service])
    at = next(
        words.index(one) for one in ("--service-account", "--client", "--role") if one in words
    )
    monkeypatch.setenv(variable, account)
    shell.environ.update(exchanges.variables)

    shell.ok("token", *words[:at], *words[at + 2 :], "--exchange-url", exchanges.url)
    shell.ok("token", *words, "--exchange-url", exchanges.url)

    assert [one.given[field] for one in exchanges.asked] == [account, words[at + 1]]


@pytest.mark.parametrize(
    ("service", "package", "cure"),
    [
        ("azure", "azure.identity", "pip install 'azure-identity>=1.19'; in CI, 'extras: azure'"),
        (
            "bedrock", "aws_bedrock_token_generator",
            "pip install 'aws-bedrock-token-generator>=1.1' 'botocore>=1.34'; in CI, 'extras: aws'",
        ),
    ],
)  # fmt: skip
def test_packages_that_are_missing_are_named(
    token: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, service: str, package: str,
    cure: str,
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, package, None)

    result = token(service)

    assert result.status == 1
    assert cure in result.err


# Where the forge's token is.


@pytest.mark.parametrize("name", ["FTCTL_ID_TOKEN", "FTCTL_ID_TOKEN_LIVE"])
@pytest.mark.parametrize("service", SERVICES)
def test_gitlab_puts_the_token_into_a_variable(
    shell: Shell, exchanges: Exchanges, service: str, name: str
) -> None:
    shell.environ[name] = exchanges.token(AUDIENCES[service])
    named = ("--identity-token-env", name) if name != "FTCTL_ID_TOKEN" else ()

    shell.ok("token", *SERVICES[service], "--exchange-url", exchanges.url, *named)

    assert [one.token for one in exchanges.asked] == [shell.environ[name]]


def test_a_pod_has_the_token_in_a_file(shell: Shell, exchanges: Exchanges, tmp_path: Path) -> None:
    file = tmp_path / "token"
    # Kubernetes writes its audiences as a list.
    file.write_text(signed({**CLAIMS, "aud": [AUDIENCES["openai"]]}) + "\n", "utf-8")

    result = shell(
        "token", *OPENAI, "--identity-token-file", str(file), "--exchange-url", exchanges.url
    )

    assert [one.token for one in exchanges.asked] == [file.read_text("utf-8").strip()]
    assert result.status == 1  # of the stand-in, which wants GitHub's form
    file.write_text(exchanges.token(AUDIENCES["openai"]), "utf-8")
    shell.ok("token", *OPENAI, "--identity-token-file", str(file), "--exchange-url", exchanges.url)


def test_without_a_token_each_forge_has_its_cure(shell: Shell) -> None:
    result = shell("token", *OPENAI)

    assert result.status == 1
    assert result.err == (
        "error: there is no identity token here: neither ACTIONS_ID_TOKEN_REQUEST_TOKEN of GitHub"
        " nor FTCTL_ID_TOKEN is set\n"
        "    hint: GitHub: 'permissions: {id-token: write}' for the job and 'identity: true' for"
        " the action; GitLab: 'id_tokens: {FTCTL_ID_TOKEN: {aud: https://api.openai.com/v1}}';"
        " ftctl.yaml: begin api_key_command with 'ftctl, token'\n"
    )


# What is not given, and what is told of it.

CLAIMS = {"iss": "https://token.actions.githubusercontent.com", "sub": SUBJECT}


@pytest.mark.parametrize("service", SERVICES)
def test_a_branchs_job_gets_no_key_and_is_told_what_to_look_at(
    shell: Shell, token: Callable[..., Any], exchanges: Exchanges, service: str
) -> None:
    shell.environ.update(exchanges.prove("repo:acme/models:pull_request"))

    result = token(service)

    assert (result.status, result.out) == (1, "")
    assert exchanges.keys == []
    assert " gave no key: " in result.err
    assert "look at the trust condition there: issuer, audience and subject" in result.err
    assert exchanges.asked[0].token not in result.err


ANSWERS = {
    "a redirect": (307, "https://evil.example/"),
    "no JSON": (200, "<html>sign in</html>"),
    "JSON without a key": (200, '{"expires_in": 3600}'),
    "a key of another kind": (200, '{"access_token": ["a"]}'),
    "a key with a line end": (200, '{"access_token": "a\\nb-KEY"}'),
    "an outage": (503, "upstream connect error"),
    "a list": (200, "[]"),
    "levels without end": (200, "[" * 60_000),
    "more than fits": (200, '{"access_token": "' + "k" * 200_000 + '"}'),
}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_odd_answer_gives_no_key_and_no_traceback(
    token: Callable[..., Any], exchanges: Exchanges, service: str, answer: str
) -> None:
    exchanges.answer = ANSWERS[answer]

    result = token(service)

    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("error: ")
    assert "Traceback" not in result.err
    assert len(exchanges.asked) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_an_exchange_that_repeats_the_token_is_quoted_without_it(
    token: Callable[..., Any], exchanges: Exchanges, service: str
) -> None:
    said = exchanges.token(AUDIENCES[service])
    words = json.dumps({"error": "bad", "error_description": f"no: {said}"})
    if service == "bedrock":
        error = f"<Error><Code>InvalidIdentityToken</Code><Message>no: {said}</Message></Error>"
        words = f"<ErrorResponse>{error}</ErrorResponse>"
    exchanges.answer = (400, words)

    result = token(service)

    assert "[redacted]" in result.err
    assert said[-20:] not in result.err


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(3600, 3600.0), ("3599", 3599.0), (0, None), (-5, None), (True, None), ("soon", None),
     (float("nan"), None), (float("inf"), None), (10**9, None), (None, None), ("9" * 30, None)],
)  # fmt: skip
def test_seconds_are_a_number_that_can_be(value: object, seconds: float | None) -> None:
    assert read_seconds(value) == seconds


# To whom the forge's token goes.


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "url",
    ["https://evil.example/token", "http://169.254.169.254/", "https://127.0.0.1.evil.example/",
     "https://auth.openai.com/oauth/token", "http://localhost@evil.example/", "//evil.example",
     "http://127.0.0.1\\@evil.example/", "file:///etc/passwd"],
)  # fmt: skip
def test_the_forges_token_goes_to_no_other_address(
    shell: Shell, exchanges: Exchanges, service: str, url: str
) -> None:
    shell.environ.update(exchanges.variables)

    result = shell("token", *SERVICES[service], "--exchange-url", url)

    assert result.status == 64
    assert "--exchange-url" in result.err
    assert exchanges.asked == []


PINNED = {
    "openai": "auth.openai.com",
    "azure": "login.microsoftonline.com",
    "bedrock": "sts.us-west-2.amazonaws.com",
}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_asked_at_its_own_address(
    shell: Shell, exchanges: Exchanges, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    looked_up: list[tuple[str, int]] = []

    def nowhere(host: str, port: int, *_: object, **__: object) -> None:
        looked_up.append((str(host), int(port)))
        raise socket.gaierror(socket.EAI_NONAME, "there is no network here")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    # What would lead these libraries elsewhere.
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AZURE_AUTHORITY_HOST"):
        monkeypatch.setenv(name, "https://evil.example/")
    shell.environ["FTCTL_ID_TOKEN"] = exchanges.token(AUDIENCES[service])

    result = shell("token", *SERVICES[service])

    assert result.status == 1
    assert "could not be asked" in result.err
    assert set(looked_up) == {(PINNED[service], 443)}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "audience",
    ["https://vault.acme.example", ["sts.amazonaws.com", "https://api.openai.com/v1"], [], None, 5],
)
def test_a_token_for_others_goes_nowhere(
    shell: Shell, exchanges: Exchanges, service: str, audience: Any
) -> None:
    shell.environ["FTCTL_ID_TOKEN"] = signed({**CLAIMS, "aud": audience})

    result = shell("token", *SERVICES[service], "--exchange-url", exchanges.url)

    assert result.status == 1
    assert "is for another audience" in result.err
    assert exchanges.asked == []


@pytest.mark.parametrize(
    "text",
    ["-----BEGIN OPENSSH PRIVATE KEY-----", "glpat-AbCdEfGhIjKlMnOpQrSt", "a.b", "a.b.c.d",
     "eyJ9.eyJ9.", "ä.b.c", "{}.{}.{}", "eyJ9.!!!!.c2ln"],
)  # fmt: skip
@pytest.mark.parametrize("place", ["variable", "file"])
def test_what_is_no_token_of_a_forge_goes_nowhere(
    shell: Shell, exchanges: Exchanges, tmp_path: Path, text: str, place: str
) -> None:
    shell.environ["FTCTL_ID_TOKEN"] = text
    (tmp_path / "kept").write_text(text, "utf-8")
    more = ("--identity-token-file", str(tmp_path / "kept")) if place == "file" else ()

    result = shell("token", *OPENAI, "--exchange-url", exchanges.url, *more)

    assert result.status == 1
    assert exchanges.asked == []
    assert text not in result.err


@pytest.mark.parametrize(
    "audience",
    ["sts.amazonaws.com", "STS.amazonaws.com ", "api://AzureADTokenExchange",
     "api://AzureADTokenExchangeUSGov", "https://iam.googleapis.com/projects/1/x", "sigstore",
     "//iam.googleapis.com/projects/1", "pypi", "vault", " "],
)  # fmt: skip
def test_openai_gets_no_token_with_which_it_could_act_elsewhere(
    shell: Shell, exchanges: Exchanges, audience: str
) -> None:
    shell.environ.update(exchanges.variables)

    result = shell("token", *OPENAI, "--exchange-url", exchanges.url, "--audience", audience)

    assert result.status == 64
    assert exchanges.asked == []


def test_an_audience_of_ones_own_is_asked_for(
    token: Callable[..., Any], exchanges: Exchanges
) -> None:
    exchanges.openai.audience = "https://openai.acme.example/a b&c=1"

    assert token("openai", "--audience", exchanges.openai.audience).status == 0


def test_github_is_asked_over_https_alone(shell: Shell, exchanges: Exchanges) -> None:
    shell.environ.update(exchanges.variables)
    shell.environ["ACTIONS_ID_TOKEN_REQUEST_URL"] = "http://github.example/token?a=1"

    result = shell("token", *OPENAI, "--exchange-url", exchanges.url)

    assert result.status == 1
    assert "is asked over https alone" in result.err
    assert shell.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] not in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("azure", "--tenant", "common", "--client", CLIENT), "is not an id such as"),
        (("azure", "--tenant", f"{TENANT}/../x", "--client", CLIENT), "is not an id such as"),
        (("bedrock", "--role", ROLE, "--region", "us-west-2.evil.example/"), "is not a region"),
        (("bedrock", "--role", "admin", "--region", "us-west-2"), "is not the ARN of a role"),
        ((*OPENAI[:-1], "a b"), "is not an id as OpenAI shows it"),
        ((*OPENAI, "--identity-token-env", "CI_JOB_JWT_V2"), "every program would see"),
        ((*OPENAI, "--identity-token-env", "FTCTL_ID_TOKENS"), "every program would see"),
        ((*OPENAI, "--identity-token-file", "token"), "does not begin at the root"),
        (
            (*OPENAI, "--identity-token-file", "/a", "--identity-token-env", "FTCTL_ID_TOKEN"),
            "say the same thing twice",
        ),
    ],
)
def test_words_that_would_lead_elsewhere_are_no_words(
    shell: Shell, arguments: tuple[str, ...], words: str
) -> None:
    result = shell("token", *arguments)

    assert result.status == 64
    assert words in result.err
