"""Processes that make checkpoints under policies, from outside: see ``freezer`` for their inside."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from migrate.protection.policy import Policy

ROOT = Path(__file__).resolve().parents[3]


class Freezer:
    """A process that makes a checkpoint, see ``freezer``."""

    def __init__(self, folder: Path, asked: Policy, *more: str) -> None:
        self.folder = folder
        (folder / "policy.json").write_text(json.dumps(asked.dump()), "utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.migrate.protection.freezer", str(folder), *more], cwd=ROOT
        )

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text("utf-8") if path.exists() else ""

    def result(self) -> dict[str, object]:
        assert self._process.wait(60) == 0
        return dict(json.loads((self.folder / "result.json").read_text("utf-8")))

    def watchdog(self) -> int | None:
        """Return the number of its watchdog, None when there is none: it is the one that has its log."""
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdecimal() and (entry / "fd" / "2").readlink() == self.folder / "log":
                    return int(entry.name)
            except OSError:
                continue
        return None

    @property
    def ended(self) -> bool:
        """Whether the process is no more."""
        return self._process.poll() is not None

    def __enter__(self) -> Freezer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
