"""Watching one run: a poller says that something changed, a thread reads the run, the screen shows it.

    Poller ──Live──▶ which wave, engine alive or dead ─┐
    Sheets ──Sheet──▶ now, or after the first N entries ┴──▶ show_sheet

It reads alone, so any number of viewers watch one run, and whoever leaves stops nothing.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from textual.message import Message
from textual.screen import ModalScreen

from planner.names import visible
from tui.live.document import Live, WaveNow
from tui.screens.engine_lever import EngineLever
from tui.screens.table_place import TablePlace
from tui.sheets import Sheets

if TYPE_CHECKING:
    from migrate.rehearsal import Spread
    from migrate.run.history import Mode
    from migrate.sheet import Sheet
    from migrate.to_go import ToGo
    from tui.live.poller import Poller

_EVERY_S = 0.9  # between two readings of a run in which nothing was written
_SHARE = 10  # times as long as a reading took, nothing is read
_FIRST = (  # those whose VMs are down, then those that wait for somebody
    *("cutting over", "rolling back", "committing", "failing back", "before commit"),
    *("failed", "ready", "rehearsed", "in sync"),
)


class WatchingPlace(EngineLever, TablePlace):
    """A place that shows one run, now or in its past."""

    class Changed(Message):
        """Something happened in the project."""

        def __init__(self, live: Live) -> None:
            super().__init__()
            self.live = live

    def __init__(self) -> None:
        super().__init__()
        self.live = Live()
        self.watched = ""  # the wave that is watched
        self.sheet: Sheet | None = None
        self.price: Spread | None = None  # how long going back takes from here
        self.to_go: ToGo | None = None
        self.past: tuple[int, int] | None = None  # run and entry of a replay
        self.failure = ""
        self._sheets: Sheets | None = None
        self._poller: Poller | None = None
        self._reading = self._again = False
        self._began_at = float("-inf")
        self._cost_s = 0.0  # what the last reading took
        self._asked: set[tuple[int, Mode]] = set()  # ways of runs that the twin was asked for

    # beginning and ending

    def on_mount(self) -> None:
        """Begin to watch."""
        self._sheets = Sheets(self.wherry.session.root)
        super().on_mount()
        self._watch()

    def on_screen_resume(self) -> None:
        """Watch again."""
        super().on_screen_resume()
        self._watch()

    def on_screen_suspend(self) -> None:
        """Nobody looks: read nothing. The run goes on. Under a dialog it is still seen."""
        if not isinstance(self.app.screen, ModalScreen):
            self._unwatch()

    def on_unmount(self) -> None:
        """Let go of the project."""
        self._unwatch()
        if self._sheets is not None:
            self._sheets.close()

    def _watch(self) -> None:
        from tui.live.poller import Poller

        if self._poller is None and self._sheets is not None:
            self._poller = Poller(
                self.wherry.session.root, lambda live: self.post_from_thread(self.Changed(live))
            )
            self._poller.start()

    def _unwatch(self) -> None:
        if self._poller is not None:
            self._poller.close(0.0)  # it ends by itself: keys do not wait for a look that is under way
            self._poller = None

    def look_now(self) -> None:
        """Look at once: something was just done."""
        if self._poller is not None:
            self._poller.look_now()
        self.read()

    # what is watched

    @property
    def now(self) -> WaveNow | None:
        """The wave as the poller saw it."""
        return self.live.wave(self.watched)

    @property
    def replaying(self) -> bool:
        """Whether a moment of the past is shown."""
        return self.past is not None

    def on_watching_place_changed(self, message: Changed) -> None:
        """Take in what changed, and read the run again."""
        before, seen = self.now, self.live
        self.live = message.live
        self.make_way(seen)
        if not self.watched:
            self.watched = begins_with(message.live)
        if not self.replaying and (self.sheet is None or self.now != before):
            self.read()
        if self.ready:
            self.show_frame()
            self.show_sheet()

    def watch_wave(self, wave: str) -> None:
        """Watch another wave."""
        self.watched, self.past, self.sheet, self.failure = wave, None, None, ""
        self.read()
        self.update()

    def turn_to_past(self, run: int, entry: int) -> None:
        """Show a run as it stood after so many entries."""
        self.past = (run, entry)
        self.read()

    def back_to_now(self) -> None:
        """End the replay."""
        self.past = None
        if self.sheet is not None:
            self.watched = self.sheet.run.wave
        self.read()

    # reading

    def read(self) -> None:
        """Have the run read in a thread; what is asked for meanwhile is read after it."""
        if self._reading:
            self._again = True
        elif self._sheets is not None and (self.watched or self.past):
            self._reading, self._began_at = True, monotonic()
            sheets, past, wave, moment = self._sheets, self.past, self.watched, self.wherry.now()
            lefts = {} if past or self.now is None else self.now.lefts

            def work() -> tuple[Sheet | None, Spread | None, ToGo | None]:
                sheet = sheets.past(*past) if past else sheets.now(wave, moment)
                if sheet is None:
                    return None, None, None
                return sheet, sheets.price(sheet), sheets.to_go(sheet, lefts)

            self.in_thread(work, lambda found: self._got(past, wave, *found), self._failed)

    def read_on(self) -> None:
        """Read a run that goes on again for its clock, as often as that costs little."""
        is_due = monotonic() - self._began_at >= max(_EVERY_S, _SHARE * self._cost_s)
        if is_due and not self.replaying and (self.sheet is None or not self.sheet.outcome):
            self.read()

    def _got(
        self,
        past: tuple[int, int] | None,
        wave: str,
        sheet: Sheet | None,
        price: Spread | None,
        to_go: ToGo | None,
    ) -> None:
        self._reading = False
        if (past, wave) == (self.past, self.watched):  # else somebody chose another one meanwhile
            self.sheet, self.price, self.to_go, self.failure = sheet, price, to_go, ""
            if sheet is not None:
                self.watched = sheet.run.wave
                self._ask_the_twin(sheet)
        self._over()

    def _ask_the_twin(self, sheet: Sheet) -> None:
        """Have it say how long the steps take, once for each way; it is shown with the next reading."""
        sheets = self._sheets
        if sheets is not None and (wanted := set(sheets.unasked(sheet)) - self._asked):
            self._asked |= wanted
            self.in_thread(lambda: sheets.expect(sheet), lambda _: self.read(), self._failed)

    def _failed(self, said: str, hint: str) -> None:
        self._reading = False
        self.failure = visible(f"{said}  hint: {hint}" if hint else said)
        self._over()

    def _over(self) -> None:
        self._cost_s = monotonic() - self._began_at
        if self._again:
            self._again = False
            self.read()
        if self.ready:
            self.show_frame()
            self.show_sheet()

    def show_sheet(self) -> None:
        """Show what was read."""
        raise NotImplementedError


def begins_with(live: Live) -> str:
    """Return the wave to begin with: one that is driven, the most urgent, the newest, the plan's first."""
    if driven := next((wave.name for wave in live.waves if wave.driven), ""):
        return driven
    for word in _FIRST:
        if found := next(
            (one.name for one in live.waves if word in (one.status.stage, one.status.state)), ""
        ):
            return found
    with_runs = [wave for wave in live.waves if wave.run is not None]
    if with_runs:
        return max(with_runs, key=lambda wave: wave.status.since).name
    return live.waves[0].name if live.waves else ""
