"""What a vCenter was asked to change: each call of a step, and how often each method of the API for it.

The file holds a line a call in the format of a lab's log, so that both are read alike: a run's calls
are held against those that its dry run predicted.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from pathlib import Path


class CallLog:
    """Calls in order. With ``path`` each is durable before it is made."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._fd = -1
        if path is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._fd = os.open(path, flags, 0o600)
        self.methods: Counter[str] = Counter()

    def note(self, op: str, call: str, subject: str) -> None:
        """Note a call before it is made."""
        if self._fd >= 0:
            line = json.dumps({"op": op, "call": call, "subject": subject}).encode() + b"\n"
            with self._lock:
                os.write(self._fd, line)
                os.fdatasync(self._fd)

    def sent(self, method: str) -> None:
        """Count a changing method of the API that is sent to the vCenter."""
        with self._lock:
            self.methods[method] += 1

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
