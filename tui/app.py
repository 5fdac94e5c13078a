"""``wherry ui``: the application around the places. It holds no domain logic and owns no work.

    project.db ──Session, a thread──▶ View ──▶ the place on the screen
    a key ──act──▶ a dialog, the study (short acts) or a job (long ones), each a process of its own

Leaving the application only stops looking: runs are other processes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import App, ScreenStackError
from textual.command import CommandPalette, Provider
from textual.events import Event, InputEvent
from textual.filter import LineFilter
from textual.message import Message
from textual.worker import get_current_worker

from planner.errors import WherryError
from planner.names import visible
from tui.actions.places import place_named
from tui.ascii import Ascii
from tui.modes import MODES
from tui.preferences import Preferences, keep_changes
from tui.screens.place import PlaceScreen
from tui.session import Session, View
from tui.study.client import Study
from tui.text import plural
from tui.theme import THEMES

if TYPE_CHECKING:
    from tui.jobs.job import Job
    from tui.jobs.orders import Order

PERIOD_S = 1.0
PAINTING_S = 0.25


def system_clock() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def _actions() -> type[Provider]:
    from tui.palette import Actions

    return Actions


def _objects() -> type[Provider]:
    from tui.palette import Objects

    return Objects


class WherryApp(App[None]):
    """The screens of one project. Raises NotFound and BadInput before the terminal is touched."""

    TITLE = "wherry"
    CSS_PATH = "screens/place.tcss"  # the frame; each screen brings its own sheet
    DEFAULT_MODE = "overview"
    MODES: ClassVar[dict[str, Any]] = MODES
    COMMANDS = {_actions, _objects}  # noqa: RUF012  (Textual's own shape)
    BINDINGS: ClassVar[list[Any]] = []
    COMMAND_PALETTE_BINDING = "f1"  # our own key asks for it, through the action table

    class Fresh(Message):
        """A newer view was read."""

        def __init__(self, view: View) -> None:
            super().__init__()
            self.view = view
            self.painted = threading.Event()

    class Answered(Message):
        """The study answered, or a job ended: what is to be done then."""

        def __init__(self, do: Callable[[], None]) -> None:
            super().__init__()
            self.do = do

    def __init__(
        self,
        project_root: Path,
        read_only: bool = False,
        *,
        now: Callable[[], datetime] = system_clock,
        session: Session | None = None,
        period_s: float = PERIOD_S,
        preferences: Preferences | None = None,
        likes_file: Path | None = None,
        place: str | None = None,
        order: Order | None = None,
    ) -> None:
        """``likes_file`` is where changed preferences are kept, None = nowhere; ``place`` is the first one.

        ``order`` is work to begin with.
        """
        # NO_COLOR: the terminal's own two colours, and no other leaves us
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        if place is not None:
            self._current_mode, self._screen_stacks = place, {place: []}  # where Textual begins
        self.read_only = read_only
        self.now = now
        self.preferences = preferences or Preferences()
        self._likes_file = likes_file
        self.session = session or Session(project_root)
        self.study = Study(project_root, looking=read_only)
        self.view = self.session.view
        self.job: Job | None = None
        self.remembered: dict[str, dict[str, str]] = {}  # what dialogs were last told, for this session
        self._order = order
        self._busy: list[str] = []
        self._period_s = period_s
        self._trail: list[str] = []  # places we came from
        self._ascii = Ascii()
        for theme in THEMES:
            self.register_theme(theme())
        self.theme = self.preferences.theme
        self.set_keymap(dict(self.preferences.keys))

    def on_mount(self) -> None:
        """Begin to read."""
        self.set_interval(self._period_s, self._tick)
        self._read(False)
        if self._order is not None:
            self.call_later(self._begin, self._order)

    def _begin(self, order: Order) -> None:
        from tui.jobs.job import Job

        self.start(Job(order.argv(self.session.root), order.title))

    def on_unmount(self) -> None:
        """Stop reading; the study ends, work that stores nothing half is interrupted."""
        self.session.close()
        self.study.close()
        if self.job is not None:
            self.job.close()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what is laid over every line: Textual's own, and ASCII for who wants it."""
        filters = super().get_line_filters()
        return [*filters, self._ascii] if self.preferences.ascii else filters

    @property
    def place(self) -> PlaceScreen | None:
        """The place on the screen, under a dialog that may cover it; None while places change."""
        try:
            return next((item for item in self.screen_stack if isinstance(item, PlaceScreen)), None)
        except ScreenStackError:
            return None

    @property
    def keys(self) -> Mapping[str, str]:
        """Keys that a person chose, by action id."""
        return self.preferences.keys

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
            message = self.Fresh(view)
            self.post_message(message)
            message.painted.wait(PAINTING_S)  # what is known is painted before more is read

    def on_wherry_app_fresh(self, message: Fresh) -> None:
        """Show a newer view on the place that is on the screen; the others catch up when resumed."""
        self.view = message.view
        if (place := self.place) is not None:
            place.update()
        self.call_after_refresh(message.painted.set)

    def read_again(self) -> None:
        """Read the project now, after something was changed."""
        self._read(True)

    def action_read_now(self) -> None:
        """Read everything again now."""
        self.read_again()
        self._say("read again", "dim")

    # acting

    def ask(
        self,
        op: str,
        args: Mapping[str, Any] | None = None,
        then: Callable[[Any], None] | None = None,
        busy: str = "",
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Ask the study in a thread; ``then`` gets the answer here, and what went wrong is said."""
        if busy:
            self._busy.append(busy)
            self._frame()
        given = dict(args or {})

        def work() -> None:
            try:
                answer = self.study.ask(op, **given)
            except WherryError as error:
                said = f"{error.message}  hint: {error.hint}" if error.hint else error.message
                done = self._failure(said, failed)
            else:
                done = (lambda: then(answer)) if then is not None else (lambda: None)
            self.post_message(self.Answered(self._no_longer(busy, done)))

        self.run_worker(work, thread=True, group="study", exit_on_error=True)

    def _failure(self, said: str, failed: Callable[[str], None] | None) -> Callable[[], None]:
        def do() -> None:
            if failed is not None:
                failed(said)
            self._say(f"✖ {visible(said)}", "bad")

        return do

    def _no_longer(self, busy: str, do: Callable[[], None]) -> Callable[[], None]:
        def done() -> None:
            if busy:
                self._busy.remove(busy)
                self._frame()
            do()

        return done

    def on_wherry_app_answered(self, message: Answered) -> None:
        """Do what was waiting for an answer."""
        message.do()

    def start(self, job: Job, then: Callable[[Job], None] | None = None) -> None:
        """Start work of its own process and show it; ``then`` is called once it has ended well."""
        if self.job is not None and self.job.state.running:
            self._say(f"{visible(self.job.state.title)} is going on: ^j shows it", "warn")
            return
        try:
            job.start()
        except WherryError as error:
            self._say(f"✖ {visible(error.message)}", "bad")
            return
        self.job = job
        self.run_worker(lambda: self._await(job, then), thread=True, group="job", exit_on_error=True)
        self._show_work(job)

    def _await(self, job: Job, then: Callable[[Job], None] | None) -> None:
        job.wait()

        def ended() -> None:
            self.read_again()
            state = job.state
            if state.succeeded:
                self._say(f"✔ {visible(state.title)}: done", "good")
                if then is not None:
                    then(job)
            elif state.error is not None:
                self._say(f"✖ {visible(state.error.message)}", "bad")
            else:
                self._say(f"{visible(state.title)}: stopped", "warn")

        self.post_message(self.Answered(ended))

    def work_words(self) -> str:
        """Say on line 1 what is being worked on, empty for nothing."""
        if self.job is not None and self.job.state.running:
            share = self.job.state.share
            far = f" {share:.0%}" if share is not None else ""
            return f"◐ {visible(self.job.state.title, 24)}{far}"
        return f"◐ {self._busy[-1]}" if self._busy else ""

    def _show_work(self, job: Job) -> None:
        from tui.dialogs.work import Work

        self.push_screen(Work(job))

    def action_show_job(self) -> None:
        """Show the work in hand, or the last that was."""
        if self.job is None:
            self._say("nothing is being worked on", "dim")
        else:
            self._show_work(self.job)

    def keep(self, preferences: Preferences) -> None:
        """Keep what a person likes."""
        old, self.preferences = self.preferences, preferences
        if self._likes_file is not None:
            try:
                keep_changes(self._likes_file, old, preferences)
            except (OSError, WherryError) as error:
                self._say(f"your preferences could not be kept: {visible(str(error))}", "warn")

    def watch_theme(self, theme: str) -> None:
        """Keep a theme that was chosen."""
        from dataclasses import replace

        if self.is_running and theme != self.preferences.theme:
            self.keep(replace(self.preferences, theme=theme))

    # going

    async def action_go(self, place_id: str) -> None:
        """Go to a place, or say why it cannot be gone to yet."""
        place = place_named(place_id)
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

    def goto(self, kind: str, key: str) -> None:
        """Go to a thing by its kind (place, wave, group, VM, check) and key."""
        self.run_worker(self._goto(kind, key), group="go", exclusive=True)

    async def _goto(self, kind: str, key: str) -> None:
        where = {"wave": "waves", "group": "dependencies", "VM": "inventory", "check": "checks"}
        await self.action_go(where.get(kind, key))
        place = self.place
        if kind != "place" and place is not None and place.place_id == where[kind]:
            place.select(key)

    def open_wave(self, wave: str) -> None:
        """Go to a wave."""
        self.goto("wave", wave)

    def open_vm(self, vm: str) -> None:
        """Go to a VM in Inventory, by its id."""
        self.goto("VM", vm)

    def open_group(self, group: str) -> None:
        """Go to a move group in Dependencies."""
        self.goto("group", group)

    def action_jump(self) -> None:
        """Go to anything by name."""
        self.push_screen(CommandPalette([_objects], placeholder="name of a place, wave, group or VM"))

    def action_import_data(self) -> None:
        """Import an estate or flows."""
        from tui.guides.importing import offer_import

        offer_import(self)

    def action_export(self) -> None:
        """Write the plan for people and tools."""
        from tui.guides.exporting import offer_export

        offer_export(self)

    def action_help(self) -> None:
        """Show the help of this place."""
        from tui.screens.help import HelpScreen, describe

        if (place := self.place) is not None:
            self.push_screen(HelpScreen(describe(place.place_id, self.read_only, self.keys, place.why_not)))

    def action_leave(self) -> None:
        """Leave; say what goes on without us. Work that would be lost is asked about first."""
        if (place := self.place) is not None and (lost := self._would_lose()):
            from tui.dialogs.confirm import Confirm
            from tui.text import line

            box = Confirm("Leave?", line(lost), "Leave", tone="bad")
            self.push_screen(box, lambda yes: self._leave() if yes else place.say("stayed", "dim"))
        else:
            self._leave()

    def _would_lose(self) -> str:
        if self.job is not None and self.job.state.running:
            return f"{visible(self.job.state.title)} is going on and would end without a result."
        if self.view_unsaved:
            return f"{plural(self.view_unsaved, 'edit')} of the plan are not saved and would be lost."
        return ""

    @property
    def view_unsaved(self) -> int:
        """Number of edits by hand that are not saved."""
        waves = next((item for item in self._places() if item.place_id == "waves"), None)
        return waves.unsaved if waves is not None else 0

    def _places(self) -> list[PlaceScreen]:
        return [
            item for stack in self._screen_stacks.values() for item in stack if isinstance(item, PlaceScreen)
        ]

    def _leave(self) -> None:
        running = self.view.running
        words = f"{plural(len(running), 'run')} goes on: wherry status --watch" if running else ""
        self.exit(message=Text(words.replace("runs goes", "runs go")) if words else None)

    def _say(self, text: str, tone: str) -> None:
        if (place := self.place) is not None and place.ready:
            place.say(text, tone)

    def _frame(self) -> None:
        if (place := self.place) is not None and place.ready:
            place.show_frame()
