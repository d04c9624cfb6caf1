"""One step of the action in; what it says on a pull request or in an issue out.

    python3 -I ci/github planning|comment|announce|result|issue|fetch|keep|bring|changed|waiting

These steps have GitHub's token and never the service's key. What a step with the key found lies in
files. Python's own library and `gh` are all that is used.
"""

from __future__ import annotations

import os
import sys

import drift
import planned
import projects
import record
import result
from forge import Api, Missing, Unanswered
from job import Job

_COMMANDS = {
    "planning": planned.announce,
    "comment": planned.comment,
    "announce": result.announce,
    "result": result.tell,
    "issue": drift.keep_issue,
    "fetch": record.fetch,
    "keep": record.keep,
    "bring": record.bring,
    "changed": projects.changed,
    "waiting": projects.waiting,
}


def main() -> int:
    """Run one step; its exit status."""
    job = Job(os.environ)
    try:
        return _COMMANDS[sys.argv[1]](Api(job.repository), job)
    except Missing as missing:
        job.fail(f"GitHub has nothing at {missing}")
    except Unanswered as unanswered:
        job.fail(str(unanswered))
    return 1


sys.exit(main())
