"""A plan as JSON on standard input; the fine-tunes that nobody owns, and a status, out."""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> int:
    """0: every fine-tune that is trained has an owner. 1: some have none. 2: no plan of ours."""
    plan = json.load(sys.stdin)
    if plan["format_version"].partition(".")[0] != "1":
        say(f"this program does not know plans of version {plan['format_version']}")
        return 2
    without = [name for name, sent in trained(plan) if not sent.get("metadata", {}).get("owner")]
    for name in without:
        say(f"{name} has no owner: add 'metadata: {{owner: TEAM}}' to its manifest")
    return 1 if without else 0


def trained(plan: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The fine-tunes that the plan trains, now or later, with what the service is sent for them."""
    return [
        (change["name"], training["request"])
        for change in plan["changes"]
        for training in (*change["steps"], change["later"] or {})
        if "request" in training
    ]


def say(sentence: str) -> None:
    """What the refusal tells people."""
    sys.stdout.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
