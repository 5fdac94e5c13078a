"""Actions of every place, and those of every place with a table."""

from __future__ import annotations

from planner.effects import Effect
from tui.actions.action import Action, Place
from tui.actions.places import PLACES

FILTERED = ("inventory", "dependencies", "waves", "checks")
TABLED = (*FILTERED, "settings")  # with a table whose rows are marked, to be acted on together
KEPT = (*FILTERED, "rehearse", "overview", "replicate", "cutover", "journal")  # with filters that are kept
SORTED = (
    *TABLED,
    "rehearse",
    "replicate",
    "group",
    "overview",
    "cutover",
    "journal",
)  # with a table that is filtered, sorted and copied
PANELS = ("overview", *FILTERED, "rehearse", "replicate", "group", "settings", "cutover", "journal")


def _goto(place: Place) -> Action:
    return Action(f"go.{place.id}", place.key, place.title, f"app.go('{place.id}')", twin=place.twin)


TABLE = (
    Action("open", "enter", "open what is under the cursor", "open", PANELS, foot="open"),
    Action("filter", "slash", "filter the table", "filter", SORTED, twin="inventory", foot="filter"),
    Action("filter.saved", "f", "use a saved filter", "saved_filters", KEPT, twin="filters"),
    Action("filter.save", "F", "save this filter under a name", "save_filter", KEPT, Effect.EDIT_PLAN,
           twin="filters save"),
    Action("mark", "space", "mark or unmark a row", "mark", TABLED, foot="mark"),
    Action("mark.all", "asterisk", "mark all that match, or none", "mark_all", TABLED),
    Action("sort", "s", "sort by the next column", "sort", SORTED, foot="sort"),
    Action("reverse", "S", "turn the order round", "reverse", SORTED),
    Action("columns", "v", "show, hide and order columns", "columns", PANELS, foot="columns"),
    Action("copy", "y", "copy the row, or the marked ones", "copy", SORTED),
    Action("copy.all", "Y", "copy the table as it is filtered", "copy_all", SORTED),
    Action("write", "W", "write what is shown to a csv file", "write_table", SORTED,
           twin="inventory"),
)  # fmt: skip
LIVE = (
    Action("engine.start", "E", "start the engine: open orders go on …", "start_engine",
           ("replicate", "cutover"), Effect.LIVE, "engine start"),
)  # fmt: skip
PANEL = (
    Action("panel", "tab", "next panel", "panel(1)", PANELS, foot="panel"),
    Action("panel.back", "shift+tab", "previous panel", "panel(-1)", PANELS),
)
EVERYWHERE = (
    Action("import", "i", "import an estate or flows", "app.import_data", effect=Effect.EDIT_PLAN,
           twin="discover"),
    Action("export", "e", "write the plan for people and tools", "app.export", twin="export",
           needs=("plan",), foot="export"),
    Action("jump", "ctrl+o", "go to anything by name", "app.jump", foot="go to"),
    Action("job", "ctrl+j", "look at the work in hand", "app.show_job"),
    Action("refresh", "u", "read again now", "app.read_now"),
    Action("back", "escape", "back", "back", foot="back"),
    *map(_goto, PLACES),
    Action("palette", "ctrl+p", "everything by name", "app.command_palette", foot="commands"),
    Action("help", "question_mark", "help", "app.help", foot="help"),
    Action("shell", "exclamation_mark", "to the shell; fg comes back", "app.suspend_process"),
    Action("quit", "q", "leave; runs go on", "app.leave", foot="leave"),
)  # fmt: skip
