"""Tables as people have them, in six encodings and languages, become models that answer in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
from conftest import Shell
from tongues import as_chats, as_csv, as_jsonl, rows

# A language, the encoding and the form of its file, and how it is turned into rows.
TABLES: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "ko.csv": ("Korean", "cp949", as_csv),
    "ja.tsv": ("Japanese", "cp932", lambda one: as_csv(one).replace(",", "\t")),
    "zh.json": ("Chinese", "gb18030", lambda one: json.dumps(as_chats(one), ensure_ascii=False)),
    "tw.jsonl": ("Chinese of Taiwan", "cp950", as_jsonl),
    "fr.csv": ("French", "cp1252", as_csv),
    "ru.jsonl": ("Russian", "koi8_r", as_jsonl),
}
MANIFEST = """\
apiVersion: ftctl/v1
kind: Dataset
name: rows-{name}
source: ../data/{file}
{steps}---
apiVersion: ftctl/v1
kind: FineTune
name: library-{name}
base_model: gpt-4.1-mini-2025-04-14
training: rows-{name}
hyperparameters: {{n_epochs: 8}}
"""


def write(shell: Shell, *, encoding: bool) -> None:
    for folder in ("data", "finetunes"):
        (shell.folder / folder).mkdir(exist_ok=True)
    (shell.folder / "ftctl.yaml").write_text("project: library\n", "utf-8")
    for file, (language, kept_in, written) in TABLES.items():
        (shell.folder / "data" / file).write_bytes(written(language).encode(kept_in))
        name, _, form = file.partition(".")
        steps = f"encoding: {kept_in}\n" if encoding else ""
        steps += "" if form == "jsonl" else "convert: {}\n"
        manifest = MANIFEST.format(name=name, file=file, steps=steps)
        (shell.folder / "finetunes" / f"{name}.yaml").write_text(manifest, "utf-8")


def answers(shell: Shell) -> dict[str, list[str]]:
    """What each model says to its first three questions."""
    models = shell.ok("output", "--format", "json").json
    said: dict[str, list[str]] = {}

    def ask(inner: httpx2.BaseTransport, model: str, question: str) -> str:
        body = {"model": model, "messages": [{"role": "user", "content": question}],
                "temperature": 0}  # fmt: skip
        headers = {"authorization": "Bearer key"}
        url = "http://embedded.invalid/v1/chat/completions"
        request = httpx2.Request("POST", url, headers=headers, json=body)
        answer: Any = json.loads(inner.handle_request(request).read())
        return str(answer["choices"][0]["message"]["content"])

    def between(inner: httpx2.BaseTransport) -> httpx2.BaseTransport:
        for file, (language, _, _) in TABLES.items():
            model = models[f"library-{file.partition('.')[0]}"]["model"]
            said[file] = [ask(inner, model, question) for question, _ in rows(language)[:3]]
        return inner

    shell.wire = between
    shell.ok("plan")
    return said


def test_six_encodings_become_six_models_that_answer_in_their_languages(shell: Shell) -> None:
    write(shell, encoding=False)
    refused = shell("validate")
    for file, (_, kept_in, _) in TABLES.items():
        assert f"data/{file}:" in refused.out
        assert f"write 'encoding: {kept_in}' into its Dataset" in refused.out

    write(shell, encoding=True)
    shell.ok("apply", "--auto-approve", "--wait")

    assert answers(shell) == {
        file: [answer for _, answer in rows(language)[:3]]
        for file, (language, _, _) in TABLES.items()
    }
