"""Words of a hostile service: what it says is printed, kept and handed on without any power."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, KEY, HandClock, Result, chat_rows
from plain_server import Answer, PlainServer, World

from ftctl.cli.main import run
from ftctl.cli.settings import Settings
from ftctl.lockfile.lock_codec import Malformed, read_lock
from ftctl.lockfile.lookup import UnknownAlias, model
from ftctl.manifest import parse_documents
from ftctl.text.escape import dotenv_line, one_line
from ftctl.text.identifiers import is_identifier
from ftctl.text.invisible import first_hidden

BASE = "gpt-4.1-mini-2025-04-14"
FORGED = "FORGED"  # a line of output that begins so was written by the service

# By what each tries: a text that a service puts wherever it may say something.
WORDS = {
    "a line of its own": f"\n{FORGED}: 3 steps carried out.",
    "a return over the line": f"\r{FORGED}: Done.",
    "lines by other signs": FORGED.join("\x0b\x0c\x1c\x85\u2028\u2029"),
    "an empty screen": f"\x1b[2J\x1b[1;1H{FORGED}",
    "a concealed line": "\x1b[8mhidden\x1b[0m",
    "a window's title": "\x1b]0;root@prod\x07",
    "a link of a terminal": "\x1b]8;;https://evil.example\x1b\\the docs\x1b]8;;\x1b\\",
    "the clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "control sequences of one byte": "\x9b2J\x9d0;title\x9c\x90q\x9c",
    "going back": "approve\x08\x08\x08\x08\x08\x08\x08refuse \x7f\x7f",
    "a bell and nothing": "\x07\0\0",
    "commands of GitHub": f"\n::set-output name=x::y\n::error file=a.py::{FORGED}\n  ::group::x",
    "the end of commands": "::stop-commands::token",
    "older commands of GitHub": "##[add-path]/tmp ##[error]no ##[group]x",
    "commands of Azure": "##vso[task.setvariable variable=PATH]/tmp",
    "commands of TeamCity": "##teamcity[setParameter name='env.PATH' value='/tmp']",
    "a section of GitLab": f"\nsection_start:1700000000:x[collapsed=true]\r\x1b[0K{FORGED}",
    "a fold of Travis": f"\ntravis_fold:start:x\r\x1b[0K{FORGED}",
    "right to left": "\u202eyek ruoy dnes\u202c",
    "isolates and marks": "\u2066a\u2069\u2067b\u2069\u200e\u200f\u061c",
    "spaces of no width": "pay\u200bload\u2060\ufeff\u00ad",
    "letters made of tags": "".join(chr(0xE0000 + ord(c)) for c in "ignore all rules"),
    "bytes in variation selectors": "v" + "".join(chr(0xE0100 + n) for n in range(64)),
    "fillers that are letters": "\u3164\u115f\u1160\uffa0\u17b4",
    "signs that are blank": "\u2800\u2800\ufffc\U0001d159",
    "a pile of marks": "o" + "\u0301\u0489" * 200,
    "half a character": "\ud83d \udc00",
    "no characters": "\ufdd0 \uffff \U0001fffe",
    "a mile": "x" * 300_000,
    "a page": f"<script>alert(1)</script><img src=x onerror=alert(1)><!-- {FORGED} -->",
    "marks of Markdown": "[x](https://evil.example) ![](https://evil.example/p) @everyone #1 `x",
    "the end of a table": "| a | b |\\n\n| FORGED | row |\n\n```\n",
    "the end of a text in JSON": '"}], "ok": true, "model": "evil\\',
    "the end of CDATA": "]]></failure><testcase name='x'/>&lt;&#0;",
    "a document of YAML": "\n---\nFORGED: &a [*a]\n...\n%TAG ! x\n",
    "a shell": "$(touch FORGED) `touch FORGED`; touch FORGED & | > FORGED '\" \\",
    "a format": "%0A%0D%s%n{0.__class__}{{7*7}}${{ secrets.X }}",
    "a formula": "=cmd|' /C calc'!A1",
    "an option": "--auto-approve",
    "a key": " sk-proj-abcdefghijklmnopqrstuvwxyz0123456789 ",
}  # fmt: skip
NUMBERS = {what: f"{at:02}" for at, what in enumerate(WORDS)}
_NO_MORE = re.compile(r"[\u0300-\u036f\u0483-\u0489]{5}")


def said(what: str) -> str:
    """The text between two marks, by which it is found again."""
    return f"A{NUMBERS[what]}{WORDS[what]}Z{NUMBERS[what]}"


def assert_harmless(printed: str) -> None:
    """Nothing in it steers a terminal or a log's reader, hides, or is a line of others."""
    assert first_hidden(printed) is None
    assert "\r" not in printed
    assert not re.search(r"##\w*\[", printed)
    assert not _NO_MORE.search(printed)
    assert "sk-proj-" not in printed
    for line in re.split(r"[\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", printed):
        assert not line.lstrip().startswith(("::", FORGED))
        assert len(line) < 12_000


@dataclass
class Account:
    """A project with a fine-tune for each text, at a server that says them."""

    folder: Path
    world: World
    url: str
    digests: dict[str, str] = field(default_factory=dict)  # by the fine-tune's name

    def __call__(self, *arguments: str) -> Result:
        out, err = io.StringIO(), io.StringIO()
        settings = Settings(
            clock=HandClock(),
            environ={"OPENAI_BASE_URL": self.url, "OPENAI_API_KEY": KEY},
            folder=self.folder,
        )
        with redirect_stdout(out), redirect_stderr(err):
            status = run(arguments, settings)
        return Result(status, out.getvalue(), err.getvalue())

    def jobs(self, tells: Callable[[str], Mapping[str, Any]]) -> None:
        """From now on, each fine-tune has a job that tells this of itself."""
        self.reset()
        for what, number in NUMBERS.items():
            name = f"t{number}"
            self.world.jobs.append({
                "id": f"ftjob-{number}",
                "created_at": 1_790_000_000 + int(number),
                "model": BASE,
                "status": "running",
                "training_file": "file-1",
                "metadata": {
                    "ftctl_project": "demo", "ftctl_finetune": name,
                    "ftctl_digest": self.digests[name],
                },
                **tells(what),
            })  # fmt: skip

    def reset(self) -> None:
        """Nothing is there."""
        self.world.jobs.clear()
        self.world.files.clear()
        self.world.models.clear()
        self.world.before = self.world.after = lambda _method, _path: None
        self.world.finishes = False
        self.world.requests.clear()
        (self.folder / "ftctl.lock").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    files = {"ftctl.yaml": "project: demo\nprovider: {type: openai}\n"}
    files["data/train.jsonl"] = chat_rows(12)
    for number in NUMBERS.values():
        text = FINETUNE.replace("tone", f"t{number}") + f"seed: {int(number)}\n"
        files[f"finetunes/t{number}.yaml"] = text
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    user = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch, PlainServer(World(finishes=False)) as server:
        patch.setenv("FTCTL_CACHE_DIR", str(user / "cache"))
        patch.setenv("FTCTL_STATE_DIR", str(user / "state"))
        account = Account(folder, server.world, server.url)
        planned = account("plan", "--format", "json").json
        account.digests = {change["name"]: change["digest"] for change in planned["changes"]}
        yield account


# What was said in which place, as a command prints it: (name of the place) → its output.
Printed = dict[str, Result]


def _failed(account: Account) -> Printed:
    """Why jobs failed."""
    account.jobs(
        lambda what: {
            "status": "failed",
            "error": {"message": said(what), "code": said(what), "param": said(what)},
        }
    )
    return {
        "plan": account("plan"),
        "plan as JSON": account("plan", "--format", "json"),
        "plan as Markdown": account("plan", "--format", "markdown"),
        "plan as a page": account("plan", "--format", "html"),
        "status": account("status"),
        "status as JSON": account("status", "--format", "json"),
        "output": account("output"),
        "output as JSON": account("output", "--format", "json"),
    }


def _odd_states(account: Account) -> Printed:
    """Words for the states of jobs that nobody knows."""
    account.jobs(lambda what: {"status": said(what)})
    printed = {
        "plan of states": account("plan"),
        "status of states": account("status"),
        "status of states as JSON": account("status", "--format", "json"),
        "wait": account("wait", "--timeout", "1s"),
        "cancel": account("cancel", "t*", "--auto-approve"),
    }
    account.jobs(lambda what: {"status": said(what)})
    printed["doctor"] = account("doctor", "--probe")
    return printed


def _events(account: Account) -> Printed:
    """Lines of a job's log."""
    account.jobs(lambda _what: {})
    events = [
        {
            "id": f"e-{number}", "created_at": 1_790_000_000 - int(number), "level": said(what),
            "message": said(what), "data": {said(what): said(what), "step": 1},
        }
        for what, number in NUMBERS.items()
    ]  # fmt: skip

    def tell(method: str, path: str) -> Answer | None:
        asked = (method, path) == ("GET", "/fine_tuning/jobs/ftjob-00/events")
        return (200, {"data": events, "has_more": False}) if asked else None

    account.world.before = tell
    return {
        "events": account("events", "t00"),
        "events as JSON": account("events", "t00", "--format", "json"),
        "status of one that runs": account("status", "t00", "--format", "json"),
    }


def _refused(account: Account) -> Printed:
    """Why jobs cannot be bought."""
    account.reset()
    left = list(NUMBERS)

    def refuse(method: str, path: str) -> Answer | None:
        if (method, path) != ("POST", "/fine_tuning/jobs"):
            return None
        words = said(left.pop())
        return 400, {"error": {"message": words, "code": words, "param": words, "type": words}}

    account.world.before = refuse
    return {"apply": account("apply", "--auto-approve", "--parallelism", "1")}


def _strangers(account: Account) -> Printed:
    """What jobs and files of others are called."""
    account.reset()
    for what, number in NUMBERS.items():
        words = said(what)
        account.world.files.append({
            "id": f"file-{number}", "filename": words, "bytes": 10, "created_at": 1,
            "status": words, "status_details": words, "purpose": words,
        })  # fmt: skip
        account.world.jobs.append({
            "id": f"ftjob-x{number}", "status": "succeeded", "created_at": 1_700_000_000,
            "model": BASE, "fine_tuned_model": f"ft:{BASE}:x::{number}", "organization_id": words,
            "training_file": f"file-{number}", "user_provided_suffix": words,
            "metadata": {words[:60]: words, "note": words}, "method": {"type": "supervised"},
            "hyperparameters": {"n_epochs": words, words[:60]: 3},
            "integrations": [{"type": words, words: {"a": 1}}],
        })  # fmt: skip
        account.world.jobs.append({
            "id": words, "status": words, "created_at": words, "model": words,
            "metadata": {"ftctl_project": words, "ftctl_finetune": words},
        })  # fmt: skip
    return {
        "plan beside strangers": account("plan"),
        "import": account("import", "--all", "--out", "imported"),
        "doctor beside strangers": account("doctor", "--probe"),
        "doctor as JSON": account("doctor", "--probe", "--format", "json"),
    }


# In these it is seen that the text has come there; elsewhere it is checked where it comes in.
SHOWN = {
    "plan", "plan as JSON", "plan as Markdown", "plan as a page", "status", "status as JSON",
    "plan of states", "status of states", "status of states as JSON", "wait", "cancel",
    "events", "events as JSON", "apply",
}  # fmt: skip
PLACES = {
    **dict.fromkeys((
        "plan", "plan as JSON", "plan as Markdown", "plan as a page", "status", "status as JSON",
        "output", "output as JSON",
    ), _failed),
    **dict.fromkeys((
        "plan of states", "status of states", "status of states as JSON", "wait", "cancel",
        "doctor",
    ), _odd_states),
    **dict.fromkeys(("events", "events as JSON", "status of one that runs"), _events),
    **dict.fromkeys(("apply",), _refused),
    **dict.fromkeys((
        "plan beside strangers", "import", "doctor beside strangers", "doctor as JSON",
    ), _strangers),
}  # fmt: skip
MANY = ("plan", "status as JSON", "wait", "cancel", "events", "events as JSON", "apply", "import")


@pytest.fixture(scope="module")
def printed(account: Account) -> Callable[[str], Result]:
    """What is printed in a place, run once for all the texts."""
    known: Printed = {}

    def get(place: str) -> Result:
        if place not in known:
            known.update(PLACES[place](account))
        return known[place]

    return get


@pytest.mark.parametrize("place", PLACES)
def test_no_place_gives_the_words_of_a_service_any_power(
    printed: Callable[[str], Result], place: str
) -> None:
    result = printed(place)

    assert_harmless(result.out)
    assert_harmless(result.err)
    assert result.status != 70, result.err
    if place.endswith("as JSON") and place != "events as JSON":
        assert result.json
    for number in NUMBERS.values() if place in SHOWN else ():
        assert f"A{number}" in result.out + result.err


@pytest.mark.parametrize("place", MANY)
@pytest.mark.parametrize("what", WORDS)
def test_each_text_stays_on_the_line_that_it_was_put_on(
    printed: Callable[[str], Result], place: str, what: str
) -> None:
    number, result = NUMBERS[what], printed(place)

    lines = [line for line in (result.out + result.err).split("\n") if f"A{number}" in line]

    assert lines or place not in SHOWN
    for line in lines:
        assert_harmless(line)
        whole = re.search(rf"A{number}.*Z{number}", line)
        assert whole or "…" in line


def test_what_is_imported_are_manifests_that_hide_nothing(
    account: Account, printed: Callable[[str], Result]
) -> None:
    assert printed("import").status == 0
    written = sorted((account.folder / "imported").glob("*.yaml"))

    assert len(written) == len(WORDS)
    for path in written:
        content = path.read_bytes()
        documents, problems = parse_documents(content, path.name)
        assert (len(documents), problems) == (1, ())
        assert re.fullmatch(r"[a-z0-9-]{1,63}", path.stem)
        assert first_hidden(content.decode()) is None
        assert "sk-proj-" not in path.stem + content.decode()


class _Tags(HTMLParser):
    """The elements of a page that could do something, or show what is elsewhere."""

    found: set[str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        risky = tag in ("script", "img", "iframe", "object", "form", "link", "a", "svg")
        self.found |= {tag} if risky or any(name.startswith("on") for name, _ in attrs) else set()


def test_a_page_and_a_comment_hold_no_part_that_a_service_wrote(
    printed: Callable[[str], Result],
) -> None:
    tags = _Tags()
    tags.found = set()
    tags.feed(printed("plan as a page").out)
    comment = printed("plan as Markdown").out

    assert tags.found == set()
    assert "<script" not in comment
    assert "@everyone" not in comment
    assert "](https://evil" not in comment
    assert "https://evil" not in comment


# Names that a service gives to jobs and models, and none of them is one.
NO_NAMES = {
    "a line break": "ft:x\nPATH=/tmp",
    "a line break and a command": "ft:x\n$(touch FORGED)",
    "a return": "ft:x\r",
    "a line break at its end": "ft:x\n",
    "a command in parentheses": "ft:$(touch FORGED)",
    "a command in backticks": "ft:`touch FORGED`",
    "a variable": "ft:$HOME",
    "a variable in braces": "ft:${IFS}x",
    "the end of quotes": "ft:'; touch FORGED; '",
    "the end of double quotes": 'ft:"; touch FORGED; "',
    "another command": "ft:x;touch FORGED",
    "a command beside": "ft:x&touch FORGED",
    "a pipe": "ft:x|touch FORGED",
    "a file to be written": "ft:x>FORGED",
    "a here-document": "ft:x<<EOF",
    "a subshell": "ft:(touch FORGED)",
    "a backslash": "ft:x\\",
    "a pattern of files": "ft:*",
    "one of one letter": "ft:?",
    "a set of letters": "ft:[a-z]",
    "braces": "ft:{a,b}",
    "history": "ft:!!",
    "a home": "~root/x",
    "a home after a colon": "ft:~root",
    "a comment": "#x",
    "a comment after a space": "ft:x #y",
    "a space": "ft:x y",
    "a tab": "ft:x\ty",
    "a space of another width": "ft:x\u00a0y",
    "an option": "-rf",
    "a long option": "--auto-approve",
    "a formula": "=1+1",
    "a formula with a plus": "+1",
    "a command of GitHub": "::error::x",
    "a command of Azure": "##vso[task]x",
    "an empty terminal": "ft:\x1b[2J",
    "a byte that controls": "ft:\x9b2J",
    "nothing": "ft:\0x",
    "right to left": "ft:\u202ex",
    "no width": "ft:\u200bx",
    "tags": "ft:\U000e0041x",
    "a letter that looks like another": "ft:gpt-4\u043e",
    "wide letters": "ft:\uff47\uff50\uff54",
    "half a character": "ft:\ud83dx",
    "a joiner of emoji": "ft:\u200dx",
    "a way up": "../../files/file-1",
    "a way up within": "ft:x/../../v1/files",
    "nothing but dots": "..",
    "one dot": ".",
    "an escape of addresses": "ft:x%2e%2e%2f",
    "a question": "ft:x?limit=1",
    "a template": "${{ secrets.OPENAI_API_KEY }}",
    "a page": "ft:<script>x</script>",
    "thousands of letters": "ft:" + "x" * 5_000,
    "a model beside": "ft:a\nT00_MODEL=ft:b",
    "a heredoc's end of GitHub": "x<<ghadelimiter\nft:evil\nghadelimiter",
}  # fmt: skip
# And real ones, as services have them.
NAMES = {
    "OpenAI": "ft:gpt-4.1-mini-2025-04-14:acme-inc:tone-v2:B3cD4eF5",
    "OpenAI without a suffix": "ft:gpt-4.1-mini-2025-04-14:acme::B3cD4eF5",
    "a checkpoint": "ft:gpt-4.1-mini-2025-04-14:acme:tone:B3cD4eF5:ckpt-step-10",
    "an old one": "davinci:ft-acme-2022-03-04-05-06-07",
    "Azure": "gpt-4.1-mini-2025-04-14.ft-0123456789abcdef0123456789abcdef-tone",
    "Azure's checkpoint": "gpt-4o-2024-08-06.ft-0e208cf33a6a466994aff31a08aba678:step-90",
    "Nebius": "meta-llama/Llama-3.1-8B-Instruct-LoRa:tone-AbCd",
    "Together": "acme/Meta-Llama-3.1-8B-Instruct-Reference-tone-1a2b3c4d",
    "Fireworks": "accounts/acme/models/tone-1a2b3c#accounts/acme/deployments/d4e5f6",
    "Bedrock": "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.titan:0:8k/a1b2c3d4",
    "Bedrock's inference profile": "us.anthropic.claude-3-haiku-20240307-v1:0",
    "Vertex": "projects/123/locations/us-central1/models/456@2",
    "Cloudflare": "@cf/meta/llama-3.1-8b-instruct",
    "a path of vLLM": "/models/tone/checkpoint-40",
    "a relative one": "./out/tone",
    "Hugging Face": "Qwen/Qwen2.5-7B-Instruct_tone.v1+lora",
    "a registry's": "models:/tone/1=prod,eu",
    "a number": "17",
    "the longest": "x" * 512,
}  # fmt: skip


@pytest.fixture(scope="module")
def misnamed(account: Account) -> Callable[[str], Result]:
    """What is printed where each fine-tune's model has a name that is none."""
    names = dict(zip(NUMBERS.values(), [*NO_NAMES.values()][: len(NUMBERS)], strict=True))
    rest = [*NO_NAMES.values()][len(NUMBERS) :]
    known: Printed = {}

    def look(name: str) -> Result:
        if not known:
            account.jobs(
                lambda what: {
                    "status": "succeeded",
                    "fine_tuned_model": names[NUMBERS[what]],
                }
            )
            account.world.jobs[0]["fine_tuned_model"] = NAMES["OpenAI"]
            account.world.models += [NAMES["OpenAI"], *names.values(), *rest]
            for form in ("text", "json", "dotenv", "github"):
                known[form] = account("output", "--format", form)
            known["plan"] = account("plan", "--detailed-exitcode")
            known["apply"] = account("apply", "--auto-approve", "--wait", "--timeout", "1h")
            known["status"] = account("status")
        return known[name]

    return look


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_is_none_is_refused_where_it_comes_in(name: str) -> None:
    assert not is_identifier(NO_NAMES[name])


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_is_none_is_refused_in_a_record(name: str, tmp_path: Path) -> None:
    entry = {
        "digest": "v1:x", "job": "ftjob-1", "model": NO_NAMES[name], "ftctl_version": "1",
        "method": "supervised",
    }  # fmt: skip
    document = {
        "lock_version": "1.0",
        "environments": {"default": {"finetunes": {"tone": entry}}},
    }
    (tmp_path / "ftctl.lock").write_text(json.dumps(document), "ascii")

    with pytest.raises(Malformed, match="model is no name of a job or model"):
        read_lock(document)
    with pytest.raises(UnknownAlias):
        model("tone", project=tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_services_give_is_taken(name: str, tmp_path: Path) -> None:
    entry = {
        "digest": "v1:x", "job": "ftjob-1", "model": NAMES[name], "ftctl_version": "1",
        "method": "supervised",
    }  # fmt: skip
    document = {
        "lock_version": "1.0",
        "environments": {"default": {"finetunes": {"tone": entry}}},
    }
    (tmp_path / "ftctl.lock").write_text(json.dumps(document), "ascii")

    assert is_identifier(NAMES[name])
    assert read_lock(document).entry("default", "tone").release is not None
    assert model("tone", project=tmp_path) == NAMES[name]
    assert one_line(NAMES[name]) == NAMES[name]
    sourced = _sourced(dotenv_line("MODEL", NAMES[name]), tmp_path)
    assert sourced == {"MODEL": NAMES[name]}


@pytest.mark.parametrize("form", ["text", "json", "dotenv", "github"])
def test_output_names_no_model_whose_name_is_none(
    misnamed: Callable[[str], Result], form: str
) -> None:
    result = misnamed(form)

    assert_harmless(result.out)
    assert_harmless(result.err)
    if form == "json":
        models = [one["model"] for one in result.json.values()]
        assert [name for name in models if name is not None] == [NAMES["OpenAI"]]
    else:
        (line,) = result.out.splitlines()
        assert re.fullmatch(rf"\w+[\t=]{re.escape(NAMES['OpenAI'])}", line)


def test_a_shell_that_reads_the_models_runs_nothing(
    misnamed: Callable[[str], Result], tmp_path: Path
) -> None:
    assert _sourced(misnamed("dotenv").out, tmp_path) == {"T00_MODEL": NAMES["OpenAI"]}
    assert [*tmp_path.iterdir()] == [tmp_path / ".env"]


def test_a_job_whose_model_has_no_name_is_attention_and_nothing_is_bought(
    misnamed: Callable[[str], Result], account: Account
) -> None:
    plan = misnamed("plan")

    assert plan.status == 2
    refused = "cannot be read: its fine_tuned_model is no name; --replace t"
    assert plan.out.count(refused) == len(NUMBERS) - 1
    assert "= t00: no-op, up to date as" in plan.out
    assert misnamed("apply").status == 1
    assert not [one for one in account.world.requests if not one.startswith("GET")]
    assert misnamed("status").out.count(" unreadable ") == len(NUMBERS) - 1


def _sourced(text: str, folder: Path) -> dict[str, str]:
    """The variables that a shell has after it read the lines."""
    (folder / ".env").write_text(text, "utf-8")
    shell = shutil.which("bash") or "sh"
    told = subprocess.run(
        [shell, "-c", "set -a; . ./.env; env -0"], cwd=folder, capture_output=True, check=True,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert told.stderr == b""
    pairs = (line.partition("=") for line in told.stdout.decode().split("\0") if line)
    return {name: value for name, _, value in pairs if name.endswith("MODEL")}


# What the service answers oddly beside a model's name: (path in the job → value).
ODD_JOBS: dict[str, dict[str, Any]] = {
    "its id": {"id": "ftjob-1;touch FORGED"},
    "an id of two lines": {"id": "ftjob-1\nFORGED"},
    "an id that is an option": {"id": "--all"},
    "an id that climbs": {"id": "../files"},
    "its mark's fine-tune": {"metadata": {"ftctl_finetune": "$(touch FORGED)"}},
    "a fine-tune of two lines": {"metadata": {"ftctl_finetune": "tone\nFORGED"}},
    "a digest of two lines": {"metadata": {"ftctl_digest": "v1:x\nFORGED"}},
    "the job that it follows": {"metadata": {"ftctl_run": "follows=%0AFORGED"}},
    "the job that it replaces": {"metadata": {"ftctl_replaces": "`touch FORGED`"}},
    "its environment": {"metadata": {"ftctl_run": "env=%1B%5B2J"}},
    "its base model": {"model": "gpt\nFORGED"},
    "its training file": {"training_file": "file-1\nFORGED"},
    "its state": {"status": ["succeeded"]},
    "its model": {"fine_tuned_model": {"$(x)": 1}},
}


@pytest.mark.parametrize("odd", ODD_JOBS)
def test_a_job_of_ours_that_is_odd_anywhere_is_bought_no_second_time(
    account: Account, odd: str
) -> None:
    account.jobs(lambda _what: {"status": "succeeded", "fine_tuned_model": NAMES["OpenAI"]})
    account.world.models.append(NAMES["OpenAI"])
    told = {**ODD_JOBS[odd]}
    job = account.world.jobs[0]
    job["metadata"] = {**job["metadata"], **told.pop("metadata", {})}
    job.update(told)

    plan = account("plan", "--select", "t00")
    applied = account("apply", "--select", "t00", "--auto-approve")

    assert "! t00: attention, " in plan.out
    assert " cannot be read: " in plan.out
    for result in (plan, applied):
        assert_harmless(result.out + result.err)
    assert not [one for one in account.world.requests if one.startswith("POST")]


def test_jobs_whose_ids_are_none_are_told_apart_and_none_is_bought_again(account: Account) -> None:
    account.jobs(lambda what: {"id": WORDS[what]})
    account.world.jobs.pop()  # so that one is to be bought, and every list is read

    plan = account("plan", "--prune")

    assert_harmless(plan.out + plan.err)
    assert plan.out.count(": attention, (a job without an id, ") == len(WORDS) - 1
    assert plan.out.count(": create, ") == 1
    assert "    cancel" not in plan.out
    assert "    delete" not in plan.out


@pytest.mark.parametrize("what", WORDS)
def test_a_header_has_no_power_either(account: Account, what: str) -> None:
    account.reset()
    value = WORDS[what].encode("utf-8", "surrogatepass")[:2_000]
    value = bytes(one for one in value if one not in b"\r\n\0")
    lines = (b"x-request-id: ", b"openai-organization: org-", b"openai-project: ", b"Retry-After: ")
    account.world.headers_told = b"".join(line + value + b"\r\n" for line in lines)
    account.world.before = lambda _method, _path: (400, {"error": {"message": "no"}})

    refused = account("plan", "-v")
    account.world.before = lambda _method, _path: None
    planned = account("plan")
    account.world.headers_told = b""

    for result in (refused, planned):
        assert_harmless(result.out)
        assert_harmless(result.err)
        assert result.status in (0, 1)


HONEST = {
    "한국어 이벤트: 훈련이 끝났습니다 (손실 0.12)": "events in Korean",
    "完了しました。損失 0.12": "events in Japanese",
    "\U0001f680 started \U0001f468\u200d\U0001f469\u200d\U0001f467 ❤️ ⚠️ 1️⃣": "emoji",
    "آموزش می\u200cخواهد شروع شود": "events in Persian",
    "ไม่มีข้อผิดพลาด": "events in Thai",
    "Step 10/40: training loss=1.20, 100% – “fine” → ok": "signs",
    "naïve café e\u0301 Zürich": "accents, composed or not",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f": "a flag of tags",
}


@pytest.mark.parametrize("text", HONEST, ids=HONEST.get)
def test_words_of_people_are_shown_as_they_are(text: str) -> None:
    assert one_line(f"t00: {text}") == f"t00: {text}"
