"""The line above a table in which its filter is written, with what could follow as a pale end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.timer import Timer
from textual.widgets import Input, Label

from planner.names import visible
from tui.actions.keymap import shown
from tui.actions.table import action_named
from tui.widgets.typed import TYPED

TYPING_PAUSE_S = 0.08


class _Ending(Suggester):
    """What a filter could go on with: the first suggestion."""

    def __init__(self, complete: Callable[[str], str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        found = self._complete(value)
        return found if found and visible(found) == found else None  # what cannot be shown is not offered


class FilterBar(Horizontal):
    """A filter as it is written. Posts ``Changed`` when typing pauses and ``Done`` on enter."""

    DEFAULT_CSS = """
    FilterBar { height: 1; padding: 0 1; }
    FilterBar > Label { width: 2; color: $text-accent; }
    FilterBar > Input, FilterBar > Input:focus {
        width: 1fr; height: 1; border: none; padding: 0; background: $background;
    }
    FilterBar > Input:focus { background: $panel; }
    FilterBar > #saved { width: auto; max-width: 45%; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[Any]] = [Binding("tab", "complete", "complete", show=False)]

    class Changed(Message):
        """The filter reads otherwise."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Done(Changed):
        """The filter is written; the person wants the table."""

    def __init__(self, example: str, complete: Callable[[str], str]) -> None:
        super().__init__()
        self._input = Input(
            suggester=_Ending(complete), id="filter", select_on_focus=False,
            restrict=TYPED,
        )  # fmt: skip
        self.show_example(example)
        self._saved = Label(Content(""), id="saved")
        self._pause: Timer | None = None
        self._told = ""
        self.is_sent = False  # enter was pressed; whoever takes ``Done`` puts it back

    def compose(self) -> ComposeResult:
        """A slash, the text, the names of saved filters."""
        yield Label(Content("/"))
        yield self._input
        yield self._saved

    @property
    def text(self) -> str:
        """The filter as it is written now."""
        return self._input.value.strip()

    @property
    def writing(self) -> bool:
        """True while keys go into the filter."""
        return self._input.has_focus

    def write(self) -> None:
        """Let the person write."""
        self._input.focus()

    def set(self, text: str) -> None:
        """Put another filter there and say so at once."""
        self._input.value = text
        self._tell()

    def show_example(self, example: str) -> None:
        """Show what could be asked while nothing is."""
        key = shown(action_named("filter"), getattr(self.app, "keys", {}))
        self._input.placeholder = f"press {key} to filter, for example  {example}"

    def show_saved(self, words: str) -> None:
        """Show which saved filters there are."""
        self._saved.update(Content(words))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab completes only while there is something to complete; else it goes to the next panel."""
        line = self._input
        return action != "complete" or (self.writing and line.cursor_at_end and bool(line._suggestion))

    def action_complete(self) -> None:
        """Take the pale end over."""
        self._input.action_cursor_right()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Wait until typing pauses."""
        event.stop()
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(TYPING_PAUSE_S, self._tell)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Filter now and go to the table."""
        event.stop()
        self.is_sent = True
        self._tell()
        self.post_message(self.Done(self.text))

    def _tell(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        if self.is_mounted and self.text != self._told:
            self._told = self.text
            self.post_message(self.Changed(self.text))
