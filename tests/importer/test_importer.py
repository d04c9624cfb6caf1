"""`ftctl import`: an account filled by other means becomes manifests with an empty plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from conftest import Shell, chat_rows, preference_rows, small_project
from emulator.lab import form
from plain_server import World

from ftctl.domain.desired import Desired
from ftctl.emulator import Emulator, Request, Settings, open_emulator
from ftctl.importer import AccountJob, choose_jobs, name_jobs, read_account_job
from ftctl.importer.yaml_text import block, comment
from ftctl.manifest import parse_documents
from ftctl.text.invisible import first_hidden

Write = Callable[[Mapping[str, str]], Path]

GRADER = {
    "type": "python",
    "name": "exact: 1e-4",
    "source": "def grade(sample, item):\n\treturn 1.0 if 'no' else 0.5  # ✓\n",
}
STATUSES = {
    "validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled",
}  # fmt: skip
EMPTY_PROJECT = {"ftctl.yaml": "project: demo\n"}
JOBS = "/fine_tuning/jobs"


def reinforcement_rows(count: int) -> str:
    rows = ({"messages": [{"role": "user", "content": f"{n} + 1?"}], "answer": n + 1}
            for n in range(count))  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


@dataclass
class Account:
    """The embedded API behind ftctl's back, spoken to over its HTTP surface."""

    shell: Shell
    held: Emulator | None = None  # open over many requests

    @contextmanager
    def at_hand(self) -> Iterator[None]:
        folder = self.shell.folder / ".ftctl"
        folder.mkdir(exist_ok=True)
        with open_emulator(folder, clock=self.shell.clock.now) as self.held:
            yield
        self.held = None

    def send(self, method: str, path: str, body: bytes, *headers: tuple[str, str]) -> Any:
        folder = self.shell.folder / ".ftctl"
        folder.mkdir(exist_ok=True)
        key = ("authorization", "Bearer by-hand")
        request = Request.to(method, f"/v1{path}", [key, *headers], body)
        if self.held is not None:
            answer = self.held.handle(request)
        else:
            with open_emulator(folder, clock=self.shell.clock.now) as emulator:
                answer = emulator.handle(request)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def call(self, method: str, path: str, body: object = None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        return self.send(method, path, content, ("content-type", "application/json"))

    def upload(self, text: str) -> str:
        header, body = form(("purpose", None, b"fine-tune"), ("file", "rows.jsonl", text.encode()))
        file: str = self.send("POST", "/files", body, header)["id"]
        return file

    def create(self, **fields: Any) -> str:
        job: str = self.call("POST", JOBS, {"model": "gpt-4.1-mini-2025-04-14", **fields})["id"]
        return job

    def jobs(self) -> list[Any]:
        found: list[Any] = []
        while True:
            after = f"&after={found[-1]['id']}" if found else ""
            page = self.call("GET", f"{JOBS}?limit=100{after}")
            found += page["data"]
            if not page["has_more"]:
                return found

    def pass_time(self, seconds: float = 60) -> None:
        self.shell.clock.time += seconds


@pytest.fixture
def account(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Account:
    defaults = open_emulator.__defaults__ or ()
    untrained = replace(Settings(), training=False)
    monkeypatch.setattr(open_emulator, "__defaults__", (*defaults[:-1], untrained))
    return Account(shell)


ODD_SUFFIXES = (
    "no", "1e-4", "012", "2026-11-22", "Größe", "日本", "a.b c/d", '"; rm -rf', "yes: {x}", "null",
    "-dash-", "UPPER_case", "x" * 64, "#comment", "'", "\\", "tab\there", "\u202eevil", "line\nend",
    "~",
)  # fmt: skip
METADATA: tuple[dict[str, str], ...] = (
    {},
    {f"key {n}": f"value {n}" for n in range(16)},
    {"no": "yes", "1e-4": "012", "on": "2026-11-22", "~": "null", "a: b": "- c", "#": "# d"},
    {"long": "v" * 512, "k" * 64: "", "multi": "a\n  b\n\tc\r\n", "bidi": "\u202e\u2028\x85\x7f"},
    {"emoji": "🙂", "nul": "a\0b", "quote": "\"'\\", "ftctl_note": "not ours"},
)


@dataclass
class Rows:
    """The files of the account: several of each kind, two of one content, one too short."""

    chats: list[str]
    checks: list[str]
    pairs: str
    tasks: str
    trial: str
    few: str


BASES = ("gpt-4.1-mini-2025-04-14", "gpt-4o-mini-2024-07-18", "gpt-4.1-2025-04-14")


def upload_rows(account: Account) -> Rows:
    chats = [account.upload(chat_rows(12 + n % 6, f"answer {n % 6}")) for n in range(7)]
    return Rows(
        chats,
        [account.upload(chat_rows(3, f"check {n}")) for n in range(2)],
        account.upload(preference_rows(12)),
        account.upload(reinforcement_rows(12)),
        account.upload(reinforcement_rows(3)),
        account.upload(chat_rows(7)),
    )


def wanted(n: int, rows: Rows) -> dict[str, Any]:
    """What the job of that number asks for."""
    fields: dict[str, Any] = {"model": BASES[n % 3], "training_file": rows.chats[n % 7]}
    fields |= {"suffix": ODD_SUFFIXES[n // 2 % len(ODD_SUFFIXES)]} if n % 2 else {}
    fields |= {"metadata": METADATA[n % len(METADATA)]} if n % len(METADATA) else {}
    fields |= {"validation_file": rows.checks[n % 2]} if n % 4 == 0 else {}
    match n % 11:
        case 0:
            chosen = {"n_epochs": 2, "learning_rate_multiplier": 1e-05 * (n + 1)}
            method = {"type": "supervised", "supervised": {"hyperparameters": chosen}}
            return fields | {"seed": n, "method": method}
        case 1:
            method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.25}}}
            return fields | {"training_file": rows.pairs, "validation_file": None, "method": method}
        case 2:
            return fields | {
                "model": "o4-mini-2025-04-16", "training_file": rows.tasks,
                "validation_file": rows.trial,
                "method": {"type": "reinforcement", "reinforcement": {"grader": GRADER}},
            }  # fmt: skip
        case 3:
            return fields | {"training_file": rows.few}  # it will fail
        case 4:
            wandb = {"project": "p: 1", "tags": ["no", "a,b"]}
            return fields | {"integrations": [{"type": "wandb", "wandb": wandb}]}
    return fields


def fill(account: Account) -> None:
    """Three hundred jobs in every state: bases, methods, suffixes, metadata, shared files."""
    rows = upload_rows(account)
    for n in range(251):
        account.create(**wanted(n, rows))
    account.pass_time()
    take_away(account)
    late = [account.create(**wanted(n, rows)) for n in range(251, 300)]
    for job in late[:3]:
        account.call("POST", f"{JOBS}/{job}/cancel")
    account.pass_time(1)
    for job in late[3::2]:
        if account.call("GET", f"{JOBS}/{job}")["status"] == "running":
            account.call("POST", f"{JOBS}/{job}/pause")
    account.create(training_file=rows.chats[0])
    account.pass_time(0.5)  # that one waits in the queue
    account.create(training_file=rows.chats[0])


def take_away(account: Account) -> None:
    """Take some models and files away, as people do; go on from a model that was trained."""
    models = [job["fine_tuned_model"] for job in account.jobs() if job["fine_tuned_model"]]
    for model in models[:20]:
        account.call("DELETE", f"/models/{quote(model)}")
    account.create(model=models[-1], training_file=account.upload(chat_rows(15, "more")))
    gone = account.upload(chat_rows(20, "gone"))
    account.create(training_file=gone, suffix="rowless")
    account.pass_time()
    account.call("DELETE", f"/files/{gone}")


def test_an_account_of_300_jobs_in_every_state_becomes_manifests_with_an_empty_plan(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(EMPTY_PROJECT)
    with account.at_hand():
        fill(account)
        jobs = account.jobs()
    assert len(jobs) >= 300
    assert {job["status"] for job in jobs} == STATUSES

    imported = shell.ok("import", "--all")

    manifests = sorted((shell.folder / "finetunes").iterdir())
    assert len(manifests) == len(jobs)
    assert f"Import: {len(jobs)} manifests written" in imported.out
    plan = shell("plan", "--detailed-exitcode", "--format", "json")
    assert plan.status == 0, plan
    assert plan.json["summary"]["no-op"] == len(jobs)
    assert not any(change["steps"] for change in plan.json["changes"])
    assert {change["job"] for change in plan.json["changes"]} == {job["id"] for job in jobs}


def test_a_second_import_writes_nothing(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(EMPTY_PROJECT)
    for n in range(3):
        account.create(training_file=account.upload(chat_rows(12 + n)), suffix="again")
    shell.ok("import", "--all")
    before = contents(shell.folder)

    again = shell.ok("import", "--all")

    assert again.out == "Import: 0 manifests written, 3 jobs here already.\n"
    assert contents(shell.folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a project, the state folder aside."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".ftctl" not in path.parts
    }


def test_a_manifest_says_what_its_job_was(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(EMPTY_PROJECT)
    rows, check = chat_rows(12), chat_rows(2, "no")
    training, validation = account.upload(rows), account.upload(check)
    job = account.create(
        training_file=training, validation_file=validation, seed=7, suffix="emotion",
        metadata={"owner": "cx", "since": "2026-11-22"},
        integrations=[{"type": "wandb", "wandb": {"project": "emotion", "tags": ["ci"]}}],
        method={"type": "supervised",
                "supervised": {"hyperparameters": {"learning_rate_multiplier": 1e-5}}},
    )  # fmt: skip
    account.pass_time()

    shell.ok("import", job)

    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in (rows, check)]
    quoted = [f'"{one}"' if one[0].isdigit() else one for one in hashes]
    assert (
        (shell.folder / "finetunes/emotion.yaml").read_text("utf-8")
        == f"""\
apiVersion: ftctl/v1
kind: FineTune
name: emotion
description: "Imported: job {job}, succeeded, created on 2026-09-21."
base_model: gpt-4.1-mini-2025-04-14
training:
  source: ../data/imported/{training}.jsonl
  sha256: {quoted[0]}
validation:
  source: ../data/imported/{validation}.jsonl
  sha256: {quoted[1]}
method: supervised
hyperparameters:
  batch_size: 1
  learning_rate_multiplier: 0.00001
  n_epochs: 8
seed: 7
suffix: emotion
integrations:
  wandb:
    project: emotion
    tags: [ci]
metadata:
  owner: cx
  since: "2026-11-22"
adopt: {job}
"""
    )
    assert (shell.folder / f"data/imported/{training}.jsonl").read_text("utf-8") == rows


def test_a_reinforcement_job_brings_its_grader(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(EMPTY_PROJECT)
    job = account.create(
        model="o4-mini-2025-04-16", suffix="sums",
        training_file=account.upload(reinforcement_rows(12)),
        validation_file=account.upload(reinforcement_rows(3)),
        method={"type": "reinforcement", "reinforcement": {"grader": GRADER}},
    )  # fmt: skip

    shell.ok("import", job)

    (document,), problems = read(shell.folder / "finetunes/sums.yaml")
    assert problems == ()
    assert document.value["grader"] == GRADER
    assert set(document.value) >= {"training", "validation"}


def read(path: Path) -> Any:
    return parse_documents(path.read_bytes(), path.name)


def test_rows_that_are_gone_or_unfit_are_left_out_with_the_reason(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(EMPTY_PROJECT)
    gone, few = account.upload(chat_rows(12)), account.upload(chat_rows(7))
    account.create(training_file=gone, suffix="gone")
    account.create(training_file=few, suffix="few")
    account.pass_time()
    account.call("DELETE", f"/files/{gone}")

    imported = shell.ok("import", "--all")

    told = (shell.folder / "finetunes/gone.yaml").read_text("utf-8")
    assert f"# training is left out: the service does not give {gone} (HTTP 404" in told
    assert "\ntraining:" not in told
    told = (shell.folder / "finetunes/few.yaml").read_text("utf-8")
    assert "# training is left out: it does not pass the checks" in told
    assert "Import: 2 manifests written, 2 of them without training data." in imported.out
    assert list((shell.folder / "data/imported").iterdir()) == []
    assert shell("plan", "--detailed-exitcode").status == 0


def test_fine_tunes_without_rows_are_told_apart_by_their_jobs(
    shell: Shell, write_project: Write
) -> None:
    def adopting(name: str, job: str) -> str:
        return (
            f"apiVersion: ftctl/v1\nkind: FineTune\nname: {name}\nmethod: reinforcement\n"
            f"base_model: o4-mini-2025-04-16\nadopt: {job}\n---\n"
        )

    manifests = adopting("a", "ftjob-1") + adopting("b", "ftjob-2") + adopting("c", "ftjob-1")
    write_project({**EMPTY_PROJECT, "finetunes/all.yaml": manifests})

    plan = shell.ok("plan", "--format", "json").json

    a, b, c = (change["digest"] for change in plan["changes"])
    assert a == c != b


def test_only_a_fine_tune_that_adopts_a_job_needs_no_rows(
    shell: Shell, write_project: Write
) -> None:
    write_project({**EMPTY_PROJECT, "finetunes/a.yaml": (
        "apiVersion: ftctl/v1\nkind: FineTune\nname: a\nbase_model: gpt-4.1-mini-2025-04-14\n"
    )})  # fmt: skip

    result = shell("validate")

    assert "a.yaml:1:1: error[missing-key]: 'training' is missing" in result.out


def test_files_of_one_content_are_kept_once(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(EMPTY_PROJECT)
    for _ in range(2):
        shared = account.upload(chat_rows(12))
        for _ in range(2):
            account.create(training_file=shared)

    shell.ok("import", "--all")

    assert len(list((shell.folder / "data/imported").iterdir())) == 1


def test_nothing_is_written_over(account: Account, shell: Shell, write_project: Write) -> None:
    training = account.upload(chat_rows(12))
    mine = {"finetunes/tone.yaml.txt": "x", f"data/imported/{training}.jsonl": "mine\n"}
    write_project({**small_project(), **mine})
    job = account.create(training_file=training, suffix="tone")

    shell.ok("import", job)

    named = f"tone-{job.removeprefix('ftjob-').lower()}"
    assert f"name: {named}\n" in (shell.folder / f"finetunes/{named}.yaml").read_text("utf-8")
    assert (shell.folder / f"data/imported/{training}.jsonl").read_text("utf-8") == "mine\n"
    assert "base_model" in (shell.folder / "finetunes/tone.yaml").read_text("utf-8")


def test_a_project_whose_own_jobs_are_declared_imports_none_of_them(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")

    imported = shell.ok("import", "--all")

    assert imported.out == "Import: 0 manifests written, 1 job here already.\n"


def test_a_job_of_ours_that_left_the_manifests_comes_back_under_its_name(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")
    (shell.folder / "finetunes/tone.yaml").unlink()

    shell.ok("import", "--all")

    assert "adopt: ftjob-" in (shell.folder / "finetunes/tone.yaml").read_text("utf-8")
    assert shell("plan", "--detailed-exitcode", "--prune").status == 0


def test_another_projects_job_is_imported_only_by_its_name(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(EMPTY_PROJECT)
    marks = {"ftctl_project": "other", "ftctl_finetune": "voice"}
    job = account.create(training_file=account.upload(chat_rows(12)), metadata=marks)

    everything = shell.ok("import", "--all")
    named = shell.ok("import", job)

    reason = "it is of the ftctl project 'other'; name it to import it"
    assert everything.out == (
        f"{job} is left out: {reason}\nImport: 0 manifests written, 1 job left out.\n"
    )
    assert named.out == f"{job} → finetunes/voice.yaml\nImport: 1 manifest written.\n"


def test_jobs_can_be_chosen_by_their_status(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(EMPTY_PROJECT)
    account.create(training_file=account.upload(chat_rows(12)), suffix="done")
    account.pass_time()
    stopped = account.create(training_file=account.upload(chat_rows(13)), suffix="stopped")
    account.call("POST", f"{JOBS}/{stopped}/cancel")
    account.create(training_file=account.upload(chat_rows(14)), suffix="waiting")

    shell.ok("import", "--all", "--status", "succeeded,cancelled")

    names = {path.stem for path in (shell.folder / "finetunes").iterdir()}
    assert names == {"done", "stopped"}


def test_manifests_elsewhere_are_not_planned(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project({**EMPTY_PROJECT, "finetunes/.keep": ""})
    account.create(training_file=account.upload(chat_rows(12)), suffix="tone")

    imported = shell.ok("import", "--all", "--out", "found/here")

    assert "source: ../../data/imported/file-" in (shell.folder / "found/here/tone.yaml").read_text(
        "utf-8"
    )
    assert "found/here is not below finetunes" in imported.err
    assert list((shell.folder / "finetunes").glob("*.yaml")) == []


@pytest.mark.parametrize(
    ("defaults", "left_out"),
    [
        ("{validation: {source: data/nowhere.jsonl}}", True),
        ("{training: {source: data/nowhere.jsonl}}", False),
        ("{training: nobody}", False),
        ("{validation: nobody}", True),
        ("{grader: {type: string_check}}", True),
        ("{suffix: ours, seed: 3, metadata: {team: cx}}", False),
        ("{hyperparameters: {beta: 1}}", True),
    ],
)
def test_defaults_that_do_not_go_with_a_job_leave_it_out_and_the_project_valid(
    account: Account, shell: Shell, write_project: Write, defaults: str, *, left_out: bool
) -> None:
    text = f"project: demo\ndefaults: {defaults}\n"
    write_project({"ftctl.yaml": text})
    account.create(training_file=account.upload(chat_rows(12)), suffix="tone")

    result = shell("import", "--all")

    assert result.status == (1 if left_out else 0), result
    assert (" is left out: " in result.out) is left_out
    assert shell("plan", "--detailed-exitcode").status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "import: name jobs, or give --all"),
        (("ftjob-1", "--all"), "import: name jobs, or give --all"),
        (("ftjob-1", "--status", "failed"), "import: --status goes with --all"),
    ],
)
def test_which_jobs_must_be_said(
    shell: Shell, write_project: Write, arguments: tuple[str, ...], message: str
) -> None:
    write_project(EMPTY_PROJECT)

    result = shell("import", *arguments)

    assert result.status == 64
    assert message in result.err


def test_a_job_that_does_not_exist_is_told(
    account: Account, shell: Shell, write_project: Write
) -> None:
    write_project(EMPTY_PROJECT)

    result = shell("import", "ftjob-none")

    assert result.status == 1
    assert "the service knows no job 'ftjob-none'" in result.err


# Against a server that is not ours.


def plain_job(world: World, **fields: Any) -> None:
    job = {"id": f"ftjob-{len(world.jobs) + 1}", "status": "succeeded", "created_at": 1,
           "model": "gpt-4.1-mini-2025-04-14", "fine_tuned_model": "ft:gpt-4.1-mini:acme:voice:x1",
           "training_file": "file-1", "metadata": None}  # fmt: skip
    world.jobs.append({**job, **fields})


def test_a_file_that_may_be_given_later_leaves_the_job_for_later(
    remote: Shell, world: World
) -> None:
    plain_job(world, training_file="file-busy")
    plain_job(world, training_file="file-secret", fine_tuned_model=None)
    answers = {"/files/file-busy/content": (503, {"error": {"message": "busy"}}),
               "/files/file-secret/content": (403, {"error": {"message": "no"}})}  # fmt: skip
    world.before = lambda _method, path: answers.get(path)

    result = remote("import", "--all")

    assert result.status == 1
    assert "ftjob-1 is left out: the service does not give file-busy (HTTP 503)" in result.out
    assert "ftjob-2 → finetunes/gpt-4-1-mini-2025-04-14-2.yaml; training is left out" in result.out
    assert "(HTTP 403" in result.out


@pytest.mark.parametrize(
    ("odd", "status"),
    [
        ({"method": {"type": "telepathy"}}, 1),
        ({"model": None}, 1),
        ({"model": ["gpt"]}, 1),
        ({"id": "ftjob 1"}, 1),
        ({"method": []}, 0),
        ({"method": {"type": "dpo", "dpo": []}}, 0),
        ({"method": {"type": "reinforcement", "reinforcement": {"grader": {"type": "x"}}}}, 0),
        ({"hyperparameters": {"n_epochs": "many", "lora": True}}, 0),
        ({"hyperparameters": {"n_epochs": 3.0, "learning_rate_multiplier": 1e-300}}, 0),
        ({"hyperparameters": [3]}, 0),
        ({"seed": -1}, 0),
        ({"seed": 10**400}, 0),
        ({"seed": "7"}, 0),
        ({"integrations": {"wandb": {}}}, 0),
        ({"integrations": [{"type": "wandb", "wandb": {"key": "x"}}, 3]}, 0),
        ({"integrations": [{"type": "comet", "comet": {"a": 1}}]}, 0),
        ({"metadata": {"key": "sk-abcdefghijklmnop", "\ud800": "half", "n": 5}}, 0),
        ({"metadata": "text"}, 0),
        ({"user_provided_suffix": 5, "fine_tuned_model": "ft:::::"}, 0),
        ({"user_provided_suffix": "\ud83d half"}, 0),
        ({"created_at": 10**30}, 0),
        ({"status": "dreaming"}, 0),
        ({"training_file": "../../etc/passwd"}, 0),
        ({"training_file": None}, 0),
    ],
)
def test_an_odd_job_becomes_a_manifest_that_can_be_read_or_none(
    remote: Shell, world: World, odd: dict[str, Any], status: int
) -> None:
    world.lists_models = False
    world.finishes = False
    plain_job(world, **odd)
    (remote.folder / "finetunes/tone.yaml").unlink()

    result = remote("import", "--all")

    assert result.status == status, result
    assert len(list((remote.folder / "finetunes").iterdir())) == 1 - status
    assert "sk-abc" not in result.out + "".join(map(str, contents(remote.folder).values()))
    assert remote("plan", "--detailed-exitcode").status == 0


# The parts.


@pytest.mark.parametrize(
    "text",
    [*(text for text in ODD_SUFFIXES if first_hidden(text) is None),
     "", " ", "a: b", "- a", "yes", "y", "=", "<<", "!tag", "&a", "*a", "? a", "|",
     "%x", "@x", "`x`", "0x1f", "1_000", "12:30:45", ".5", "+1", "1.", ".inf", "🙂", "a #b",
     "a\r\nb", "end ", "\U0001f468\u200d\U0001f469"],
)  # fmt: skip
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    value = {text: [text, {text: text}], "other": {"inner": text}}

    lines = [line for key, entry in value.items() for line in block(key, entry)]

    (document,), problems = parse_documents("\n".join(lines).encode(), "a.yaml")
    assert problems == ()
    assert document.value == value


@pytest.mark.parametrize(
    "text", ["\u202eevil", "\u2028", "\x85", "\ufeff", "\x1b[31m", "\u3164", "\u200d", "a\ufe0f"]
)
def test_a_text_that_hides_something_is_refused_at_its_line_when_it_is_read(text: str) -> None:
    lines = [comment(text), *block("other", 1), *block("name", text)]

    _, problems = parse_documents("\n".join(lines).encode(), "a.yaml")

    assert [(one.span.line, one.message[:20]) for one in problems] == [(3, "an escape stands for")]


@pytest.mark.parametrize("number", [0, 7, -3, 1e-4, 1e-5, 1.8, 1e22, 5e-324, 1e300, 3.0, True])
def test_any_number_is_read_as_it_was_written(number: float) -> None:
    (document,), problems = parse_documents("".join(block("n", number)).encode(), "a.yaml")

    assert problems == ()
    assert document.value == {"n": number}


def test_a_comment_is_one_line_whatever_it_says() -> None:
    said = comment("a\nb: c\r\u2028d \x1b[31m" + "x" * 1000)

    assert said.startswith("# a\\nb: c\\r\\u2028d \\x1b[31mxxx")
    assert said.isprintable()
    assert len(said) < 310


def job(number: int, suffix: str | None = None, **fields: Any) -> AccountJob:
    made = AccountJob(f"ftjob-{number}", "succeeded", number, "gpt-4.1-mini", "supervised")
    return replace(made, suffix=suffix, **fields)


def test_names_are_valid_unique_and_do_not_depend_on_the_order() -> None:
    jobs = [job(n, suffix) for n, suffix in enumerate([*ODD_SUFFIXES, "no", None, "NO", "x" * 64])]

    names = name_jobs(jobs, {"upper-case"})

    assert names == name_jobs(jobs[::-1], {"upper-case"})
    assert len(set(names.values())) == len(jobs)
    assert names["ftjob-0"] == "no-0"
    assert names["ftjob-20"] == "no-20"
    assert names["ftjob-21"] == "gpt-4-1-mini-21"
    assert names["ftjob-4"] == "groe"
    assert names["ftjob-11"] == "upper-case-11"
    assert all(0 < len(name) < 64 for name in names.values())


def test_ids_that_differ_in_case_alone_get_names_of_their_own() -> None:
    one, other = (replace(job(1, "tone"), id=f"ftjob-{word}") for word in ("aBc", "Abc"))

    names = name_jobs([one, other], ())

    assert len(set(names.values())) == 2


def test_a_suffix_is_read_from_the_models_name_where_no_field_tells_it() -> None:
    raw = {"id": "ftjob-1", "status": "succeeded", "fine_tuned_model": "ft:gpt-x:acme:voice:a1"}

    assert read_account_job(raw).suffix == "voice"
    assert read_account_job({**raw, "fine_tuned_model": "ft:gpt-x:acme::a1"}).suffix is None
    assert read_account_job({**raw, "user_provided_suffix": "tone"}).suffix == "tone"


def test_what_the_service_left_to_itself_is_no_hyperparameter() -> None:
    raw = {
        "id": "ftjob-1", "status": "queued",
        "hyperparameters": {"n_epochs": 3, "batch_size": "auto"},
        "method": {"type": "supervised",
                   "supervised": {"hyperparameters": {"n_epochs": 4, "batch_size": None}}},
    }  # fmt: skip

    assert read_account_job(raw).hyperparameters == {"n_epochs": 4}


def test_a_job_is_chosen_unless_somebody_stands_for_it() -> None:
    theirs = job(2, project="other")

    chosen = choose_jobs([job(1), theirs], Desired("demo", ()), named=["ftjob-2"])

    assert chosen.jobs == (job(1), theirs)
    assert choose_jobs([theirs], Desired("demo", ())).jobs == ()
