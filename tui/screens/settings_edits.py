"""What a person does in Settings: a form or a list, one op of the study, a new version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.names import visible
from tui.dialogs.form import Ask, Form, Values
from tui.dialogs.pick import Choice, Pick
from tui.screens.place import PlaceScreen
from tui.screens.settings_form import Kept, Refused, asks_for
from tui.screens.settings_maps import KINDS, ask_pattern, ask_place
from tui.screens.settings_words import ask_word, find_disk, take_back
from tui.text import plural, short_time

if TYPE_CHECKING:
    from tui.widgets.table import VirtualTable


class SettingsEdits(PlaceScreen):
    """The acts of the place; ``SettingsScreen`` says what is under the cursor."""

    data: Mapping[str, Any]
    asked: dict[str, Any]
    zones: Sequence[str]
    _restored: tuple[int, int] = (0, 0)  # the version that an undo made, and which one it set again

    if TYPE_CHECKING:

        @property
        def block(self) -> Mapping[str, Any]: ...
        @property
        def row(self) -> Mapping[str, Any] | None: ...
        @property
        def table(self) -> VirtualTable: ...
        def read(self) -> None: ...
        def chosen(self) -> list[Any]: ...

    def why_no_edit(self, action_id: str) -> str:
        """Return why an act cannot be done on what is under the cursor, empty when it can."""
        shape, row = self.block.get("shape", ""), self.row
        if action_id in ("settings.edit", "settings.remove", "settings.add") and not shape:
            return "the settings are being read"
        if action_id == "settings.edit" and row is None:
            return "there is nothing under the cursor: a adds an entry"
        if action_id == "settings.add" and shape not in ("lists", "names", "windows", "disks"):
            return "nothing can be added here: enter changes what is under the cursor"
        if action_id == "settings.remove":
            return self._why_no_removal(shape, row)
        if action_id == "settings.pattern" and shape not in KINDS:
            return "go to Networks, Datastores or Folders first"
        if action_id == "settings.undo" and self._before() is None:
            return "these are the first settings: there is none before them"
        return ""

    def _why_no_removal(self, shape: str, row: Mapping[str, Any] | None) -> str:
        if row is None:
            return "there is nothing under the cursor"
        if shape in KINDS and not any(one["to"] for one in self._marked()):
            return f"it has no map of its own: {row['by']} decides" if row.get("by") else "it is not mapped"
        if shape == "disks" and not any(one["word"] or one["send"] for one in self._marked()):
            return "nobody said a word on it: the rule decides"
        if shape == "values" and row["item"] == self._field(row)["default"]:
            return "it has its default"
        return ""

    def _marked(self) -> list[Mapping[str, Any]]:
        """Return what the study says of the marked rows, else of the one under the cursor."""
        keys = set(self.chosen())
        return [row[1] for row in self.table.rows if row[0] in keys]

    def _field(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.block["fields"][row["name"]][0]
        return found

    def _before(self) -> int | None:
        """Return the version that an undo sets again, None when there is none."""
        version = int(self.data.get("version", 0))
        made, again = self._restored
        here = again if version == made else version
        return here - 1 if here > 0 else None

    # storing

    def store(
        self,
        op: str,
        args: Mapping[str, Any],
        said: str,
        ok: Callable[[], None] | None = None,
        failed: Refused | None = None,
    ) -> None:
        """Have the study store something; then say it and read the settings again."""

        def stored(answer: Any) -> None:
            if ok is not None:
                ok()
            self.say(said, "good")
            self.wherry.read_again()
            self.read()

        self.wherry.ask(op, args, stored, busy="storing", failed=failed)

    def form(
        self,
        title: str,
        asks: Sequence[Ask],
        op: str,
        args: Callable[[Values], Mapping[str, Any]],
        said: str,
        yes: str = "Save",
    ) -> None:
        """Ask for values and keep the form until the study has stored them."""

        def send(values: Values, ok: Callable[[], None], failed: Refused) -> None:
            self.store(op, args(values), said, ok, failed)

        self.app.push_screen(Kept(title, asks, send, yes))

    # acts

    def action_edit(self) -> None:
        """Change what is under the cursor."""
        row, block = self.row, self.block
        if row is None:
            return
        if (shape := block["shape"]) in KINDS:
            ask_place(self, KINDS[shape], self._marked(), self.asked[KINDS[shape].op]["target"])
        elif block["shape"] == "disks":
            ask_word(self, self._marked())
        else:
            self._edit(row["name"], row)

    def _edit(self, name: str, row: Mapping[str, Any]) -> None:
        asks = asks_for(self.block["fields"][name], row["said"], self.zones)
        shape, was = self.block["shape"], row["item"]
        said = f"set: {visible(name)}"
        if shape == "values":
            self.form(name, asks, "settings.write", lambda v: {"name": name, "said": v}, said)
        else:
            op = "settings.name" if shape == "names" else "settings.item"
            self.form(name, asks, op, lambda v: {"name": name, "was": was, "said": v}, said)

    def action_add(self) -> None:
        """Add an item to the list or table."""
        block = self.block
        if block["shape"] == "disks":
            find_disk(self)
            return
        name = block["names"][0]
        asks = asks_for(block["fields"][name], {}, self.zones)
        if block["shape"] == "windows":
            self._add_window(asks)
            return
        op = "settings.name" if block["shape"] == "names" else "settings.item"
        self.form(f"Add: {block['title']}", asks, op,
                  lambda v: {"name": name, "was": None, "said": v}, f"added to {name}", "Add")  # fmt: skip

    def _add_window(self, asks: list[Ask]) -> None:
        weeks = Ask("weeks", "weekly, so many times · whole number, 1 = once", "1", judge=_judge_weeks)
        self.form(
            "Add a window",
            [*asks, weeks],
            "settings.window",
            lambda v: {"said": {key: text for key, text in v.items() if key != "weeks"},
                       "times": int(v["weeks"] or "1")},
            "window added",
            "Add",
        )  # fmt: skip

    def action_remove(self) -> None:
        """Take away what is under the cursor; an entry goes back to its default."""
        row, shape = self.row, self.block["shape"]
        if row is None:
            return
        if shape in KINDS:
            names = [one["name"] for one in self._marked() if one["to"]]
            args = {"values": dict.fromkeys(names), "table": shape}
            self.store("maps.set", args, f"{plural(len(names), 'map')} taken away")
        elif shape == "disks":
            take_back(self, [one for one in self._marked() if one["word"] or one["send"]])
        elif shape == "values":
            values = {row["name"]: self._field(row)["default"]}
            self.store("settings.set", {"values": values}, f"{row['name']}: its default again")
        else:
            op = "settings.name" if shape == "names" else "settings.item"
            args = {"name": row["name"], "was": row["item"], "said": None}
            self.store(op, args, "taken away: ^z brings it back")

    def action_undo(self) -> None:
        """Set the version before again; once more goes one further back."""
        if (number := self._before()) is not None:
            self._restore(number)

    def _restore(self, number: int) -> None:
        def stored(version: int) -> None:
            self._restored = (version, number)
            self.say(f"the settings are those of version {number} again, as version {version}", "good")
            self.wherry.read_again()
            self.read()

        self.wherry.ask("settings.restore", {"number": number}, stored, busy="storing")

    def action_versions(self) -> None:
        """List earlier versions; the one picked is set again."""
        self.wherry.ask("settings.versions", None, self._pick_version, busy="reading versions")

    def _pick_version(self, versions: Sequence[Mapping[str, Any]]) -> None:
        choices = [
            Choice(
                str(one["number"]),
                f"version {one['number']}  {one['who'] or 'the defaults'}",
                f"{short_time(one['at'])}  {', '.join(one['changed'])}",
                "in force" if at == 0 else "",
            )
            for at, one in enumerate(versions)
        ]
        self.app.push_screen(
            Pick("Set an earlier version again", choices),
            lambda key: self._restore(int(key)) if key is not None else None,
        )

    def action_pattern(self) -> None:
        """Map many networks, datastores, folders, pools or storage policies at once."""
        ask_pattern(self, KINDS[self.block["shape"]])

    def action_calendar(self) -> None:
        """Read holidays from an ics calendar."""
        from tui.guides.paths import FilePick

        self.app.push_screen(FilePick("Holidays from a calendar", (".ics",)), self._read_calendar)

    def _read_calendar(self, path: str | None) -> None:
        def stored(found: Mapping[str, int]) -> None:
            left = f", {plural(found['timed'], 'event')} with a time left aside" if found["timed"] else ""
            self.say(f"{plural(found['added'], 'holiday')} added{left}", "good")
            self.wherry.read_again()
            self.read()

        if path is not None:
            self.wherry.ask("settings.holidays", {"path": path}, stored, busy="reading the calendar")

    def action_luns(self) -> None:
        """Write the LUN request sheet."""
        from tui.jobs import orders
        from tui.jobs.job import Job

        order = orders.export(["luns"])
        self.wherry.start(Job(order.argv(self.wherry.session.root), order.title))

    def action_plan(self) -> None:
        """Plan anew on these settings."""
        from tui.jobs import orders
        from tui.jobs.job import Job

        ask = Ask("effort", "How long to search", "normal",
                  choices=(("quick", "quick"), ("normal", "normal"), ("thorough", "thorough")))  # fmt: skip

        def begin(said: Values | None) -> None:
            if said is not None:
                order = orders.plan(said["effort"])
                self.wherry.start(Job(order.argv(self.wherry.session.root), order.title))

        self.app.push_screen(Form("Plan anew on these settings", [ask], "Plan"), begin)


def _judge_weeks(text: str) -> str:
    return "" if text.isdigit() and 1 <= int(text) <= 520 else "say 1 to 520 weeks"
