"""4 Waves: when does what move, and why so.

    WavesTable      every wave: Gantt, list or board        one cursor, one filter, marks
    groups, panel   the wave under the cursor: its groups   why so, limits, what is broken, what helps

What is edited lies in the study; ``self.hand`` is what it said last.
"""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from planner.errors import WherryError
from planner.names import visible
from planner.plan import Wave
from tui.actions.action import Action
from tui.actions.keymap import bindings_at
from tui.actions.table import action_named
from tui.screens.wave_detail import describe_wave
from tui.screens.waves_charting import Charting
from tui.screens.waves_editing import Editing
from tui.screens.waves_groups import COLUMNS as GROUPS
from tui.screens.waves_groups import Groups, group_lines, saved_groups
from tui.screens.waves_lines import COLUMNS, WaveLine, wave_lines
from tui.screens.waves_marks import Marks
from tui.screens.waves_offers import REST_S
from tui.screens.waves_table import WavesTable
from tui.screens.waves_working import Working
from tui.session import View
from tui.text import count, line, plural
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable


class WavesScreen(Editing, Charting, Working, Marks):
    """When does what move, and why so."""

    CSS_PATH = "waves.tcss"
    BINDINGS = bindings_at("waves")
    place_id = "waves"
    noun = "wave"
    filters = "waves"
    columns = COLUMNS

    def __init__(self) -> None:
        super().__init__()
        self._seen: tuple[object, ...] = ()  # what the lines were made from
        self._wanted = ""
        self._asked: object = None  # the plan that the study was asked to lay out
        self._resting: Timer | None = None
        self._told: tuple[object, ...] = ()  # what the judgement was made from

    def compose_body(self) -> ComposeResult:
        """Filter, waves; below them groups and judgement of one wave."""
        yield self.filter_bar("state:planned broken>0 VMs>20")
        yield WavesTable(COLUMNS, id="plan")
        with Horizontal(id="one"):
            yield VirtualTable(GROUPS, "no group in this wave", id="groups")
            yield Panel("judgement", "Why, when, how long")

    def where(self) -> str:
        """The wave under the cursor."""
        return visible(self.wave_line.wave) if self.ready and self.wave_line else ""

    def select(self, key: str) -> None:
        """Put the cursor on a wave, now or as soon as it is there."""
        self._wanted = key
        if self.ready:
            if not self.waves.move_to(key):
                self.clear_filter()
            self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if self._wanted and self.waves.move_to(self._wanted):
            self._wanted = ""

    def follow(self, wave: str, group: str) -> None:
        """Go where a group went, as soon as both are there."""
        self._wanted, self.followed = wave, (wave, group)

    # what is shown

    def show(self, view: View) -> None:
        """Show a newer view."""
        self.waves.set_empty(self._empty(view))
        hand, plan = self.hand, view.plan
        if hand is not None and hand.unsaved and not hand.outdated and plan and hand.plan < plan.version:
            self.hand = replace(hand, outdated=True)  # somebody else stored a plan
        self._lay_out(view)
        state = (view.plan, view.waves, view.approvals, view.status, view.wave_tallies, self.hand)
        if len(self._seen) != len(state) or any(
            old is not new for old, new in zip(self._seen, state, strict=True)
        ):
            self._seen = state
            lines = wave_lines(view, self.hand)
            self.chart_lines(lines)
            self.set_rows(lines)
        self._go_to_wanted()
        self.describe_table()
        self.show_wave()

    def _empty(self, view: View) -> str:
        if view.waves:
            return "no wave matches the filter: esc clears it"
        if not view.complete and view.plan is None:
            return "reading …"
        if view.inventory_id is None:
            return "no inventory yet: press i, then p to plan"
        return (
            "no plan yet: press p to make one" if view.plan is None else "the plan has no wave: see its notes"
        )

    def _lay_out(self, view: View) -> None:
        """Have the plan laid out beforehand, so that the first edit is answered at once."""
        if view.plan is None or not view.complete or not self.wherry.session.judges:
            return
        newer = self.hand is None or self.hand.plan < view.plan.version
        state = (view.plan, view.inventory_id, view.settings)
        if (
            newer
            and self._asked != state
            and not self.unsaved
            and not self.wherry.session.plan_is_older_than()
        ):
            self._asked = state
            self.lay_out()

    def title_words(self, *more: str) -> str:
        """Say what the plan is, then as every table does."""
        plan = self.view.plan
        if plan is None:
            return "no plan"
        words = [f"plan {plan.version}", f"at least {plan.waves_bound}", plural(plan.vms, "VM")]
        words.append(f"{count(plan.unplanned)} unplanned")
        said = super().title_words(*words)
        return said if self.waves.sorted_by is not None else said.removesuffix(f" · {self.waves.sort_words}")

    def describe_table(self) -> None:
        """Say what the plan is, and the keys of the view."""
        keys = {
            "gantt": "◂ ▸ scroll · + - zoom · . whole plan · z list",
            "list": "s sort · v columns · z board",
            "board": "◂ ▸ wave · [ ] move the card · z Gantt",
        }
        self.waves.set_title(Content(self.title_words()), Content(keys[self.waves.view]))
        if (wave := self.wave_line) is not None:
            self.describe_groups(wave)

    def standing_note(self) -> Content | None:
        """What is not saved and what it does to the score; else what is newer than the plan."""
        if self.hand is not None and self.hand.unsaved:
            return self.unsaved_note()
        if older := self.wherry.session.plan_is_older_than():
            anew = self.why_not(action_named("waves.plan")) == ""
            then = "p plans anew" if anew else "'wherry plan' plans anew"
            return line((f"▲ {older} newer than the plan: {then}", "warn"))
        return None

    def saved_wave(self, name: str) -> Wave | None:
        """Return a wave of the saved plan, None when it has none of that name or it cannot be read."""
        try:
            return self.wherry.session.wave(name)
        except WherryError:
            return None

    def groups_of(self, name: str) -> Groups | None:
        """Return the groups of a wave, None while they are asked for."""
        found = self.known_groups.get(name)
        if found is not None:
            if name in self.old_groups:
                self.ask_groups([name])
            return found
        if self.hand is not None and name in self.hand.rows:
            self.ask_groups([name])
            if name in self.hand.edited:
                return None
        wave = self.saved_wave(name)
        return saved_groups(wave, self.saved_size(name)) if wave is not None else None

    def show_wave(self) -> None:
        """Show the groups and the judgement of the wave under the cursor."""
        wave, panel = self.wave_line, self.panel("judgement")
        if wave is None:
            self._told = ()
            self.groups.set_rows(())
            self.groups.set_title(Content("groups"), Content(""))
            panel.show(line((self._empty(self.view), "dim")), "why", top=True)
            return
        found = self.groups_of(wave.wave)
        if found is not None:
            lines = group_lines(found)
            self.groups_in = wave.wave
            if lines != self.groups.rows:
                self.groups.set_rows(lines)
            if self.followed[0] == wave.wave and self.groups.move_to(self.followed[1]):
                self.followed = ("", "")
        nothing = (
            "no group matches the filter: esc clears it" if self.groups.rows else "no group in this wave"
        )
        self.groups.set_empty("reading …" if found is None else nothing)
        self.describe_groups(wave)
        self.show_card()
        offered, view, width = self.offered(), self.view, panel.size.width - 2
        told = (wave, self.hand, view.plan, view.tallies, view.approvals, view.status, offered, width)
        if told == self._told:
            return
        self._told = told
        words = describe_wave(wave, self.saved_wave(wave.wave), view, self.wherry.session,
                              self.hand, offered, width)  # fmt: skip
        panel.show(words, f"{visible(wave.wave)} {visible(wave.title)}")
        panel.set_title(None, Content(self.offer_keys() or "t why here · o score · tab panel"))

    def show_card(self) -> None:
        """Show on the board which group the cursor is on."""
        groups = self.groups
        self.waves.card = groups.order[groups.cursor] if groups.row is not None else None
        if self.waves.view == "board":
            self.ask_lanes()
            self.waves.refresh()

    def stations(self) -> list[Widget]:
        """What tab goes through; a narrow screen shows a panel once it is gone to."""
        board = self.waves.view == "board"
        return [self.waves, *([] if board else [self.groups]), self.panel("judgement")]

    def describe_groups(self, wave: WaveLine) -> None:
        """Say how many groups there are and are marked."""
        words = [f"{visible(wave.wave)}: {plural(len(self.groups.rows), 'group')}{self.side_words('groups')}"]
        if self.groups.marks:
            words.append(f"{count(len(self.groups.marks))} marked")
        keys = "▣ locked: l unlocks" if wave.locked else "[ ] move · m to … · n new · l lock"
        if self.why_not(action_named("waves.lock")):  # nothing can be moved now
            keys = "▣ locked" if wave.locked else "enter group" if self.groups.rows else ""
        self.groups.set_title(Content(" · ".join(words)), Content(keys))

    # moving

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show what is under the cursor."""
        if not self.ready:
            return
        if event.table is not self.waves:
            self.show_card()
            return
        self.chart_follows()
        self.forget_offer(self.wave_line)
        if not self._wanted and self.wave_line and self.wave_line.wave != self.followed[0]:
            self.followed = ("", "")  # a person went elsewhere
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(REST_S, self.look_for_mending)
        self.follow_cursor(self._show_here)

    def _show_here(self) -> None:
        self.show_cursor()
        self.show_wave()

    def on_waves_table_stepped(self, event: WavesTable.Stepped) -> None:
        """Go to another card of the board."""
        self.groups.action_move(event.by)

    def on_waves_table_pointed(self, event: WavesTable.Pointed) -> None:
        """Go to the card that was clicked."""
        found = (one for one in self.groups_of(event.wave) or () if one["name"] == event.group)
        self.follow(event.wave, next((one["vms"][0][0] for one in found), ""))
        self.select(event.wave)
        self.show_wave()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Open a wave's content, or a group in Dependencies."""
        if event.table is self.groups:
            if (row := self.groups.row) is not None:
                self.wherry.open_group(str(row[1]))
        else:
            self.read_content()

    def action_open(self) -> None:
        """Open the wave or the group under the cursor."""
        if not self.writing:
            (self.groups if self.groups.has_focus else self.waves).open_row()

    def reveal(self, widget: Widget) -> None:
        """On a narrow screen the two panels take turns."""
        self.set_class(widget.id == "judgement", "judging")

    def action_back(self) -> None:
        """The filter of groups goes; from a panel to the waves; then their marks go, then as everywhere."""
        if self.leaves_side_filter():
            return
        if self.groups.has_focus or self.panel("judgement").has_focus:
            self.waves.focus()
        elif self.groups.marks:
            self.groups.mark(())
            self.show_wave()
        else:
            super().action_back()

    def why_not(self, action: Action) -> str:
        """Return why an action cannot be used now."""
        said = super().why_not(action) or self.not_now(action)
        if not said and action.id in ("waves.approve", "waves.approve_all"):
            said = self.nothing_to_approve(action.id.removeprefix("waves."))
        return said
