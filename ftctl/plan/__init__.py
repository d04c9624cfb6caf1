"""`Desired` and `Observed` in, a `Plan` out."""

from ftctl.plan.make import PlanOptions, make_plan, models_taken_for_deleted
from ftctl.plan.table import TABLE

__all__ = ["TABLE", "PlanOptions", "make_plan", "models_taken_for_deleted"]
