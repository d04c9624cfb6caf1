"""`Desired` and `Observed` in, a `Plan` out."""

from ftctl.plan.make import PlanOptions, make_plan
from ftctl.plan.table import TABLE

__all__ = ["TABLE", "PlanOptions", "make_plan"]
