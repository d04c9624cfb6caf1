"""Two names of base models in; whether services call the same model so, out."""

from __future__ import annotations

import re
from collections.abc import Mapping

_VERSION = re.compile(r"[-@:](\d{4}-\d{2}-\d{2}|\d{3,8}|latest)$")


def same_model_name(asked: str, answered: str, aliases: Mapping[str, str]) -> bool:
    """Whether an answer's model is the one that was asked for, under a name of the service's.

    It may be the snapshot of an alias, and may have lost or got the vendor before it. `aliases`
    leads from names that move to snapshots.
    """
    names = _short(asked), _short(answered)
    one, other = (aliases.get(name, name) for name in names)
    if one == other:
        return True
    (stem, version), (other_stem, other_version) = map(_split, names)
    return stem == other_stem and not (version and other_version)


def _short(model: str) -> str:
    """A name without its vendor, in small letters."""
    return model.rpartition("/")[2].lower().removeprefix("openai.")


def _split(model: str) -> tuple[str, str]:
    """A name, and the version at its end; "" where it leaves that to the service."""
    version = _VERSION.search(model)
    if version is None:
        return model, ""
    return model[: version.start()], version[1].removeprefix("latest")
