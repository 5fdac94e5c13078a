"""Saving filters under a name and forgetting them: stored, and written down in the audit chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.store.filters import SavedFilter
    from planner.store.project import Project


def save(project: Project, place: str, name: str, text: str) -> SavedFilter:
    """Save a filter of a place, in place of one of that name; raises BadInput, NotFound."""
    from migrate import audit
    from planner.effects import Effect
    from planner.places import words_of
    from planner.store import filters

    made = filters.save(project, place, name, text, words_of(place), audit.person())
    audit.note(
        project, Effect.EDIT_PLAN, "filters save", f"@{made.name}", {"for": place, "filter": made.text}
    )
    return made


def forget(project: Project, place: str, name: str) -> SavedFilter:
    """Forget a saved filter of a place and return it; raises NotFound, BadInput when others name it."""
    from migrate import audit
    from planner.effects import Effect
    from planner.places import words_of
    from planner.store import filters

    words_of(place)
    gone = filters.forget(project, place, name)
    audit.note(
        project, Effect.EDIT_PLAN, "filters forget", f"@{gone.name}", {"for": place, "filter": gone.text}
    )
    return gone
