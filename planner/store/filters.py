"""Filters people saved under a name, for each place that has a table. Writes ``saved_filter``.

Inside any filter of its place ``@name`` stands for it. One that others name cannot be forgotten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.errors import BadInput, NotFound
from planner.names import visible
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from planner.vocabulary import Vocabulary

_NAME = re.compile(r"\w[\w.-]{0,39}")
_NAMED = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![^\s(-])@([\w.-]+)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A filter with its name in lower case, and who saved it when."""

    place: str
    name: str
    text: str
    who: str
    at: str


def every(project: Project, place: str | None = None) -> tuple[SavedFilter, ...]:
    """Return the saved filters of a place or of all, by place and name."""
    return tuple(
        SavedFilter(*row)
        for row in project.rows(
            "SELECT place, name, filter, who, at FROM saved_filter WHERE place = coalesce(?, place)"
            " ORDER BY place, name",
            place,
        )
    )


def texts(project: Project, place: str) -> dict[str, str]:
    """Return what ``@name`` stands for in the filters of a place, by name."""
    return {saved.name: saved.text for saved in every(project, place)}


def save(project: Project, place: str, name: str, text: str, words: Vocabulary, who: str) -> SavedFilter:
    """Store a filter, in place of one of that name; raises BadInput for one that cannot be read."""
    from planner.query import parse

    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{visible(name, 60)!r} cannot be the name of a filter",
            "use at most 40 letters, digits, '-', '_' and '.', a letter or digit first",
        )
    if not text.strip():
        raise BadInput(f"filter {visible(name)!r} has no term", "write what it chooses, as 'os~win'")
    made = SavedFilter(place, name.casefold(), text.strip(), who, utc_now())
    with project.write() as db:
        parse(f"@{made.name}", words, {**texts(project, place), made.name: made.text})
        db.conn.execute(
            "INSERT OR REPLACE INTO saved_filter (place, name, filter, who, at) VALUES (?, ?, ?, ?, ?)",
            (made.place, made.name, made.text, made.who, made.at),
        )
    return made


def forget(project: Project, place: str, name: str) -> SavedFilter:
    """Delete a saved filter and return it; raises NotFound, BadInput when others name it."""
    wanted = name.casefold()
    with project.write() as db:
        known = every(project, place)
        found = next((saved for saved in known if saved.name == wanted), None)
        if found is None:
            raise NotFound(f"no filter {visible(name, 60)!r} is saved for {place}", "see 'wherry filters'")
        users = [saved.name for saved in known if saved is not found and wanted in _names(saved.text)]
        if users:
            raise BadInput(
                f"filter {visible(wanted)!r} is part of {', '.join(f'@{visible(one)}' for one in users)}",
                "forget or change those first",
            )
        db.conn.execute("DELETE FROM saved_filter WHERE place = ? AND name = ?", (place, wanted))
    return found


def _names(text: str) -> frozenset[str]:
    """Return the saved filters that a text names."""
    return frozenset(found[1].casefold() for found in _NAMED.finditer(text) if found[1])
