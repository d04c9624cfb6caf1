"""Repositories as git is asked about them, in the surroundings that people have."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ftctl.engine.git import commit_of, repository_around
from ftctl.errors import FtctlError


@pytest.fixture
def anothers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that belongs to another user, as in a container of CI."""
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    top = tmp_path / "checkout"
    top.mkdir()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "-m", "base"]):
        subprocess.run(["git", *identity, *arguments], cwd=top, check=True)
    for path in (top, *top.rglob("*")):
        os.chown(path, 1234, 1234)
    monkeypatch.delenv("SUDO_UID", raising=False)
    return top


def test_a_folder_of_another_user_is_told_with_what_makes_git_read_it(anothers: Path) -> None:
    with pytest.raises(FtctlError, match="belongs to another user") as told:
        repository_around(anothers).commit("HEAD")

    assert told.value.hint == f"git config --global --add safe.directory {anothers}"


@pytest.mark.parametrize("number", ["0", "2"])
def test_what_the_environment_says_is_safe_is_read(
    anothers: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(int(number) + 1))
    for other in range(int(number)):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{other}", "core.bare")
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{other}", "true")
    monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", "safe.directory")
    monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", "*")

    assert commit_of(anothers) is not None


@pytest.mark.parametrize("count", ["", "-1", "many", "²", "99999999999999999999"])
def test_an_odd_number_of_settings_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", count)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True, env={
        name: value for name, value in os.environ.items() if name != "GIT_CONFIG_COUNT"
    })  # fmt: skip

    assert commit_of(tmp_path) is None  # there is no commit yet
