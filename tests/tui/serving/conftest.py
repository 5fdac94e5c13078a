"""A server in a process of its own, as ``wherry serve`` starts it, and one project to look at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from planner.store.project import Project
from tests.tui.cli.command import Wherry
from tests.tui.cli.estate import write

NASTY = "</title><script>alert(1)</script>\x1b[31m\u202e&"


@dataclass(frozen=True, slots=True)
class Served:
    """A server under way."""

    process: subprocess.Popen[str]
    url: str
    root: Path

    @property
    def base(self) -> str:
        return self.url.partition("?")[0]

    def viewers(self) -> list[int]:
        """Return the process ids of its pages' applications."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if b"tui.serving.viewer" in words and os.fsencode(self.root) in words:
                    found.append(int(entry.name))
        return found

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(120)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    root = (tmp_path / "move").resolve()
    Project.create(root, NASTY).close()
    Wherry(root).done("discover", str(write(tmp_path / "inventory.json")))
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.entry", "serve", "--port", "0", "--project", str(root)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    url = process.stdout.readline().strip()
    yield Served(process, url, root)
    if process.poll() is None:
        process.kill()
        process.wait(120)
    process.stdout.close()
    process.stderr.close()
