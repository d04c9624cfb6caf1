"""The documentation against the code: codes, fields, services, commands, exit statuses, links.

`UPDATE=1 pytest tests/test_docs.py` rewrites what is generated or printed by ftctl; read the
difference before you commit it.
"""

from __future__ import annotations

import ast
import gzip
import json
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import FINETUNE, ROOT, Shell, chat_rows, small_project
from file_server import FileServer, Shelf

from ftctl.catalog.services import SERVICES, STATUS_WORDS
from ftctl.cli.exit_codes import MEANINGS
from ftctl.cli.main import cli
from ftctl.data import convert, formats, quality, sources
from ftctl.data.formats.findings import as_diagnostics
from ftctl.data.scanning.token_tally import ROW_TRUNCATED, TRUNCATED
from ftctl.data.sources.address import not_listed
from ftctl.domain.quality_settings import QualitySettings
from ftctl.domain.service_address import read_service_address
from ftctl.emulator.temperament import TEMPERAMENTS, Kind
from ftctl.engine.account import other_account
from ftctl.engine.consents import AddressUse
from ftctl.engine.programs import new_command
from ftctl.engine.way_in import new_address, not_reviewed
from ftctl.errors import Span
from ftctl.manifest import MOST_FILES
from ftctl.manifest.schema import describe, load_schema
from ftctl.manifest.schema.schema_files import follow

DOCS = ROOT / "docs"
ERRORS = DOCS / "errors.md"
UPDATE = bool(os.environ.get("UPDATE"))

JsonSchema = Mapping[str, Any]
Setup = Callable[[Path], None]


# Projects with one fault each: what `ftctl validate` prints for them stands in docs/errors.md.


@dataclass(frozen=True)
class Faulty:
    """A project with a fault: its files, what else is done to the folder, and options.

    `shelf` is what a web server has at the address that the files know as `http://SERVER`,
    `without` a package that is taken for not installed.
    """

    files: Mapping[str, str | bytes]
    setup: Setup | None = None
    options: tuple[str, ...] = ()
    shelf: Shelf | None = None
    without: str | None = None

    def write(self, folder: Path, server: str = "http://SERVER") -> None:
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, bytes) else content.encode()
            path.write_bytes(text.replace(b"http://SERVER", server.encode()))
        if self.setup is not None:
            self.setup(folder)


def _in_git(folder: Path) -> None:
    for arguments in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def _manifest(*lines: str, **swaps: str) -> Faulty:
    """A fine-tune with more lines, or with the values of some of its keys swapped."""
    text = FINETUNE
    for key, value in swaps.items():
        text = re.sub(rf"^{key}: .*$", f"{key}: {value}", text, flags=re.MULTILINE)
    return Faulty(small_project(text + "".join(f"{line}\n" for line in lines)))


def _project(text: str, *options: str) -> Faulty:
    return Faulty(small_project(**{"ftctl.yaml": text}), options=options)


def _finetune(name: str, base_model: str) -> str:
    text = FINETUNE.replace("name: tone", f"name: {name}")
    return text.replace("gpt-4.1-mini-2025-04-14", base_model)


def _beside(text: str) -> Faulty:
    """A second manifest beside a good one."""
    return Faulty(small_project(**{"finetunes/other.yaml": text}))


def _file(content: str | bytes, *lines: str, ftctl_yaml: str = "project: demo\n") -> Faulty:
    """A fine-tune on a data file with this content."""
    finetune = FINETUNE + "".join(f"{line}\n" for line in lines)
    project = {**small_project(finetune), "ftctl.yaml": ftctl_yaml}
    return Faulty({**project, "data/train.jsonl": content})


def _source(name: str, content: str) -> Faulty:
    """A fine-tune on a data file of this name."""
    files = small_project(FINETUNE.replace("train.jsonl", name))
    return Faulty({**files, f"data/{name}": content})


def _rows(row: object, *lines: str) -> Faulty:
    """A file in which the third of twelve rows is this one, as text or as a value."""
    text = row if isinstance(row, str | bytes) else json.dumps(row)
    row_bytes = text if isinstance(text, bytes) else text.encode()
    rows = chat_rows(12).encode().splitlines()
    return _file(b"\n".join([*rows[:2], row_bytes, *rows[3:], b""]), *lines)


def _chat(*messages: Mapping[str, Any], **more: Any) -> Faulty:
    return _rows({"messages": [{"role": "user", "content": "…"}, *messages], **more})


def _message(**keys: Any) -> Faulty:
    return _chat({"role": "assistant", "content": "…", **keys})


def _called(
    *calls: Mapping[str, Any], after: Sequence[Mapping[str, Any]] = (), **more: Any
) -> Faulty:
    answers = [{"role": "tool", "tool_call_id": call["id"], "content": "…"} for call in calls]
    messages = after or [*answers, {"role": "assistant", "content": "…"}]
    return _chat({"role": "assistant", "tool_calls": [*calls]}, *messages, **more)


def _call(identity: str = "call_1", name: str = "look_up", arguments: str = "{}") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": identity, "type": "function", "function": function}


_TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
_PAGE = {"type": "object", "properties": {"page": {"type": "integer"}}}
_PAGES = {"type": "function", "function": {"name": "look_up", "parameters": _PAGE}}
_DPO = "method: dpo"
_QUESTION = {"role": "user", "content": "…"}
_ANSWER = {"role": "assistant", "content": "Yes."}
_OTHER = {"role": "assistant", "content": "No idea."}


def _image(url: str, count: int = 1) -> Faulty:
    image = {"type": "image_url", "image_url": {"url": url}}
    return _rows({"messages": [{"role": "user", "content": [image] * count}, _ANSWER]})


def _parameters(*, strict: bool = False, **parameters: Any) -> Faulty:
    """A row whose tool is declared so."""
    function = {"name": "look_up", "strict": strict, "parameters": parameters}
    return _chat(_ANSWER, tools=[{"type": "function", "function": function}])


def _pairs(**keys: Any) -> Faulty:
    """Preference rows, the third with other values for some of its keys."""
    good = {
        "input": {"messages": [_QUESTION]},
        "preferred_output": [_ANSWER],
        "non_preferred_output": [_OTHER],
    }
    rows = [good, good, {**good, **keys}, *[good] * 9]
    return _file("".join(json.dumps(row) + "\n" for row in rows), _DPO)


def _asked(row: Mapping[str, Any]) -> str:
    """Twelve rows like this one, each with a number in the question."""
    text = json.dumps(row)
    return "".join(text.replace("…", f"Question {number}?") + "\n" for number in range(12))


_ASKED = _asked({"prompt": "…", "completion": " Yes."})
_PHOTO = {"type": "image_url", "image_url": {"url": "https://images.example.com/1.png"}}
_WHAT = {"type": "text", "text": "…"}
_SEEN = _asked({"messages": [{"role": "user", "content": [_WHAT, _PHOTO]}, _ANSWER]})
_WITH_TOOLS = _asked({"messages": [_QUESTION, _ANSWER], "tools": [_TOOL]})
_NEBIUS = "project: demo\nprovider: {type: nebius}\n"
_GATEWAY = "project: demo\nprovider:\n  type: compatible\n  base_url: https://host/v1\n"
_GRADER = (
    "method: reinforcement",
    "validation: {source: ../data/train.jsonl}",
    "grader: {type: string_check, name: same, operation: eq, input: a, reference: b}",
)


def _questions(last: Mapping[str, Any], count: int = 12) -> Faulty:
    """Reinforcement rows, the last with this message at its end."""
    row = json.dumps({"messages": [_QUESTION], "answer": "4"}) + "\n"
    odd = json.dumps({"messages": [_QUESTION, last], "answer": "4"}) + "\n"
    return _file(row * (count - 1) + odd, *_GRADER)


def _graded(row: Mapping[str, Any]) -> Faulty:
    """Reinforcement rows for a grader that reads their answer; the third is this one."""
    rows = [{"messages": [_QUESTION], "answer": "4"} for _ in range(12)]
    lines = [json.dumps(row if number == 3 else one) for number, one in enumerate(rows, 1)]
    grader = _GRADER[2].replace("reference: b", 'reference: "{{item.answer}}"')
    return _file("\n".join([*lines, ""]), *_GRADER[:2], grader)


def _said(*turns: str | tuple[str, str], settings: str = "") -> Faulty:
    """Chats with these answers, to a question of their own where none is given beside them."""
    rows = []
    for number, turn in enumerate(turns):
        question, answer = turn if isinstance(turn, tuple) else (f"Question {number}?", turn)
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        rows.append(json.dumps({"messages": messages}) + "\n")
    project = f"project: demo\nquality: {{{settings}}}\n"
    return Faulty(small_project(**{"ftctl.yaml": project, "data/train.jsonl": "".join(rows)}))


def _validated(training: str, validation: str, settings: str = "") -> Faulty:
    """Rows to train on and rows to measure on."""
    files = {
        "ftctl.yaml": f"project: demo\nquality: {{{settings}}}\n",
        "data/train.jsonl": training,
        "data/check.jsonl": validation,
    }
    return Faulty(small_project(FINETUNE + "validation: {source: ../data/check.jsonl}\n", **files))


def _with_long_question(word: str, others: int) -> str:
    """A chat whose question starts with this word, and chats with questions from a number on."""
    question = f"{word} {' '.join(f'word{number}' for number in range(80))}?"
    first = {"messages": [{"role": "user", "content": question}, _ANSWER]}
    rows = chat_rows(others + 11).splitlines(keepends=True)[others:]
    return json.dumps(first) + "\n" + "".join(rows)


_NUMBERED = tuple(f"It is number {number}." for number in range(24))
_NEAR = "near_duplicates: warning"


def _made(table: str, *steps: str, beside: tuple[str, ...] = ()) -> Faulty:
    """A fine-tune on a Dataset that is made of a table by these steps; perhaps a second Dataset."""
    head = "apiVersion: ftctl/v1\nkind: Dataset\nname: {name}\nsource: ../data/faq.csv\n"
    texts = [
        head.format(name=name) + "".join(f"{step}\n" for step in lines)
        for name, lines in (("faq", steps), ("other", beside))
        if lines
    ]
    finetune = FINETUNE.replace("{source: ../data/train.jsonl}", "faq")
    files = {"data/faq.csv": table, "finetunes/faq.yaml": "---\n".join(texts)}
    return Faulty(small_project(finetune, **files))


_TABLE = "question,answer\n" + "".join(f"Question {number}?,Yes.\n" for number in range(12))
_FAQ = 'convert: {{template: {{user: "{}", assistant: "{{answer}}"}}}}'


def _elsewhere(address: str, shelf: Shelf | None = None, without: str | None = None) -> Faulty:
    """A fine-tune on a source that is no file of the project."""
    text = FINETUNE.replace("../data/train.jsonl", f'"{address}"')
    return Faulty(small_project(text), shelf=shelf, without=without)


def _long_row(folder: Path) -> None:
    path = folder / "data" / "train.jsonl"
    path.write_bytes(b'{"')
    os.truncate(path, 150_000_002)


def _huge_file(folder: Path) -> None:
    os.truncate(folder / "data" / "train.jsonl", 600_000_000)


def _dangling(folder: Path) -> None:
    (folder / "finetunes" / "old.yaml").symlink_to("gone.yaml")


def _without_data(folder: Path) -> None:
    (folder / "data" / "train.jsonl").unlink()


def _crowd(folder: Path) -> None:
    for number in range(MOST_FILES):
        (folder / "finetunes" / f"{number}.yaml").touch()


def _not_listed() -> str:
    note = not_listed("s3://acme-training/train.jsonl", "main:ftctl.yaml")
    return f"{note.at(Span('finetunes/tone.yaml', 5, 20))}\n"


_DEEP = '{"messages": ' + "[" * 100_000 + "]" * 100_000 + "}"

FAULTY: Mapping[str, tuple[Faulty, ...]] = {
    "yaml-boolean": (_project("project: demo\nprune: no\n"),),
    "yaml-exponent": (_manifest("hyperparameters: {learning_rate_multiplier: 1e-4}"),),
    "yaml-octal": (_manifest("seed: 012"),),
    "yaml-number": (_manifest("seed: 1_000"),),
    "yaml-sexagesimal": (_manifest("seed: 3:30"),),
    "yaml-not-finite": (_manifest("hyperparameters: {learning_rate_multiplier: .inf}"),),
    "yaml-key": (_manifest("metadata: {2026: budget}"),),
    "yaml-alias": (_manifest("description: *common"),),
    "yaml-tag": (_manifest("seed: !env SEED"),),
    "yaml-tab": (_manifest("hyperparameters:", "\tn_epochs: 3"),),
    "yaml-syntax": (_manifest("description: Tone: short and kind"),),
    "yaml-too-large": (_manifest("description: " + "[" * 70 + "]" * 70),),
    "repeated-key": (
        _manifest("seed: 1", "seed: 2"),
        _rows('{"messages": [], ' + json.dumps({"messages": [_QUESTION, _ANSWER]})[1:]),
    ),
    "control-character": (
        _manifest("description: Short\b and kind"),
        _manifest("# kind\rbase_model: gpt-4.1"),
    ),
    "invisible-character": (
        _manifest("description: Short \u202edna\u202c kind"),
        _manifest('description: "ki\\u200bnd"'),
    ),
    "look-alike": (_manifest("metadata:", "  own\u0435r: cx"),),
    "not-utf-8": (
        Faulty(
            {**small_project(), "finetunes/tone.yaml": FINETUNE.encode() + b"suffix: caf\xe9\n"}
        ),
        _rows(chat_rows(1).rstrip().encode().replace(b'"content": "', b'"content": "caf\xe9 ', 1)),
    ),
    "unreadable-file": (Faulty(small_project(), _dangling),),
    "unknown-key": (
        _manifest("hyperparameters: {n_epochz: 3}"),
        _message(wieght=0),
    ),
    "missing-key": (
        _beside("apiVersion: ftctl/v1\nkind: FineTune\nname: other\nbase_model: gpt-4.1-mini\n"),
        _project("project: demo\nprovider: {type: azure}\n"),
        _chat({"role": "assistant", "text": "…"}),
    ),
    "wrong-value": (
        _manifest("hyperparameters: {n_epochs: 0}"),
        _message(weight=2),
    ),
    "misplaced-key": (
        _manifest("grader: {type: string_check}"),
        _rows({"messages": [{**_QUESTION, "weight": 1}, _ANSWER]}),
    ),
    "bad-key": (_manifest("metadata: {ftctl_owner: cx}"),),
    "other-spelling": (_manifest("extra: {hyperparameters: {nEpochs: 50}}"),),
    "unknown-kind": (_manifest(kind="Finetune"),),
    "not-a-manifest": (_beside("to be done\n"),),
    "unknown-name": (_manifest(training="chats"),),
    "name-used-twice": (_beside(FINETUNE),),
    "cycle": (
        Faulty(
            small_project(
                _finetune("tone", "{finetune: other}"),
                **{"finetunes/other.yaml": _finetune("other", "{finetune: tone}")},
            )
        ),
    ),
    "no-project": (Faulty({}),),
    "no-manifests": (_project("project: demo\nmanifests: models\n"),),
    "too-many-manifests": (Faulty(small_project(), _crowd),),
    "too-many-problems": (_beside("---\nto be done\n" * 1_001),),
    "tracked-state": (Faulty(small_project(**{".ftctl/intents/one.json": "{}"}), _in_git),),
    "source-outside": (_manifest(training="{source: ../../rows.jsonl}"),),
    "unprintable-path": (_manifest(training='{source: "../data/a\\\\nb.jsonl"}'),),
    "unknown-environment": (
        _project("project: demo\nenvironments: {prod: {}}\n", "--env", "production"),
    ),
    "not-served": (
        Faulty(
            small_project(
                FINETUNE + f"{_DPO}\n",
                **{"ftctl.yaml": "project: demo\nprovider: {type: nebius}\n"},
            )
        ),
    ),
    "sha256-differs": (
        _manifest(training="{source: ../data/train.jsonl, sha256: " + "0123456789abcdef" * 4 + "}"),
    ),
    "bad-address": (_elsewhere("s3://train.jsonl"),),
    "unknown-scheme": (_elsewhere("htps://data.example.com/train.jsonl"),),
    "bad-reference": (_manifest("extra: {hyperparameters: {n_epochs: {env: EPOCHS}}}"),),
    "not-given": (
        _project("project: demo\nprovider: {type: azure, base_url: 'https://res.example/v1'}\n"),
    ),
    "written-key": (
        _manifest("extra: {hub: {token: hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh}}"),
        _project(_GATEWAY + "  headers: {x-api-key: Zx9abc}\n"),
    ),
    "others-variable": (_project(_GATEWAY + "  api_key_env: AWS_SECRET_ACCESS_KEY\n"),),
    "missing-variable": (
        _project(_GATEWAY.replace("base_url: https", "base_url_env: GATEWAY_URL #")),
    ),
    "secret-in-address": (
        _elsewhere("az://training/train.jsonl?sv=2026-02-06&sig=Zm9yIGV4YW1wbGUgb25seQ%3D%3D"),
    ),
    "unencrypted-address": (
        _elsewhere("http://data.example.com/train.jsonl"),
        _project(_GATEWAY.replace("https://host", "http://gateway")),
    ),
    "missing-extra": (_elsewhere("s3://acme-training/train.jsonl", without="s3fs"),),
    "source-missing": (_elsewhere("http://SERVER/train.jsonl", Shelf()),),
    "source-denied": (_elsewhere("http://SERVER/train.jsonl", Shelf(status=403)),),
    "web-page": (
        _elsewhere(
            "http://SERVER/blob/main/rows", Shelf({"blob/main/rows": b"<!doctype html><p>Rows"})
        ),
    ),
    "unpinned-source": (
        _elsewhere("http://SERVER/train.jsonl", Shelf({"train.jsonl": chat_rows(12).encode()})),
    ),
    "source-too-large": (_made(_TABLE + '"' + "b" * 17_000_000, _FAQ.format("{question}")),),
    "bad-table": (_made(_TABLE + '"Question 12?,Yes.\n', "convert: {}"),),
    "ragged-row": (_made(_TABLE + "Question 12, or not?,Yes.\n", "convert: {}"),),
    "bad-cell": (_made(_TABLE + "Question 12?,\n", "convert: {}"),),
    "bad-template": (_made(_TABLE, _FAQ.format("{question")),),
    "unknown-column": (_made(_TABLE, _FAQ.format("{qestion}")),),
    "cannot-convert": (
        _made(
            _TABLE.replace("question,answer", "prompt,completion"),
            "convert: {}",
            "format: preference",
        ),
    ),
    "unread-key": (
        _made(
            _TABLE.replace("question,answer", "question,answer,video").replace(".\n", ".,a.mp4\n"),
            "convert: {}",
        ),
    ),
    "empty-part": (_made(_TABLE, "convert: {}", "split: {part: train, validation: 12}"),),
    "split-differs": (
        _made(
            _TABLE,
            "convert: {}",
            "split: {part: train, validation: 2}",
            beside=("convert: {}", "split: {part: validation, validation: 3}"),
        ),
    ),
    "leaked-row": (
        _validated(chat_rows(12), "".join(chat_rows(22).splitlines(keepends=True)[11:])),
    ),
    "nearly-leaked-row": (
        _validated(_with_long_question("Why", 0), _with_long_question("How", 20), _NEAR),
    ),
    "duplicate-row": (_file(chat_rows(11) + chat_rows(1)),),
    "near-duplicate-row": (_said(*_NUMBERED, ("question 7 ?", "It is number 7!"), settings=_NEAR),),
    "contradictory-rows": (_said(*_NUMBERED, ("Question 7?", "It is number 8.")),),
    "many-refusals": (_said(*["I'm sorry, but I can't help with that."] * 4, *_NUMBERED),),
    "one-answer": (_said(*["Yes."] * 40, *_NUMBERED),),
    "unusual-length": (_said(*_NUMBERED, "It is long. " * 400),),
    "mixed-languages": (
        _said(
            *(f"This is what you asked for, and it is number {n} of the list." for n in range(30)),
            "Das ist nicht das, was ich bestellt habe, und ich bin auch nicht froh.",
        ),
    ),
    "teaches-nothing": (_said(*_NUMBERED, "TODO"),),
    "mojibake": (_said(*_NUMBERED, "우산은 보관함에 있어요".encode("cp949").decode("cp1252")),),
    "secret": (_said(*_NUMBERED, "Use sk-" + "Q7vN2xLr9TbK4mWd8ZsY" + "1cHf6GpJ3eRu5AoX."),),
    "personal-data": (_said(*_NUMBERED, "Write to jane.doe@acme.com."),),
    "row-truncated": (_said(*_NUMBERED, "It is long. " * 20_000),),
    "missing-file": (Faulty(small_project(), _without_data),),
    "not-a-regular-file": (_manifest(training="{source: ../data}"),),
    "empty-file": (_file(""),),
    "file-too-large": (Faulty(small_project(), _huge_file),),
    "pointer-file": (_file("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),),
    "compressed-file": (_file(gzip.compress(chat_rows(12).encode(), mtime=0)),),
    "binary-file": (_file(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),),
    "wrong-encoding": (_file(chat_rows(12).encode("utf-16")),),
    "byte-order-mark": (_file(b"\xef\xbb\xbf" + chat_rows(12).encode()),),
    "json-not-lines": (_file("[\n" + chat_rows(12).replace("}\n", "},\n") + "]\n"),),
    "table-not-lines": (_source("faq.csv", "question,answer\nWhere?,There.\n"),),
    "too-few-examples": (_file(chat_rows(7)),),
    "too-many-examples": (_questions(_QUESTION, count=50_001),),
    "unknown-format": (_file('{"question": "…", "answer": "…"}\n' * 12),),
    "wrong-format": (_file(chat_rows(12), _DPO), _file(_ASKED)),
    "images-not-trained": (_file(_SEEN),),
    "tools-not-trained": (_file(_WITH_TOOLS, ftctl_yaml=_NEBIUS),),
    "unlike-validation": (_validated(_WITH_TOOLS, chat_rows(2)),),
    "unknown-base-model": (_manifest(base_model="gpt-4.1-mni"),),
    "retired-base-model": (_manifest(base_model="gpt-3.5-turbo-0613"),),
    "not-trained": (_manifest(base_model="gpt-5"),),
    "mixed-formats": (_rows({"prompt": "…", "completion": "…"}),),
    "blank-line": (_rows(""),),
    "line-too-long": (Faulty(small_project(), _long_row),),
    "truncated-line": (_file(chat_rows(12)[:-20]),),
    "nul-byte": (_rows('{"messages": "\0"}'),),
    "stray-byte-order-mark": (_rows("\ufeff{}"),),
    "not-json": (_rows('{"messages" [ ]}'),),
    "nan-or-infinity": (_rows('{"messages": NaN}'),),
    "number-out-of-range": (_rows('{"messages": 1e999}'),),
    "lone-surrogate": (_message(content="\ud83d"),),
    "nesting-too-deep": (_rows(_DEEP),),
    "row-not-object": (_rows('["user", "assistant"]'),),
    "wrong-type": (_message(content=7),),
    "empty-value": (_rows({"messages": []}),),
    "ignored-key": (_message(annotations=[]),),
    "name-form": (_rows({"messages": [{**_QUESTION, "name": "Ana Lopez"}, _ANSWER]}),),
    "reserved-token": (_message(content="<|im_start|>a<|im_end|>"),),
    "refused-token": (_message(content="<|fim_suffix|>"),),
    "unknown-role": (_chat({"role": "asistant", "content": "…"}),),
    "unknown-part": (_message(content=[{"type": "input_text", "text": "…"}]),),
    "part-not-allowed": (_message(content=[{"type": "image_url", "image_url": {"url": "…"}}]),),
    "bad-image-address": (_image("images/lamp.png"),),
    "bad-image-data": (_image("data:image/gif;base64,R0lGODlh"),),
    "image-too-large": (_image("data:image/png;base64," + "A" * 15_000_000),),
    "image-type-differs": (_image("data:image/png;base64,/9j/4A=="),),
    "too-many-images": (_image("https://example.com/lamp.png", count=11),),
    "no-learnt-turn": (_chat(),),
    "last-not-assistant": (_chat(_ANSWER, _QUESTION),),
    "last-not-user": (_questions(_ANSWER),),
    "input-ends-with-assistant": (_pairs(input={"messages": [_QUESTION, _ANSWER]}),),
    "not-one-output": (_pairs(preferred_output=[_ANSWER, _ANSWER]),),
    "identical-outputs": (_pairs(non_preferred_output=[_ANSWER]),),
    "missing-grader-field": (_graded({"messages": [_QUESTION], "anwser": "4"}),),
    "too-many-functions": (_chat(_ANSWER, tools=[_TOOL] * 129),),
    "doubtful-schema": (_parameters(type="array"),),
    "strict-schema": (_parameters(type="object", strict=True),),
    "arguments-unfit": (_called(_call(arguments='{"page": "2"}'), tools=[_PAGES]),),
    "parallel-calls": (
        _called(_call(), _call("call_2"), tools=[_TOOL], parallel_tool_calls=False),
    ),
    "arguments-not-json": (_called(_call(arguments="{page: 2}")),),
    "arguments-encoded-twice": (_called(_call(arguments='"{}"')),),
    "repeated-function": (_chat(_ANSWER, tools=[_TOOL, _TOOL]),),
    "undeclared-function": (_called(_call(name="find"), tools=[_TOOL]),),
    "repeated-call": (_called(_call(), _call()),),
    "unknown-call": (_chat({"role": "tool", "tool_call_id": "call_1", "content": "…"}, _ANSWER),),
    "unanswered-call": (_called(_call(), after=[_ANSWER]),),
}


def _flagged() -> str:
    """As printed of a row that a service's moderation flags."""
    rows = [(number, json.loads(row)) for number, row in enumerate(chat_rows(3).splitlines(), 1)]
    settings = QualitySettings(moderation="error")

    def ask(texts: Sequence[str]) -> list[tuple[str, ...]]:
        return [("violence",) if "Question 2" in text else () for text in texts]

    doubts = quality.moderate(rows, "chat", ask, {}, settings)
    return "".join(f"{one}\n" for one in as_diagnostics(doubts, "data/train.jsonl", None))


def _other_account() -> str:
    told = other_account("organization", "org-b", "org-a", Span("ftctl.yaml", 4, 26))
    return f"{told}\n"


def _not_reviewed() -> str:
    return f"{not_reviewed('base_url', 'main', Span('ftctl.yaml', 4, 3))}\n"


def _new_address() -> str:
    use = AddressUse(read_service_address("https://gateway.acme.example/v1"), ("OPENAI_API_KEY",))
    return f"{new_address(use, Span('ftctl.yaml', 4, 13))}\n"


def _new_command() -> str:
    return f"{new_command(('python3', 'policy/owner.py'), Span('ftctl.yaml', 20, 7))}\n"


# What `ftctl validate` cannot print in a test, and why.
ELSEWHERE: Mapping[str, Callable[[], str]] = {
    "address-not-listed": _not_listed,  # it needs a base
    "flagged-row": _flagged,  # it needs a service that moderates
    "other-account": _other_account,  # it asks a service
    "new-address": _new_address,  # a service would be asked
    "new-command": _new_command,  # a program would be run
    "not-reviewed": _not_reviewed,  # it needs a base, and asks a service
}


def _printed(shell: Shell, code: str, faulty: Faulty) -> str:
    """What `ftctl validate` says with this code first, with its hint."""
    with FileServer(faulty.shelf) if faulty.shelf else nullcontext() as server:
        faulty.write(shell.folder, server.url if server else "http://SERVER")
        out = shell("validate", *faulty.options).out.replace(str(shell.folder), "DIR")
        out = out.replace(server.url, "http://SERVER") if server else out
    found = re.search(
        rf"^.*: (?:error|warning)\[{code}\]: .*\n(?:    hint: .*\n)?", out, re.MULTILINE
    )
    assert found, out
    return found[0]


@pytest.mark.parametrize(
    ("code", "number"),
    [(code, number) for code, all_ in FAULTY.items() for number in range(len(all_))],
)
def test_an_example_of_a_message_is_what_ftctl_prints(
    code: str, number: int, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = FAULTY[code][number]
    if faulty.without is not None:
        monkeypatch.setitem(sys.modules, faulty.without, None)

    printed = _printed(shell, code, faulty)

    _compare_example(code, number, len(FAULTY[code]), printed)


@pytest.mark.parametrize("code", ELSEWHERE)
def test_an_example_of_what_validate_does_not_print_is_as_it_is_printed(code: str) -> None:
    _compare_example(code, 0, 1, ELSEWHERE[code]())


def _compare_example(code: str, number: int, examples: int, printed: str) -> None:
    _, section, _ = _section(code)
    shown = re.findall(r"```text\n(.*?)```", section, re.DOTALL)

    assert len(shown) == examples
    if UPDATE and shown[number] != printed:
        _replace_example(code, number, printed)
        return
    assert shown[number] == printed


def _section(code: str) -> tuple[str, str, str]:
    """docs/errors.md before, in and after the section of a code."""
    text = ERRORS.read_text("utf-8")
    found = re.search(rf"^### {code}\n.*?(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/errors.md has no section '### {code}'"
    return text[: found.start()], found[0], text[found.end() :]


def _replace_example(code: str, number: int, printed: str) -> None:
    before, section, after = _section(code)
    parts = re.split(r"(```text\n.*?```)", section, flags=re.DOTALL)
    parts[2 * number + 1] = f"```text\n{printed}```"
    ERRORS.write_text(before + "".join(parts) + after, "utf-8")


# Which codes there are.

_TAKES_A_CODE = ("Diagnostic", "Trap", "Finding", "_problem", "Misfit")
_NAMED = {"ROW_TRUNCATED": ROW_TRUNCATED}
_ONLY_RAISED = {"source-unreachable", "cache-unwritable"}  # the world's fault, in no file


def _codes() -> set[str]:
    """Every code that a diagnostic can have."""
    every = _codes_in_source().union(formats.CODES, quality.CODES, convert.CODES, sources.CODES)
    return every - _ONLY_RAISED


@cache
def _codes_in_source() -> set[str]:
    """Every literal that becomes a diagnostic's code. The emulator's codes are a service's."""
    found: set[str] = set()
    for path in sorted((ROOT / "ftctl").rglob("*.py")):
        if "emulator" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                found.update(_codes_at(node, path))
    return found


def _codes_at(node: ast.AST, path: Path) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[code, *_]):
            if name in _TAKES_A_CODE:
                match code:
                    case ast.Constant(value=str(text)):
                        yield text
                    case ast.Name(id="code") | ast.Attribute(attr="code"):
                        pass  # given a value where it is assigned or made
                    case ast.Name(id=constant) if constant in _NAMED:
                        yield _NAMED[constant]
                    case _:
                        pytest.fail(f"{path}:{node.lineno}: what code is this?")
        case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(text))):
            yield text
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            for target, value in zip(names, values, strict=True):
                match target, value:
                    case ast.Name(id="code"), ast.Constant(value=str(text)):
                        yield text


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    headings = re.findall(r"^### (.*)$", ERRORS.read_text("utf-8"), re.MULTILINE)

    assert len(headings) == len(set(headings))
    assert set(headings) == _codes()


def test_every_documented_code_has_an_example() -> None:
    assert FAULTY.keys() | ELSEWHERE.keys() == _codes()
    assert not FAULTY.keys() & ELSEWHERE.keys()


def test_our_own_training_rows_speak_of_codes_that_exist() -> None:
    known = _codes()
    text = "".join(path.read_text("utf-8") for path in (ROOT / "finetunes/data").glob("*.jsonl"))

    spoken_of = set(re.findall(r"(?:error|warning)\[([\w-]+)\]", text))

    assert spoken_of
    assert spoken_of <= known


# How it is known that a service refuses it.

_HOW = {
    "refused": "seen to be refused",
    "documented": "a service says so itself",
    "unreadable": "none is needed",
    "taken": "seen to be trained on",
    "nothing": "none of a refusal",
}


_EVIDENCE = {**formats.EVIDENCE, ROW_TRUNCATED: TRUNCATED}


def _evidence(code: str) -> str:
    known, what, source = _EVIDENCE[code]
    return f"Evidence: {_HOW[known]}. {what[0].upper()}{what[1:]}" + (
        f" ({source})." if source else ""
    )


@pytest.mark.parametrize("code", _EVIDENCE)
def test_every_code_of_a_row_has_its_evidence_beside_it(code: str) -> None:
    before, section, after = _section(code)
    told = re.findall(r"^Evidence: .*$", section, re.MULTILINE)
    if UPDATE and told != [_evidence(code)]:
        bare = re.sub(r"^Evidence: .*\n+", "", section, flags=re.MULTILINE).rstrip("\n")
        ERRORS.write_text(f"{before}{bare}\n\n{_evidence(code)}\n\n{after}", "utf-8")
        return

    assert told == [_evidence(code)]


def test_evidence_stands_beside_nothing_else() -> None:
    told = re.findall(r"^Evidence: ", ERRORS.read_text("utf-8"), re.MULTILINE)

    assert len(told) == len(_EVIDENCE)


# What is generated.


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


_FIELD_HEAD = ("field", "allowed", "default", "meaning")
_NOT_OPENED = ("defaults", "environments")  # told in words: they hold what other tables list


def _fields(
    rule: JsonSchema, root: JsonSchema, way: str = ""
) -> Iterator[tuple[str, str, JsonSchema, str]]:
    """Field, what must be, its rule, its meaning; then the fields inside it."""
    usual = rule["then"] if "not" in rule.get("if", {}) else {}  # an exception turned round
    needed = (*rule.get("required", ()), *usual.get("required", ()))
    for name, part in rule["properties"].items():
        known = follow(part, root)
        must = "required" if name in needed else _default(known)
        yield f"{way}{name}", must, known, _meaning(known, root)
        if name not in _NOT_OPENED:
            for inner, mark in _inside(known, root):
                yield from _fields(inner, root, f"{way}{name}{mark}.")


def _inside(rule: JsonSchema, root: JsonSchema) -> Iterator[tuple[JsonSchema, str]]:
    if "properties" in rule:
        yield rule, ""
    for option in rule.get("anyOf", ()):
        yield from _inside(follow(option, root), root)
    if "items" in rule:
        yield from ((inner, "[]") for inner, _ in _inside(follow(rule["items"], root), root))


def _default(rule: JsonSchema) -> str:
    default = rule.get("default")
    return "" if default is None else f"`{json.dumps(default)}`".replace('"', "")


def _allowed(rule: JsonSchema, root: JsonSchema) -> str:
    if "pattern" in rule and "x-expected" not in rule:
        return f"`{rule['pattern']}`"
    return describe(rule, root)


def _meaning(rule: JsonSchema, root: JsonSchema) -> str:
    """The description without what the column 'allowed' says already."""
    text = str(rule.get("description", ""))
    sentence, stop, rest = text.partition(". ")
    head, _, tail = sentence.partition(": ")
    if tail and _bare(tail) == _bare(describe(rule, root)):
        return f"{head}{stop}{rest}" if stop else f"{head}."
    return text


def _bare(text: str) -> str:
    return re.sub(r"[',.]", "", text)


def _project_table() -> str:
    root = load_schema("project")
    rows = (
        (f"`{name}`", _allowed(rule, root), must, meaning)
        for name, must, rule, meaning in _fields(root, root)
    )
    return _table(_FIELD_HEAD, rows)


def _dataset_table() -> str:
    root = load_schema("dataset")
    rows = (
        (f"`{name}`", _allowed(rule, root), must, meaning)
        for name, must, rule, meaning in _fields(root, root)
    )
    return _table(_FIELD_HEAD, rows)


def _finetune_table() -> str:
    root = load_schema("finetune")
    return _table(("field", "allowed", "default", "a change", "meaning"), _finetune_rows(root))


def _finetune_rows(root: JsonSchema) -> Iterator[Sequence[str]]:
    cosmetic = {name for name, rule in root["properties"].items() if rule.get("x-cosmetic")}
    by_method = _required_by_method(root)
    for name, must, rule, meaning in _fields(root, root):
        change = "cosmetic" if name.partition(".")[0] in cosmetic else "material"
        yield f"`{name}`", _allowed(rule, root), by_method.get(name, must), change, meaning
        if name == "hyperparameters":
            inner = root["$defs"]["any-hyperparameters"]
            for key, default, setting, sense in _fields(inner, root):
                methods = _methods_with(key, root)
                only = f" Method {' or '.join(methods)} only." if methods else ""
                yield f"`{name}.{key}`", _allowed(setting, root), default, change, sense + only


def _required_by_method(root: JsonSchema) -> dict[str, str]:
    return {
        name: f"required by method {clause['if']['properties']['method']['const']}"
        for clause in root["allOf"]
        for name in clause.get("then", {}).get("required", ())
    }


def _methods_with(key: str, root: JsonSchema) -> list[str]:
    """The methods that take a hyperparameter; none where all do."""
    methods = root["properties"]["method"]["enum"]
    takers = [m for m in methods if key in root["$defs"][f"{m}-hyperparameters"]["properties"]]
    return [] if takers == methods else takers


def _grader_table() -> str:
    root = load_schema("finetune")
    return _table(("type", "field", "allowed", "default", "meaning"), _grader_rows(root))


def _grader_rows(root: JsonSchema) -> Iterator[Sequence[str]]:
    for rule in root["$defs"].values():
        kind = rule.get("title", "").removeprefix("grader of type ")
        if kind != rule.get("title", ""):
            for name, must, part, meaning in _fields(rule, root):
                if name != "type":
                    yield f"`{kind}`", f"`{name}`", _allowed(part, root), must, meaning


def _service_table() -> str:
    head = ("type", "address", "key variable", "hyperparameters", "our mark", "methods", "refuses")
    rows = (
        (
            f"`{row.type}`",
            _address(row.type),
            f"`{row.api_key_env}`" if row.billed else "none",
            {"method": "under `method`", "top-level": "top level"}[row.hyperparameters],
            {"metadata": "metadata", "file-name": "file name"}[row.ownership_store],
            ", ".join(sorted(row.methods)),
            ", ".join(f"`{name}`" for name in row.refuses) or "nothing",
        )
        for row in SERVICES.values()
    )
    return _table(head, rows)


def _status_table() -> str:
    words: dict[str, list[str]] = {}
    for word, ours in STATUS_WORDS.items():
        words.setdefault(ours, []).append(f"`{word}`")
    return _table(("read as", "words"), ((f"`{ours}`", ", ".join(w)) for ours, w in words.items()))


def _address(kind: str) -> str:
    row = SERVICES[kind]
    variable = f"`{row.base_url_env}`" if row.base_url_env else ""
    own = f"`{row.base_url}`" if row.base_url else ""
    given = "" if row.base_url else "`base_url`"
    return ", else ".join(part for part in (given, variable, own) if part)


def _commands() -> dict[str, click.Command]:
    """Every command by its words, a group's own after it: `dataset`, `dataset check`."""
    return dict(_commands_of(cli, ""))


def _commands_of(group: click.Group, way: str) -> Iterator[tuple[str, click.Command]]:
    context = _context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{way}{name}", command
        if isinstance(command, click.Group):
            yield from _commands_of(command, f"{way}{name} ")


def _context(command: click.Command) -> click.Context:
    """As ftctl makes it: a command remembers the help option of its first context."""
    return click.Context(command, **cli.context_settings)


def _own_options(command: click.Command) -> list[click.Option]:
    shared = {option.name for option in cli.params} if command is not cli else set()
    options = [param for param in command.params if isinstance(param, click.Option)]
    return [option for option in options if option.name not in shared and not option.hidden]


def _option_table(command: click.Command) -> str:
    context = _context(command)

    def rows() -> Iterator[Sequence[str]]:
        for option in _own_options(command):
            record = option.get_help_record(context)
            if record is not None:
                meaning = re.sub(r"\s+\[default:.*\]$", "", option.help or "")
                yield f"`{record[0]}`", _option_default(option, context), meaning

    listed = _table(("option", "default", "meaning"), rows())
    return listed if _own_options(command) else "No options of its own.\n"


def _option_default(option: click.Option, context: click.Context) -> str:
    told = re.search(r"\[default: (.*)\]$", option.help or "")
    if told:
        return told[1]
    default = option.get_default(context)
    return f"`{default}`" if isinstance(default, str | int) and not option.is_flag else ""


def _command_part(name: str) -> str:
    command = _commands()[name]
    usage = " ".join(command.collect_usage_pieces(_context(command)))
    return f"```text\nftctl {name} {usage}\n```\n\n{_option_table(command)}"


def _exit_table() -> str:
    return _table(("status", "meaning"), ((str(code), text) for code, text in MEANINGS.items()))


def _temperament_table() -> str:
    def usual(kind: Kind) -> str:
        return "" if kind.usual is None else f"{kind.usual:g} {kind.unit}"

    rows = ((f"`{slug}`", usual(kind), kind.does) for slug, kind in TEMPERAMENTS.items())
    return _table(("slug", "value, if none is given", "the service"), rows)


GENERATED: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "errors.md": {"exit statuses": _exit_table},
    "manifests.md": {
        "project": _project_table,
        "dataset": _dataset_table,
        "finetune": _finetune_table,
        "graders": _grader_table,
    },
    "emulator.md": {"temperaments": _temperament_table},
    "services.md": {"services": _service_table, "statuses": _status_table},
    "commands.md": {
        "shared": lambda: _option_table(cli),
        **{name: partial(_command_part, name) for name in _commands()},
    },
}

_PART = re.compile(r"(<!-- generated: (.*?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize("name", GENERATED)
def test_generated_parts_are_fresh(name: str) -> None:
    path = DOCS / name
    text = path.read_text("utf-8")
    parts = {name: make() for name, make in GENERATED[name].items()}

    fresh = _PART.sub(lambda found: f"{found[1]}\n{parts[found[2]]}\n{found[4]}", text)

    if UPDATE:
        path.write_text(fresh, "utf-8")
        text = fresh
    assert [found[2] for found in _PART.finditer(text)] == list(parts)
    assert text == fresh


@pytest.mark.parametrize("name", _commands())
def test_every_command_and_every_flag_is_documented(name: str) -> None:
    text = (DOCS / "commands.md").read_text("utf-8")
    found = re.search(rf"^##+ {name}\n.*?(?=^##+ |\Z)", text, re.MULTILINE | re.DOTALL)
    options = _own_options(_commands()[name])
    flags = [flag for one in options for flag in (*one.opts, *one.secondary_opts)]

    assert found
    assert [flag for flag in flags if flag not in found[0]] == []


def test_every_exit_status_is_documented() -> None:
    text = ERRORS.read_text("utf-8").partition("\n## Exit statuses\n")[2]

    assert [code for code in MEANINGS if f"| {code} | {MEANINGS[code]} |" not in text] == []


# Links, and what is run from README.md.

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _pages() -> list[Path]:
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    found += [*DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return sorted(path for path in found if path.is_file())


def _relative_links(page: Path) -> Iterator[tuple[Path, str]]:
    """Each link inside the repository: its target, and the heading there that it names."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for link in _LINK.findall(text):
        if "://" not in link and not link.startswith("mailto:"):
            path, _, heading = link.partition("#")
            yield (page.parent / path if path else page), heading


def _anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def test_every_relative_link_leads_to_a_file_and_a_heading() -> None:
    links = {(page, *link) for page in _pages() for link in _relative_links(page)}

    lost = [(page, target) for page, target, _ in links if not target.exists()]
    headless = [
        (page, f"{target}#{heading}")
        for page, target, heading in links
        if heading and target.suffix == ".md" and heading not in _anchors(target)
    ]

    assert links
    assert lost + headless == []


_MODULE = re.compile(r"`([\w./-]+\.py)`")
_FOLDER = re.compile(r"`([a-z_]+(?:/[a-z_]+)+)`")
_DOTTED = re.compile(r"\bftctl(?:\.[A-Za-z_]\w*)+")
_IMPORTED = re.compile(r"^from (ftctl[\w.]*) import ([\w, ]+)$", re.MULTILINE)
_FILES = ("ftctl.lock", "ftctl.sarif", "ftctl.yaml", "ftctl.gitlab", "ftctl.PROJECT")


def _texts() -> Iterator[tuple[str, str]]:
    """What may name our modules: each page with its text."""
    for page in [*_pages(), *(ROOT / "changes").glob("*.md")]:
        yield page.relative_to(ROOT).as_posix(), page.read_text("utf-8")


def test_every_module_that_a_page_names_exists() -> None:
    folders = (
        ROOT / name for name in ("ftctl", "tests", "benchmarks", "ci", "examples", "release")
    )
    there = [path.as_posix() for folder in folders for path in folder.rglob("*.py")]
    named = {(page, name) for page, text in _texts() for name in _MODULE.findall(text)}

    assert len(named) > 20
    assert [one for one in named if not any(path.endswith(f"/{one[1]}") for path in there)] == []


def test_every_folder_that_the_flow_names_exists() -> None:
    named = set(_FOLDER.findall((DOCS / "flow.md").read_text("utf-8")))

    assert named
    assert [name for name in named if not (ROOT / "ftctl" / name).is_dir()] == []


def test_every_name_of_ours_that_a_page_gives_leads_somewhere() -> None:
    named = {(page, name) for page, text in _texts() for name in _DOTTED.findall(text)}
    for page, text in _texts():
        for module, names in _IMPORTED.findall(text):
            named |= {(page, f"{module}.{name}") for name in re.findall(r"\w+", names)}
    named = {one for one in named if not one[1].startswith(_FILES)}

    assert len(named) > 5
    assert [one for one in named if not _leads_somewhere(one[1])] == []


def _leads_somewhere(dotted: str) -> bool:
    """Whether a name is a module, or something in one."""
    try:
        pkgutil.resolve_name(dotted)
    except (ImportError, AttributeError):
        return False
    return True


def test_the_complete_manifests_of_the_reference_are_valid(shell: Shell) -> None:
    text = (DOCS / "manifests.md").read_text("utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    settings, dataset, finetune = (one for one in blocks if re.match("# yaml-lang.*\n.", one))
    rows = (ROOT / "ftctl" / "cli" / "templates" / "data" / "train.jsonl").read_text("utf-8")
    files = {
        "ftctl.yaml": settings,
        "finetunes/support.yaml": f"{dataset}---\n{finetune}",
        "data/support-train.jsonl": rows,
        "data/support-validation.jsonl": chat_rows(12),
    }
    Faulty(files).write(shell.folder)

    assert shell("validate").out == "Valid: 1 fine-tune, 24 rows of data in 2 files.\n"


@pytest.mark.parametrize("heading", ["## Try it", "## Test it"])
def test_the_readme_has_one_block_to_run_under(heading: str) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    found = re.search(rf"^{heading}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)

    assert found, f"README.md has no '{heading}'"
    assert len(re.findall(r"^```sh\n", found[0], re.MULTILINE)) == 1
