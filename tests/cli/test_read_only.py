"""A checkout that nothing can be written in: what only reads goes on, what buys is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from conftest import KEY, Shell, cache_of, chat_rows, small_project
from plain_server import PlainServer, World

Write = Callable[[Mapping[str, str]], Path]

# Root may write whatever the permissions say, but not into what is mounted read-only.
MOUNTED = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'


class Checkout:
    """Runs ftctl in a folder that it cannot write to."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.environ = {**os.environ, **environ}

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ftctl", *arguments]
        if os.geteuid() == 0:
            command = ["unshare", "-m", "bash", "-c", MOUNTED, str(self.folder), *command]
        return subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip

    def ok(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = self(*arguments)
        assert done.returncode == 0, done
        return done


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[..., Checkout]]:
    """Makes a checkout of the test's folder once all is written; it can be taken away after."""
    if os.geteuid() == 0:
        tried = ["unshare", "-m", "bash", "-c", MOUNTED, str(tmp_path), "true"]
        if shutil.which("unshare") is None or subprocess.run(tried, check=False).returncode:
            pytest.skip("nothing can be mounted here")
    folders = []

    def make(**environ: str) -> Checkout:
        if os.geteuid() != 0:
            for path in [tmp_path, *tmp_path.rglob("*")]:
                path.chmod(0o555 if path.is_dir() else 0o444)
                folders.append(path)
        return Checkout(tmp_path, **environ)

    yield make
    for path in folders:
        path.chmod(0o755)


def test_a_new_project_is_checked_and_planned(
    write_project: Write, read_only: Callable[..., Checkout]
) -> None:
    folder = write_project(small_project())
    ftctl = read_only()

    ftctl.ok("validate")
    planned = ftctl.ok("plan")
    ftctl.ok("status")
    ftctl.ok("output")
    bought = ftctl("apply", "--auto-approve")

    assert "+ tone: create, not found" in planned.stdout
    assert "note: .ftctl cannot be written: the embedded API is only read" in planned.stderr
    assert "not kept" not in planned.stderr
    assert bought.returncode == 1
    assert ".ftctl cannot be written, where the embedded API keeps its state" in bought.stderr
    assert not (folder / ".ftctl").exists()


def test_a_project_that_is_applied_is_read_as_it_is(
    write_project: Write, shell: Shell, read_only: Callable[..., Checkout]
) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")
    ftctl = read_only()

    assert "up to date as ft:" in ftctl.ok("plan").stdout
    assert "succeeded" in ftctl.ok("status").stdout
    assert ftctl.ok("output", "tone").stdout.startswith("ft:")
    assert "successfully completed" in ftctl.ok("events", "tone").stdout
    assert ftctl.ok("apply", "--auto-approve", "--wait").stdout.endswith("models' names.\n")
    assert ftctl("apply", "--auto-approve", "--replace", "tone").returncode == 1
    assert ftctl("destroy", "--auto-approve").returncode == 1
    assert "succeeded" in shell.ok("status").out


def test_a_job_is_not_stopped_where_that_would_not_stay(
    write_project: Write, shell: Shell, read_only: Callable[..., Checkout]
) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve")
    shell("wait", "--timeout", "2s")
    shell.ok("pause", "tone")  # the processes of the checkout have another clock
    ftctl = read_only()

    cancelled = ftctl("cancel", "tone", "--auto-approve")
    resumed = ftctl("resume", "tone")

    assert (cancelled.returncode, resumed.returncode) == (1, 1)
    assert ".ftctl cannot be written, where the embedded API keeps its state" in cancelled.stderr
    assert "paused" in shell.ok("status").out


def test_a_hosted_service_is_planned_for(
    write_project: Write, world: World, read_only: Callable[..., Checkout]
) -> None:
    settings = {"ftctl.yaml": "project: demo\nprovider: {type: openai}\n"}
    folder = write_project(small_project(**settings))
    with PlainServer(world) as server:
        variables = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        ftctl = read_only(**variables, FTCTL_CACHE_DIR=str(folder / "cache"))
        planned = ftctl.ok("plan")
        ftctl.ok("status")
        ftctl.ok("output")

    assert "+ tone: create, not found" in planned.stdout
    assert "note: the plan is not kept" in planned.stderr
    assert not any(request.startswith("POST") for request in world.requests)


@pytest.mark.parametrize("kept", [True, False])
def test_data_that_must_be_made_and_cannot_be_kept_is_made_for_the_run(
    write_project: Write, read_only: Callable[..., Checkout], user: Path, *, kept: bool
) -> None:
    dataset = (
        "apiVersion: ftctl/v1\nkind: Dataset\nname: some\nsource: ../data/train.jsonl\n"
        "sample: {rows: 10, seed: 1}\n"
    )
    finetune = small_project()["finetunes/tone.yaml"]
    folder = write_project(
        small_project(
            finetune.replace("{source: ../data/train.jsonl}", "some"),
            **{"finetunes/some.yaml": dataset, "data/train.jsonl": chat_rows(30)},
        )
    )
    cache = user / "cache" if kept else folder / "cache"
    ftctl = read_only(FTCTL_CACHE_DIR=str(cache))

    checked = ftctl.ok("validate")
    planned = ftctl.ok("plan")

    alone = "note: data is fetched and made for this run alone"
    assert (alone in checked.stderr) is not kept
    assert ("note: nothing is kept for the next run: " in checked.stderr) is not kept
    assert "+ tone: create, not found" in planned.stdout


# Without being read-only: something else lies where a folder should be.


@pytest.mark.parametrize("what", ["file", "link"])
def test_something_else_in_the_place_of_the_folder_for_caches_stops_no_read(
    remote: Shell, world: World, what: str
) -> None:
    state = remote.folder / ".ftctl"
    if what == "file":
        state.write_text("", "utf-8")
    else:
        state.symlink_to("nowhere")

    remote.ok("validate")
    planned = remote.ok("plan")
    remote.ok("status")
    remote.ok("output")

    assert "+ tone: create, not found" in planned.out
    assert not any(request.startswith("POST") for request in world.requests)


def test_a_plan_can_be_kept_nowhere_and_is_made_all_the_same(remote: Shell) -> None:
    cache = cache_of(remote.folder)
    cache.mkdir(parents=True)
    (cache / "plans").write_text("", "utf-8")

    planned = remote.ok("plan")

    assert "+ tone: create, not found" in planned.out
    assert "note: the plan is not kept" in planned.err


def test_what_earlier_versions_kept_in_the_checkout_is_in_nobodys_way(remote: Shell) -> None:
    (remote.folder / ".ftctl").mkdir()
    (remote.folder / ".ftctl" / "plans").write_text("", "utf-8")
    (remote.folder / ".ftctl" / "cache").write_text("", "utf-8")

    assert "+ tone: create, not found" in remote.ok("plan").out
