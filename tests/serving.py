"""A receiver of a site that is served by a process of its own, as a person starts one on another machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(project: Path, site: str, keys: Path, listen: str = "127.0.0.1:0") -> Iterator[tuple[str, int]]:
    """Serve a site of a project; yield the address and the process id."""
    said = project / f"receiver-{site}.log"
    with (
        said.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [sys.executable, "-m", "tui.cli.entry", "receiver", "--site", site, "--keys", str(keys),
             "--listen", listen, "--project", str(project)],
            stdout=subprocess.PIPE, stderr=log, text=True, stdin=subprocess.DEVNULL,
        ) as process,
    ):  # fmt: skip
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert first, said.read_text("utf-8")
            yield first.split()[0], process.pid
        finally:
            process.kill()
