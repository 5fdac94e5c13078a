"""``wherry ui``: the application around the places. It holds no domain logic and owns no work.

A worker thread reads the project once a second and posts a ``View`` when something changed; the
place on the screen shows it. Leaving the application only stops reading: runs are other processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ScreenStackError, SystemCommand
from textual.events import Event, InputEvent
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from tui.actions import PLACES, actions_at, common_bindings
from tui.screens.help import HelpScreen, describe
from tui.screens.inventory import InventoryScreen
from tui.screens.overview import OverviewScreen
from tui.screens.place import PlaceScreen
from tui.screens.waves import WavesScreen
from tui.session import Session, View
from tui.text import plural
from tui.theme import harbour

PERIOD_S = 1.0


def system_clock() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


class WherryApp(App[None]):
    """The screens of one project. Raises NotFound and BadInput before the terminal is touched."""

    TITLE = "wherry"
    CSS_PATH = "screens/place.tcss"  # the frame; each screen brings its own sheet
    DEFAULT_MODE = "overview"
    MODES: ClassVar[dict[str, Any]] = {
        "overview": OverviewScreen,
        "inventory": InventoryScreen,
        "waves": WavesScreen,
    }
    BINDINGS = common_bindings()

    class Fresh(Message):
        """A newer view was read."""

        def __init__(self, view: View) -> None:
            super().__init__()
            self.view = view

    def __init__(
        self,
        project_root: Path,
        read_only: bool = False,
        *,
        now: Callable[[], datetime] = system_clock,
        session: Session | None = None,
        period_s: float = PERIOD_S,
    ) -> None:
        super().__init__()
        self.read_only = read_only
        self.now = now
        self.session = session or Session(project_root)
        self.view = self.session.view
        self._period_s = period_s
        self._trail: list[str] = []  # places we came from
        self.register_theme(harbour())
        self.theme = "harbour"

    def on_mount(self) -> None:
        """Begin to read."""
        self.set_interval(self._period_s, self._tick)
        self._read(False)

    def on_unmount(self) -> None:
        """Stop reading."""
        self.session.close()

    @property
    def place(self) -> PlaceScreen | None:
        """The place on the screen, under a help that may cover it; None while places change."""
        try:
            return next((item for item in self.screen_stack if isinstance(item, PlaceScreen)), None)
        except ScreenStackError:
            return None

    async def on_event(self, event: Event) -> None:
        """Drop a key or a click while places change and while we leave: no screen is there to take it."""
        if isinstance(event, InputEvent) and not (self.is_running and self._screen_stack_is_there()):
            return
        await super().on_event(event)

    def _screen_stack_is_there(self) -> bool:
        try:
            return bool(self.screen_stack)
        except ScreenStackError:
            return False

    # reading

    def _tick(self) -> None:
        self._read(False)
        if (place := self.place) is not None:
            place.update()  # the clock and what is measured against it

    def _read(self, force: bool) -> None:
        self.run_worker(lambda: self._work(force), thread=True, group="read", exit_on_error=True)

    def _work(self, force: bool) -> None:
        worker = get_current_worker()
        for view in self.session.refresh(force):
            if worker.is_cancelled:
                return
            self.post_message(self.Fresh(view))

    def on_wherry_app_fresh(self, message: Fresh) -> None:
        """Show a newer view on the place that is on the screen; the others catch up when resumed."""
        self.view = message.view
        if (place := self.place) is not None:
            place.update()

    def action_read_now(self) -> None:
        """Read everything again now."""
        self._read(True)
        self._say("read again", "dim")

    # going

    async def action_go(self, place_id: str) -> None:
        """Go to a place, or say why it cannot be gone to yet."""
        place = next(item for item in PLACES if item.id == place_id)
        if place.later:
            self._say(f"{place.title} comes later: {place.later}", "warn")
        elif place_id != self.current_mode:
            self._trail.append(self.current_mode)
            await self.switch_mode(place_id)

    def go_back(self) -> None:
        """Go to the place we came from; from the first one there is nowhere to go."""
        if self._trail:
            self.switch_mode(self._trail.pop())
        else:
            self._say("this is where you began: q leaves", "dim")

    def open_wave(self, wave: str) -> None:
        """Go to Waves with the cursor on one wave."""
        self.run_worker(self._open_wave(wave), group="go", exclusive=True)

    async def _open_wave(self, wave: str) -> None:
        await self.action_go("waves")
        if isinstance(self.screen, WavesScreen):
            self.screen.select(wave)

    def action_help(self) -> None:
        """Show the help of this place."""
        if isinstance(self.screen, PlaceScreen):
            self.push_screen(HelpScreen(describe(self.screen.place_id, self.view, self.read_only)))

    def action_leave(self) -> None:
        """Leave; say what goes on without us."""
        running = self.view.running
        words = f"{plural(len(running), 'run')} goes on: wherry status --watch" if running else ""
        self.exit(message=Text(words.replace("runs goes", "runs go")) if words else None)

    def _say(self, text: str, tone: str) -> None:
        if (place := self.place) is not None and place.ready:
            place.say(text, tone)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer every action of this place by name, and the themes."""
        if isinstance(screen, PlaceScreen):
            for action in actions_at(screen.place_id, self.read_only):
                words = f"key {action.shown}" + (f" · wherry {action.twin}" if action.twin else "")
                yield SystemCommand(
                    action.title[0].upper() + action.title[1:], words, self._runner(screen, action.do)
                )
        yield SystemCommand("Change theme", "colours of the screens", self.action_change_theme)

    def _runner(self, screen: Screen[Any], do: str) -> Callable[[], Any]:
        async def run() -> None:
            await screen.run_action(do)

        return run
