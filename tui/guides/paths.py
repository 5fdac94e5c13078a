"""Picks a file or folder: what is in the folder that is typed, narrowed as it is typed; tab completes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from planner.names import visible
from planner.units import show_bytes
from tui.dialogs.dialog import Dialog
from tui.text import fit, line
from tui.widgets.typed import TYPED

_MOST = 200  # entries that are drawn
_LOOKED = 5_000  # entries of one folder that are looked at


def entries(typed: str, endings: Sequence[str], folders: bool = False) -> list[tuple[str, str]]:
    """Return (path as it would be typed, a word on it) for what begins as typed; folders end in a slash.

    ``endings`` are those of the files that are wanted, none = all. Files come first where some are wanted
    and ``folders`` are not. What cannot be read has no entries.
    """
    folder, begin = os.path.split(typed)
    last = bool(endings) and not folders

    def order(one: tuple[str, str]) -> tuple[bool, str]:
        return one[0].endswith("/") is last, one[0].casefold()

    return sorted(_found(folder, begin.casefold(), endings), key=order)


def _found(folder: str, begin: str, endings: Sequence[str]) -> Iterator[tuple[str, str]]:
    try:
        with os.scandir(Path(folder).expanduser() if folder else ".") as found:
            for number, entry in enumerate(found):
                if number >= _LOOKED:
                    return
                name = entry.name
                if not name.casefold().startswith(begin) or (name.startswith(".") and not begin):
                    continue
                if visible(name) != name:  # what cannot be shown cannot be typed either
                    continue
                if entry.is_dir():
                    yield f"{_inside(folder)}{name}/", "folder"
                elif not endings or name.casefold().endswith(tuple(endings)):
                    yield f"{_inside(folder)}{name}", show_bytes(entry.stat().st_size)
    except OSError:
        return


class FilePick(Dialog[str]):
    """A path to choose; answers with what was typed, blanks around it and a last slash aside.

    ``first`` is what stands there in the beginning; with ``whole_folders`` a folder is an answer too.
    """

    BINDINGS: ClassVar[list[Any]] = [
        Binding("down", "step(1)", "down", show=False),
        Binding("up", "step(-1)", "up", show=False),
        Binding("tab", "complete", "complete", show=False, priority=True),
    ]

    def __init__(
        self, title: str, endings: Sequence[str] = (), first: str = "", whole_folders: bool = False
    ) -> None:
        super().__init__()
        self._title, self._endings, self._first, self._folders = title, tuple(endings), first, whole_folders
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        """A line for the path, what there is, what is wrong."""
        with Vertical(classes="box") as box:
            box.border_title = Content(visible(self._title))
            answer = "enter takes it, folders too" if self._folders else "enter takes it or goes in"
            box.border_subtitle = Content(f"tab completes · ↑ ↓ choose · {answer} · esc leaves")
            yield Input(
                self._first,
                placeholder="path of a file",
                classes="-plain",
                restrict=TYPED,
                select_on_focus=False,
            )
            yield OptionList()
            yield Static(Content(""), classes="wrong", markup=False)

    def on_mount(self) -> None:
        """Show what there is."""
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._narrow(self._first)

    @property
    def _options(self) -> OptionList:
        return self.query_one(OptionList)

    def _narrow(self, typed: str) -> None:
        found = entries(typed, self._endings, self._folders)
        self._shown = [path for path, _ in found[:_MOST]]
        options = self._options
        options.clear_options()
        for path, note in found[:_MOST]:
            name = Path(path).name + "/" * path.endswith("/")
            options.add_option(Option(line(fit(visible(name), 48), ("  " + note, "dim"))))
        if not found:
            begun = os.path.split(typed)[1]
            words = "nothing here begins like that" if begun else "no such file is in this folder"
            options.add_option(Option(line((words, "dim")), disabled=True))
        options.highlighted = None
        self.query_one(".wrong", Static).update(Content(""))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        self._narrow(event.value)

    def action_complete(self) -> None:
        """Type on as far as all that is listed agrees, or what is chosen."""
        at = self._options.highlighted
        line_ = self.query_one(Input)
        typed = self._shown[at] if at is not None and at < len(self._shown) else _common(self._shown)
        if len(typed) >= len(line_.value) and typed != line_.value:
            line_.value = typed
            line_.cursor_position = len(typed)

    def action_step(self, by: int) -> None:
        """Choose another entry while the keys go into the line."""
        self._options.action_cursor_down() if by > 0 else self._options.action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click chooses, and takes a file or goes into a folder."""
        if event.option_index < len(self._shown):
            self._take(self._shown[event.option_index])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take what is chosen, else what is typed."""
        at = self._options.highlighted
        self._take(self._shown[at] if at is not None and at < len(self._shown) else event.value.strip())

    def _take(self, path: str) -> None:
        line_ = self.query_one(Input)
        full = Path(path).expanduser()
        if path and full.is_dir() and not (self._folders and path.rstrip("/") == line_.value.rstrip("/")):
            line_.value = path.rstrip("/") + "/"
            line_.cursor_position = len(line_.value)
        elif path and full.exists():
            self.dismiss(path.rstrip("/") or "/")
        else:
            wrong = f"▲ {visible(path, 60)} does not exist" if path else "▲ type a path, or choose one"
            self.query_one(".wrong", Static).update(Content(wrong))


def _inside(folder: str) -> str:
    return folder if not folder or folder.endswith("/") else f"{folder}/"


def _common(paths: Sequence[str]) -> str:
    """Return what all begin with, letter by letter."""
    if not paths:
        return ""
    first, last = min(paths), max(paths)
    same = (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(same, len(first))]
