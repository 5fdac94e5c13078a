"""Logs of the application's own processes, in ``logs/`` of the project: what must not reach the terminal.

They are for who mends wherry: tracebacks without the values of variables, what libraries print.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

_MOST_BYTES = 1_000_000  # a longer log begins anew


def opened(root: Path, name: str) -> IO[bytes]:
    """Open a log to be added to; a project that nobody may write to has none, and takes it all the same."""
    try:
        folder = root / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / name
        mode = os.O_TRUNC if path.exists() and path.stat().st_size > _MOST_BYTES else os.O_APPEND
        return os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | mode, 0o600), "wb"
        )
    except OSError:
        return Path(os.devnull).open("wb")
