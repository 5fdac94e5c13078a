"""One page's application: a child process, its terminal packed as textual-serve packs it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

from textual_serve.app_service import AppService

from planner.own_code import python_path

_PATIENCE_S = 4.0


class View(AppService):
    """Starts the viewer without a shell, holds its leash, and ends it for certain."""

    def __init__(self, root: Path, **remote: Any) -> None:
        super().__init__("wherry", **remote)
        self._root = root
        self._leash = -1

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        held, self._leash = os.pipe()
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "tui.serving.viewer",
                str(self._root),
                str(held),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                pass_fds=(held,),
                process_group=0,  # Ctrl-C is the server's to answer
                env=self._build_environment(width, height) | {"PYTHONPATH": python_path()},
            )
        finally:
            os.close(held)
        self._stdin = process.stdin
        return process

    async def stop(self) -> None:
        """Ask the viewer to leave; kill one that does not."""
        try:
            await asyncio.wait_for(super().stop(), _PATIENCE_S)
        except TimeoutError:
            self._task = None
        process, self._process = self._process, None
        if process is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _PATIENCE_S)
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if self._leash >= 0:
            os.close(self._leash)
            self._leash = -1
