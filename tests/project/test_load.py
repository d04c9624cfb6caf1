"""A folder becomes a project: its settings, its environments, the defaults under its manifests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, chat_rows, small_project

from ftctl.domain.config import Config, PolicySettings, ProviderSettings
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import Document
from ftctl.project.load import Project, load_project

Write = Callable[[Mapping[str, str]], Path]


def loaded(root: Path, environment: str | None = None) -> Project:
    project, problems = load_project(root, environment)
    assert problems == ()
    assert project is not None
    return project


def problems_of(root: Path, environment: str | None = None) -> list[str]:
    _, problems = load_project(root, environment)
    return [str(problem) for problem in problems]


def the_one(project: Project) -> Document:
    (document,) = project.finetunes
    return document


def test_a_project_file_with_a_name_alone_is_enough(write_project: Write) -> None:
    root = write_project(small_project())

    project = loaded(root)

    assert project.config == Config("demo", "finetunes")
    assert [document.value["name"] for document in project.finetunes] == ["tone"]
    assert (project.datasets, project.unfit, project.faulty) == ((), (), frozenset())


def test_every_setting_is_read(write_project: Write) -> None:
    text = """\
project: demo
manifests: models
provider: {type: compatible, base_url: "https://host/v1"}
prune: true
policy: {max_jobs_created: 2}
"""
    root = write_project({"ftctl.yaml": text, "models/tone.yaml": FINETUNE})

    project = loaded(root)

    assert project.config == Config(
        "demo",
        "models",
        ProviderSettings(type="compatible", base_url="https://host/v1"),
        prune=True,
        policy=PolicySettings(max_jobs_created=2),
    )
    assert the_one(project).path == "models/tone.yaml"


def test_a_project_without_manifests_is_a_project(write_project: Write) -> None:
    root = write_project({"ftctl.yaml": "project: demo\n", "finetunes/README.md": "None yet.\n"})

    project = loaded(root)

    assert (project.finetunes, project.datasets) == ((), ())


def test_hidden_files_and_folders_are_no_manifests(write_project: Write) -> None:
    root = write_project(
        small_project(
            **{
                "finetunes/.draft.yaml": "not: [closed",
                "finetunes/.old/tone.yaml": FINETUNE,
                "finetunes/team/kind.yml": FINETUNE.replace("tone", "kind"),
                "finetunes/notes.md": "kind: FineTune\n",
            }
        )
    )

    project = loaded(root)

    assert [document.path for document in project.finetunes] == [
        "finetunes/team/kind.yml",
        "finetunes/tone.yaml",
    ]


ENVIRONMENTS = """\
project: demo
provider: {type: openai, organization: org-1}
prune: true
environments:
  dev:
    provider: {type: emulator}
  prod:
    project: demo-prod
    manifests: prod
    prune: false
    policy: {max_jobs_created: 1}
    defaults: {seed: 2}
defaults:
  seed: 1
  keep: 3
"""


@pytest.mark.parametrize(
    ("environment", "config"),
    [
        (
            None,
            Config(
                "demo",
                "finetunes",
                ProviderSettings(type="openai", organization="org-1"),
                prune=True,
            ),
        ),
        ("dev", Config("demo", "finetunes", ProviderSettings(type="emulator"), prune=True)),
        (
            "prod",
            Config(
                "demo-prod",
                "prod",
                ProviderSettings(type="openai", organization="org-1"),
                policy=PolicySettings(max_jobs_created=1),
            ),
        ),
    ],
)
def test_the_keys_of_an_environment_replace_those_at_the_top(
    write_project: Write, environment: str | None, config: Config
) -> None:
    root = write_project(
        {"ftctl.yaml": ENVIRONMENTS, "finetunes/t.yaml": FINETUNE, "prod/t.yaml": FINETUNE}
    )

    project = loaded(root, environment)

    assert project.config == config


@pytest.mark.parametrize(
    ("environment", "seed", "keep", "line"),
    [(None, 1, 3, 14), ("dev", 1, 3, 14), ("prod", 2, None, 12)],
)
def test_the_defaults_of_an_environment_replace_those_at_the_top(
    write_project: Write, environment: str | None, seed: int, keep: int | None, line: int
) -> None:
    root = write_project(
        {"ftctl.yaml": ENVIRONMENTS, "finetunes/t.yaml": FINETUNE, "prod/t.yaml": FINETUNE}
    )

    document = the_one(loaded(root, environment))

    assert (document.value["seed"], document.value.get("keep")) == (seed, keep)
    assert document.place(("seed",)).path == "ftctl.yaml"
    assert document.place(("seed",)).line == line


def test_an_unknown_environment_is_told_with_its_near_miss(write_project: Write) -> None:
    root = write_project(small_project(**{"ftctl.yaml": ENVIRONMENTS}))

    project, problems = load_project(root, "prd")

    assert project is None
    assert problems == (
        Diagnostic(
            "unknown-environment",
            "there is no environment 'prd'",
            Span("ftctl.yaml", 5, 3),
            "did you mean 'prod'?",
        ),
    )


def test_an_environment_of_a_project_without_any_is_told(write_project: Write) -> None:
    root = write_project(small_project())

    assert problems_of(root, "prod") == [
        (
            "ftctl.yaml:1:1: error[unknown-environment]: there is no environment 'prod'\n"
            "    hint: known here: none"
        )
    ]


DEFAULTS = """\
project: demo
defaults:
  base_model: gpt-4.1-2025-04-14
  hyperparameters: {n_epochs: 2, batch_size: 8}
  metadata:
    owner: cx
    team: eu
  seed: 5
"""


def test_defaults_lie_under_each_fine_tune_key_by_key(write_project: Write) -> None:
    own = FINETUNE + "hyperparameters:\n  n_epochs: 9\nmetadata: {team: us}\n"
    root = write_project(small_project(own, **{"ftctl.yaml": DEFAULTS}))

    document = the_one(loaded(root))

    assert document.value == {
        "apiVersion": "ftctl/v1",
        "kind": "FineTune",
        "name": "tone",
        "base_model": "gpt-4.1-mini-2025-04-14",
        "training": {"source": "../data/train.jsonl"},
        "hyperparameters": {"n_epochs": 9, "batch_size": 8},
        "metadata": {"owner": "cx", "team": "us"},
        "seed": 5,
    }


@pytest.mark.parametrize(
    ("where", "place"),
    [
        (("base_model",), Span("finetunes/tone.yaml", 4, 13)),
        (("hyperparameters",), Span("finetunes/tone.yaml", 7, 3)),
        (("hyperparameters", "n_epochs"), Span("finetunes/tone.yaml", 7, 13)),
        (("hyperparameters", "batch_size"), Span("ftctl.yaml", 4, 46)),
        (("metadata", "owner"), Span("ftctl.yaml", 6, 12)),
        (("metadata", "team"), Span("finetunes/tone.yaml", 8, 18)),
        (("seed",), Span("ftctl.yaml", 8, 9)),
    ],
)
def test_each_value_keeps_the_place_that_set_it(
    write_project: Write, where: tuple[str, ...], place: Span
) -> None:
    own = FINETUNE + "hyperparameters:\n  n_epochs: 9\nmetadata: {team: us}\n"
    root = write_project(small_project(own, **{"ftctl.yaml": DEFAULTS}))

    document = the_one(loaded(root))

    assert document.place(where) == place


def test_a_grader_is_replaced_as_a_whole(write_project: Write) -> None:
    grader = "{type: python, name: a, source: 'x'}"
    defaults = f"project: demo\ndefaults:\n  grader: {grader.replace('python', 'lambda')}\n"
    own = (
        FINETUNE.replace("training", "validation: {source: ../data/v.jsonl}\ntraining")
        + f"method: reinforcement\ngrader: {grader}\n"
    )
    fit = defaults.replace(
        "type: lambda, name: a, source: 'x'", "type: lambda, lambda: {function: f}"
    )
    root = write_project(small_project(own, **{"ftctl.yaml": fit}))

    document = the_one(loaded(root))

    assert document.value["grader"] == {"type": "python", "name": "a", "source": "x"}


def test_defaults_do_not_reach_datasets(write_project: Write) -> None:
    dataset = "apiVersion: ftctl/v1\nkind: Dataset\nname: d\nsource: ../data/train.jsonl\n"
    root = write_project(small_project(**{"ftctl.yaml": DEFAULTS, "finetunes/d.yaml": dataset}))

    (document,) = loaded(root).datasets

    assert document.value == {
        "apiVersion": "ftctl/v1",
        "kind": "Dataset",
        "name": "d",
        "source": "../data/train.jsonl",
    }


def test_a_fault_in_the_defaults_is_told_once_and_at_its_place(write_project: Write) -> None:
    defaults = "project: demo\ndefaults:\n  seed: x\n"
    root = write_project(
        small_project(
            **{"ftctl.yaml": defaults, "finetunes/b.yaml": FINETUNE.replace("tone", "kind")}
        )
    )

    assert problems_of(root) == [
        (
            "ftctl.yaml:3:9: error[wrong-value]: 'seed' is 'x';"
            " expected a whole number from 0 to 2147483647"
        )
    ]


def test_faults_of_settings_and_of_manifests_are_told_together(write_project: Write) -> None:
    root = write_project(
        small_project(FINETUNE + "sed: 1\n", **{"ftctl.yaml": "project: Demo\nprune: yes\n"})
    )

    project, problems = load_project(root)

    assert project is None
    assert [(one.code, one.span.path) for one in problems] == [
        ("yaml-boolean", "ftctl.yaml"),
        ("wrong-value", "ftctl.yaml"),
        ("unknown-key", "finetunes/tone.yaml"),
    ]


def test_a_document_with_problems_is_left_out_and_named(write_project: Write) -> None:
    root = write_project(
        small_project(**{"finetunes/bad.yaml": FINETUNE.replace("tone", "bad") + "seed: x\n"})
    )

    project, problems = load_project(root)

    assert project is not None
    assert [document.value["name"] for document in project.finetunes] == ["tone"]
    assert (project.faulty, project.readable, len(problems)) == ({"bad"}, True, 1)


@pytest.mark.parametrize("value", ["[]", "3", "{a: 1}", "''", "~"])
@pytest.mark.parametrize(
    "key", ["project", "manifests", "provider", "environments", "defaults", "prune", "policy"]
)
def test_no_value_in_a_project_file_is_too_odd_to_be_told(
    write_project: Write, key: str, value: str
) -> None:
    text = {"project": "demo", key: value}
    root = write_project(
        small_project(**{"ftctl.yaml": "".join(f"{k}: {v}\n" for k, v in text.items())})
    )

    project, problems = load_project(root, None)
    _, chosen = load_project(root, "dev")

    assert (project is None) == (problems != ())
    assert any(problem.span.path == "ftctl.yaml" for problem in chosen)


def test_a_source_is_relative_to_the_file_that_names_it(write_project: Write, shell: Any) -> None:
    own = FINETUNE.replace("training: {source: ../data/train.jsonl}\n", "")
    write_project(
        {
            "ftctl.yaml": "project: demo\ndefaults:\n  training: {source: data/train.jsonl}\n",
            "finetunes/deep/down/tone.yaml": own,
            "data/train.jsonl": chat_rows(12),
        }
    )

    assert shell.ok("validate").out == "Valid: 1 fine-tune, 12 rows of data in 1 file.\n"


@pytest.mark.parametrize(
    ("start", "project", "hint"),
    [
        (".", "a/b", "the one in {0}/a/b with 'ftctl -C {0}/a/b …'"),
        ("data", ".", "the one in {0} with 'ftctl -C {0} …'"),
        ("finetunes/deep", ".", "the one in {0} with 'ftctl -C {0} …'"),
        (".", "a b", "one with 'ftctl -C DIR …'"),
        (".", "$(id)", "one with 'ftctl -C DIR …'"),
        (".", "one/two/three", "one with 'ftctl -C DIR …'"),
        (".", ".hidden", "one with 'ftctl -C DIR …'"),
        (".", "red\x1b[31m", "one with 'ftctl -C DIR …'"),
    ],
)  # fmt: skip
def test_where_no_project_is_the_one_nearby_is_named(
    write_project: Write, start: str, project: str, hint: str
) -> None:
    root = write_project({f"{project}/ftctl.yaml": "project: demo\n"})
    (root / start).mkdir(parents=True, exist_ok=True)

    (problem,) = load_project(root / start, None)[1]

    assert problem.code == "no-project"
    assert problem.hint == f"run 'ftctl init' to make a project here, or go to {hint.format(root)}"


def test_a_link_leads_to_no_project_nearby(write_project: Write) -> None:
    root = write_project({"real/deep/er/ftctl.yaml": "project: demo\n"})
    (root / "link").symlink_to(root / "real" / "deep" / "er")

    (problem,) = load_project(root, None)[1]

    assert problem.hint is not None
    assert problem.hint.endswith("go to one with 'ftctl -C DIR …'")
