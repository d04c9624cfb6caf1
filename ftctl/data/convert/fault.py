"""What is wrong with a row or a file on its way through a conversion, as an exception."""

from __future__ import annotations

from ftctl.errors import Finding


class ConversionFault(Exception):
    """A finding that ends a conversion, or that of a row."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


class RowFault(ConversionFault):
    """One row cannot be converted; the next one may."""


class FileFault(ConversionFault):
    """Nothing after this place of the file, a line or row, can be read."""

    def __init__(self, finding: Finding, line: int | None = None) -> None:
        super().__init__(finding._replace(line=line))


class TemplateFault(ConversionFault):
    """The template of this role is at fault, not the file."""

    def __init__(self, finding: Finding, role: str) -> None:
        super().__init__(finding)
        self.role = role
