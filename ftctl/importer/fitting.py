"""A draft in, one that the project's own reader takes out: what breaks a rule is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ftctl.errors import Diagnostic
from ftctl.importer.manifest_draft import NEEDED, Draft
from ftctl.manifest import Document, parse_documents
from ftctl.manifest.layers import with_defaults
from ftctl.manifest.schema import check_document

Judge = Callable[[Document], Iterable[Diagnostic]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A draft that can be written, and its document with the project's defaults under it."""

    draft: Draft
    document: Document


def fit(draft: Draft, shown: str, defaults: Document, judge: Judge) -> Fitted | str:
    """The draft without what is refused, or why no manifest can stand for the job.

    `shown` is the manifest's path to be; `judge` is what the service has against a document.
    """
    while True:
        documents, problems = parse_documents(draft.text.encode(), shown)
        if len(documents) == 1 and not problems:
            document = with_defaults(documents[0], defaults)
            problems = (*check_document(document, "finetune"), *judge(document))
            problems = tuple(one for one in problems if one.severity == "error")
            if not problems:
                return Fitted(draft, document)
        if not problems:
            return "its manifest cannot be read again"
        name = _field_of(problems[0], draft, shown)
        if name is None or name in NEEDED or name not in draft.fields:
            return problems[0].message
        draft = draft.without(name, problems[0].message)


def _field_of(problem: Diagnostic, draft: Draft, shown: str) -> str | None:
    """The field in whose lines a problem stands; None for one of the project's defaults."""
    line = problem.span.line
    lines = draft.lines
    if problem.span.path != shown or line is None or line > len(lines):
        return None
    return lines[line - 1]
