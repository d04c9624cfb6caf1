"""The table of attacks: of each area, how many inputs were tried, and how many got through."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

_HERE = Path(__file__).parent.name


# Areas whose inputs start processes or train: each run tries every fourth of a test's many inputs,
# `--attack-all` every one.
_SLOW = frozenset({
    "bombs", "caches", "chain", "gitlab", "install", "pull requests", "service words",
})  # fmt: skip
_MANY = 8
_EVERY = 4


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave a part of the slow inputs to the long form."""
    if config.getoption("--attack-all"):
        return
    by_test: dict[str, list[pytest.Item]] = {}
    for item in items:
        if area_of(item.nodeid) in _SLOW:
            by_test.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left_out = {
        id(item)
        for inputs in by_test.values()
        if len(inputs) > _MANY
        for number, item in enumerate(inputs)
        if number % _EVERY
    }
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
        items[:] = [item for item in items if id(item) not in left_out]


def area_of(node: str) -> str | None:
    """The area of a test's id, `…attacks/test_keys.py::…`; None for a test that is no attack."""
    path = Path(node.partition("::")[0])
    if path.parent.name != _HERE:
        return None
    return path.stem.removeprefix("test_").replace("_", " ")


def table(tried: Counter[str], through: Counter[str]) -> list[str]:
    """A line for each area and one for all of them."""
    width = max(map(len, [*tried, "area"]))
    lines = [f"{'area':<{width}}  tried  got through"]
    lines += [f"{area:<{width}}  {tried[area]:>5}  {through[area]:>11}" for area in sorted(tried)]
    return [*lines, f"{'all':<{width}}  {tried.total():>5}  {through.total():>11}"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table. An input that was skipped was not tried."""
    attacks: dict[str, bool] = {}  # by the test's id: whether it got through
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            through = outcome != "passed"
            if report.when == "call" or through:
                attacks[report.nodeid] = attacks.get(report.nodeid, False) or through
    areas = {node: area for node in attacks if (area := area_of(node)) is not None}
    tried = Counter(areas.values())
    through_by_area = Counter(area for node, area in areas.items() if attacks[node])
    if tried:
        terminalreporter.section("attacks")
        for line in table(tried, through_by_area):
            terminalreporter.write_line(line)
