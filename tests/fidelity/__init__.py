"""What the tests say to the emulator and hear from it -> where the specification or the SDK differ.

A `Recorder` sees every exchange under /v1 of this process and keeps one of each kind: two values
are of one kind when no rule of the specification can tell them apart. A `Judge` holds what was kept
against the specification, and `sdk_violations` the answers against the SDK's own types. Emulators
in child processes are not seen.

| module | stage or noun |
|---|---|
| specification | the public document, and what can be asked of it |
| bodies | queries and bodies as sent -> values as the specification types them |
| exchanges | exchanges as they happen -> one of each kind |
| contradictions | what is right although it does not fit, by name |
| judge | exchanges -> what the specification has not |
| sdk | answers -> where the SDK's types do not take them |
| run | the whole run of the tests |
"""

from __future__ import annotations

from fidelity import _first  # noqa: F401 - before jsonschema
from fidelity.contradictions import EXPECTED_FAILURES, KNOWN_CONTRADICTIONS
from fidelity.exchanges import Recorder
from fidelity.judge import Judge
from fidelity.run import Hearing
from fidelity.sdk import sdk_violations
from fidelity.specification import MISSING, SPEC, Operation, load_specification

__all__ = [
    "EXPECTED_FAILURES",
    "KNOWN_CONTRADICTIONS",
    "MISSING",
    "SPEC",
    "Hearing",
    "Judge",
    "Operation",
    "Recorder",
    "load_specification",
    "sdk_violations",
]
