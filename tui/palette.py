"""What the command palette and "go to" offer: the actions of this place, and everything that has a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from planner.names import visible
from tui.actions.keymap import shown
from tui.actions.places import PLACES
from tui.actions.table import actions_at
from tui.screens.place import PlaceScreen

if TYPE_CHECKING:
    from tui.app import WherryApp

_MOST = 30


class Actions(Provider):
    """Every action of this place by its name, and changing the theme."""

    @property
    def _offers(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        app, screen = cast("WherryApp", self.app), self.screen
        if isinstance(screen, PlaceScreen):
            for action in actions_at(screen.place_id, app.read_only):
                words = f"key {shown(action, app.keys)}" + (f" · wherry {action.twin}" if action.twin else "")
                yield action.title, screen.why_not(action) or words, partial(screen.action_act, action.id)
        yield "change the theme", "colours of the screens", app.action_change_theme

    async def discover(self) -> Hits:
        """Offer all before anything is typed."""
        for title, words, do in self._offers:
            yield DiscoveryHit(title, do, help=words)

    async def search(self, query: str) -> Hits:
        """Offer those that fit."""
        matcher = self.matcher(query)
        for title, words, do in self._offers:
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), do, help=words)


class Objects(Provider):
    """Waves, move groups and VMs by name, places too."""

    async def search(self, query: str) -> Hits:
        """Offer what has the words in its name, whole beginnings first."""
        app = cast("WherryApp", self.app)
        wanted = query.casefold().strip()
        if not wanted:
            return
        found = 0
        for kind, key, name, words in named(app):
            at = name.casefold().find(wanted)
            if at < 0:
                continue
            found += 1
            if found > _MOST:
                return
            score = 1.0 if at == 0 else 0.6
            # a name may look like markup: it is given as plain content
            yield Hit(score, plain(f"{kind}  {visible(name)}"), partial(app.goto, kind, key), text=name,
                      help=words)  # fmt: skip


def plain(text: str) -> Any:
    """Return text in which nothing is markup."""
    from textual.content import Content

    return Content(text)


def named(app: WherryApp) -> Iterator[tuple[str, str, str, str]]:
    """Yield everything one can go to: kind, key, name, a word on it."""
    for place in PLACES:
        if not place.later:
            yield "place", place.id, place.title, place.question
    view = app.view
    for wave in view.waves:
        yield "wave", wave.name, f"{wave.name} {wave.title}", ""
    seen: set[str] = set()
    for _, group in view.placed.values():
        if group and group not in seen:
            seen.add(group)
            yield "group", group, group, "move group"
    for row in view.rows:
        yield "VM", row[0], row[1], f"{visible(row[2])} {visible(row[8])}".strip()
