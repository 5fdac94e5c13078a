"""A place that has things done beside the screen: in threads, whose answers come back as messages."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from textual.message import Message
from textual.types import NoActiveAppError

from planner.errors import WherryError
from tui.screens.place import PlaceScreen


class BesidePlace(PlaceScreen):
    """A place with threads of its own; the screen itself never waits."""

    class Read(Message):
        """What was asked for has been read."""

        def __init__(self, do: Callable[[], None]) -> None:
            super().__init__()
            self.do = do

    def post_safely(self, message: Message) -> None:
        """Post from any thread; a screen that is being taken down hears nothing more."""
        with suppress(NoActiveAppError):
            if self.is_running:
                self.post_message(message)

    def in_thread(
        self, work: Callable[[], Any], then: Callable[[Any], None], failed: Callable[[str, str], None]
    ) -> None:
        """Do something beside the screen; what came of it, or the error with its hint, is taken in here."""

        def run() -> None:
            try:
                found = work()
            except (WherryError, sqlite3.Error) as error:
                said = getattr(error, "message", "") or f"the project cannot be read now: {error}"
                hint = getattr(error, "hint", "")
                self.post_safely(self.Read(lambda: failed(said, hint)))
            else:
                self.post_safely(self.Read(lambda: then(found)))

        self.run_worker(run, thread=True, group="beside", exit_on_error=True)

    def on_beside_place_read(self, message: Read) -> None:
        """Take in what was read."""
        message.do()
