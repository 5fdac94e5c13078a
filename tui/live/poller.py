"""A thread that reads the live part for as long as somebody looks at it.

    Poller ──four times a second──▶ Reader ──a change──▶ on_change(Live), from the thread

It takes about a tenth of a core at most, however many waves there are: then it looks less often, though
every two seconds in any case.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from planner.errors import WherryError
from tui.live.document import Live

PERIOD_S = 0.25
_AGAIN_S = 1.0  # after a look that failed
_MOST_S = 2.0  # so that a death is seen within three seconds
_SHARE = 9  # times as long as a look took, nothing is looked at


class Poller:
    """Reads one project; ``on_change`` must not raise, and is called from the poller's thread."""

    def __init__(
        self,
        root: Path,
        on_change: Callable[[Live], None],
        period_s: float = PERIOD_S,
    ) -> None:
        self._root = root
        self._on_change = on_change
        self._period_s = period_s
        self._live = Live()
        self._ending = threading.Event()
        self._due = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read; a poller is started once."""
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def look_now(self) -> None:
        """Look at once: something was just done."""
        self._due.set()

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop reading, and wait a moment for a look that is under way."""
        self._ending.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._watch()
            except (WherryError, sqlite3.Error) as error:
                said = getattr(error, "message", "") or f"the project cannot be read now: {error}"
                self._tell(replace(self._live, error=said, hint=getattr(error, "hint", "")))
                self._ending.wait(_AGAIN_S)

    def _watch(self) -> None:
        from planner.store.project import Project
        from tui.live.reader import Reader

        with Project.open(self._root) as project:
            reader = Reader(project)
            while not self._ending.is_set():
                begun = time.thread_time()  # a machine that is busy elsewhere makes no look dearer
                self._tell(reader.look())
                cost_s = time.thread_time() - begun
                self._due.wait(min(max(self._period_s, _SHARE * cost_s), _MOST_S))
                self._due.clear()

    def _tell(self, live: Live) -> None:
        if live != self._live:
            self._live = live
            self._on_change(live)
