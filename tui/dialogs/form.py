"""Asks for a few values at once, each judged while it is written; nothing is half-taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Button, Checkbox, Input, Select, Static, TextArea

from planner.errors import WherryError
from planner.names import visible
from tui.dialogs.dialog import Dialog
from tui.widgets.typed import TYPED

Values = dict[str, str]


@dataclass(frozen=True, slots=True)
class Ask:
    """One value to ask for. ``choices`` make it a list, ``yes_no`` a box, ``long`` a text of several lines.

    What is typed is completed from ``complete``. ``judge`` returns what is wrong with what was written, empty
    when nothing is.
    """

    id: str
    label: str
    value: str = ""
    placeholder: str = ""
    choices: Sequence[tuple[str, str]] = ()  # value, what people read
    yes_no: bool = False
    long: bool = False
    secret: bool = False
    needed: bool = False
    complete: Sequence[str] = ()
    judge: Callable[[str], str] | None = None


class _Tick(Checkbox):
    """Yes or no, said by a glyph: not every terminal has colours."""

    BUTTON_LEFT, BUTTON_RIGHT = "[", "]"

    @property
    def _button(self) -> Content:
        self.BUTTON_INNER = "✔" if self.value else " "
        return super()._button


class Form(Dialog[Values]):
    """Some values to fill in. ``judge`` looks at all together before the form is answered."""

    BINDINGS: ClassVar[list[Any]] = [Binding("ctrl+s", "done", "done", show=False, priority=True)]

    def __init__(
        self,
        title: str,
        asks: Sequence[Ask],
        yes: str = "Save",
        said: Content | None = None,
        judge: Callable[[Mapping[str, str]], str] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._asks, self._yes, self._said, self._judge = title, tuple(asks), yes, said, judge
        self._complained = False

    def compose(self) -> ComposeResult:
        """Fields under each other, what is wrong, yes and no."""
        with Vertical(classes="box") as box:
            box.border_title = Content(visible(self._title))
            box.border_subtitle = Content("tab next · ^s done · esc leaves everything as it is")
            with VerticalScroll(classes="scrolls", can_focus=False):
                if self._said is not None:
                    yield Static(self._said, classes="said", markup=False)
                for ask in self._asks:
                    yield from self._field(ask)
            yield Static(Content(""), classes="wrong", markup=False)
            with Horizontal(classes="buttons"):
                yield Button(Content(visible(self._yes)), variant="primary", id="done")
                yield Button("Leave it", id="leave")

    def _field(self, ask: Ask) -> ComposeResult:
        name = f"ask-{ask.id}"
        if ask.yes_no:
            yield _Tick(Content(visible(ask.label)), ask.value == "yes", id=name)
            return
        yield Static(Content(visible(ask.label) + " *" * ask.needed), classes="label", markup=False)
        if ask.choices:
            options = [(Content(visible(shown)), value) for value, shown in ask.choices]
            yield Select(options, value=ask.value or ask.choices[0][0], allow_blank=False, id=name)
        elif ask.long:
            yield TextArea(_harmless(ask.value), id=name, soft_wrap=True)
        else:
            yield Input(
                _harmless(ask.value),
                placeholder=example(ask.placeholder),
                password=ask.secret,
                id=name,
                restrict=TYPED,
                suggester=SuggestFromList(ask.complete, case_sensitive=False) if ask.complete else None,
            )

    def on_mount(self) -> None:
        """Begin with the first value."""
        self.query_one(f"#ask-{self._asks[0].id}").focus()

    def _values(self) -> Values:
        found: Values = {}
        for ask in self._asks:
            widget = self.query_one(f"#ask-{ask.id}")
            if isinstance(widget, Checkbox):
                found[ask.id] = "yes" if widget.value else "no"
            elif isinstance(widget, TextArea):
                found[ask.id] = widget.text.strip()
            elif isinstance(widget, Select):
                found[ask.id] = str(widget.value)
            elif isinstance(widget, Input):
                found[ask.id] = widget.value if ask.secret else widget.value.strip()
            if found[ask.id] == _harmless(ask.value).strip():
                found[ask.id] = ask.value  # left as it was: what cannot be shown is kept
        return found

    def _wrong(self, values: Values) -> str:
        for ask in self._asks:
            if ask.needed and not values[ask.id]:
                return f"{ask.label.rstrip(':')}: this is needed"
            try:
                if ask.judge is not None and values[ask.id] and (why := ask.judge(values[ask.id])):
                    return why
            except WherryError as error:
                return f"{error.message}: {error.hint}" if error.hint else error.message
        return self._judge(values) if self._judge is not None else ""

    def action_done(self) -> None:
        """Answer, or say what is wrong."""
        values = self._values()
        if why := self._wrong(values):
            self._say(why)
        else:
            self.dismiss(values)

    def _say(self, why: str) -> None:
        self.query_one(".wrong", Static).update(Content("▲ " + visible(why) if why else ""))
        self._complained = bool(why)
        self.call_after_refresh(self.make_room)

    def _judge_again(self) -> None:
        if self._complained:
            self._say(self._wrong(self._values()))

    def on_input_changed(self) -> None:
        """Take a complaint back once it is mended."""
        self._judge_again()

    def on_select_changed(self) -> None:
        """Take a complaint back once it is mended."""
        self._judge_again()

    def on_checkbox_changed(self) -> None:
        """Take a complaint back once it is mended."""
        self._judge_again()

    def on_input_submitted(self) -> None:
        """Enter answers too."""
        self.action_done()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer or leave."""
        self.action_done() if event.button.id == "done" else self.action_leave()


def example(text: str) -> str:
    """Return what could be written, so that without colours it is not taken for written already."""
    return f"({visible(text)})" if text else ""


def _harmless(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))
