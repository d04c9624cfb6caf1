"""A pipeline's story, told as it runs: a transcript of each test here, where somebody wants it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Story:
    """What happens in one test, as Markdown."""

    title: str
    lines: list[str] = field(default_factory=list)

    def says(self, sentence: str) -> None:
        """Somebody does something, or something is seen."""
        self.lines += [sentence, ""]

    def shows(self, what: str, text: str) -> None:
        """A comment, a log, a file: as it stands."""
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text) or [""]))
        self.lines += [f"{what}:", "", f"{fence}text", text.strip("\n"), fence, ""]

    @property
    def markdown(self) -> str:
        return "\n".join([f"# {self.title}", "", *self.lines])


@pytest.fixture
def story(request: pytest.FixtureRequest) -> Iterator[Story]:
    """The transcript of this test. FTCTL_STORIES names a folder in which to leave it."""
    name = request.node.name.removeprefix("test_")
    told = Story(name.replace("_", " ").capitalize())
    yield told
    if folder := os.environ.get("FTCTL_STORIES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.md").write_text(told.markdown, "utf-8")
