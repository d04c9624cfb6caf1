"""The fixture `ftctl_emulator`, in test runs of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from textwrap import dedent

import numpy  # noqa: ICN001, F401 - it cannot be loaded twice, as runs in this process would
import openai  # noqa: F401 - 1 s for each run otherwise
import pytest

pytest_plugins = ["pytester"]

# An installed ftctl is found by its entry point; a checkout that only lies on the path is not.
INSTALLED = bool(entry_points(group="pytest11", name="ftctl"))
PLUGIN = () if INSTALLED else ("-p", "ftctl.testing")

WALK = """
    ROWS = b'{"messages": [{"role": "user", "content": "Hi"},' \\
        b' {"role": "assistant", "content": "Hello"}]}\\n' * 12

    def train(client, **fields):
        file = client.files.create(file=("train.jsonl", ROWS), purpose="fine-tune")
        return client.fine_tuning.jobs.create(
            model="gpt-4.1-mini", training_file=file.id, **fields)
"""


def run(pytester: pytest.Pytester, *files: str, apart: bool = False) -> pytest.RunResult:
    """A test run over these files, in which every warning is an error; `apart`: in a process."""
    pytester.makepyfile(train=dedent(WALK))
    for number, text in enumerate(files):
        pytester.makepyfile(**{f"test_{number}": dedent(text)})
    start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
    return start(*("-q", "-W", "error", "--strict-markers", "-p", "no:cacheprovider"), *PLUGIN)


def passes(pytester: pytest.Pytester, *files: str, count: int = 1) -> None:
    run(pytester, *files).assert_outcomes(passed=count)


def test_a_job_is_done_at_the_first_look(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        from train import train

        def test_it(ftctl_emulator):
            client = ftctl_emulator.client
            job = train(client, suffix="tone")
            done = client.fine_tuning.jobs.retrieve(job.id)
            assert (job.status, done.status) == ("validating_files", "succeeded")
            assert done.fine_tuned_model.split(":")[2:4] == ["ftctl-emulator", "tone"]
            assert done.finished_at == job.created_at == 1_800_000_000
        """,
    )


def test_every_test_starts_empty_and_gets_the_same_ids(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import pytest
        from train import train

        seen = []

        @pytest.mark.parametrize("turn", range(3))
        def test_it(ftctl_emulator, turn):
            client = ftctl_emulator.client
            assert client.files.list().data == []
            job = client.fine_tuning.jobs.retrieve(train(client).id)
            seen.append(job.model_dump())
            assert seen[0] == seen[turn]
        """,
        count=3,
    )


def test_runs_side_by_side_do_not_see_one_another(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(train=dedent(WALK))
    pytester.makepyfile(
        test_side=dedent(
            """
            import time
            from pathlib import Path
            from train import train

            def wait_for_both():
                Path(f"here-{time.monotonic_ns()}").touch()
                deadline = time.monotonic() + 30
                while len(list(Path().glob("here-*"))) % 2:
                    assert time.monotonic() < deadline
                    time.sleep(0.01)

            def test_it(ftctl_emulator, tmp_path):
                client = ftctl_emulator.client
                train(client)
                wait_for_both()
                assert len(client.fine_tuning.jobs.list().data) == 1
                assert list(tmp_path.iterdir()) == []
                print(ftctl_emulator.server.url)
            """
        )
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGIN]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=120)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0], told


def test_the_mark_changes_it_and_the_nearest_wins(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import pytest
        from train import train

        pytestmark = pytest.mark.ftctl_emulator(pace="hand", organization="acme", id_seed=1)

        class TestIt:
            def test_far(self, ftctl_emulator):
                assert ftctl_emulator.pace["kind"] == "hand"

            @pytest.mark.ftctl_emulator(pace="reads", reads=2, now=1_900_000_000, training=False)
            def test_near(self, ftctl_emulator):
                assert (ftctl_emulator.pace["kind"], ftctl_emulator.pace["reads"]) == ("reads", 2)
                job = train(ftctl_emulator.client)
                assert (job.created_at, job.organization_id) == (1_900_000_000, "acme")
        """,
        count=2,
    )


def test_a_mark_that_cannot_be_is_told(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        @pytest.mark.ftctl_emulator(paces="hand")
        def test_name(ftctl_emulator):
            pass

        @pytest.mark.ftctl_emulator("hand")
        def test_position(ftctl_emulator):
            pass

        @pytest.mark.ftctl_emulator(pace="slow")
        def test_value(ftctl_emulator):
            pass
        """,
    )

    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(
        [
            "*ftctl_emulator has no 'paces', but: *",
            "*ftctl_emulator takes names only, as in pace='reads'",
            "*kind must be one of real, immediate, reads, hand.",
        ]
    )


@pytest.mark.parametrize("pace", ["hand", "real"])
def test_time_passes_only_when_the_test_says_so(pytester: pytest.Pytester, pace: str) -> None:
    passes(
        pytester,
        f"""
        import pytest
        from train import train

        @pytest.mark.ftctl_emulator(pace="{pace}", validating_seconds=5, queued_seconds=5)
        def test_it(ftctl_emulator):
            jobs = ftctl_emulator.client.fine_tuning.jobs
            job = train(ftctl_emulator.client)
            ftctl_emulator.advance(4)
            assert jobs.retrieve(job.id).status == "validating_files"
            ftctl_emulator.advance(2)
            assert jobs.retrieve(job.id).status == "queued"
            assert ftctl_emulator.now == 1_800_000_006
            with pytest.raises(ValueError, match="forward only"):
                ftctl_emulator.advance(-1)
        """,
    )


def test_faults_strike_and_go_and_the_journal_has_the_requests(
    pytester: pytest.Pytester,
) -> None:
    passes(
        pytester,
        """
        import openai
        import pytest

        def test_it(ftctl_emulator):
            client = ftctl_emulator.client.with_options(max_retries=0)
            ftctl_emulator.faults(
                {"request": {"path": "/v1/files"}, "answer": {"status": 503}},
                {"request": {"path": "/v1/models"}, "latency_seconds": 60},
            )
            with pytest.raises(openai.InternalServerError):
                client.files.list()
            client.models.list()
            assert ftctl_emulator.now == 1_800_000_060
            ftctl_emulator.faults()
            assert client.files.list().data == []
            asked = [(e["method"], e["path"], e["status"]) for e in ftctl_emulator.journal]
            assert asked == [
                ("GET", "/v1/files", 503), ("GET", "/v1/models", 200), ("GET", "/v1/files", 200)]
            with pytest.raises(ValueError, match="faults"):
                ftctl_emulator.faults({"request": {}, "odd": 1})
        """,
    )


def test_a_temperament_is_given_and_taken(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import pytest

        def many(lab):
            return len(lab.client.files.list().data)

        @pytest.mark.ftctl_emulator(temperaments=("list-without-end",))
        def test_by_the_mark(ftctl_emulator):
            assert ftctl_emulator.client.files.list().has_more

        def test_by_a_call(ftctl_emulator):
            ftctl_emulator.client.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune")
            ftctl_emulator.temperaments("lagging-list=30", "odd-jobs")
            before = many(ftctl_emulator)
            ftctl_emulator.faults()
            after_faults = many(ftctl_emulator)
            ftctl_emulator.temperaments()
            assert (before, after_faults, many(ftctl_emulator)) == (0, 0, 1)
            with pytest.raises(ValueError, match="did you mean 'odd-jobs'"):
                ftctl_emulator.temperaments("odd-job")
        """,
        count=2,
    )


def test_other_processes_reach_it_by_its_address_while_the_test_lasts(
    pytester: pytest.Pytester,
) -> None:
    passes(
        pytester,
        """
        import os
        import subprocess
        import sys
        import urllib.error
        import urllib.request

        import openai
        import pytest
        from train import train

        urls = []

        def test_it(ftctl_emulator, monkeypatch):
            ftctl_emulator.use(monkeypatch)
            job = train(ftctl_emulator.client)
            assert ftctl_emulator.environ == {
                "OPENAI_BASE_URL": ftctl_emulator.base_url, "OPENAI_API_KEY": "embedded"}
            with openai.OpenAI() as client:
                assert [one.id for one in client.fine_tuning.jobs.list()] == [job.id]
            script = "import openai; print(openai.OpenAI().fine_tuning.jobs.list().data[0].id)"
            told = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", script], capture_output=True, check=True)
            assert told.stdout.decode().strip() == job.id
            urls.append(ftctl_emulator.base_url)

        def test_later():
            assert "OPENAI_BASE_URL" not in os.environ
            with pytest.raises(urllib.error.URLError):
                urllib.request.urlopen(urls[0], timeout=5)

        @pytest.mark.ftctl_emulator(api_key="sesame")
        def test_its_own_key(ftctl_emulator, monkeypatch):
            ftctl_emulator.use(monkeypatch)
            assert ftctl_emulator.client.models.list().data
            assert openai.OpenAI().models.list().data
            with pytest.raises(openai.AuthenticationError):
                openai.OpenAI(api_key="other").models.list()
        """,
        count=3,
    )


def test_no_socket_and_no_client_is_made_unasked(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import socket
        import sys

        def test_it(ftctl_emulator, monkeypatch):
            monkeypatch.setattr(socket, "socket", None)
            assert ftctl_emulator.journal == []
            assert not {"openai", "numpy", "httpx2", "http.server"} & set(sys.modules)
        """,
        apart=True,
    )

    result.assert_outcomes(passed=1)


def test_the_plugin_costs_a_test_run_next_to_nothing(pytester: pytest.Pytester) -> None:
    script = """
        import json, sys
        import pytest
        before = set(sys.modules)
        import ftctl.testing
        print(json.dumps(sorted(set(sys.modules) - before)))
    """
    told = subprocess.run(
        [sys.executable, "-c", dedent(script)], capture_output=True, check=True, text=True
    )
    loaded = json.loads(told.stdout)

    assert [name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names] == [
        "ftctl",
        "ftctl.lazy",
        "ftctl.testing",
    ]
    assert not {"sqlite3", "socket", "asyncio"} & set(loaded)
    options = pytester.runpytest_subprocess("--help", *PLUGIN)
    options.stdout.no_fnmatch_line("*--ftctl*")
    markers = pytester.runpytest_subprocess("--markers", *PLUGIN)
    markers.stdout.fnmatch_lines(["@pytest.mark.ftctl_emulator(pace='immediate', *"])
