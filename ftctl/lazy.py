"""Names of a package that load the module behind them on first use."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take the name as true; `typing` itself costs 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """What a package sets as its `__getattr__`; `homes` has each name's module in the package."""

    def load(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package}.{home}"), name)
        return value

    return load
