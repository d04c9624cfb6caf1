"""What is wrong with a row or a file on its way through a conversion, as an exception."""

from __future__ import annotations

from ftctl.data.formats.findings import Finding


class RowFault(Exception):
    """One row cannot be converted; the next one may."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


class FileFault(Exception):
    """Nothing after this place of the file can be read."""

    def __init__(self, finding: Finding, number: int | None = None) -> None:
        super().__init__(finding.code)
        self.finding = finding
        self.number = number  # line or row


class TemplateFault(Exception):
    """The template of this role is at fault, not the file."""

    def __init__(self, finding: Finding, role: str) -> None:
        super().__init__(finding.code)
        self.finding = finding
        self.role = role
