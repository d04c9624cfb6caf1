"""Who may import what: the house's plan, held against the code."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from conftest import ROOT

PACKAGE = ROOT / "ftctl"

# Each third-party package has one door: the wing that imports it.
DOORS = {
    "yaml": {"manifest"},
    "jsonschema": {"manifest"},
    "referencing": {"manifest"},
    "deepdiff": {"planner"},
    "openai": {"providers", "testing"},
    "httpx2": {"identity", "providers", "emulator", "testing"},
    "numpy": {"numeric", "data"},  # in `data` for its types alone
    "tiktoken": {"data"},
    "pytest": {"testing"},
    "python_multipart": {"emulator"},
    "click": {"cli"},
    "platformdirs": {"user_folders"},
    "orjson": {"data"},
    "jsonschema_rs": {"data"},
    "chardet": {"data"},
    "phonenumbers": {"data"},
    "py3langid": {"data"},
    "gigatoken": {"data"},  # an extra, as are those below
    "fsspec": {"data"},
    "aiohttp": {"data"},
    "openpyxl": {"data"},
    "pyarrow": {"data"},
    "azure": {"identity"},
    "botocore": {"identity"},
    "aws_bedrock_token_generator": {"identity"},
}

# The wings in the order of the flow: each may use those before it.
ORDER = [
    "lazy", "numeric", "text", "errors", "files", "git_index", "user_folders", "extras", "clock",
    "domain", "manifest", "catalog", "data", "project", "identity", "providers",
    "planner", "pricing", "policy",
    "apply", "lockfile", "reports", "engine", "importer", "doctor", "cli", "__main__",
]  # fmt: skip

# Inside the largest wing, the rooms in the same way.
ROOMS = {
    "data": [
        "encodings", "sources", "quality", "tokens", "formats", "scanning", "convert", "stats",
        "diff", "cache",
    ],
}  # fmt: skip

# Wings, and rooms of others, that only think: no file, socket, clock, randomness or environment.
# What a library loads of its own, as py3langid its model, is part of the library.
PURE = {
    "errors", "text", "domain", "planner", "pricing", "policy", "reports", "manifest/scalars",
    "project/link", "project/resolve", "catalog/services", "catalog/request", "catalog/answer",
    "providers/protocol", "providers/ownership", "apply/follow", "data/stats", "data/diff",
    "data/quality",
}  # fmt: skip
PURE_THROUGHOUT = {"errors", "text", "domain", "planner", "pricing", "policy", "reports"}
IMPURE = {
    "os", "io", "socket", "ssl", "http", "subprocess", "time", "random", "secrets", "uuid",
    "shutil", "tempfile", "glob", "sqlite3", "threading", "multiprocessing", "asyncio",
}  # fmt: skip
IMPURE_CALLS = {
    "open(", ".read_text(", ".read_bytes(", ".write_text(", ".write_bytes(", ".exists(",
    ".is_file(", ".is_dir(", ".iterdir(", ".stat(", ".resolve(", "today(", "datetime.now(",
}  # fmt: skip


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(node.module or "")
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@cache
def _ours() -> list[tuple[Path, str, set[str]]]:
    """Each file, its wing and what it imports; read when it is asked for, as it takes seconds."""
    return [(path, _room(path), _imports(path)) for path in FILES]


def test_each_third_party_package_has_one_door() -> None:
    for path, room, names in _ours():
        for package in {name.partition(".")[0] for name in names}:
            if package not in sys.stdlib_module_names and package != "ftctl":
                assert room in DOORS.get(package, set()), f"{path} imports {package}"


def test_a_wing_uses_only_those_before_it() -> None:
    for path, room, names in _ours():
        if room in ("emulator", "testing", "__init__"):
            continue
        for name in names:
            if name.startswith("ftctl."):
                other = name.split(".")[1]
                if other == "emulator":
                    assert room in ("cli", "engine", "testing"), f"{path} imports the emulator"
                elif other != room:
                    assert ORDER.index(other) < ORDER.index(room), f"{path} imports {other}"


def test_the_flow_tells_of_every_wing_and_of_no_other() -> None:
    text = (ROOT / "docs" / "flow.md").read_text("utf-8")
    told = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)

    there = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if _is_wing(path)}
    assert told == [*ORDER, "emulator", "testing"]
    assert set(told) == there


def _is_wing(path: Path) -> bool:
    if path.is_dir():
        return (path / "__init__.py").is_file()
    return path.suffix == ".py" and path.stem != "__init__"


def test_a_room_uses_only_those_before_it() -> None:
    for wing, order in ROOMS.items():
        for path, room, names in _ours():
            if room != wing or path.parent == PACKAGE / wing:
                continue
            own = path.relative_to(PACKAGE / wing).parts[0]
            for name in names:
                parts = name.split(".")
                if parts[:2] == ["ftctl", wing] and len(parts) > 2 and parts[2] != own:
                    assert order.index(parts[2]) < order.index(own), f"{path} imports {parts[2]}"


_EMULATOR_USES = ("ftctl.emulator", "ftctl.data.tokens", "ftctl.lazy", "ftctl.numeric")


def test_the_emulator_imports_nothing_of_the_rest() -> None:
    for path, room, names in _ours():
        if room == "emulator":
            # Vocabularies are public data: what a text is billed for is the same on both sides.
            ours = (name for name in names if name.partition(".")[0] == "ftctl")
            foreign = {name for name in ours if not name.startswith(_EMULATOR_USES)}
            assert not foreign, path


def _touches(path: Path) -> set[str]:
    """What of the world outside a module uses, wherever in it."""
    text = path.read_text("utf-8")
    return {one.partition(".")[0] for one in _imports(path)} & IMPURE | {
        call for call in IMPURE_CALLS if call in text
    }


def test_stages_that_think_touch_nothing() -> None:
    for path, _wing, _names in _ours():
        place = path.relative_to(PACKAGE).with_suffix("").as_posix()
        if any(f"{place}/".startswith(f"{pure}/") for pure in PURE):
            assert not _touches(path), path


def test_no_package_offers_a_name_that_one_of_its_modules_has() -> None:
    # Whoever imports the module first would find it where the name was meant.
    for path in FILES:
        if path.name == "__init__.py":
            offered = set(getattr(import_module(_module(path)), "__all__", ()))
            modules = {place.stem for place in path.parent.iterdir()}
            assert not offered & modules, path


def test_wings_that_think_touch_nothing_through_what_they_import() -> None:
    for path, wing, _names in _ours():
        if wing in PURE_THROUGHOUT:
            for reached in _reached(_module(path)):
                assert not _touches(FILE_OF[reached]), f"{path} imports {reached}"


def test_purity_is_seen_through_packages_and_names_that_load_late() -> None:
    assert "ftctl.catalog.shipped" in _reached("ftctl.data.stats.row_tokens")  # by load_catalog
    assert "ftctl.manifest.manifest_files" in _reached(
        "ftctl.project.service_limits"
    )  # by a package
    assert _touches(FILE_OF["ftctl.catalog.shipped"]) == {".read_text("}


def _module(path: Path) -> str:
    """Its name, as it is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILE_OF = {_module(path): path for path in FILES}


def _reached(module: str) -> set[str]:
    """Every module of ours that runs when this one is imported, itself included."""
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in FILE_OF and name not in reached:
            reached.add(name)
            waiting += [name.rpartition(".")[0], *_imported_at_once(FILE_OF[name])]
    return reached


@cache
def _imported_at_once(path: Path) -> tuple[str, ...]:
    """The modules behind what a file imports as it is loaded; other names are in it as well."""
    found: list[str] = []
    for node in _run_at_once(ast.parse(path.read_text("utf-8")).body):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module in FILE_OF:
            homes = getattr(import_module(node.module), "_HOMES", {})
            names = [alias.name for alias in node.names]
            found += [node.module, *(f"{node.module}.{homes.get(name, name)}" for name in names)]
    return tuple(found)


def _run_at_once(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module but for those in functions and for type checkers."""
    for node in body:
        yield node
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                continue
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from _run_at_once(node.orelse)
            case _:
                for part in ("body", "orelse", "handlers", "finalbody"):
                    yield from _run_at_once(getattr(node, part, ()))


def test_no_name_that_loads_late_is_that_of_a_module_beside_it() -> None:
    """Once that module was imported, it would stand in the name's place."""
    for package in (_module(path) for path in FILES if path.name == "__init__.py"):
        for name in getattr(import_module(package), "_HOMES", ()):
            assert f"{package}.{name}" not in FILE_OF


def test_only_the_console_script_sets_how_the_interpreter_collects_garbage() -> None:
    for path, wing, names in _ours():
        assert "gc" not in names or wing == "__main__", path
