"""What is done with the marked VMs, or the one under the cursor: each an op of the study, or a jump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from planner.names import visible
from planner.units import show_bytes
from tui.actions.action import Action
from tui.screens.table_place import TablePlace
from tui.text import count, line, plural, short_time

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

    def _only(self) -> tuple[Any, ...] | None:
        """Return the row of the VM under the cursor."""
        return self.table.row

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
            many = plural(len(told["vms"]), "VM")
            word = "stay from the next plan on" if told["stay"] else "come along again from the next plan on"
            word = (
                word.replace("stay", "stays", 1).replace("come ", "comes ", 1)
                if len(told["vms"]) == 1
                else word
            )
            return f"✔ {many} {word}; x takes it back"

        self._do("vms.exclude", {"vms": self.chosen()}, said, "excluding")

    def _do(self, op: str, args: Mapping[str, Any], said: Any, busy: str) -> None:
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

        titles = {wave.name: wave.title for wave in self.view.waves}
        choices = [
            Choice(
                wave["wave"],
                f"{wave['wave']}  {titles.get(wave['wave'], '')}",
                _room(wave),
                "locked: l in 4 Waves unlocks it" if wave["locked"] else "",
            )
            for wave in waves
        ]
        box = Pick(
            f"Move {plural(len(vms), 'VM')} with what moves together to", choices, "the plan has no wave"
        )
        self.app.push_screen(box, lambda wave: self._move(vms, wave) if wave is not None else None)

    def _move(self, vms: Sequence[str], wave: str) -> None:
        def moved(told: Mapping[str, Any]) -> None:
            verdict = told["verdict"]
            if verdict["refused"]:
                more = len(verdict["refused"]) - 1
                why = visible(verdict["refused"][0], 300) + (f", and {more} more" if more else "")
                self.say(f"✖ nothing was moved: {why}", "bad")
            else:
                self.wherry.open_wave(wave)

        self.wherry.ask("hand.move", {"groups": list(vms), "wave": wave}, moved, "moving")

    # going

    def action_dependencies(self) -> None:
        """Go to the group of the VM under the cursor."""
        row = self._only()
        if row is not None:
            self.wherry.goto("group", self.view.placed.get(row[0], ("", ""))[1] or row[0])

    def action_checks(self) -> None:
        """Go to what checks found on the VM under the cursor."""
        row = self._only()
        if row is not None:
            self.wherry.goto("findings", row[0])


def _room(wave: Mapping[str, Any]) -> str:
    """Say when a wave is, and how full."""
    when = short_time(wave["start"]) + " UTC" if wave["start"] else "undated"
    limits = [item for item in wave["limits"] if item["cap"]]
    fullest = max(limits, key=lambda item: item["used"] / item["cap"], default=None)
    full = f" · {fullest['limit']} {fullest['used'] / fullest['cap']:.0%} full" if fullest else ""
    return f"{when} · {plural(wave['vms'], 'VM')} {show_bytes(wave['size_bytes'])}{full}"
