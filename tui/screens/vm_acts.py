"""What is done with the marked VMs, or the one under the cursor: each an op of the study, or a jump."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from textual.content import Content

from planner.names import visible
from planner.sized import size_of
from planner.units import show_bytes
from tui.actions.action import Action
from tui.screens.table_place import TablePlace
from tui.screens.waves_lines import begun
from tui.text import count, line, plural, short_time, size_cell, stack, window_start

_NAMED = 6  # VMs that the line of marks names
_CPUS, _DISK = 5, 7  # fields of a row


class VmActs(TablePlace):
    """A table of VMs with acts on them."""

    def __init__(self) -> None:
        super().__init__()
        self._summed: tuple[object, frozenset[object], Content] | None = None

    def why_not(self, action: Action) -> str:
        """Return why an action cannot be used here now."""
        why = super().why_not(action)
        if why or not action.id.startswith("vm.") or action.id.startswith("vm.tab"):
            return why
        if action.id == "vm.together" and len(self.table.marks) < 2:
            return "mark two VMs or more first: space, as 'wherry deps together' wants two"
        return (
            "" if self.chosen() else "no VM is under the cursor: esc clears the filter of 'wherry inventory'"
        )

    def standing_note(self) -> Content | None:
        """Which VMs are marked, and what they come to."""
        marks, rows = self.table.marks, self.table.rows
        if not marks:
            return None
        if self._summed is None or self._summed[0] is not rows or self._summed[1] != marks:
            chosen = [row for row in rows if row[0] in marks]
            names = ", ".join(visible(row[1], 30) for row in chosen[:_NAMED])
            more = f" and {count(len(chosen) - _NAMED)} more" if len(chosen) > _NAMED else ""
            unknown = sum(not row[_DISK] for row in chosen)
            sizes = show_bytes(sum(row[_DISK] for row in chosen)) + (
                f", {unknown} unknown" if unknown else ""
            )
            words = f" · {sizes} · {count(sum(row[_CPUS] for row in chosen))} vCPU"
            note = line((f"✓ {count(len(chosen))} marked: ", "accent"), names + more, words)
            self._summed = (rows, frozenset(marks), note)
        return self._summed[2]

    def _vms(self) -> str:
        return plural(len(self.chosen()), "VM")

    # naming and tying

    def action_name(self) -> None:
        """Ask to which application the VMs belong."""
        from tui.dialogs.form import Ask, Form

        vms = self.chosen()
        vm = self.wherry.session.vm(vms[0]) if len(vms) == 1 else None
        ask = Ask("name", "Application", vm.application if vm else "", "billing", needed=True)
        said = line("It counts over what lists and the source say; the next plan goes by it.")
        form = Form(f"What do {self._vms()} belong to?" if len(vms) > 1 else "What does it belong to?", [ask],
                    "Name it", said)  # fmt: skip

        def named(values: dict[str, str] | None) -> None:
            if values is not None:
                args = {"vms": vms, "application": values["name"]}
                done = f"{plural(len(vms), 'VM')} of {visible(values['name'], 60)}"
                self._do("vms.name", args, lambda _: f"✔ {done}; p in 4 Waves plans anew", "naming")

        self.app.push_screen(form, named)

    def action_together(self) -> None:
        """Ask why the marked VMs move together."""
        from tui.dialogs.form import Ask, Form

        vms = self.chosen()
        ask = Ask("why", "Why, for the record", "", "they share a licence server", needed=True)
        said = line("A hard tie for each group of them that does not yet; wherry deps forget takes one back.")

        def tied(values: dict[str, str] | None) -> None:
            if values is not None:
                args = {"vms": vms, "why": values["why"]}
                self._do(
                    "vms.together", args, lambda told: f"✔ {told['said']}; p in 4 Waves plans anew", "tying"
                )

        self.app.push_screen(Form(f"Let {self._vms()} move together", [ask], "Tie them", said), tied)

    def action_exclude(self) -> None:
        """Let the VMs stay, or come along when all of them stay."""

        def said(told: Mapping[str, Any]) -> str:
            word = "excluded" if told["stay"] else "included again"
            return f"✔ {plural(len(told['vms']), 'VM')} {word} from the next plan on; x takes it back"

        self._do("vms.exclude", {"vms": self.chosen()}, said, "excluding")

    def _do(self, op: str, args: Mapping[str, Any], said: Callable[[Any], str], busy: str) -> None:
        def done(told: Any) -> None:
            self.wherry.read_again()
            self.say(said(told), "good")

        self.wherry.ask(op, args, done, busy)

    # moving by hand

    def action_move_to_wave(self) -> None:
        """Offer the waves, each with the room it has."""
        vms = self.chosen()
        self.wherry.ask("hand.state", {}, lambda told: self._offer(vms, told["rows"]), "laying the plan out")

    def _offer(self, vms: Sequence[str], waves: Sequence[Mapping[str, Any]]) -> None:
        from tui.dialogs.pick import Choice, Pick

        saved = {wave.name: wave for wave in self.view.waves}
        states = {wave.name: wave.state for wave in self.view.status.waves} if self.view.status else {}

        def choice(wave: Mapping[str, Any]) -> Choice:
            name = str(wave["wave"])
            why_not = (
                "locked: l in 4 Waves unlocks it" if wave["locked"] else begun(name, states.get(name, ""))
            )
            row = saved.get(name)
            when = window_start(row.window) if row and row.window else ""
            return Choice(name, f"{name}  {row.title if row else ''}", _room(wave, when), why_not)

        choices = [choice(wave) for wave in waves]
        box = Pick(
            f"Move {plural(len(vms), 'VM')} with what moves together to", choices, "the plan has no wave"
        )
        self.app.push_screen(box, lambda wave: self._move(vms, wave) if wave is not None else None)

    def _move(self, vms: Sequence[str], wave: str) -> None:
        def moved(told: Mapping[str, Any]) -> None:
            verdict = told["verdict"]
            if verdict["refused"]:
                self._refuse(wave, verdict["refused"])
            else:
                self.wherry.open_wave(wave)

        self.wherry.ask("hand.move", {"groups": list(vms), "wave": wave}, moved, "moving")

    def _refuse(self, wave: str, reasons: Sequence[str]) -> None:
        from tui.dialogs.reader import Reader

        lines = [line(("✖ ", "bad"), visible(why, 500)) for why in reasons]
        lines += [line(""), line(("m in 4 Waves shows which waves would take them", "dim"))]
        self.app.push_screen(Reader(f"{visible(wave)} does not take them: nothing was moved", stack(lines)))

    # going

    def action_dependencies(self) -> None:
        """Go to the group of the VM under the cursor."""
        row = self.table.row
        if row is None:
            return
        group = self.view.placed.get(row[0], ("", ""))[1]
        if group and not self.wherry.session.plan_is_older_than():  # else it may be no group by now
            self.wherry.goto("group", group)
            return

        def found(told: Mapping[str, Any]) -> None:
            if told["group"]:
                self.wherry.goto("group", told["group"])
            else:
                self.say(f"{visible(row[1], 60)} is in no move group: it stays", "warn")

        self.wherry.ask("vms.page", {"vm": row[0]}, found, "looking for its group")

    def action_checks(self) -> None:
        """Go to what checks found on the VM under the cursor."""
        row = self.table.row
        if row is not None:
            self.wherry.goto("check", row[0])


def _room(wave: Mapping[str, Any], when: str) -> str:
    """Say when a wave is, and how full; a wave of no saved plan says its time in UTC."""
    when = when or (short_time(wave["start"]) + " UTC" if wave["start"] else "undated")
    limits = [item for item in wave["limits"] if item["cap"]]
    fullest = max(limits, key=lambda item: item["used"] / item["cap"], default=None)
    size = size_of(wave["size_bytes"], wave["sized"])
    full = f" · {fullest['used'] / fullest['cap']:.0%} full" if fullest else ""
    return f"{when} · {plural(wave['vms'], 'VM')} {size_cell(size)}{full}"
