"""`500` or `0.1` or `10%` on the command line, as rows or as a share of them."""

from __future__ import annotations

import re

import click

Amount = int | float  # rows from 1, or a share above 0 and below 1

_SHARE = re.compile(r"0?\.\d+")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


class _Rows(click.ParamType):  # type: ignore[type-arg] # click before 8.4 has none
    name = "rows"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Amount:
        if isinstance(value, int | float):
            return value
        text = str(value).strip()
        amount: Amount = 0
        if text.isascii() and text.isdigit() and len(text) < 13:
            amount = int(text)
        elif percent := _PERCENT.fullmatch(text):
            amount = float(percent[1]) / 100
        elif _SHARE.fullmatch(text):
            amount = float(text)
        if amount and (isinstance(amount, int) or 0 < amount < 1):
            return amount
        return self.fail(f"'{value}' is no number of rows; write 500, 0.1 or 10%", param, ctx)


ROWS = _Rows()
