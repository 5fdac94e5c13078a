"""``wherry ui``: the application around the places. It holds no domain logic and owns no work.

    project.db ──Session, a thread──▶ View ──▶ the place on the screen
    a key ──act──▶ a dialog, the study (short acts) or a job (long ones), each a process of its own

Leaving the application only stops looking: runs are other processes.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ScreenStackError
from textual.command import CommandPalette, Provider
from textual.events import Event, InputEvent
from textual.filter import LineFilter
from textual.message import Message
from textual.widgets import Input
from textual.worker import get_current_worker

from planner.errors import WherryError
from planner.names import visible
from tui.actions.keymap import shown
from tui.actions.places import ABOVE
from tui.actions.table import action_named
from tui.ascii import Ascii
from tui.modes import MODES
from tui.preferences import Preferences, keep_changes
from tui.screens.place import PlaceScreen
from tui.session import Session, View
from tui.study.client import Study
from tui.text import count, plural
from tui.working import WorkingApp

if TYPE_CHECKING:
    from tui.jobs.orders import Order

PERIOD_S = 1.0
PAINTING_S = 0.25
LONGEST = 74_994  # bytes of a copy: with more, terminals drop the whole sequence (100,000 in base64)


def system_clock() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def _actions() -> type[Provider]:
    from tui.palette import Actions

    return Actions


def _objects() -> type[Provider]:
    from tui.palette import Objects

    return Objects


class WherryApp(WorkingApp):
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
        warning: str = "",
    ) -> None:
        """``likes_file`` is where changed preferences are kept, None = nowhere; ``place`` is the first one.

        ``order`` is the import to begin with, ``warning`` is said once the first place stands.
        """
        # NO_COLOR: the terminal's own two colours, and no other leaves us
        session = session or Session(project_root)
        super().__init__(
            Study(session.root, looking=read_only), ansi_color=True if "NO_COLOR" in os.environ else None
        )
        if place is not None:
            self._current_mode, self._screen_stacks = place, {place: []}  # where Textual begins
        self.read_only = read_only
        self.now = now
        self.preferences = preferences or Preferences()
        self._likes_file = likes_file
        self.session = session
        self.view = self.session.view
        self.remembered: dict[str, dict[str, str]] = {}  # what dialogs were last told, for this session
        self._order = order
        self._warning = warning
        self._period_s = period_s
        self._trail: list[str] = []  # places we came from
        self._leaving = False  # the question is on the screen
        self._ascii = Ascii()
        self.theme = self.preferences.theme
        self.set_keymap(dict(self.preferences.keys))

    def on_mount(self) -> None:
        """Begin to read."""
        self.set_interval(self._period_s, self._tick)
        self._read(False)
        if self._order is not None:
            self.call_later(self._begin, self._order)

    def _begin(self, order: Order) -> None:
        from tui.guides.importing import begin_import

        begin_import(self, order)

    def on_unmount(self) -> None:
        """Stop reading; the study ends, work that stores nothing half is interrupted."""
        self.session.close()
        self.stop_working()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what is laid over every line: Textual's own, and ASCII for who wants it."""
        filters = super().get_line_filters()
        return [*filters, self._ascii] if self.preferences.ascii else filters

    @property
    def place(self) -> PlaceScreen | None:
        """The place or page on the screen, under a dialog that may cover it; None while places change."""
        try:
            return next((item for item in reversed(self.screen_stack) if isinstance(item, PlaceScreen)), None)
        except ScreenStackError:
            return None

    @property
    def keys(self) -> Mapping[str, str]:
        """Keys that a person chose, by action id."""
        return self.preferences.keys

    def is_settled(self) -> bool:
        """Return whether the place that was gone to stands, and its rows are filtered as was written."""
        place = self.place
        going = any(worker.group == "go" and not worker.is_finished for worker in self.workers)
        return not going and place is not None and place.ready and not place.is_under_way()

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
        self.call_after_refresh(self._painted, message)

    def _painted(self, message: Fresh) -> None:
        message.painted.set()
        if self._warning:
            self.remark(visible(self._warning), "warn")
            self._warning = ""
        if not gc.isenabled():  # what was loaded until now stays, and is not looked through again
            gc.freeze()
            gc.enable()

    def read_again(self) -> None:
        """Read the project now, after something was changed."""
        self._read(True)

    def action_read_now(self) -> None:
        """Read everything again now."""
        self.read_again()
        self.remark("read again", "dim")

    # liking

    def keep(self, preferences: Preferences) -> None:
        """Keep what a person likes."""
        old, self.preferences = self.preferences, preferences
        if self._likes_file is not None:
            try:
                keep_changes(self._likes_file, old, preferences)
            except (OSError, WherryError) as error:
                self.remark(f"your preferences could not be kept: {visible(str(error))}", "warn")

    def watch_theme(self, theme: str) -> None:
        """Keep a theme that was chosen."""
        from dataclasses import replace

        if self.is_running and theme != self.preferences.theme:
            self.keep(replace(self.preferences, theme=theme))

    # going

    async def action_go(self, place_id: str) -> None:
        """Go to a place."""
        if place_id != self.current_mode:
            self._trail.append(self.current_mode)
            await self.switch_mode(place_id)
        elif (place := self.place) is not None and ABOVE.get(place.place_id) == place_id:
            await self.pop_screen()

    def go_back(self) -> None:
        """Go to the place we came from; from the first one there is nowhere to go."""
        if self._trail:
            self.switch_mode(self._trail.pop())
        else:
            self.remark("this is where you began: q leaves", "dim")

    def goto(self, kind: str, key: str) -> None:
        """Go to a thing by its kind (place, wave, group, VM, check) and key."""
        self.run_worker(self._goto(kind, key), group="go", exclusive=True)

    async def _goto(self, kind: str, key: str) -> None:
        where = {
            "wave": "waves",
            "group": "dependencies",
            "VM": "inventory",
            "check": "checks",
            "replay": "cutover",
        }
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

    def copy_to_clipboard(self, text: str) -> None:
        """Give a text to the clipboard of the terminal, however far away; say what does not get there."""
        if isinstance(self.focused, Input) and self.focused.password:
            self.call_later(self.remark, "a password is not copied", "warn")
            return
        if text == self.screen.get_selected_text():  # with the mouse: no place says so
            words = (
                f"copied {plural(text.count(chr(10)) + 1, 'line')}" if text else "nothing is marked: q leaves"
            )
            self.call_later(self.remark, words, "good" if text else "dim")
        size = len(text.encode("utf-8", "replace"))
        if size <= LONGEST:
            super().copy_to_clipboard(text)
            if "TMUX" in os.environ:
                self.call_later(self._add, "tmux hands it on with 'set -g set-clipboard on'")
            return
        key = shown(action_named("write"), self.keys)
        words = f"nothing is copied: {count(size)} bytes, and terminals take {count(LONGEST)}"
        self.call_later(self.remark, f"{words}; {key} writes a table to a file", "warn")

    @property
    def has_shell(self) -> bool:
        """Whether a shell holds our job: stopped without one, nobody would let us go on."""
        can_stop = self._driver is not None and self._driver.can_suspend
        return can_stop and os.getpgrp() != os.getsid(0)

    def _add(self, text: str) -> None:
        if (place := self.place) is not None:
            place.add(text)

    def action_help(self) -> None:
        """Show the help of this place."""
        from tui.screens.help import HelpScreen, describe

        if (place := self.place) is not None:
            said = describe(place.place_id, self.read_only, self.keys, place.why_not, self.size.width)
            self.push_screen(HelpScreen(said))

    def action_leave(self) -> None:
        """Leave; say what goes on without us. Work that would be lost is asked about first."""
        if self._leaving:
            return  # asked already
        if (place := self.place) is not None and (lost := self._would_lose()):
            from tui.dialogs.confirm import Confirm
            from tui.text import line

            def answered(yes: bool | None) -> None:
                self._leaving = False
                if yes:
                    self._leave()
                else:
                    place.say("stayed", "dim")

            self._leaving = True
            self.push_screen(Confirm("Leave?", line(lost), "Quit", tone="bad"), answered)
        else:
            self._leave()

    def _would_lose(self) -> str:
        if self.is_working:
            return f"{self.work_title} is going on and would end without a result."
        if served := sum(job.state.running for job in self.aside):
            return f"{plural(served, 'image')} served here would end."
        if self.unsaved:
            verb = "is" if self.unsaved == 1 else "are"
            return f"{plural(self.unsaved, 'edit')} of the plan {verb} not saved and would be lost."
        return ""

    def _leave(self) -> None:
        running = self.view.running
        words = f"{plural(len(running), 'run')} goes on: wherry status --watch" if running else ""
        self.exit(message=Text(words.replace("runs goes", "runs go")) if words else None)

    def remark(self, text: str, tone: str) -> None:
        if (place := self.place) is not None and place.ready:
            place.say(text, tone)

    def show_work(self) -> None:
        if (place := self.place) is not None and place.ready:
            place.show_frame()
