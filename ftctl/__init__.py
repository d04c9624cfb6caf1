"""ftctl: fine-tuning jobs as code, reviewed, reproducible and paid for exactly once.

`ftctl.model("NAME")` is for applications: the model that is in service, by ftctl.lock.
"""

from __future__ import annotations

from ftctl.lazy import lazily

__version__ = "0.1.0"

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.lockfile.lookup import NoRelease, UnknownAlias, UnknownFineTune, model, models

__all__ = ["NoRelease", "UnknownAlias", "UnknownFineTune", "__version__", "model", "models"]

_HOMES = {
    "NoRelease": "lockfile.lookup",
    "UnknownAlias": "lockfile.lookup",
    "UnknownFineTune": "lockfile.lookup",
    "model": "lockfile.lookup",
    "models": "lockfile.lookup",
}

__getattr__ = lazily(__name__, _HOMES)
