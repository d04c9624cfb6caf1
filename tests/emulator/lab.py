"""An emulator in a folder of the test's own, with a clock that the test moves; no socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ftctl.emulator import Request, Response, Settings, open_emulator

KEY = ("authorization", "Bearer any")
JOBS = "/v1/fine_tuning/jobs"


def chats(count: int) -> bytes:
    """So many chat examples, as a JSONL file."""
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    return (json.dumps({"messages": turns}).encode() + b"\n") * count


def form(*fields: tuple[str, str | None, bytes]) -> tuple[tuple[str, str], bytes]:
    """A multipart form of (name, filename, content): its header and its body."""
    lines = b""
    for name, filename, content in fields:
        given_name = "" if filename is None else f'; filename="{filename}"'
        head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{given_name}\r\n\r\n'
        lines += head.encode() + content + b"\r\n"
    return ("content-type", "multipart/form-data; boundary=edge"), lines + b"--edge--\r\n"


class Lab:
    """An emulator and the clock that moves it: 1 s to validate, 1 s in the queue, 10 s to run."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.now = 1_800_000_000.25
        values = {"validating_seconds": 1, "queued_seconds": 1, "running_seconds": 10}
        values |= {"id_seed": 7, "training": False}
        self.settings = Settings(**{**values, **changes})
        self.folder = folder
        self.emulator = open_emulator(folder, lambda: self.now, self.settings)

    def send(
        self, method: str, target: str, body: bytes = b"", *headers: tuple[str, str]
    ) -> Response:
        return self.emulator.handle(Request.to(method, target, (KEY, *headers), body))

    def call(self, method: str, target: str, value: Any = None) -> tuple[int, Any]:
        response = self.send(method, target, b"" if value is None else json.dumps(value).encode())
        return response.status, json.loads(response.body)

    def get(self, target: str) -> Any:
        status, value = self.call("GET", target)
        assert status == 200, value
        return value

    def refused(self, method: str, target: str, value: Any = None) -> dict[str, Any]:
        """The error of a request that must be refused, with its status."""
        status, answer = self.call(method, target, value)
        assert status >= 400, answer
        return {"status": status, **answer["error"]}

    def upload(self, content: bytes | None = None, purpose: str = "fine-tune", **more: str) -> str:
        fields = [("purpose", None, purpose.encode())]
        fields += [(name, None, text.encode()) for name, text in more.items()]
        header, body = form(
            *fields, ("file", "data.jsonl", chats(12) if content is None else content)
        )
        response = self.send("POST", "/v1/files", body, header)
        assert response.status == 200, response.body
        file_id: str = json.loads(response.body)["id"]
        return file_id

    def create(self, **fields: Any) -> Any:
        wanted = {"model": "gpt-4.1-mini", **fields}
        if "training_file" not in wanted:
            wanted["training_file"] = self.upload()
        status, job = self.call("POST", JOBS, wanted)
        assert status == 200, job
        return job

    def job(self, job_id: str) -> Any:
        return self.get(f"{JOBS}/{job_id}")

    def messages(self, job_id: str) -> list[str]:
        """What happened to the job, in its order."""
        events = self.get(f"{JOBS}/{job_id}/events?limit=1000")["data"]
        return [event["message"] for event in reversed(events)]
