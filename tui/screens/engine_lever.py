"""Starting the engine where its death is seen: one key in 6 Replicate and 7 Cutover."""

from __future__ import annotations

from planner.names import visible
from tui.actions.action import Action
from tui.actions.keymap import shown
from tui.actions.table import action_named
from tui.live.document import EngineState, Live
from tui.live.words import BY_COMMAND
from tui.screens.threaded import ThreadedPlace
from tui.text import line, stack

_AT_WORK = (EngineState.WORKING, EngineState.IDLE)
_ORDERS = 6  # of them are named


class EngineLever(ThreadedPlace):
    """A place that sees the engine. Subclasses read ``live``."""

    live: Live

    def why_not(self, action: Action) -> str:
        """Say also why no engine can be started."""
        if (why := super().why_not(action)) or action.id != "engine.start":
            return why
        return why_no_start(self.live)

    def make_way(self, before: Live) -> None:
        """Let a remark go when the engine is seen to have died: that is told in its stead."""
        now, was = self.live.engine.state, before.engine.state
        if now is EngineState.DEAD and was is not EngineState.DEAD:
            self._hush()

    def how_to_start(self) -> str:
        """Return how an engine is started from here: a key, or a command where keys change nothing."""
        if self.wherry.read_only:
            return BY_COMMAND
        return f"{shown(action_named('engine.start'), self.wherry.keys)} starts one"

    def action_start_engine(self) -> None:
        """Have an engine go on with what is ordered."""
        from tui.dialogs.confirm import Confirm

        open_orders = [(wave.name, wave.order) for wave in self.live.waves if wave.order is not None]
        said = [
            line(f"  {visible(name, 40)}  {visible(order.purpose)} by {visible(order.who, 40)}")
            for name, order in open_orders[:_ORDERS]
        ]
        more = len(open_orders) - _ORDERS
        lines = [
            line("What was ordered goes on from the record: nothing that was done is done again,"),
            line("and what nobody knows is asked of the site."),
            *said,
            *([line((f"  and {more} more", "dim"))] if more > 0 else []),
        ]
        if not open_orders:
            lines = [
                line("No order is open. The engine brings waves that wait for their go up to date,"),
                line("and minds commit windows and appointments; with nothing to do it leaves by itself."),
            ]
        self.app.push_screen(
            Confirm("Start the engine?", stack(lines), "Start it"),
            lambda yes: self._start_engine() if yes else None,
        )

    def _start_engine(self) -> None:
        root = self.wherry.session.root

        def start() -> str:
            from planner.store.project import Project
            from tui.acts.ordering import start_engine

            with Project.open(root) as project:
                pid, is_new = start_engine(project)
            return f"the engine {'was started and takes' if is_new else 'takes'} orders (process {pid})"

        def started(words: str) -> None:
            self.say(f"✔ {words}", "good")
            self.look_now()

        def failed(said: str, hint: str) -> None:
            self.say_failed(said, hint)
            self.look_now()

        self.say("an engine is being started …", "dim")
        self.in_thread(start, started, failed)


def why_no_start(live: Live) -> str:
    """Return why no engine is to be started now, empty when one is."""
    engine = live.engine
    if not live.complete:
        return "the project is still being read"
    if engine.state is EngineState.HIDDEN:
        return "the engine is another login's to run in this project"
    if engine.state is EngineState.STARTING:
        return "the engine is starting or ending: look again in a moment"
    if engine.state in _AT_WORK and engine.pid is not None:
        return f"an engine is at work already, process {engine.pid}"
    return ""
