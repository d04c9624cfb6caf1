"""Exchanges -> what the specification has not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from jsonschema.exceptions import best_match

from fidelity.bodies import Unreadable
from fidelity.contradictions import EXPECTED_FAILURES, as_meant
from fidelity.exchanges import Answered, Asked
from fidelity.specification import OUTSIDE, Rules, Specification


@dataclass(frozen=True)
class Violation:
    """What is wrong with a kind of exchange, and the test that met it first."""

    operation: str
    side: str
    fault: str
    test: str

    def __str__(self) -> str:
        return f"{self.operation or 'outside'}, {self.side}: {self.fault} [{self.test}]"


@dataclass
class Judge:
    """Holds exchanges against the specification; remembers what it excused."""

    specification: Specification
    used: Counter[str] = field(default_factory=Counter)

    def violations(self, kept: Iterable[Asked | Answered]) -> list[Violation]:
        """Everything that the specification does not have, in the order of its first meeting."""
        found = []
        for one in kept:
            side = "request" if isinstance(one, Asked) else f"answer {one.status}"
            faults = self._asked(one) if isinstance(one, Asked) else self._answered(one)
            found += [Violation(one.operation.name, side, fault, one.test) for fault in faults]
        return found

    def _asked(self, asked: Asked) -> Iterator[str]:
        if asked.operation is OUTSIDE:
            yield "granted, though the specification has no such operation"
            return
        for name, value in asked.query.items():
            if name in asked.operation.parameters:  # others are passed over, as is usual
                yield from self._faults(asked.operation.parameters[name], value, f"query.{name}")
        if asked.operation.bodies:
            body = asked.operation.bodies.get(asked.content_type)
            if body is None:
                yield f"a body of type {asked.content_type} is not in the specification"
            else:
                yield from self._faults(body, asked.body, "body")

    def _answered(self, answered: Answered) -> Iterator[str]:
        if answered.failed:
            name = answered.test.rpartition("::")[2]
            if name in EXPECTED_FAILURES:
                self.used[name] += 1
            else:
                yield f"the emulator failed: {answered.body}"
            return
        schemas = answered.operation.answers(answered.status)
        if answered.operation is OUTSIDE and answered.status >= 400:
            schemas = {"application/json": self.specification.error}
        if schemas is None:
            yield "the status is not in the specification"
        elif answered.content_type not in schemas:
            yield f"the content type {answered.content_type!r} is not in the specification"
        else:
            yield from self._faults(schemas[answered.content_type], answered.body, "body")

    def _faults(self, schema: Rules, value: object, where: str) -> Iterator[str]:
        if isinstance(value, Unreadable):
            yield f"{where} cannot be read: {value.start!r}"
            return
        errors = self.specification.errors(schema, value)
        if errors:
            meant, names = as_meant(value)
            if names:
                errors = self.specification.errors(schema, meant)
                self.used.update(names)
        worst = best_match(errors)
        if worst is not None:
            yield f"{where}{worst.json_path.removeprefix('$')}: {worst.message[:200]}"
