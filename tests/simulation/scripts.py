"""What is simulated: small projects, and the command that is broken on its way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from conftest import chat_rows

APPLY = ("apply", "--auto-approve", "--parallelism", "1")
DESTROY = ("destroy", "--auto-approve")

Files = Mapping[str, str | None]  # path → text; None: the file goes


@dataclass(frozen=True)
class Script:
    """`before` is carried out cleanly; then `command` is broken; then `again` until all is done."""

    name: str
    files: Files
    command: tuple[str, ...]
    again: tuple[str, ...] = (*APPLY, "--wait")
    before: tuple[tuple[Files, tuple[str, ...]], ...] = ()


def finetune(
    name: str = "tone",
    *,
    epochs: int = 2,
    data: str = "train",
    validation: str | None = None,
    base: str = "gpt-4.1-mini-2025-04-14",
    more: Mapping[str, object] | None = None,
) -> str:
    """A manifest, as JSON, which is YAML."""
    return json.dumps(
        {
            "apiVersion": "ftctl/v1",
            "kind": "FineTune",
            "name": name,
            "base_model": base if not base.startswith("@") else {"finetune": base[1:]},
            "training": {"source": f"../data/{data}.jsonl"},
            **({"validation": {"source": f"../data/{validation}.jsonl"}} if validation else {}),
            "hyperparameters": {"n_epochs": epochs, "batch_size": 6},
            **(more or {}),
        }
    )


def project(*finetunes: str, settings: str = "project: demo\n") -> dict[str, str | None]:
    """A project's files; its data in two sets."""
    named = {f"finetunes/{json.loads(one)['name']}.yaml": one for one in finetunes}
    return {
        "ftctl.yaml": settings,
        "data/train.jsonl": chat_rows(12),
        "data/valid.jsonl": chat_rows(10, "no"),
        **named,
    }


_ONE = project(finetune(validation="valid"))
_SHARED = project(finetune(), finetune("voice", epochs=1, validation="train"))
_CHAIN = project(finetune(), finetune("child", base="@tone", data="valid"))
_BEFORE = (*APPLY, "--wait")


def _tone(epochs: int, keep: int = 2) -> Files:
    return {"finetunes/tone.yaml": finetune(epochs=epochs, more={"keep": keep})}


SCRIPTS: Mapping[str, Script] = {
    script.name: script
    for script in (
        Script("one", _ONE, APPLY),
        Script("one, waited for", _ONE, (*APPLY, "--wait")),
        Script("two of one dataset", _SHARED, APPLY),
        Script("a chain", _CHAIN, (*APPLY, "--wait")),
        Script("a replacement", _tone(3), (*APPLY, "--wait"), before=((_ONE, _BEFORE),)),
        Script(
            # keep: 1, since the old job may come to its end before it can be stopped.
            "a replacement of one that runs", _tone(3, keep=1), APPLY,
            before=((_ONE, APPLY),),
        ),
        Script(
            "leftovers pruned",
            {"finetunes/voice.yaml": None, "data/train.jsonl": chat_rows(14)},
            (*APPLY, "--prune"),
            again=(*APPLY, "--wait", "--prune"),
            before=((_SHARED, _BEFORE),),
        ),
        Script(
            "keeps one of three", _tone(4, keep=1), APPLY,
            before=((_ONE, _BEFORE), (_tone(3), _BEFORE), (_tone(4), _BEFORE)),
        ),
        Script("destroyed", {}, DESTROY, again=DESTROY, before=((_CHAIN, _BEFORE),)),
        Script("destroyed while it runs", {}, DESTROY, again=DESTROY, before=((_SHARED, APPLY),)),
        Script("destroyed after a broken apply", _ONE, APPLY, again=DESTROY),
        Script(
            "a retry", {}, (*APPLY, "--retry-failed"), again=(*APPLY, "--wait", "--retry-failed"),
            before=((_ONE, APPLY), ({}, ("cancel by hand",))),
        ),
        Script(
            "--replace", {}, (*APPLY, "--wait"),
            before=((_ONE, _BEFORE), ({}, (*APPLY, "--replace", "tone"))),
        ),
        Script(
            "marked by file name",
            project(
                finetune(), finetune("voice", epochs=1),
                settings="project: demo\nprovider: {type: emulator, mark: file-name}\n",
            ),
            (*APPLY, "--wait"),
        ),
    )
}  # fmt: skip
