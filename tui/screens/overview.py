"""Overview: where every VM stands, the next window, the waves, and what needs a person."""

from __future__ import annotations

from datetime import datetime

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from planner.names import visible
from planner.units import show_bytes, show_duration
from tui.actions.keymap import bindings_at
from tui.screens.place import PlaceScreen
from tui.session import View
from tui.text import (
    bar,
    count,
    fill,
    line,
    plural,
    short_time,
    spread_minutes,
    stack,
    window_span,
    window_start,
)
from tui.theme import severity_mark, state_mark
from tui.widgets.column import Column
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

COLUMNS = (
    Column(1, "wave", 6, keep=9),
    Column(2, "name", 12, flex=True, keep=8),
    Column(3, "groups", 6, str, right=True, keep=0),
    Column(4, "VMs", 4, str, right=True, keep=6),
    Column(5, "data", 9, show_bytes, right=True, keep=5),
    Column(6, "state", 15, lambda state: visible(state_mark(state).text),
           lambda state: state_mark(state).tone, keep=9),
    Column(7, "cutover", 16, lambda text: visible(text) or "no window", keep=4),
    Column(8, "steps", 20, lambda done: _steps(*done), keep=3),
    Column(9, "now", 22, lambda text: visible(text) or "–", keep=1),
)  # fmt: skip
_OVER = {"committed", "rolled back", "failed", "aborted"}


def _steps(done: int, total: int) -> str:
    return f"{fill(done, total, 10)} {done}/{total}" if total else "–"


def standing(view: View, width: int) -> Content:
    """Return the panel "where every VM stands" for that many cells of width."""
    status = view.status
    if status is None:
        return line(("reading …", "dim"))
    if not status.inventory_source and not status.vms:
        return stack(
            [
                line(("No inventory yet.", "warn")),
                line("Import a workbook or a JSON inventory:"),
                line(("  wherry discover FILE", "accent")),
                line(("This screen follows by itself.", "dim")),
            ]
        )
    whole = max(max((number for _, number in status.stages), default=0), 1)
    lines = [
        line(f"{stage:<11}{count(number):>8}  ", (bar(number, whole, width - 22), "accent"))
        for stage, number in status.stages
    ]
    notes: list[tuple[str, str] | str] = []
    if view.blocked is not None:
        notes.append((f"✖ {view.blocked} blocked", "bad") if view.blocked else ("✔ none blocked", "good"))
    elif view.judging == "running":
        notes.append(("? checks are running", "dim"))
    elif view.inventory_id is not None:
        notes.append(("? checks are not current", "warn"))
    if view.plan is not None:
        unplanned = view.plan.unplanned
        notes.append((f"   {count(unplanned)} unplanned", "warn" if unplanned else "dim"))
    if undecided := sum(item.unknown > 0 for item in view.counts):
        notes.append((f"   ? {plural(undecided, 'check')} undecided", "dim"))
    lines += [line(*notes)] if notes else []
    lines.append(
        line((f"from {visible(status.inventory_source)}, {short_time(status.inventory_taken_at)}", "dim"))
    )
    return stack(lines)


def next_window(view: View, now: datetime) -> Content:
    """Return the panel "next window"."""
    if view.plan is None:
        return stack(
            [line(("No plan yet.", "warn")), line("Make one:"), line(("  wherry plan", "accent"))]
            if view.status is not None and view.status.vms
            else [line(("nothing planned", "dim"))]
        )
    states = {item.name: item.state for item in view.status.waves} if view.status else {}
    coming = [
        (wave.window, wave)
        for wave in view.waves
        if wave.window is not None and states.get(wave.name) not in _OVER and wave.window.end_utc > now
    ]
    if not coming:
        return stack(
            [
                line(("No window ahead.", "dim")),
                line("Without one a wave may cut over at any time."),
                line(("  wherry settings edit", "accent")),
            ]
        )
    window, wave = min(coming, key=lambda item: item[0].start_utc)
    fits = wave.downtime_min[1] <= window.hours * 60
    ahead = (window.start_utc - now).total_seconds()
    approval = view.approvals.get(wave.name)
    return stack(
        [
            line((f"{visible(wave.name)}  {visible(wave.title)}", "accent")),
            line(window_span(window)),
            line(f"opens in {show_duration(ahead)}" if ahead > 0 else ("◆ open now", "warn")),
            line(f"downtime P50 / P95  {spread_minutes(*wave.downtime_min)}"),
            line(("✔ fits the window", "good") if fits else ("✖ P95 is longer than the window", "bad")),
            line((f"✔ approved by {visible(approval.who)}", "good"))
            if approval
            else line(("○ not approved: ", "warn"), f"wherry plan approve {visible(wave.name)}"),
        ]
    )


def needs_you(view: View, width: int) -> Content:
    """Return the panel "needs you", the heaviest first; a hint that does not fit gets its own line."""
    if view.status is None:
        return line(("reading …", "dim"))
    order = {"blocker": 0, "gate": 1, "warning": 2, "info": 3}
    lines: list[Content] = []
    for need in sorted(view.status.needs, key=lambda item: order.get(item.severity, 9)):
        mark = severity_mark(need.severity)
        head, hint = line((f"{mark.glyph} ", mark.tone), visible(need.text)), f"  {visible(need.hint)}"
        if head.cell_length + cell_len(hint) <= width:
            lines.append(head.append(line((hint, "dim"))))
        else:
            lines += [head, line((f"  →{hint[1:]}", "dim"))]
    return stack(lines) if lines else line(("✔ nothing needs you now", "good"))


class OverviewScreen(PlaceScreen):
    """Where are we, what needs me."""

    CSS_PATH = "overview.tcss"
    BINDINGS = bindings_at("overview")
    place_id = "overview"

    def compose_body(self) -> ComposeResult:
        """Stages and window, waves, needs."""
        with Horizontal(id="top"):
            yield Panel("stages", "Where every VM stands")
            yield Panel("window", "Next window")
        yield VirtualTable(COLUMNS, id="waves")
        yield Panel("needs", "Needs you")

    def show(self, view: View) -> None:
        """Show a newer view."""
        stages = self.query_one("#stages", Panel)
        stages.show(standing(view, stages.content_size.width))
        self.query_one("#window", Panel).show(next_window(view, self.wherry.now()))
        needs = len(view.status.needs) if view.status else 0
        panel = self.query_one("#needs", Panel)
        panel.show(
            needs_you(view, panel.content_size.width), f"Needs you ({needs})" if needs else "Needs you"
        )
        table = self.query_one("#waves", VirtualTable)
        table.set_empty(self._empty(view))
        windows = {w.name: window_start(w.window) for w in view.waves if w.window}
        rows = tuple(
            (wave.name, wave.name, wave.title, wave.groups, wave.vms, wave.size_bytes, wave.state,
             windows.get(wave.name, wave.window), (wave.steps_done, wave.steps_total),
             wave.gate or wave.current)
            for wave in (view.status.waves if view.status else ())
        )  # fmt: skip
        if rows != table.rows:
            table.set_rows(rows)
        self.describe_table(table)

    def _empty(self, view: View) -> str:
        if view.status is None:
            return "reading …"
        if not view.status.vms:
            return "no waves yet: run 'wherry discover FILE', then 'wherry plan'"
        return "no waves yet: run 'wherry plan'"

    def describe_table(self, table: VirtualTable) -> None:
        """Say how many waves there are."""
        version = f" · plan {self.view.plan.version}" if self.view.plan else ""
        table.set_title(
            Content(f"{plural(len(table.rows), 'wave')}{version} · {table.sort_words}"),
            Content("enter opens the wave" if table.rows else ""),
        )

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Open a wave in Waves."""
        self.wherry.open_wave(str(event.table.key))
