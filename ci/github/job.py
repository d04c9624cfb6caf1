"""The runner's environment in; which job this is, and a way to tell something, out."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """What the runner says of this job, and the action's inputs of this project."""

    environ: Mapping[str, str]

    @property
    def repository(self) -> str:
        return self.environ["GITHUB_REPOSITORY"]

    @property
    def run(self) -> int:
        return int(self.environ["GITHUB_RUN_ID"])

    @property
    def attempt(self) -> int:
        return int(self.environ["GITHUB_RUN_ATTEMPT"])

    @property
    def by_hand(self) -> bool:
        """Whether somebody started this run, and no merge."""
        return self.environ["GITHUB_EVENT_NAME"] == "workflow_dispatch"

    @property
    def bot(self) -> str:
        """The login whose comments and issues are ours."""
        return self.environ["INPUT_BOT"]

    @property
    def place(self) -> str:
        """Environment and folder, as they stand in names."""
        return self.environ["FTCTL_PLACE"]

    def mark(self, kind: str) -> str:
        """The line by which a comment or an issue of ours is found again."""
        return f"<!-- ftctl {kind}: {self.environ['FTCTL_MARKED']} -->"

    @property
    def folder(self) -> Path:
        """Where the steps of this job leave files for each other."""
        return Path(self.environ["FTCTL_WORK"])

    @property
    def event(self) -> Any:
        return json.loads(Path(self.environ["GITHUB_EVENT_PATH"]).read_text("utf-8"))

    @property
    def run_url(self) -> str:
        server = self.environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{self.repository}/actions/runs/{self.run}"

    def words(self, name: str) -> str:
        """A file of a step before, or nothing."""
        path = self.folder / name
        return path.read_text("utf-8", "replace") if path.is_file() else ""

    def warn(self, sentence: str) -> None:
        """A warning of the run."""
        _command("warning", sentence)

    def fail(self, sentence: str) -> None:
        """An error of the run."""
        _command("error", sentence)

    def summarize(self, text: str) -> None:
        """Markdown for the run's summary."""
        with Path(self.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")


def _command(name: str, sentence: str) -> None:
    text = sentence.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::{name} title=ftctl::{text}", flush=True)  # noqa: T201 # it is how the runner is told


def verbatim(text: str, most: int = 20_000) -> str:
    """A text of others as Markdown in which nothing of it is markup, a mention or a reference."""
    plain = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text[:most])
    escaped = html.escape(plain, quote=False).replace("#", "&#35;").replace("@", "&#64;")
    return f"<pre>\n{escaped}\n</pre>"


def as_code(text: Any, most: int = 80) -> str:
    """A short text of others as code in a line of Markdown, where it calls nobody."""
    letters = (
        one
        if one.isalnum() or one in " .,:;-()="
        else f"&#{ord(one)};"
        if one.isprintable()
        else "?"
        for one in str(text)[:most]
    )
    return f"<code>{''.join(letters)}</code>"
