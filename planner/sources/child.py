"""The child that parses untrusted files: takes limits, runs one reader, says how it went.

``python -m planner.sources.child`` with a job on stdin; ``planner.sources.isolation`` starts it.
Heavy libraries are loaded by the readers, after the limits are in force.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from planner.errors import BadInput, NoSpace, WherryError
from planner.names import visible

# A reader is called with the path, the staging file it may write, a report, and the job's options.
READERS = {
    "document": "planner.sources.document:stage",
    "rows": "planner.sources.rows:stage",
    "rvtools": "planner.sources.rvtools:stage",
}


def _limit(bounds: Mapping[str, int]) -> None:
    wanted = (
        (resource.RLIMIT_AS, bounds["memory_bytes"]),
        (resource.RLIMIT_CPU, bounds["cpu_s"]),
        (resource.RLIMIT_FSIZE, bounds["file_bytes"]),
        (resource.RLIMIT_CORE, 0),
    )
    for which, most in wanted:
        _, hard = resource.getrlimit(which)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (allowed, allowed))


def _say(words: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _report(done: int, total: int) -> None:
    _say({"at": [done, total]})


def _explained(error: BaseException, path: Path) -> WherryError | None:
    """Return the refusal for an error that is the file's fault or the disk's, None for a bug of ours."""
    import sqlite3

    shown = visible(path.name, 80)
    if isinstance(error, WherryError):
        return error
    if isinstance(error, sqlite3.OperationalError):
        return NoSpace(
            f"{shown} cannot be staged: {error}", "free space for temporary files, or set TMPDIR elsewhere"
        )
    if isinstance(error, RecursionError):
        return BadInput(f"{shown} is refused: it is nested deeper than any export", "export it again")
    if isinstance(error, MemoryError):
        return None
    if type(error).__name__ == "PanicException":
        # A panic of the parser is no Exception; it means a crafted or broken file, not our bug.
        return BadInput(f"{shown} is damaged: its parser gives up on it", "export it again")
    return None


def main() -> int:
    """Do the job that stands on stdin; 0 when it is done, 2 when the file is refused."""
    job: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    _limit(job["bounds"])
    path = Path(job["path"])
    module, _, function = READERS[job["reader"]].partition(":")
    try:
        stage = getattr(importlib.import_module(module), function)
        stage(path, Path(job["staging"]), _report, **job["options"])
    except BaseException as error:
        refusal = _explained(error, path)
        if refusal is None:
            raise
        _say({"refused": {"code": refusal.code, "message": refusal.message, "hint": refusal.hint}})
        return 2
    _say({"done": True})
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # what was read is not taken apart again, object by object
