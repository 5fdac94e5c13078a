"""Starts the process that works out what tables ask for and nobody stored yet, and knows whether it runs.

It is no part of the study: that answers people, who must not wait for a hundred checks of every VM.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path


class Judge:
    """One process at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """True while it works."""
        with self._lock:
            return self._poll()

    def _poll(self) -> bool:
        if self._child is None:
            return False
        if self._child.poll() is None:
            return True
        self._let_go(self._child)
        self._child = None
        return False

    def start(self) -> None:
        """Start it unless it runs."""
        with self._lock:
            if self._poll():
                return
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "tui.study.judging", str(self._root)],
                stdin=subprocess.PIPE,  # ends with us: then it does too
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # signals of the terminal are the application's
            )
            # nobody may look for long, and a child that has ended is not left lying about
            threading.Thread(target=self._child.wait, name="judge", daemon=True).start()

    def close(self) -> None:
        """End it: what it has not stored yet is dropped."""
        with self._lock:
            if self._child is not None:
                self._child.kill()
                self._child.wait()
                self._let_go(self._child)
                self._child = None

    def _let_go(self, child: subprocess.Popen[bytes]) -> None:
        if child.stdin is not None:
            with suppress(OSError):
                child.stdin.close()
