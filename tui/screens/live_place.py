"""A place that shows what runs do now: it reads for as long as it is on the screen, and only reads.

    Poller, a thread ──Live──▶ Seen, at most one on its way ──▶ show_live

What is said of the engine stands on line 1 and above the keys, so that nobody overlooks its death.
"""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from planner.names import visible
from tui.live.document import EngineState, Live
from tui.live.poller import Poller
from tui.live.words import engine_trouble, runner_words
from tui.screens.engine_lever import EngineLever
from tui.text import line


class LivePlace(EngineLever):
    """A place with a live part. Subclasses give ``show_live``."""

    class Seen(Message):
        """Something changed in what runs do."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.live = Live()
        self._newest = self.live
        self._on_its_way = False
        self._poller: Poller | None = None

    def show_live(self, live: Live) -> None:
        """Show what runs do now."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Begin to read."""
        super().on_mount()
        self._look()

    def on_screen_resume(self) -> None:
        """Read on: a place that is not on the screen reads nothing."""
        self._look()
        super().on_screen_resume()

    def on_screen_suspend(self) -> None:
        """Stop reading, unless it is only a dialog that lies over the place."""
        if not isinstance(self.app.screen, ModalScreen):
            self._look_away()

    def on_unmount(self) -> None:
        """Stop reading."""
        self._look_away()

    def is_under_way(self) -> bool:
        """Keys wait for the first look, and for what else the place waits for."""
        return super().is_under_way() or not (self.live.complete or self.live.error)

    def look_now(self) -> None:
        """Look at once: something was just done."""
        if self._poller is not None:
            self._poller.look_now()

    def _look(self) -> None:
        if self._poller is None:
            self._poller = Poller(self.wherry.session.root, self._saw)
            self._poller.start()

    def _look_away(self) -> None:
        if self._poller is not None:
            self._poller.close(0.0)
            self._poller = None

    def _saw(self, live: Live) -> None:
        """Take in what the thread saw; it is shown by the screen's own."""
        self._newest = live
        if not self._on_its_way:
            self._on_its_way = True
            self.post_message(self.Seen())

    def on_live_place_seen(self) -> None:
        """Show the newest of what was seen."""
        self._on_its_way = False
        before, self.live = self.live, self._newest
        if not self.ready:
            return
        self.make_way(before)
        if before.engine != self.live.engine or before.error != self.live.error:
            self.show_cursor()
            self.show_notice()
        self.show_live(self.live)

    def runner(self) -> tuple[str, str]:
        """Say on line 1 how it stands with the engine."""
        return runner_words(self.live) if self.live.complete else super().runner()

    def standing_note(self) -> Content | None:
        """Say what is the matter with the engine for as long as it is; a remark is read before it."""
        trouble = engine_trouble(self.live, self.how_to_start())
        return line((f"✖ {visible(trouble, 400)}", "bad")) if trouble else super().standing_note()

    @property
    def is_live(self) -> bool:
        """True while something of a run is done now."""
        at_work = self.live.engine.state is EngineState.WORKING
        return at_work or any(wave.driven for wave in self.live.waves)
