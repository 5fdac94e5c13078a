"""Where there is no project yet: makes one, and says what is to be read into it first.

begin(root) ──a form──▶ wherry init, a process of its own ──▶ Begun ──▶ the application with its first import
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.filter import LineFilter
from textual.widgets import Static

from planner.names import visible
from planner.samples import sample_names
from tui.ascii import Ascii
from tui.dialogs.form import Ask, Form
from tui.ending import EndingApp, shown
from tui.jobs.job import Job
from tui.jobs.orders import Order, import_file
from tui.preferences import Preferences
from tui.text import line, stack

_MOST = 12  # files of the directory that are offered
_READ = {".xlsx", ".xls", ".json", ".zip"}
_OTHER = "other"
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Begun:
    """A project was made. ``order`` reads the first estate, None = later."""

    order: Order | None


class BeginningApp(EndingApp[Begun]):
    """Asks for a name and a first estate. Ends with None when the person leaves."""

    TITLE = "wherry"
    BINDINGS: ClassVar[list[Any]] = []
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, root: Path, preferences: Preferences | None = None) -> None:
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._root = root
        self._likes = preferences or Preferences()
        self._ascii = Ascii()
        self.theme = self._likes.theme

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what is laid over every line, as the application does."""
        filters = super().get_line_filters()
        return [*filters, self._ascii] if self._likes.ascii else filters

    def compose(self) -> ComposeResult:
        """What stands behind the form."""
        yield Static(
            line((" wherry", "accent"), "  plans and runs the way out of a datacenter"), markup=False
        )
        yield Static(id="doing", markup=False)

    def on_mount(self) -> None:
        """Ask."""
        self._ask({})

    def _ask(self, before: dict[str, str], wrong: str = "") -> None:
        self.query_one("#doing", Static).update("")
        lines = [line(f"There is no project in {visible(str(self._root.resolve()), 200)} yet.")]
        lines.append(line(("A project is one directory; nothing outside it is touched.", "dim")))
        if wrong:
            lines.append(line(("✖ " + visible(wrong), "bad")))
        self.push_screen(
            Form("Make a project here", self._asks(before), "Make it", stack(lines), self._judge),
            self._answered,
        )

    def _asks(self, before: dict[str, str]) -> list[Ask]:
        name = before.get("name", self._root.resolve().name)
        first = before.get("first", "")
        return [
            Ask("name", "Name", name, "dc1-exit", needed=True),
            Ask("first", "Begin with", first, choices=list(_firsts(self._root))),
            Ask(
                "path",
                "Another file, folder of csv, or .json inventory",
                before.get("path", ""),
                "~/export.xlsx",
            ),
        ]

    def _judge(self, said: Any) -> str:
        path = Path(said["path"]).expanduser()
        if said["path"] and not path.exists():
            return f"there is no {visible(str(path), 200)}"
        if said["first"] == _OTHER and not said["path"]:
            return "say which file, or begin with something else"
        return ""

    def _answered(self, said: dict[str, str] | None) -> None:
        if said is None:
            self.exit(None)
        else:
            self.query_one("#doing", Static).update(line((" ◐ making the project …", "accent")))
            self.run_worker(lambda: self._make(said), thread=True, exit_on_error=True)

    def _make(self, said: dict[str, str]) -> None:
        job = Job(("init", "--json", f"--name={said['name']}", "--", str(self._root)), "making the project")
        job.start()
        job.wait()
        error = job.state.error
        if job.state.succeeded:
            self.call_from_thread(self.exit, Begun(_order(self._root, said)))
        else:
            wrong = f"{error.message}: {error.hint}" if error else "the project could not be made"
            self.call_from_thread(self._ask, said, wrong)


def _firsts(root: Path) -> Iterator[tuple[str, str]]:
    """Yield what an estate could be read from: files that lie here, samples, another file, nothing."""
    try:
        here = sorted(item.name for item in root.iterdir() if item.suffix.casefold() in _READ)
    except OSError:
        here = []
    for name in here[:_MOST]:
        yield f"file:{name}", f"{visible(name, 50)}, in this directory"
    for name in sorted(sample_names(), key=lambda name: name != "estate"):
        yield f"sample:{name}", f"the sample {name}, to try"
    yield _OTHER, "another file, named below"
    yield _NOTHING, "nothing yet"


def _order(root: Path, said: dict[str, str]) -> Order | None:
    if said["path"]:
        return import_file([str(Path(said["path"]).expanduser().resolve())])
    kind, _, name = said["first"].partition(":")
    if kind == "file":
        return import_file([str((root / name).resolve())])
    return import_file([name]) if kind == "sample" else None


def begin(root: Path, preferences: Preferences) -> Begun | None:
    """Ask on the terminal and make the project; None when the person leaves."""
    return shown(lambda: BeginningApp(root, preferences), root)
