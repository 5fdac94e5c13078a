"""The export dialog: formats with what each is for and who reads it, how it begins, where to, then the files.

What was chosen last is there again for the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from planner.names import visible
from planner.units import show_bytes
from tui.dialogs.dialog import Dialog
from tui.dialogs.form import Values, example
from tui.dialogs.reader import Reader
from tui.dialogs.work import Work
from tui.jobs import orders
from tui.jobs.job import Job
from tui.text import fit, line, plural, stack
from tui.widgets.typed import TYPED

if TYPE_CHECKING:
    from tui.app import WherryApp

# Who reads what; a format of tomorrow is listed all the same, without a reader.
_READERS: Mapping[str, str] = {
    "xlsx": "the whole project team",
    "markdown": "who works the night of a wave",
    "json": "reviewers, and wherry itself",
    "csv": "owners: all five tables, edited and read back",
    "csv-groups": "owners: move groups",
    "csv-waves": "planners: waves and windows",
    "csv-deps": "architects: dependencies",
    "csv-exceptions": "the change board: what stays",
    "luns": "the storage team",
    "html": "management and the change board",
    "ics": "everybody's calendar",
    "mermaid": "a wiki: groups and ties",
    "gantt": "a wiki: the calendar as a chart",
    "dot": "architects, with Graphviz",
    "forklift": "who moves with Forklift",
    "hcx": "who moves with VMware HCX",
    "aws": "who moves to AWS",
    "ansible": "who runs playbooks by wave",
}
_FIRST = "xlsx markdown json"


def offer_export(app: WherryApp) -> None:
    """Ask which papers to write."""
    app.ask("papers", None, lambda formats: _ask(app, formats), busy="looking")


def _ask(app: WherryApp, formats: Sequence[Mapping[str, Any]]) -> None:
    default = app.session.root / "exports"
    last = app.remembered.get("export", {"formats": _FIRST, "folder": str(default), "waves": ""})

    def begin(said: Values | None) -> None:
        if said is not None:
            app.remembered["export"] = said
            out = (
                "" if Path(said["folder"]).expanduser() == default else str(Path(said["folder"]).expanduser())
            )
            order = orders.export(said["formats"].split(), out, said["waves"].split())
            app.start(Job(order.argv(app.session.root), order.title), lambda job: _written(app, job))

    def look(name: str, then: Callable[[Sequence[str]], None], failed: Callable[[str], None]) -> None:
        app.ask("papers.preview", {"format": name}, then, busy="writing the first lines", failed=failed)

    app.push_screen(Papers(formats, last, look), begin)


def _written(app: WherryApp, job: Job) -> None:
    """List the files that were written, with their sizes."""
    if isinstance(app.screen, Work):
        app.pop_screen()
    paths = [Path(str(path)) for path in job.state.document or ()]
    lines = []
    for path in paths:
        size = show_bytes(path.stat().st_size) if path.exists() else "gone"
        lines.append(line((f"{size:>10}", "dim"), "  ", visible(str(path))))
    app.push_screen(Reader(f"{plural(len(paths), 'file')} written", stack(lines)))


Look = Callable[[str, Callable[[Sequence[str]], None], Callable[[str], None]], None]


class Papers(Dialog[Values]):
    """Formats to mark, a folder, and how the format under the cursor begins."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("space", "turn", "mark", show=False),
        Binding("asterisk", "turn_all", "mark all, or none", show=False),
        Binding("p", "preview", "preview", show=False),
        Binding("ctrl+s", "done", "write", show=False, priority=True),
    ]

    def __init__(self, formats: Sequence[Mapping[str, Any]], last: Values, look: Look) -> None:
        super().__init__()
        self._formats = tuple(formats)
        self._marked = set(last["formats"].split()) & {str(one["name"]) for one in formats}
        self._folder, self._waves = last["folder"], last["waves"]
        self._look = look

    def compose(self) -> ComposeResult:
        """The list, where to, what it begins like, yes and no."""
        with Vertical(classes="box wide") as box:
            box.border_title = Content("Write the plan for people and tools")
            box.border_subtitle = Content(
                "space marks · * all · p shows how it begins · ^s writes · esc leaves"
            )
            yield OptionList()
            yield Static(Content("Waves, names with blanks between them · empty = all"), classes="label",
                         markup=False)  # fmt: skip
            yield Input(visible(self._waves), placeholder=example("W01 W02"), restrict=TYPED, id="waves")
            yield Static(Content("Folder"), classes="label", markup=False)
            yield Input(visible(self._folder), restrict=TYPED, id="folder")
            yield Static(Content(""), classes="wrong", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Write", variant="primary", id="done")
                yield Button("Leave it", id="leave")

    def on_mount(self) -> None:
        """Show the formats."""
        self._draw(0)
        self._options.focus()

    def make_room(self) -> None:
        """Let the list scroll, so that the rest stays in sight."""
        rest = 15 + (1 if self.query_one(".wrong", Static).content else 0)
        self._options.styles.max_height = max(3, self.size.height - rest)

    @property
    def _options(self) -> OptionList:
        return self.query_one(OptionList)

    def _draw(self, at: int) -> None:
        options = self._options
        options.clear_options()
        for one in self._formats:
            name = str(one["name"])
            mark = ("✔ ", "good") if name in self._marked else ("· ", "dim")
            words = " ".join(one["files"]) if len(one["files"]) == 1 else f"{len(one['files'])} tables"
            options.add_option(
                Option(
                    line(mark, fit(name, 15), fit(visible(str(one["title"])), 44), " ",
                         (fit(_READERS.get(name, ""), 32), "dim"), " ", (words, "dim"))
                )
            )  # fmt: skip
        options.highlighted = at

    def _here(self) -> str:
        return str(self._formats[self._options.highlighted or 0]["name"])

    def action_turn(self) -> None:
        """Mark the format under the cursor, or take the mark away."""
        if self._options.has_focus:
            self._marked ^= {self._here()}
            self._draw(self._options.highlighted or 0)
            self._wrong("")

    def action_turn_all(self) -> None:
        """Mark every format, or none when all are marked."""
        if self._options.has_focus:
            every = {str(one["name"]) for one in self._formats}
            self._marked = every if every - self._marked else set()
            self._draw(self._options.highlighted or 0)
            self._wrong("")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter and a click mark too."""
        self._options.highlighted = event.option_index
        self.action_turn()

    def action_preview(self) -> None:
        """Show how the format under the cursor begins."""
        name = self._here()

        def arrived(lines: Sequence[str]) -> None:
            if self.is_current:
                shown = stack([line(visible(text)) for text in lines])
                self.app.push_screen(Reader(f"{name} begins like this", shown))

        self._look(name, arrived, self._wrong)

    def _wrong(self, why: str) -> None:
        for said in self.query(".wrong").results(Static):  # an answer may come after the person left
            said.update(Content(f"▲ {visible(why)}" if why else ""))
            self.call_after_refresh(self.make_room)

    def action_done(self) -> None:
        """Answer, or say what is missing."""
        folder = self.query_one("#folder", Input).value.strip()
        if folder == visible(self._folder):
            folder = self._folder  # left as it was: what cannot be shown is kept
        waves = self.query_one("#waves", Input).value.strip()
        if not self._marked:
            self._wrong("mark a format first: space")
        elif not folder:
            self._wrong("say which folder")
        elif waves and (whole := self._whole()):
            self._wrong(f"{whole[0]} is of a whole plan: some waves alone have {', '.join(self._parts)}")
        elif Path(folder).expanduser().is_file():
            self._wrong("that is a file: say which folder")
        else:
            names = [str(one["name"]) for one in self._formats if one["name"] in self._marked]
            self.dismiss({"formats": " ".join(names), "folder": folder, "waves": waves})

    def _whole(self) -> list[str]:
        """Return marked formats that cannot hold some waves alone."""
        return [
            name for one in self._formats if (name := str(one["name"])) in self._marked - set(self._parts)
        ]

    @property
    def _parts(self) -> list[str]:
        return [str(one["name"]) for one in self._formats if one["of_waves"]]

    def on_input_submitted(self) -> None:
        """Enter in a line of text writes."""
        self.action_done()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer or leave."""
        self.action_done() if event.button.id == "done" else self.action_leave()
