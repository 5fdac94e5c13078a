"""command: does a program end with 0. It only looks, so it may be run again as often as is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.probes.asking import Answer
from migrate.programs.running import run

if TYPE_CHECKING:
    from migrate.probes.question import Question

_HANDED_ON = ("PATH", "HOME", "LANG", "TZ")  # where clients look for programs and for their passwords


def ask_command(question: Question, directory: Path, limit_s: float) -> Answer:
    """Run it once."""
    environment = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    ended = run(question.argv, environment=environment, directory=directory, limit_s=limit_s)
    said = ended.last_line[:200]
    if ended.ok:
        return Answer(True, said or "it ended with code 0")
    return Answer(False, f"it {ended.why}" + (f": {said}" if said else ""))
