"""The numbers by which a table calls volumes: a file of names, the nth line is number n.

A torn last line is cut off. A wrong number costs a miss, for what is read there is hashed.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Final

_MOST: Final = 2**20


class Volumes:
    """The names of one pool. Thread-safe."""

    def __init__(self, path: Path) -> None:
        """Read the names; raises OSError."""
        self._lock = threading.Lock()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_APPEND, 0o600)
        raw = path.read_bytes()
        whole = raw.rfind(b"\n") + 1
        if whole < len(raw):
            os.ftruncate(self._fd, whole)
        self._names = [_name(line) for line in raw[:whole].splitlines()[:_MOST]]
        self._numbers = {name: number for number, name in enumerate(self._names)}

    def number(self, name: str) -> int | None:
        """Return the number of a volume, a new one if need be; None when there are too many."""
        with self._lock:
            known = self._numbers.get(name)
            if known is None and len(self._names) < _MOST:
                line = json.dumps(name).encode() + b"\n"
                try:
                    if self._fd < 0 or os.write(self._fd, line) != len(line):
                        return None
                except OSError:
                    return None  # the store is full: what comes is not remembered
                known = self._numbers[name] = len(self._names)
                self._names.append(name)
            return known

    def name(self, number: int) -> str:
        """Return the name of a number, empty when nobody has it."""
        with self._lock:
            return self._names[number] if number < len(self._names) else ""

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            os.close(self._fd)
            self._fd = -1


def _name(line: bytes) -> str:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return told if isinstance(told, str) else ""
