"""What a person does about findings: accept them, end a waiver, see and tick off the tasks before a wave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from planner.names import visible
from tui.actions.action import Action
from tui.dialogs.form import Ask, Form
from tui.dialogs.pick import Choice, Pick
from tui.dialogs.tasks import Tasks
from tui.found import FoundRow
from tui.text import line, plural, stack

if TYPE_CHECKING:
    from textual.content import Content

    from tui.screens.checks import ChecksScreen

_NAMED = 4  # objects that a form names
_DAYS = 90  # how long a waiver lasts unless a person says otherwise


def why_not_act(screen: ChecksScreen, action: Action) -> str:
    """Return why an act on findings cannot be used where the cursor stands, empty when it can."""
    if not screen.ready or action.id not in ("checks.waive", "checks.unwaive", "filter.saved", "filter.save"):
        return ""
    if action.id.startswith("filter."):
        return "" if screen.filters else "saved filters are of findings and VMs: tab goes to the findings"
    if screen.view.judging != "current":
        return "the checks are not current: c runs them, what they find comes by itself"
    if action.id == "checks.waive":
        rows = screen.acts.meant()
        if not rows:
            return "there is no finding here: tab goes to the findings, space marks several"
        return "" if any(not row.waiver for row in rows) else "all of it is accepted already: x ends a waiver"
    row = screen.table_of("found").row
    if not isinstance(row, FoundRow) or not row.waiver:
        return "the finding under the cursor is not accepted: a shows those that are"
    return ""


class ChecksActs:
    """The acts of one Checks place; each asks for what it needs, then asks the study to do it."""

    def __init__(self, screen: ChecksScreen) -> None:
        self._screen = screen

    # accepting

    def meant(self) -> list[FoundRow]:
        """Return the findings an act is about: marked ones, else the one under the cursor; from the list of
        checks all that are shown of the one there."""
        table = self._screen.table_of("found")
        if table.marks:
            return [row for row in table.rows if row[0] in table.marks]  # type: ignore[misc]
        if self._screen.active == "checks":
            return [table.rows[index] for index in table.order]  # type: ignore[misc]
        return [table.row] if isinstance(table.row, FoundRow) else []

    def waive(self) -> None:
        """Ask reason, owner and last day, then accept."""
        from planner.readiness import today

        rows = [row for row in self.meant() if not row.waiver]
        found: dict[str, list[str]] = {}
        for row in rows:
            ids = found.setdefault(row.check, [])
            if row.subject not in ids[-1:]:
                ids.append(row.subject)
        until = (today() + timedelta(days=_DAYS)).isoformat()
        asks = [
            Ask("reason", "Why it is accepted", needed=True, placeholder="seeded by disk, its owner agrees"),
            Ask("owner", "Who answers for it", needed=True, placeholder="Anna Berg"),
            Ask("until", "Until which day", until, needed=True, judge=_wrong_day),
        ]
        form = Form("Accept findings until a day", asks, "Accept", _accepting(rows, found))
        self._screen.app.push_screen(form, partial(self._give, found))

    def _give(self, found: dict[str, list[str]], said: dict[str, str] | None) -> None:
        if said is None:
            return
        screen = self._screen
        args = {"found": found, "reason": said["reason"], "owner": said["owner"], "until": said["until"]}
        screen.wherry.ask("findings.waive", args, self._given, busy="accepting findings")

    def _given(self, waivers: list[dict[str, Any]]) -> None:
        numbers = ", ".join(str(item["id"]) for item in waivers)
        many = sum(item["count"] for item in waivers)
        self._screen.table_of("found").mark(())
        self._screen.say(f"✔ accepted for {plural(many, 'object')}: waiver {numbers}", "good")
        self._screen.wherry.read_again()

    # ending a waiver

    def unwaive(self) -> None:
        """Find the waivers on the finding under the cursor, then ask why one ends."""
        row = self._screen.table_of("found").row
        if isinstance(row, FoundRow):
            args = {"check": row.check, "kind": row.subject_kind, "subject": row.subject}
            self._screen.wherry.ask("findings.waivers", args, self._choose)

    def _choose(self, waivers: list[dict[str, Any]]) -> None:
        if not waivers:
            self._screen.say("no waiver covers it any more", "warn")
            self._screen.wherry.read_again()
        elif len(waivers) == 1:
            self._ask_why(waivers[0])
        else:
            choices = [
                Choice(
                    str(item["id"]),
                    f"waiver {item['id']}",
                    f"{plural(item['count'], 'object')}: {item['sentence']}",
                )
                for item in waivers
            ]
            by_id = {str(item["id"]): item for item in waivers}
            self._screen.app.push_screen(
                Pick("Which waiver ends?", choices), lambda key: self._ask_why(by_id[key]) if key else None
            )

    def _ask_why(self, waiver: dict[str, Any]) -> None:
        said = stack(
            [
                line("waiver ", (str(waiver["id"]), "accent"), " for ", plural(waiver["count"], "object")),
                line((visible(waiver["sentence"]), "dim")),
                line("All of its findings count again; the waiver is kept, with your reason."),
            ]
        )
        ask = Ask("reason", "Why it ends", needed=True)
        form = Form(f"End waiver {waiver['id']}", [ask], "End it", said)
        self._screen.app.push_screen(form, partial(self._end, waiver["id"]))

    def _end(self, number: int, said: dict[str, str] | None) -> None:
        if said is not None:
            args = {"waiver": number, "reason": said["reason"]}
            self._screen.wherry.ask("unwaive", args, self._ended, busy="ending a waiver")

    def _ended(self, waiver: dict[str, Any]) -> None:
        self._screen.say(f"✔ waiver {waiver['id']} ended: its findings count again", "good")
        self._screen.wherry.read_again()

    # tasks

    def tasks(self) -> None:
        """Show the tasks of the wave of what is under the cursor, else of one that is picked."""
        if wave := self._wave_here():
            self.show_tasks(wave)
            return
        choices = [
            Choice(wave.name, f"{wave.name} {wave.title}", plural(wave.tasks, "task"))
            for wave in self._screen.view.waves
        ]
        self._screen.app.push_screen(
            Pick("Tasks before which wave?", choices), lambda wave: self.show_tasks(wave) if wave else None
        )

    def _wave_here(self) -> str:
        screen = self._screen
        if screen.active == "found":
            row = screen.table_of("found").row
            return row.wave if isinstance(row, FoundRow) else ""
        row = screen.list_table.row
        return str(row[8]) if screen.by_vm and row is not None else ""

    def show_tasks(self, wave: str) -> None:
        """Ask for the tasks of a wave and show them."""
        done = partial(self._show, wave)
        self._screen.wherry.ask("findings.tasks", {"wave": wave}, done, busy=f"tasks of {visible(wave, 40)}")

    def _show(self, wave: str, tasks: Sequence[dict[str, Any]]) -> None:
        box = Tasks(wave, tasks, self._screen.wherry.read_only)
        self._screen.app.push_screen(box, partial(self._tick, wave, tasks))

    def _tick(self, wave: str, tasks: Iterable[dict[str, Any]], chosen: str | None) -> None:
        task = next((item for item in tasks if item["id"] == chosen), None)
        if task is None:
            return
        said = stack(
            [
                line((visible(task["title"]), "accent"), "  ", visible(task["name"])),
                line(("→ ", "accent"), visible(task["remedy"])),
                line(("It is open again when the source still has the finding after that.", "dim")),
            ]
        )
        ask = Ask("note", "What to remember", placeholder="by the DBA, change 4711")
        form = Form(f"Tick off a task of {visible(wave, 40)}", [ask], "Tick off", said)
        self._screen.app.push_screen(form, partial(self._ticked, wave, task["id"]))

    def _ticked(self, wave: str, task: str, said: dict[str, str] | None) -> None:
        if said is None:
            self.show_tasks(wave)
            return
        args = {"wave": wave, "task": task, "note": said["note"]}
        self._screen.wherry.ask("findings.tick", args, partial(self._done, wave), busy="ticking off")

    def _done(self, wave: str, answer: dict[str, Any]) -> None:
        self._screen.say(f"✔ {visible(answer['what'])}: ticked off", "good")
        self.show_tasks(wave)


def _wrong_day(text: str) -> str:
    from tui.acts.waiving import last_day

    last_day(text)  # raises what is wrong with it
    return ""


def _accepting(rows: Sequence[FoundRow], found: dict[str, list[str]]) -> Content:
    """Say what is about to be accepted."""
    lines = [
        line((visible(check, 60), "accent"), " on ", plural(len(ids), "object"))
        for check, ids in found.items()
    ]
    names = list(dict.fromkeys(visible(row.subject_name, 40) for row in rows))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    lines.append(line((", ".join(names[:_NAMED]) + more, "dim")))
    lines.append(
        line("Accepted findings stay on the list and block nothing; after that day they count again.")
    )
    return stack(lines)
