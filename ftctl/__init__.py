"""ftctl: fine-tuning jobs as code, reviewed, reproducible and paid for exactly once.

`ftctl.model("NAME")` is for applications: the model that is in service, by ftctl.lock.
`ftctl.Workspace` is for programs: what the command line does, as values and without words.
"""

from __future__ import annotations

from ftctl.lazy import lazily

__version__ = "0.1.0"

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.engine.planning import PlanRequest
    from ftctl.engine.workspace import Workspace
    from ftctl.errors import Diagnostic, FtctlError
    from ftctl.lockfile.lookup import NoRelease, UnknownAlias, UnknownFineTune, model, models

__all__ = [
    "Diagnostic",
    "FtctlError",
    "NoRelease",
    "PlanRequest",
    "UnknownAlias",
    "UnknownFineTune",
    "Workspace",
    "__version__",
    "model",
    "models",
]

_HOMES = {
    "Diagnostic": "errors",
    "FtctlError": "errors",
    "NoRelease": "lockfile.lookup",
    "PlanRequest": "engine.planning",
    "UnknownAlias": "lockfile.lookup",
    "UnknownFineTune": "lockfile.lookup",
    "Workspace": "engine.workspace",
    "model": "lockfile.lookup",
    "models": "lockfile.lookup",
}

__getattr__ = lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    """What is public; the wings of the house are not."""
    return sorted(__all__)
