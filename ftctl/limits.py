"""A plan and the project's policy in; a refusal where the plan does too much."""

from __future__ import annotations

from collections.abc import Mapping

from ftctl.changes import DeleteModel, Plan, StartJob
from ftctl.errors import Refused


def check_limits(plan: Plan, policy: Mapping[str, int]) -> None:
    """Raise `Refused` for the first limit of `policy` that the plan does not keep."""
    counted = (
        ("max_jobs_created", StartJob, "starts", "training job"),
        ("max_models_deleted", DeleteModel, "deletes", "model"),
    )
    for name, kind, verb, noun in counted:
        limit = policy.get(name)
        count = len(plan.steps(kind))
        if limit is not None and count > limit:
            plural = noun if count == 1 else f"{noun}s"
            raise Refused(
                f"the plan {verb} {count} {plural}; policy.{name} in ftctl.yaml allows {limit}",
                f"narrow it with --select NAME, or raise policy.{name}",
            )
