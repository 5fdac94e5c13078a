"""Applications that are suggested, and taken as if an application list said so; audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.candidates.suggest import Suggestion
    from planner.model import Inventory
    from planner.store.evidence import Taken
    from planner.store.project import Project


def title_of(one: Suggestion) -> str:
    """Return what a suggestion is called: its name and its environment."""
    return f"{one.name} {one.environment}".strip()


def chosen(found: tuple[Suggestion, ...], wanted: str) -> Suggestion:
    """Return the suggestion of a name; raises NotFound, and BadInput when several are called so."""
    from difflib import get_close_matches

    from planner.errors import BadInput, NotFound

    key = wanted.strip().casefold()
    fits = [one for one in found if title_of(one).casefold() == key]
    fits = fits or [one for one in found if one.name.casefold() == key]
    if not fits:
        near = get_close_matches(wanted, [title_of(one) for one in found], 1)
        hint = f"did you mean {near[0]}?" if near else "see 'wherry deps suggest --all'"
        raise NotFound(f"nothing is suggested under the name {wanted!r}", hint)
    if len(fits) > 1:
        raise BadInput(
            f"{len(fits)} suggestions are called {wanted!r}",
            f"name one: {', '.join(title_of(one) for one in fits[:5])}",
        )
    return fits[0]


def accept(project: Project, inventory: Inventory, one: Suggestion, name: str = "") -> tuple[Taken, int]:
    """Take a suggestion, called ``name`` when given; return the import it became and its number of facts."""
    from migrate import audit
    from planner.candidates.accept import as_reading
    from planner.effects import Effect
    from planner.store import evidence

    reading = as_reading(one, inventory, name)
    facts = len(reading.facts)
    taken = evidence.take_in(project, (reading,), audit.person())
    audit.note(
        project,
        Effect.EDIT_PLAN,
        "deps suggest",
        title_of(one),
        {"import": taken.imports[0].id, "vms": [member.vm for member in one.new], "as": name},
    )
    return taken, facts
