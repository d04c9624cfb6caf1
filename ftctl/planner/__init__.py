"""`Desired` and `Observed` in, a `Plan` out."""

from ftctl.planner.decision_table import TABLE
from ftctl.planner.evidence import EVIDENCE
from ftctl.planner.options import PlanOptions
from ftctl.planner.planner import make_plan, models_not_visible
from ftctl.planner.scope import Scope

__all__ = ["EVIDENCE", "TABLE", "PlanOptions", "Scope", "make_plan", "models_not_visible"]
