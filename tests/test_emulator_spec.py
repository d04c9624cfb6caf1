"""The emulator against the public specification: every answer of a long journey fits its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from test_emulator import JOBS, Lab, chats

from ftctl.emulator import Response
from ftctl.emulator.routes import NOT_IMPLEMENTED, ROUTES

SPEC = Path(__file__).parents[2] / "shared" / "data" / "openapi" / "openai-fine-tuning.json"

pytestmark = pytest.mark.skipif(
    not SPEC.exists(), reason=f"the public specification is not at {SPEC}"
)


class CheckedLab(Lab):
    """A lab whose every answer is held against the specification."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.spec: dict[str, Any] = json.loads(SPEC.read_text())
        self.checked: set[tuple[str, str, int]] = set()

    def send(
        self, method: str, target: str, body: bytes = b"", *headers: tuple[str, str]
    ) -> Response:
        response = super().send(method, target, body, *headers)
        path = target.removeprefix("/v1").partition("?")[0]
        template, operation = self.operation(method.lower(), path)
        status = "200" if response.status == 200 else "4XX"
        schema = operation["responses"][status]["content"]["application/json"].get("schema")
        if dict(response.headers)["content-type"] == "application/json":
            self.check(json.loads(response.body), schema)
        self.checked.add((method, template, response.status))
        return response

    def operation(self, method: str, path: str) -> tuple[str, Any]:
        for template, methods in self.spec["paths"].items():
            pattern = re.sub(r"\{\w+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method in methods:
                return template, methods[method]
        raise AssertionError(f"{method} {path} is not in the specification")

    def check(self, value: Any, schema: Any) -> None:
        if isinstance(value, dict) and value.get("status") == "paused":
            value = {**value, "status": "running"}  # the specification's enum forgets its own word
        whole = {**schema, "components": self.spec["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[CheckedLab]:
    lab = CheckedLab(tmp_path)
    with lab.emulator:
        yield lab


def test_every_answer_of_a_journey_fits_the_specification(lab: CheckedLab) -> None:
    file = lab.upload(**{"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"})
    grader = {"type": "python", "name": "g", "source": "x"}
    preference = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.5}}}
    reinforcement = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    jobs = [
        lab.create(training_file=file, suffix="a", metadata={"k": "v"}),
        lab.create(training_file=file, method=preference),
        lab.create(training_file=file, method=reinforcement, model="o4-mini"),
        lab.create(training_file=lab.upload(chats(3)), validation_file=file),
        lab.create(integrations=[{"type": "wandb", "wandb": {"project": "p"}}]),
    ]
    for _ in range(14):
        lab.now += 1
        lab.get(f"{JOBS}?limit=10")
        for job in jobs:
            for rest in ("", "/events", "/checkpoints"):
                lab.get(f"{JOBS}/{job['id']}{rest}")
    running = lab.create()["id"]
    lab.now += 3
    for verb in ("pause", "resume", "cancel", "cancel", "pause", "resume"):
        lab.call("POST", f"{JOBS}/{running}/{verb}")
    model = lab.job(jobs[0]["id"])["fine_tuned_model"]
    lab.get(f"{JOBS}?metadata[k]=v")
    lab.get("/v1/models")
    lab.get(f"/v1/models/{model}")
    for method, target in [
        ("DELETE", f"/v1/models/{model}"),
        ("DELETE", f"/v1/models/{model}"),
        ("DELETE", "/v1/models/gpt-4o"),
        ("GET", "/v1/models/none"),
        ("GET", f"/v1/files/{file}"),
        ("GET", "/v1/files?limit=1"),
        ("GET", "/v1/files?purpose=vision"),
        ("GET", f"/v1/files/{file}/content"),
        ("DELETE", f"/v1/files/{file}"),
        ("DELETE", f"/v1/files/{file}"),
        ("GET", f"/v1/files/{file}/content"),
        ("GET", f"{JOBS}/none"),
        ("POST", JOBS),
        ("POST", "/v1/files"),
        ("POST", "/v1/uploads"),
        ("POST", "/v1/chat/completions"),
    ]:
        lab.send(method, target)

    statuses = {lab.job(job["id"])["status"] for job in jobs}
    assert statuses == {"succeeded", "failed"}
    assert {(m, p) for m, p, status in lab.checked if status == 200} == {
        (method, re.sub(r"\w+\*", "model", path.removeprefix("/v1")).replace("job_id", _JOB_ID))
        for method, path, _ in ROUTES
    }


_JOB_ID = "fine_tuning_job_id"


def test_every_path_of_the_specification_is_known(lab: CheckedLab) -> None:
    known = [path for _, path, _ in ROUTES] + list(NOT_IMPLEMENTED)

    def shape(path: str) -> str:
        return re.sub(r"\{[^}]*\}", "{}", path)

    assert {shape("/v1" + path) for path in lab.spec["paths"]} == {shape(path) for path in known}
