"""Processes of ``benchmarks.journal.child``, started and asked for their figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]


def start(what: str, folder: Path, *more: str | Path) -> subprocess.Popen[bytes]:
    """Start one to do ``what`` with the journal in a folder."""
    command = [sys.executable, "-m", "benchmarks.journal.child", what, str(folder), *map(str, more)]
    return subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE if what != "serve" else None)


def ask(what: str, folder: Path) -> Any:
    """Run it and return what it found."""
    told, _ = (process := start(what, folder)).communicate()
    if process.returncode:
        raise RuntimeError(f"{what} ended with {process.returncode}")
    return json.loads(told)
