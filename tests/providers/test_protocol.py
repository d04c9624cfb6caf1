"""The seam: callers name what they need of a service, and nobody the class behind it."""

from __future__ import annotations

import ast
import subprocess
import sys
from inspect import signature

import pytest
from conftest import ROOT
from fakes import FakeProvider

import ftctl.providers
from ftctl.providers import Reader, Writer

PACKAGE = ROOT / "ftctl"
OUTSIDE = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "providers" not in path.parents]


def test_nobody_outside_names_the_class_behind_the_protocols() -> None:
    assert len(OUTSIDE) > 200
    for path in OUTSIDE:
        text = path.read_text("utf-8")
        assert "OpenAIProvider" not in text, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("ftctl.providers.openai"), path


@pytest.mark.parametrize("name", ftctl.providers.__all__)
def test_the_door_has_what_it_promises(name: str) -> None:
    assert getattr(ftctl.providers, name) is not None


def test_reading_a_protocol_loads_no_service() -> None:
    script = (
        "import sys, ftctl.providers.protocol; print([n for n in sys.modules if 'openai' in n])"
    )

    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("protocol", [Reader, Writer])
def test_the_fake_of_the_tests_takes_what_a_provider_takes(protocol: type) -> None:
    for name, method in vars(protocol).items():
        if not name.startswith("_"):
            assert signature(getattr(FakeProvider, name)) == signature(method), name
