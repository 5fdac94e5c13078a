"""Replay: a run of 7 Cutover is scrubbed entry by entry, read-only, and says so all the time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from planner.names import visible
from tui.screens.cutover_watching import WatchingPlace
from tui.text import count, short_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.sheets import RunRow

Marks = tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]  # of ends, of turns, and all times


class ReplayingPlace(WatchingPlace):
    """A place whose run can be seen as it was after any of its entries."""

    def __init__(self) -> None:
        super().__init__()
        self._marks: dict[int, Marks] = {}

    def _with_marks(self, do: Callable[[Marks], None]) -> None:
        """Do something with the places to jump to in the run that is replayed."""
        if self.past is None or self._sheets is None:
            return
        run, sheets = self.past[0], self._sheets
        if run in self._marks:
            do(self._marks[run])
            return

        def got(marks: Marks) -> None:
            self._marks[run] = marks
            if self.past is not None and self.past[0] == run:
                do(marks)

        self.in_thread(
            lambda: sheets.marks(run), got, lambda said, hint: self.say(f"✖ {visible(said)}", "bad")
        )

    def turn_to_entry(self, entry: int) -> None:
        """Go to an entry, or as near as the run has one."""
        if self.past is not None and self.sheet is not None:
            self.turn_to_past(self.past[0], max(0, min(entry, self.sheet.entries)))

    def action_replay(self) -> None:
        """Begin to replay the run that is shown, at its end; or come back to now."""
        if self.replaying:
            self.back_to_now()
        elif self.sheet is not None:
            self._marks.pop(self.sheet.run.id, None)  # more may have been written
            self.turn_to_past(self.sheet.run.id, self.sheet.entry)

    def action_scrub(self, by: int) -> None:
        """Go some entries back or on."""
        if self.past is not None:
            self.turn_to_entry(self.past[1] + by)

    def action_jump(self, to: str, by: int) -> None:
        """Go to where something ended, or to a gate that was passed or a turn back."""

        def go(marks: Marks) -> None:
            if self.past is None:
                return
            stops, here = marks[0] if to == "ended" else marks[1], self.past[1]
            at = bisect_left(stops, here) - 1 if by < 0 else bisect_right(stops, here)
            if 0 <= at < len(stops):
                self.turn_to_entry(stops[at])
            else:
                self.say("there is none " + ("before this" if by < 0 else "after this"), "dim")

        self._with_marks(go)

    def action_wave(self) -> None:
        """Ask which wave, or which run of before, is to be shown."""
        sheets = self._sheets
        if sheets is None:
            return
        from tui.dialogs.pick import Choice, Pick

        waves = [
            Choice(f"w{wave.name}", f"{wave.name} {wave.status.title}", wave.status.state)
            for wave in self.live.waves
        ]

        def got(rows: Sequence[RunRow]) -> None:
            runs = [
                Choice(
                    f"r{row.id}", f"run {row.id} of {row.wave}", f"{short_time(row.at)} by {row.who}: replay"
                )
                for row in rows
            ]
            self.app.push_screen(
                Pick("Wave, or run to replay", [*waves, *runs], "there is no wave yet"), chosen
            )

        def chosen(key: str | None) -> None:
            if key is not None and key.startswith("w"):
                self.watch_wave(key[1:])
                self.reveal(self.table)
                self.table.focus()
            elif key is not None:
                self.sheet = None
                run = int(key[1:])
                self.in_thread(
                    lambda: sheets.marks(run),
                    lambda marks: self.turn_to_past(run, len(marks[2])),
                    self._failed,
                )

        self.in_thread(sheets.runs, got, self._failed)

    def action_jump_to(self) -> None:
        """Ask for an entry or a time."""
        from tui.dialogs.form import Ask, Form

        if self.sheet is None:
            return
        entries = self.sheet.entries

        def asked(marks: Marks) -> None:
            ask = Ask("to", f"Entry from 0 to {count(entries)}, or a time like 22:31 or 2027-01-09T22:31",
                      needed=True, judge=lambda text: _wrong(text, entries))  # fmt: skip
            self.app.push_screen(Form("Replay from", [ask], "Go"), lambda said: go(said, marks))

        def go(said: dict[str, str] | None, marks: Marks) -> None:
            if said is not None:
                text = said["to"]
                self.turn_to_entry(int(text) if text.isdigit() else _entry_at(text, marks[2]))

        self._with_marks(asked)


def _wrong(text: str, entries: int) -> str:
    if text.isascii() and text.isdigit():
        return "" if int(text) <= entries else f"the run has {count(entries)} entries"
    ok = text.replace("-", "").replace(":", "").replace("T", "").isdigit() and ":" in text
    return "" if ok and text.isascii() else f"{visible(text, 30)!r} is neither an entry nor a time"


def _entry_at(text: str, times: tuple[str, ...]) -> int:
    """Return how many entries were written up to a time; without a day, that of the last one counts."""
    day = times[-1][:11] if times and "T" not in text else ""
    wanted = f"{day}{text}"
    return sum(at[: len(wanted)] <= wanted for at in times)
