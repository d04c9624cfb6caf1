"""Names are followed, and what is desired comes out with parents before their children."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import chat_rows, preference_rows

from ftctl.domain.desired import Dataset, Desired, Parent
from ftctl.engine.workspace import Workspace
from ftctl.errors import Diagnostic, Span

Write = Callable[[Mapping[str, str]], Path]

DATASET = "apiVersion: ftctl/v1\nkind: Dataset\nname: {name}\nsource: ../data/{name}.jsonl\n"


def manifest(name: str, base: str = "gpt-4.1-mini-2025-04-14", more: str = "") -> str:
    return (
        f"apiVersion: ftctl/v1\nkind: FineTune\nname: {name}\nbase_model: {base}\n"
        f"training: chats\n{more}"
    )


def project(*manifests: str, **files: str) -> dict[str, str]:
    """A project with a Dataset 'chats' and these manifests, a file each in this order."""
    return {
        "ftctl.yaml": "project: demo\n",
        "finetunes/data.yaml": DATASET.format(name="chats"),
        "data/chats.jsonl": chat_rows(12),
        **{f"finetunes/m{number}.yaml": text for number, text in enumerate(manifests)},
        **files,
    }


def desired(root: Path) -> Desired:
    return Workspace.open(root, environ={}).session().desired


def problems(root: Path) -> list[Diagnostic]:
    return list(Workspace.open(root, environ={}).validate().problems)


def test_without_parents_fine_tunes_stand_in_the_order_of_their_names(
    write_project: Write,
) -> None:
    root = write_project(project(manifest("c"), manifest("a"), manifest("b")))

    assert [one.name for one in desired(root).finetunes] == ["a", "b", "c"]


def test_parents_stand_before_their_children(write_project: Write) -> None:
    root = write_project(
        project(
            manifest("a", "{finetune: z}"),
            manifest("b", "{finetune: a}"),
            manifest("c"),
            manifest("z"),
            manifest("y", "{finetune: z, checkpoint: best}"),
        )
    )

    found = desired(root)

    assert [(one.name, one.parent) for one in found.finetunes] == [
        ("z", None),
        ("a", Parent("z", "last")),
        ("b", Parent("a", "last")),
        ("c", None),
        ("y", Parent("z", "best")),
    ]


def test_a_long_chain_of_parents_is_no_trouble(write_project: Write) -> None:
    chain = [manifest(f"n{n:03}", f"{{finetune: n{n + 1:03}}}") for n in range(150)]
    root = write_project(project("---\n".join([*chain, manifest("n150")])))

    found = [one.name for one in desired(root).finetunes]

    assert found == [f"n{n:03}" for n in range(150, -1, -1)]


def test_all_that_a_manifest_asks_for_is_in_the_fine_tune(write_project: Write) -> None:
    more = "validation: {source: ../data/held-out.jsonl}\nseed: 7\nkeep: 3\nadopt: ftjob-1\n"
    root = write_project(
        project(manifest("tone", more=more), **{"data/held-out.jsonl": chat_rows(11)})
    )

    (found,) = desired(root).finetunes

    assert (found.name, found.span, found.base_model) == (
        "tone",
        Span("finetunes/m0.yaml", 1, 1),
        "gpt-4.1-mini-2025-04-14",
    )
    (tokens,) = found.training.tokens
    assert (tokens.encoding, tokens.training) == ("o200k_base", 156)
    assert found.training == Dataset(
        *("chats", "data/chats.jsonl", found.training.sha256, 12, len(chat_rows(12)), "chat"),
        tokens=(tokens,),
    )
    assert found.validation is not None
    assert (found.validation.name, found.validation.examples) == ("tone-validation", 11)
    assert (found.keep, found.adopt, found.method) == (3, "ftjob-1", "supervised")
    assert found.spec == {
        "base_model": "gpt-4.1-mini-2025-04-14",
        "training": found.training.sha256,
        "validation": found.validation.sha256,
        "seed": 7,
    }


def digests(root: Path) -> dict[str, str]:
    return {one.name: one.digest for one in desired(root).finetunes}


def test_a_child_has_another_digest_once_its_parent_has(write_project: Write) -> None:
    files = project(manifest("base"), manifest("child", "{finetune: base}"), manifest("other"))
    before = digests(write_project(files))

    after = digests(
        write_project({**files, "finetunes/m0.yaml": manifest("base", more="seed: 1\n")})
    )

    assert after["base"] != before["base"]
    assert after["child"] != before["child"]
    assert after["other"] == before["other"]


def test_a_grandchild_has_another_digest_once_its_grandparent_has(write_project: Write) -> None:
    files = project(manifest("a"), manifest("b", "{finetune: a}"), manifest("c", "{finetune: b}"))
    before = digests(write_project(files))

    after = digests(write_project({**files, "finetunes/m0.yaml": manifest("a", more="seed: 1\n")}))

    assert [name for name in before if before[name] != after[name]] == ["a", "b", "c"]


def test_a_renamed_parent_leaves_every_digest_as_it_was(write_project: Write) -> None:
    before = digests(
        write_project(project(manifest("base"), manifest("child", "{finetune: base}")))
    )

    after = digests(write_project(project(manifest("root"), manifest("child", "{finetune: root}"))))

    assert after == {"root": before["base"], "child": before["child"]}


def test_a_cosmetic_change_of_a_parent_leaves_its_child_as_it_was(write_project: Write) -> None:
    files = project(manifest("base"), manifest("child", "{finetune: base}"))
    before = digests(write_project(files))

    more = "suffix: other\nkeep: 5\nmetadata: {owner: cx}\n"
    after = digests(write_project({**files, "finetunes/m0.yaml": manifest("base", more=more)}))

    assert after == before


@pytest.mark.parametrize(("checkpoint", "same"), [("last", True), ("best", False), ("3", False)])
def test_the_checkpoint_of_a_parent_counts_unless_it_is_the_default(
    write_project: Write, checkpoint: str, same: bool
) -> None:
    before = digests(
        write_project(project(manifest("base"), manifest("child", "{finetune: base}")))
    )

    base = f"{{finetune: base, checkpoint: {checkpoint}}}"
    after = digests(write_project(project(manifest("base"), manifest("child", base))))

    assert (after["child"] == before["child"]) is same


@pytest.mark.parametrize(
    ("checkpoint", "more"),
    [("last", {}), ("best", {"checkpoint": "best"}), ("3", {"checkpoint": 3})],
)
def test_a_spec_names_its_parent_by_digest(
    write_project: Write, checkpoint: str, more: dict[str, object]
) -> None:
    base = f"{{finetune: base, checkpoint: {checkpoint}}}"
    root = write_project(project(manifest("base"), manifest("child", base)))

    parent, child = desired(root).finetunes

    assert child.spec["base_model"] == {"digest": parent.digest, **more}


def test_a_base_model_and_a_parent_of_that_name_are_not_the_same(write_project: Write) -> None:
    root = write_project(
        project(manifest("base"), manifest("a", "base"), manifest("b", "{finetune: base}"))
    )

    found = digests(root)

    assert len(set(found.values())) == 3


def test_every_ring_of_parents_is_told_once(write_project: Write) -> None:
    root = write_project(
        project(
            manifest("a", "{finetune: b}"),
            manifest("b", "{finetune: a}"),
            manifest("into", "{finetune: a}"),
            manifest("me", "{finetune: me}"),
        )
    )

    cure = "one of them must start from a model that the service has"
    assert problems(root) == [
        Diagnostic(
            "cycle",
            "base models form a cycle: a → b → a",
            Span("finetunes/m0.yaml", 4, 24),
            cure,
        ),
        Diagnostic(
            "cycle",
            "base models form a cycle: me → me",
            Span("finetunes/m3.yaml", 4, 24),
            cure,
        ),
    ]


def test_a_name_that_may_stand_in_a_broken_file_is_not_called_unknown(
    write_project: Write,
) -> None:
    files = project(manifest("tone"))
    root = write_project({**files, "finetunes/data.yaml": "name: 'chats\n"})

    assert [problem.code for problem in problems(root)] == ["yaml-syntax"]


def test_a_name_of_a_document_with_problems_is_not_called_unknown(write_project: Write) -> None:
    root = write_project(project(manifest("a", more="seed: x\n"), manifest("b", "{finetune: a}")))

    assert [(one.code, one.span.path) for one in problems(root)] == [
        ("wrong-value", "finetunes/m0.yaml")
    ]


def test_the_references_and_data_of_a_document_with_problems_are_checked_too(
    write_project: Write,
) -> None:
    own = manifest("a", more="seed: x\nvalidation: {source: ../data/short.jsonl}\n")
    root = write_project(
        project(
            own.replace("chats", "chat"),
            **{"data/short.jsonl": chat_rows(1).replace("user", "usr")},
        )
    )

    assert [(one.code, one.span) for one in problems(root)] == [
        ("unknown-role", Span("data/short.jsonl", 1)),
        ("unknown-name", Span("finetunes/m0.yaml", 5, 11)),
        ("wrong-value", Span("finetunes/m0.yaml", 6, 7)),
    ]


def test_data_that_nobody_uses_is_checked_as_well(write_project: Write) -> None:
    root = write_project(
        project(**{
            "finetunes/more.yaml": DATASET.format(name="unused"),
            "data/unused.jsonl": chat_rows(2),
        })
    )  # fmt: skip

    assert [(one.code, one.span) for one in problems(root)] == [
        ("too-few-examples", Span("data/unused.jsonl"))
    ]


def test_one_file_may_not_serve_two_methods_that_need_different_rows(
    write_project: Write,
) -> None:
    root = write_project(project(manifest("a"), manifest("b", more="method: dpo\n")))

    assert [(one.code, one.span) for one in problems(root)] == [
        ("wrong-format", Span("data/chats.jsonl", 1))
    ]


@pytest.mark.parametrize("where", ["named", "inline"])
def test_a_pin_is_compared_with_the_file(write_project: Write, where: str) -> None:
    files = project(manifest("tone"))
    good = desired(write_project(files)).finetunes[0].training.sha256
    pin, bad = f"sha256: '{good}'", f"sha256: '{good[::-1]}'"

    def pinned(text: str) -> dict[str, str]:
        if where == "named":
            return {**files, "finetunes/data.yaml": files["finetunes/data.yaml"] + f"{text}\n"}
        inline = f"{{source: ../data/chats.jsonl, {text}}}"
        return {**files, "finetunes/m0.yaml": manifest("tone").replace("chats", inline)}

    kept = problems(write_project(pinned(pin)))
    broken = problems(write_project(pinned(bad)))

    assert kept == []
    assert [one.code for one in broken] == ["sha256-differs"]


def test_preference_rows_serve_dpo(write_project: Write) -> None:
    root = write_project(
        project(manifest("kind", more="method: dpo\n"), **{"data/chats.jsonl": preference_rows(10)})
    )

    (found,) = desired(root).finetunes

    assert (found.method, found.training.format) == ("dpo", "preference")
