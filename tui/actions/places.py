"""The places of the tab line, in its order, and the pages that are opened from one of them."""

from __future__ import annotations

from tui.actions.action import Place

PLACES = (
    Place("overview", "1", "Overview", "Over", "where are we, what needs me", "status"),
    Place("inventory", "2", "Inventory", "Inv", "what do we have", "inventory"),
    Place("dependencies", "3", "Dependencies", "Deps", "what must go together", "deps"),
    Place("waves", "4", "Waves", "Waves", "when does what move, and why so", "plan show"),
    Place("rehearse", "5", "Rehearse", "Reh", "would it work, how long", "rehearse"),
    Place("replicate", "6", "Replicate", "Repl", "is the copy fresh", "replicate"),
    Place("cutover", "7", "Cutover", "Cut", "go, wait or back", "cutover"),
    Place("journal", "8", "Journal", "Log", "who did what, when", "log"),
    Place("checks", "9", "Checks", "Checks", "what stands in the way, what helps", "check"),
    Place("settings", "0", "Settings", "Set", "link, windows, freezes, caps, maps", "settings"),
)  # fmt: skip

PAGES = (
    Place("group", "6", "Group", "Group", "what can the group go back to, and how", "checkpoints"),
)  # fmt: skip
ABOVE = {"group": "replicate"}  # the place whose page it is


def place_named(place_id: str) -> Place:
    """Return a place or page by its id."""
    return next(place for place in (*PLACES, *PAGES) if place.id == place_id)
