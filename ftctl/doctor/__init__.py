"""What stands in the way of training, each with what to do: facts in, findings out."""

from ftctl.doctor.finding import Finding, fail, findings_document, ok, warn

__all__ = ["Finding", "fail", "findings_document", "ok", "warn"]
