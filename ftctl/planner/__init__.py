"""`Desired` and `Observed` in, a `Plan` out."""

from ftctl.planner.decision_table import TABLE
from ftctl.planner.planner import PlanOptions, make_plan, models_taken_for_deleted

__all__ = ["TABLE", "PlanOptions", "make_plan", "models_taken_for_deleted"]
