"""The scripts of the GitLab template as modules, to call what they are made of."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from forges.programs import ROOT

_FOLDER = ROOT / "ci" / "gitlab"


def _load(name: str, file: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, _FOLDER / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


# They name each other as they do where a job runs them, from their own folder.
FORGE = _load("forge", "forge.py")
APPROVAL = _load("approval", "approval.py")
JOB = _load("job", "job.py")
LABELS = _load("labels", "labels.py")
NOTES = _load("notes", "notes.py")
RECORD = _load("record", "record.py")
JOBS = _load("gitlab_jobs", "__main__.py")
