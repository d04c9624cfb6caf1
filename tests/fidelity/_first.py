"""Imported before jsonschema: it would load grammars for a check that no schema here asks for.

They take a second, in each process of a run of the tests.
"""

from __future__ import annotations

import sys
from typing import Any, cast

cast(dict[str, Any], sys.modules).setdefault("rfc3987_syntax", None)
