"""A job of the template in; how gitlab-ci-local runs it, out: it reads the file as GitLab does."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import yaml

from forges.gitlab import TEMPLATE, GitLab, JobRun

MISSING = [name for name in ("gitlab-ci-local", "rsync") if shutil.which(name) is None]


def use_template(gitlab: GitLab) -> None:
    """Put the template and its inputs on main."""
    included = {"include": [{"local": TEMPLATE.name, "inputs": gitlab.inputs}]}
    gitlab.commit(
        "main",
        {
            TEMPLATE.name: TEMPLATE.read_text("utf-8"),
            ".gitlab-ci.yml": yaml.safe_dump(included),
            ".gitignore": ".ftctl/\n.gitlab-ci-local/\n",
        },
    )
    variables: dict[str, dict[str, dict[str, str]]] = {}
    for scope, values in gitlab.scoped.items():
        for name, value in values.items():
            variables.setdefault(name, {"values": {}})["values"][scope] = value
    for name, value in gitlab.variables.items():
        variables[name] = {"values": {"*": value}}
    file = gitlab.folder / "local" / ".gitlab-ci-local" / "variables.yml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump({"global": variables}), "utf-8")


def run(gitlab: GitLab, branch: str, ref: str, names: list[str], **known: str) -> list[JobRun]:
    """Run these jobs of one pipeline, one after the other."""
    gitlab.git("checkout", "--quiet", branch)
    commit = gitlab.git("rev-parse", "HEAD")
    gitlab.last_id += 1
    pipeline: dict[str, Any] = {
        "id": gitlab.last_id, "project_id": 1, "source": known["CI_PIPELINE_SOURCE"], "ref": ref,
        "sha": commit,
    }  # fmt: skip
    gitlab.pipelines.append(pipeline)
    runs = [_job(gitlab, pipeline, name, known) for name in names]
    gitlab.git("checkout", "--quiet", "main")
    return runs


def _job(
    gitlab: GitLab, pipeline: Mapping[str, Any], name: str, known: Mapping[str, str]
) -> JobRun:
    gitlab.last_id += 1
    number = gitlab.last_id
    home = gitlab.folder / "local"
    values = {
        "CI_API_V4_URL": gitlab.url, "CI_COMMIT_SHA": pipeline["sha"], "CI_JOB_ID": str(number),
        "CI_JOB_URL": "https://gitlab.example/job", "CI_PIPELINE_ID": str(pipeline["id"]),
        "CI_PROJECT_ID": "1", **known,
    }  # fmt: skip
    command = [
        "gitlab-ci-local", "--force-shell-executor", "--shell-isolation", "--no-color",
        "--home", str(home),
        "--evaluate-rule-changes=false",  # it knows of no push, and compares with a default branch
        *(f"--variable={key}={value}" for key, value in values.items()), name,
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=gitlab.folder / "clone", capture_output=True, text=True, check=False,
        env={
            "PATH": os.pathsep.join((str(gitlab.programs), os.environ["PATH"])),
            "HOME": str(home),
            "FTCTL_CACHE_DIR": str(gitlab.folder / f"cache-{number}"),
            "FTCTL_STATE_DIR": str(gitlab.folder / f"state-{number}"),
        },
    )  # fmt: skip
    gitlab.jobs.append(
        {
            "id": number, "name": name, "status": "failed" if done.returncode else "success",
            "pipeline": {key: pipeline[key] for key in ("id", "project_id", "ref", "sha")},
        }
    )  # fmt: skip
    kept = gitlab.folder / "clone" / ".gitlab-ci-local" / "artifacts"
    gitlab.artifacts[number] = {
        f"ftctl-plan/{file.name}": file.read_bytes() for file in kept.rglob("ftctl-plan/*")
    }
    return JobRun(name, number, done.returncode, done.stdout + done.stderr, {})
