"""What users are told of money, over a wire: what is sent, what is answered, what was spent."""

from __future__ import annotations

from conftest import FINETUNE, Shell
from plain_server import World

THREE = FINETUNE + "hyperparameters: {n_epochs: 3, batch_size: 64}\nseed: 7\n"


def _trains(world: World, shell: Shell, **hyperparameters: object) -> None:
    """A job for the project's fine-tune that the service carries out in its own way."""
    (shell.folder / "finetunes" / "tone.yaml").write_text(THREE, "utf-8")
    world.finishes = False
    shell.ok("apply", "--auto-approve")
    world.jobs[0] |= {"hyperparameters": hyperparameters, "seed": 7}


def test_what_the_plan_shows_is_what_the_service_is_asked_for(remote: Shell, world: World) -> None:
    extra = "extra: {method: {supervised: {hyperparameters: {n_epochs: 50}}}}\n"
    (remote.folder / "finetunes" / "tone.yaml").write_text(THREE + extra, "utf-8")

    plan = remote.ok("plan").out
    remote.ok("apply", "--auto-approve")

    assert "supervised, batch_size 64, n_epochs 50, seed 7\n" in plan
    assert " × 50 epochs " in plan
    assert world.bodies[0]["method"]["supervised"]["hyperparameters"]["n_epochs"] == 50


def test_what_the_service_trains_otherwise_is_told_by_plan_and_status(
    remote: Shell, world: World
) -> None:
    _trains(world, remote, n_epochs=8, batch_size=1)
    words = "batch_size 1, asked was 64; n_epochs 8, asked was 3"

    plan = remote.ok("plan", "--detailed-exitcode")
    status = remote.ok("status")
    document = remote.ok("status", "--format", "json").json["tone"]

    assert f"Warning: ftjob-1 of tone trains with {words}." in plan.out
    assert f"{words}; estimated < $0.01" in status.out
    assert document["differences"] == [
        {"field": "batch_size", "asked": 64, "answered": 1},
        {"field": "n_epochs", "asked": 3, "answered": 8},
    ]


def test_an_answer_as_it_was_asked_for_is_told_by_nobody(remote: Shell, world: World) -> None:
    _trains(world, remote, n_epochs=3, batch_size=64, learning_rate_multiplier=1.8)

    assert "Warning: ftjob" not in remote.ok("plan").out
    assert remote.ok("status", "--format", "json").json["tone"]["differences"] == []
