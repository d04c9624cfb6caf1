"""`90s`, `30m`, `2h`, `1h30m` on the command line, as seconds."""

from __future__ import annotations

import re

import click

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


class _Duration(click.ParamType):  # type: ignore[type-arg] # click before 8.4 has none
    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        text = str(value).strip().lower()
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return float(text)
        if text and not _PART.sub("", text):
            return sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(text))
        return self.fail(f"'{value}' is no duration; write 90s, 30m, 2h or 1h30m", param, ctx)


DURATION = _Duration()
