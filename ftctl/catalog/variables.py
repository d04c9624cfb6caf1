"""The name of an environment variable in; whose it is known to be, other than a service's, out.

What stands here is never sent to a service that trains: a manifest or ftctl.yaml that asks for it
is wrong, or a stranger's. Looked up in the documentation of each owner, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ftctl.catalog.services import Service

AS_OF = "2026-11"

# By owner: the names of its variables, in which * stands for anything.
_OWNERS: Mapping[str, str] = {
    "AWS": "AWS_* S3_ACCESS_KEY S3_SECRET_KEY",
    "GitHub": "GITHUB_* GH_* ACTIONS_* RUNNER_*",
    "GitLab": "GITLAB_* CI_JOB_* CI_BUILD_TOKEN CI_DEPLOY_* CI_REGISTRY* CI_REPOSITORY_URL"
    " CI_DEPENDENCY_PROXY_* CI_SERVER_TLS_* CI_RUNNER_*",
    "Bitbucket": "BITBUCKET_*",
    "Azure DevOps": "SYSTEM_ACCESSTOKEN AZURE_DEVOPS_* VSS_*",
    "CircleCI": "CIRCLE_* CIRCLECI_*",
    "Jenkins": "JENKINS_*",
    "Buildkite": "BUILDKITE_*",
    "Travis CI": "TRAVIS_*",
    "Azure's login": "AZURE_CLIENT_* AZURE_TENANT_ID AZURE_SUBSCRIPTION_ID AZURE_STORAGE_*"
    " AZURE_USERNAME AZURE_PASSWORD AZURE_FEDERATED_* AZURE_AUTHORITY_HOST ARM_*"
    " MSI_ENDPOINT MSI_SECRET IDENTITY_ENDPOINT IDENTITY_HEADER",
    "Google Cloud": "GOOGLE_APPLICATION_* GOOGLE_CREDENTIALS GOOGLE_OAUTH_* CLOUDSDK_* GCLOUD_*"
    " GCP_SA_KEY",
    "another cloud": "DIGITALOCEAN_* DO_API_TOKEN HCLOUD_* LINODE_TOKEN OCI_CLI_*"
    " ALIBABA_CLOUD_* CLOUDFLARE_* HEROKU_* FLY_* NETLIFY_* VERCEL_* RAILWAY_* RENDER_API_KEY",
    "a package registry": "NPM_* NODE_AUTH_TOKEN YARN_* TWINE_* PYPI_* UV_PUBLISH_* UV_INDEX_*"
    " POETRY_* PIP_* CARGO_* GEM_HOST_API_KEY NUGET_* MAVEN_* SONATYPE_* DOCKER_* DOCKERHUB_*",
    "the login by SSH": "SSH_* SSHPASS GIT_*",
    "the signing of files": "GPG_* GNUPGHOME COSIGN_* SIGSTORE_*",
    "the keeping of secrets": "VAULT_* OP_* BWS_* BW_* DOPPLER_* INFISICAL_* SOPS_* AGE_*",
    "Kubernetes, Terraform and their like": "KUBE* HELM_* TF_* TFE_* TERRAFORM_* PULUMI_*"
    " CONSUL_* NOMAD_* ANSIBLE_*",
    "a database": "DATABASE_URL DB_* PG* POSTGRES* MYSQL_* MARIADB_* REDIS* MONGO* SQLALCHEMY_*"
    " SNOWFLAKE_*",
    "another program": "SLACK_* SENTRY_* DD_* DATADOG_* STRIPE_* TWILIO_* SENDGRID_* NEW_RELIC_*"
    " CODECOV_* SONAR_* JIRA_* PAGERDUTY_* DISCORD_* TELEGRAM_*",
    "ftctl": "FTCTL_*",
    "the system": "HOME PATH PWD OLDPWD TMPDIR TMP TEMP MAIL IFS ENV BASH_* ZDOTDIR XDG_* LD_*"
    " DYLD_* PYTHON* VIRTUAL_ENV CONDA_* NETRC USERPROFILE APPDATA LOCALAPPDATA PROGRAMDATA"
    " SYSTEMROOT COMSPEC HTTP_PROXY HTTPS_PROXY ALL_PROXY FTP_PROXY NO_PROXY KRB5* SUDO_*"
    " DBUS_* DISPLAY WAYLAND_DISPLAY XAUTHORITY",
}  # fmt: skip

# Theirs too, but services that train are given them to fetch from there, and to report to them:
# in `extra` of a manifest they have a place, and nowhere else.
_HANDED_ON: Mapping[str, str] = {
    "Hugging Face": "HF_* HUGGING_FACE_* HUGGINGFACE_*",
    "Weights & Biases": "WANDB_*",
}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a variable is."""

    name: str
    handed_on: bool = False  # whether `extra` of a manifest may refer to it


def owner_of(variable: str, row: Service | None = None) -> Owner | None:
    """Who a variable belongs to; None for one that nobody claims, and for the row's own key."""
    if row is not None and variable == row.api_key_env:
        return None
    for name, pattern in _patterns().items():
        if pattern.fullmatch(variable.upper()):
            return Owner(name, handed_on=name in _HANDED_ON)
    return None


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    return {
        name: re.compile("|".join(re.escape(word).replace(r"\*", ".*") for word in words.split()))
        for name, words in (*_OWNERS.items(), *_HANDED_ON.items())
    }


# What a forge lets a job prove with which job it is: for our own token program alone, and not for
# git, a policy's programs, or another that gives a key.
GITHUB_IDENTITY = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
OWN_IDENTITY = "FTCTL_ID_TOKEN"  # at GitLab a job chooses the name


def is_identity_variable(name: str) -> bool:
    """Whether a variable of this name holds the forge's word for a job, or leads to it."""
    return name in GITHUB_IDENTITY or name == OWN_IDENTITY or name.startswith(f"{OWN_IDENTITY}_")


def without_identity(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that is not our own token program."""
    return {name: value for name, value in environ.items() if not is_identity_variable(name)}
