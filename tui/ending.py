"""How the screens end: as the person wished, or by a defect or a signal, the terminal as it was before.

A defect is said in one sentence and costs exit code 1; its traceback is kept in logs/ui.log of the project.
"""

from __future__ import annotations

import asyncio
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from rich.console import RenderableType
from textual.worker import WorkerFailed

from planner.errors import WherryError
from tui.logs import opened
from tui.pacing import PacedApp

Answer = TypeVar("Answer")
LOG = "ui.log"


class EndingApp(PacedApp[Answer]):
    """An application that prints nothing about its own defects; ``shown`` tells them."""

    fault: Exception | None = None
    was_ended = False  # by SIGTERM

    def on_mount(self) -> None:
        """Paint all anew once a shell lets us go on: it gave us an empty screen."""
        self.app_resume_signal.subscribe(self, lambda _: self.screen.refresh())

    def _handle_exception(self, error: Exception) -> None:
        if self.fault is None:  # what breaks afterwards follows from the first
            self.fault = error
            self._begin_batch()  # nothing is painted any more: the terminal may have been given back
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()  # Textual's own would print the values of variables

    def panic(self, *renderables: RenderableType) -> None:
        """End because of an error that knows how it would like to be drawn."""
        self._close_messages_no_wait()

    def action_leave(self) -> None:
        """Leave."""
        self.exit()

    async def action_quit(self) -> None:
        """Leave by ctrl+q as by our own key: nothing is lost without a question."""
        self.action_leave()

    def action_help_quit(self) -> None:
        """Leave: whoever presses ctrl+c wants that, not to be told of another key."""
        self.action_leave()

    def end(self) -> None:
        """Leave because the machine asks for it."""
        self.was_ended = True
        self.exit()


def shown(make: Callable[[], EndingApp[Answer]], root: Path) -> Answer | None:
    """Make an application, run it on the terminal and return its answer.

    Raises WherryError for a defect, after it was logged, and KeyboardInterrupt when a signal ended it.
    """
    try:
        app = make()
        answer: Answer | None = asyncio.run(_run(app))
    except WherryError:
        raise
    except Exception as error:
        raise _told(error, root) from error
    if app.fault is not None:
        raise _told(app.fault, root)
    if app.was_ended:
        raise KeyboardInterrupt
    return answer


async def _run(app: EndingApp[Any]) -> Any:
    with suppress(NotImplementedError):  # where the system has no such signals
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, app.end)
    return await app.run_async()


def _told(fault: Exception, root: Path) -> WherryError:
    if isinstance(fault, WorkerFailed) and isinstance(fault.error, Exception):
        fault = fault.error
    with opened(root, LOG) as log, suppress(OSError):  # a full disk does not hide what happened
        said = "".join(traceback.format_exception(fault))
        log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z\n{said}\n".encode("utf-8", "replace"))
    what = f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
    return WherryError(
        f"the terminal application had to end: {' '.join(what.split())[:200]}",
        f"start it again: what was stored is whole; logs/{LOG} of the project tells more",
    )
