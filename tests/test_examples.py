"""Every example, and our own manifests, validate, plan and apply on the embedded API."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DATA, ROOT, HandClock, Shell, let_run

from ftctl.cli.main import run
from ftctl.cli.settings import Settings

EXAMPLES = sorted(
    path.name for path in (ROOT / "examples").iterdir() if (path / "ftctl.yaml").is_file()
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_validates_plans_and_applies_once(
    name: str, example: Callable[[str], Shell]
) -> None:
    shell = example(name)
    let_run(shell.folder, ("python3", "policy/owner.py"))

    shell.ok("validate")
    assert shell("plan", "--detailed-exitcode").status == 2
    shell.ok("apply", "--auto-approve", "--wait")

    assert shell("plan", "--detailed-exitcode").status == 0
    models = shell.ok("output", "--format", "json").json
    assert models
    assert all(entry["status"] == "succeeded" for entry in models.values())
    shell.ok("destroy", "--auto-approve")
    assert "Nothing to do" in shell.ok("destroy").out


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_what_it_shows(name: str) -> None:
    folder = ROOT / "examples" / name

    assert (folder / "README.md").read_text("utf-8").startswith("# ")
    assert name in (ROOT / "examples" / "README.md").read_text("utf-8")
    for manifest in (folder / "finetunes").glob("*.yaml"):
        first = manifest.read_text("utf-8").partition("\n")[0]
        schema = (manifest.parent / first.partition("$schema=")[2]).resolve()
        assert schema.is_file(), first


def test_our_own_manifests_are_valid_and_apply(shell: Shell) -> None:
    shutil.copy(ROOT / "ftctl.yaml", shell.folder)
    shutil.copytree(ROOT / "finetunes", shell.folder / "finetunes")

    shell.ok("apply", "--auto-approve", "--wait")

    assert "Nothing to do" in shell.ok("plan").out


EMOTION = """\
apiVersion: ftctl/v1
kind: Dataset
name: emotion-train
source: {train}
---
apiVersion: ftctl/v1
kind: Dataset
name: emotion-validation
source: ../data/validation.jsonl
---
apiVersion: ftctl/v1
kind: FineTune
name: emotion
base_model: gpt-4.1-mini-2025-04-14
training: emotion-train
validation: emotion-validation
hyperparameters: {{n_epochs: {epochs}}}
seed: 7
suffix: {suffix}
integrations: {{wandb: {{project: emotion, tags: [{tag}]}}}}
metadata: {{owner: {owner}}}
"""

_EMOTION = {
    "train": "../data/train.jsonl",
    "epochs": "3",
    "suffix": "emotion",
    "tag": "ci",
    "owner": "cx",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A project on the real data, trained, and the time at which it was."""
    if not (DATA / "emotion").is_dir():
        pytest.skip(f"the real data is not at {DATA}")
    folder = tmp_path_factory.mktemp("emotion")
    shutil.copytree(DATA / "emotion", folder / "data", copy_function=shutil.copyfile)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    (folder / "finetunes").mkdir()
    (folder / "ftctl.yaml").write_text("project: emotion\n", "utf-8")
    (folder / "finetunes" / "emotion.yaml").write_text(EMOTION.format(**_EMOTION), "utf-8")
    clock = HandClock()
    settings = Settings(clock=clock, environ={}, folder=folder)
    assert run(("apply", "--auto-approve", "--wait"), settings) == 0
    return folder, clock.time


@pytest.fixture
def emotion(shell: Shell, trained: tuple[Path, float]) -> Callable[..., Shell]:
    """A copy of that project; call it to change the manifest."""
    folder, shell.clock.time = trained
    shutil.copytree(folder, shell.folder, dirs_exist_ok=True)

    def write(**changes: str) -> Shell:
        text = EMOTION.format(**{**_EMOTION, **changes})
        (shell.folder / "finetunes" / "emotion.yaml").write_text(text, "utf-8")
        return shell

    write()
    return write


def test_real_data_is_bought_once(emotion: Callable[..., Shell]) -> None:
    shell = emotion()

    result = shell.ok("apply", "--auto-approve")

    assert "emotion: no-op, up to date as ft:gpt-4.1-mini-2025-04-14:" in result.out
    assert shell.requests("apply") == [
        "GET /v1/files?limit=10000",
        "GET /v1/fine_tuning/jobs?limit=100&metadata%5Bftctl_project%5D=emotion",
        "GET /v1/models",
    ]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"suffix": "mood"}, "suffix emotion → mood"),
        ({"tag": "nightly"}, "integrations.wandb.tags[0] ci → nightly"),
        ({"owner": "ml"}, "metadata.owner cx → ml"),
        ({"epochs": "3.0"}, None),
        ({"epochs": "3, batch_size: auto"}, None),
    ],
)
def test_a_cosmetic_change_costs_nothing_and_the_plan_says_so(
    emotion: Callable[..., Shell], changes: dict[str, str], shown: str | None
) -> None:
    shell = emotion(**changes)

    result = shell("plan", "--detailed-exitcode")

    assert result.status == 0
    assert "Nothing to do, nothing to pay." in result.out
    if shown is None:
        assert "~" not in result.out
    else:
        assert f"~ {shown} (costs nothing: takes effect with the next training" in result.out


def test_a_renamed_data_file_costs_nothing(emotion: Callable[..., Shell]) -> None:
    shell = emotion(train="../data/renamed.jsonl")
    (shell.folder / "data" / "train.jsonl").rename(shell.folder / "data" / "renamed.jsonl")

    result = shell("plan", "--detailed-exitcode")

    assert result.status == 0
    assert "~" not in result.out


def test_other_validation_data_costs_nothing(emotion: Callable[..., Shell]) -> None:
    shell = emotion()
    path = shell.folder / "data" / "validation.jsonl"
    path.write_text(path.read_text("utf-8").partition("\n")[2], "utf-8")

    result = shell("plan", "--detailed-exitcode")

    assert result.status == 0
    assert "~ validation " in result.out


def _one_byte(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"joy", b"Joy", 1))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("n_epochs: 3", "n_epochs: 4", "replace, hyperparameters.n_epochs 3 → 4"),
        ("gpt-4.1-mini", "gpt-4.1", "replace, base_model gpt-4.1-mini-2025-04-14 → gpt-4.1-2025-"),
        ("seed: 7", "seed: 8", "replace, seed 7 → 8"),
    ],
)
def test_a_material_change_trains_again_and_the_plan_names_it(
    emotion: Callable[..., Shell], old: str, new: str, told: str
) -> None:
    shell = emotion()
    path = shell.folder / "finetunes" / "emotion.yaml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")

    result = shell("plan", "--detailed-exitcode")

    assert result.status == 2
    assert told in result.out


def test_one_byte_of_training_data_trains_again(emotion: Callable[..., Shell]) -> None:
    shell = emotion()
    _one_byte(shell.folder / "data" / "train.jsonl")

    result = shell("plan", "--detailed-exitcode")

    assert result.status == 2
    assert "± emotion: replace, training " in result.out
    assert "upload  data/train.jsonl" in result.out
