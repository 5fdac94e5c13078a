"""Applications for the screens: what is suggested, taken, dismissed, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.candidates.suggest import Suggestion
    from tui.study.room import Room

_KEPT = "suggestions"


def _every(room: Room) -> tuple[Suggestion, ...]:
    """Return the suggestions on the newest inventory, worked out once."""
    from planner.candidates.suggest import suggestions

    known = room.known
    kept = room.kept.get(_KEPT)
    if kept is None or kept[0] is not known:
        kept = room.kept[_KEPT] = (known, suggestions(room.inventory, known.hubs))
    found: tuple[Suggestion, ...] = kept[1]
    return found


def _found(room: Room) -> tuple[Suggestion, ...]:
    """Return those that nobody dismissed."""
    from planner.store.dismissed import parted

    return parted(room.project, _every(room))[0]


def suggested(room: Room) -> list[dict[str, Any]]:
    """Return suggested applications, the surest first, with confidence and reasons."""
    from dataclasses import asdict

    from planner.store.dismissed import title_of

    return [{**asdict(one), "title": title_of(one), "new": len(one.new)} for one in _found(room)]


def accept(room: Room, title: str, name: str = "") -> dict[str, Any]:
    """Take a suggestion as if an application list said so, under another name when given."""
    from tui.acts.applications import accept as take
    from tui.acts.applications import chosen

    taken, facts = take(room.project, room.inventory, chosen(_found(room), title), name)
    return {"import": taken.imports[0].id, "facts": facts}


def dismiss(room: Room, title: str) -> dict[str, Any]:
    """Let a suggestion be told no more until other VMs join it."""
    from tui.acts.applications import chosen
    from tui.acts.applications import dismiss as drop

    return {"title": drop(room.project, chosen(_found(room), title))}


def decided(room: Room) -> Any:
    """Return suggestions that were taken or dismissed and names that were given, the newest first."""
    from planner.store.dismissed import title_of
    from tui.acts.applications import decided as done

    return done(room.project, map(title_of, _every(room)))


def forget(room: Room, what: str, key: str) -> None:
    """Take one of those back."""
    from tui.acts.applications import take_back

    take_back(room.project, what, key)


WRITES = frozenset({"applications.accept", "applications.dismiss", "applications.forget"})
OPS = {
    "suggestions": suggested,
    "applications.accept": accept,
    "applications.decided": decided,
    "applications.dismiss": dismiss,
    "applications.forget": forget,
}
