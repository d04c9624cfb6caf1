"""What is known of one base model at one service, as values; money is in US dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from ftctl.domain.config import BaseModelOverride
from ftctl.domain.desired import Format
from ftctl.errors import FtctlError

OWN = "ftctl.yaml"  # the source of what a project says itself


@dataclass(frozen=True, slots=True)
class Price:
    """What training costs. `as_of` is YYYY-MM or YYYY-MM-DD, or `ftctl.yaml` if that has none."""

    usd: Decimal
    per: Literal["million-tokens", "hour"]
    as_of: str
    source: str
    bills_validation: bool = False  # validation tokens too, once in every epoch


@dataclass(frozen=True, slots=True)
class BaseModelFacts:
    """A base model at a service. None: not known. `hourly` is what reinforcement costs there,

    where other methods have a price by the token. `formats` are those of supervised rows: that of
    other methods goes with the method. `images` and `tools` say whether rows may have them.
    """

    name: str
    training_context: int | None = None  # tokens of an example, after which it is cut
    encoding: str | None = None
    methods: frozenset[str] | None = None  # none at all: it is known, and cannot be trained
    shutdown: date | None = None  # of the model with its fine-tunes
    price: Price | None = None
    hourly: Price | None = None
    formats: frozenset[Format] | None = None
    images: bool | None = None
    tools: bool | None = None

    def price_of(self, method: str) -> Price | None:
        """The price of training by a method; None for a method that the model is not trained by."""
        if method == "reinforcement" and self.hourly is not None:
            return self.hourly
        trains = self.methods is None or method in self.methods
        return self.price if trains else None

    def overridden(self, own: BaseModelOverride, service: str) -> BaseModelFacts:
        """The facts with those of a project's `catalog: {SERVICE: {MODEL: …}}` before them."""
        where = f"catalog.{service}.{self.name}"
        tokens, hour = self._prices
        tokens = _own_price(tokens, own, "million-tokens", where)
        hour = _own_price(hour, own, "hour", where)
        stops = self.shutdown
        if own.shutdown is not None:
            stops = _day(own.shutdown, f"{where}.shutdown")
        return replace(
            self,
            training_context=own.training_context or self.training_context,
            encoding=own.encoding or self.encoding,
            methods=self.methods if own.methods is None else own.methods,
            formats=self.formats if own.formats is None else own.formats,
            images=self.images if own.images is None else own.images,
            tools=self.tools if own.tools is None else own.tools,
            shutdown=stops,
            price=tokens or hour,
            hourly=hour if tokens else None,
        )

    @property
    def _prices(self) -> tuple[Price | None, Price | None]:
        """By the token, and by the hour."""
        if self.price is not None and self.price.per == "hour":
            return None, self.price
        return self.price, self.hourly


@dataclass(frozen=True, slots=True)
class EpochRule:
    """How many epochs a service is said to choose; examples are rows times epochs."""

    target_epochs: int
    least_examples: int
    most_examples: int
    least_epochs: int
    most_epochs: int
    source: str

    def epochs(self, rows: int) -> int:
        """The epochs for a file of so many rows."""
        examples = rows * self.target_epochs
        if examples < self.least_examples:
            return min(self.most_epochs, self.least_examples // max(1, rows))
        if examples > self.most_examples:
            return max(self.least_epochs, self.most_examples // rows)
        return self.target_epochs


@dataclass(frozen=True, slots=True)
class TrainingPrices:
    """US dollars for a million tokens, by base model, as they were in some month (YYYY-MM)."""

    as_of: str
    usd_per_million: Mapping[str, Decimal]

    def of(self, model: str | None) -> Mapping[str, Decimal]:
        """Those of one model, or of all."""
        if model is None:
            return self.usd_per_million
        return {name: price for name, price in self.usd_per_million.items() if name == model}


def _own_price(
    shipped: Price | None,
    own: BaseModelOverride,
    per: Literal["million-tokens", "hour"],
    where: str,
) -> Price | None:
    """A price, or its date alone: then somebody has looked, and it is still the same."""
    key = "usd_per_hour" if per == "hour" else "usd_per_million_tokens"
    usd = own.usd_per_hour if per == "hour" else own.usd_per_million_tokens
    price = shipped
    if usd is not None:
        if not usd.is_finite():
            message = f"{where}.{key} in ftctl.yaml is {float(usd)}; expected dollars"
            raise FtctlError(message, "write a number")
        price = Price(usd, per, OWN, OWN, shipped is not None and shipped.bills_validation)
    if price is not None and own.as_of is not None:
        price = replace(price, as_of=own.as_of, source=OWN)
    if price is not None and own.bills_validation is not None:
        price = replace(price, bills_validation=own.bills_validation)
    return price


def _day(value: str, where: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        message = f"{where} in ftctl.yaml is '{value}', which is no day"
        raise FtctlError(message, "write it as YYYY-MM-DD, such as 2027-01-14") from None
