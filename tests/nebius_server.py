"""A stand-in for Nebius Token Factory, as far as its published schema of jobs tells (2026-11).

A job has no `fine_tuned_model` and no metadata, tells its rate as `learning_rate`, and leaves
checkpoints without a model's name; a model is served once it was asked for by job and checkpoint.
What the service does besides is not known here, and nothing of it is made up.
"""

from __future__ import annotations

from typing import Any

from plain_server import Answer, World

_OWN_RATE = 1e-5  # where none is asked for by the name that the schema has


def nebius_world() -> World:
    """A service whose jobs are as the schema has them."""
    world = World(keeps_metadata=False, names_models=False, lists_models=False, tells=_tells)
    world.before = lambda method, path: _special(world, method, path)
    return world


def _tells(body: dict[str, Any]) -> dict[str, Any]:
    asked = body.get("hyperparameters", {})
    rate = asked.get("learning_rate", _OWN_RATE)
    kept = {name: value for name, value in asked.items() if name != "learning_rate_multiplier"}
    return {
        "hyperparameters": kept | {"learning_rate": rate},
        "suffix": body.get("suffix"),
        "method": body.get("method"),
        "tags": body.get("tags"),
        "integrations": body.get("integrations"),
        "trained_tokens": 1000,
    }


def _special(world: World, method: str, path: str) -> Answer | None:
    match method, path.strip("/").split("/"):
        case "GET", ["fine_tuning", "jobs", job, "checkpoints"]:
            checkpoint = {
                "id": f"ftckpt-{job[6:]}",
                "fine_tuning_job_id": job,
                "step_number": 12,
                "created_at": 1_790_000_100,
                "result_files": ["file-weights"],
            }
            return 200, {"object": "list", "data": [checkpoint], "has_more": False}
        case "GET" | "DELETE", ["models", model] if model.startswith("ftjob-"):
            return 404, {"error": {"message": f"no model {model}"}}
    return None
