"""What a piece of Python loads, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def loaded(code: str) -> set[str]:
    """Run ``code`` and return the names of all modules that are there after it."""
    ran = f"{code}; import sys; sys.stdout.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", ran], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())
