"""The list of long stories names stories that there are."""

from __future__ import annotations

import re
from pathlib import Path

from .conftest import LONG


def test_each_long_story_is_there_under_its_name() -> None:
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    told = {
        name
        for file in files
        for name in re.findall(r"(?m)^def (test_\w+)\(", file.read_text("utf-8"))
    }

    assert {name.partition("[")[0] for name in LONG} - told == set()
