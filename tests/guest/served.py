"""Disks of ours served over NBD by a thread of this process, and journalled ones as what a guest runs on."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from migrate.disks.nbd.serving.exports import Export
from migrate.disks.nbd.serving.server import serve_unix
from migrate.disks.ports import WritableDisk
from tests.guest.journals import Journal
from tests.guest.records import DISKS

T = TypeVar("T")


class Serving:
    """Disks served under their names on a Unix socket, by a thread that alone touches them."""

    def __init__(self, disks: Mapping[str, WritableDisk]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wherry-disks-"))  # a socket's path has to be short
        self.path = self._folder / "nbd"
        self._disks = disks
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))
        self._thread.start()
        assert self._ready.wait(10)

    def do(self, act: Callable[[], T]) -> T:
        """Do something between two requests and return what it returns."""

        async def doing() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(doing(), self._loop).result(60)

    def stop(self) -> None:
        """Serve no more, and close the disks."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        for disk in self._disks.values():
            disk.close()
        shutil.rmtree(self._folder)

    async def _serve(self) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        exports = {name: Export(disk, disk) for name, disk in self._disks.items()}
        await serve_unix(self.path, exports, self._stop, self._ready.set)


@contextmanager
def serving(disks: Mapping[str, WritableDisk]) -> Iterator[Serving]:
    """Serve disks for a while."""
    served = Serving(disks)
    try:
        yield served
    finally:
        served.stop()


class Journalled:
    """The guest's disks are a log; see ``experiment.Front``. Only the test's own checkpoints are made."""

    def __init__(self, folder: Path, disks: Sequence[Path]) -> None:
        self._folder, self._disks = folder, disks

    @property
    def path(self) -> Path:
        """Where the disks are served."""
        return self._serving.path

    def begin(self) -> None:
        """Open the log and serve the disks."""
        self._journal = Journal(self._folder / "log", self._disks)
        self._serving = Serving({name: self._journal.disk(number) for number, name in enumerate(DISKS)})

    def settle(self) -> None:
        """Return at once: what came is in the log."""

    def checkpoint(self) -> int:
        """Make a checkpoint at this instant and return its number."""
        return self._serving.do(self._journal.checkpoint)

    def end(self) -> None:
        """Serve no more."""
        self._serving.stop()
        self._journal.close()

    def opened(self) -> Journal:
        """Open the log as it is found now."""
        return Journal(self._folder / "log", self._disks)
