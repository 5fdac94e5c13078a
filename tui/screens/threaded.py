"""A place that does something beside the screen, in a thread of its own: no key waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from textual.message import Message
from textual.types import NoActiveAppError

from planner.errors import WherryError
from planner.names import visible
from tui.screens.place import PlaceScreen


class ThreadedPlace(PlaceScreen):
    """A place with threads; what they find is taken in by the screen's own. Subclasses look again."""

    class Done(Message):
        """What was to be done has been done, or has failed."""

        def __init__(self, do: Callable[[], None]) -> None:
            super().__init__()
            self.do = do

    def look_now(self) -> None:
        """Look at once: something was just done."""
        raise NotImplementedError

    def post_from_thread(self, message: Message) -> None:
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
                self.post_from_thread(self.Done(lambda: failed(said, hint)))
            else:
                self.post_from_thread(self.Done(lambda: then(found)))

        self.run_worker(run, thread=True, group="beside", exit_on_error=True)

    def say_failed(self, said: str, hint: str) -> None:
        """Say above the keys why something was not done."""
        self.say(visible(f"✖ {said}  hint: {hint}" if hint else f"✖ {said}"), "bad")

    def on_threaded_place_done(self, message: Done) -> None:
        """Take in what came of it."""
        message.do()
