"""Forms made from the fields of settings; one stays until what it says is stored, and says why it is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from textual.content import Content

from tui.dialogs.form import Ask, Form, Values

Field = Mapping[str, Any]
Refused = Callable[[str], None]
Send = Callable[[Values, Callable[[], None], Refused], None]  # values, once stored, once refused

_EXAMPLES = {"time": "2027-01-09T22:00", "day": "2027-01-09", "clock": "22:00", "zone": "Europe/Berlin"}


class Kept(Form):
    """A form whose answer is stored before it closes: nothing that was written is lost to a mistake."""

    def __init__(
        self, title: str, asks: Sequence[Ask], send: Send, yes: str = "Save", said: Content | None = None
    ) -> None:
        super().__init__(title, asks, yes, said)
        self._send = send
        self._waiting = False

    def action_done(self) -> None:
        """Have it stored, or say what is wrong."""
        values = self._values()
        if why := self._wrong(values):
            self._say(why)
        elif not self._waiting:
            self._waiting = True
            self._send(values, lambda: self._stored(values), self._refused)

    def _stored(self, values: Values) -> None:
        if self.is_current:
            self.dismiss(values)

    def _refused(self, why: str) -> None:
        self._waiting = False
        if self.is_current:
            self._say(why)
            self._complained = False  # only who judges can take it back


def ask_for(field: Field, said: str, zones: Sequence[str]) -> Ask:
    """Return the question for a field, beginning with ``said``."""
    name, kind = str(field["name"]), str(field["kind"])
    unit = f" in {field['unit']}" if field["unit"] else ""
    about = [str(field["meaning"]), str(field["takes"]) if kind != "choice" else ""]
    if kind == "list":
        about.append("one a line")
    label = " · ".join([f"{name}{unit}", *filter(None, about)])
    choices = [(word, word) for word in field["choices"]] if kind == "choice" else ()
    return Ask(
        name,
        label,
        said,
        _EXAMPLES.get(kind, ""),
        choices=choices,
        yes_no=kind == "yes",
        long=kind == "list",
        needed=bool(field["needed"]),
        complete=zones if kind == "zone" else (),
    )


def asks_for(fields: Sequence[Field], said: Mapping[str, str], zones: Sequence[str]) -> list[Ask]:
    """Return the questions for fields; those without a word begin with their defaults."""
    return [ask_for(field, said.get(field["name"], _default(field)), zones) for field in fields]


def _default(field: Field) -> str:
    value = field["default"]
    if isinstance(value, list):
        return "\n".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
