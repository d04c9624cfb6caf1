"""What stands in the way of training, each with what to do: facts in, results of checks out."""

from ftctl.doctor.check_result import CheckResult, fail, ok, results_document, warn

__all__ = ["CheckResult", "fail", "ok", "results_document", "warn"]
