"""What the command palette and "go to" offer: actions, those of this place first, and all that has a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from planner.names import visible
from tui.actions.keymap import shown
from tui.actions.places import PLACES
from tui.actions.table import actions_at
from tui.gazetteer import Gazetteer, Named
from tui.screens.place import PlaceScreen

if TYPE_CHECKING:
    from tui.app import WherryApp
    from tui.session import View

_MOST = 30
_Offer = tuple[
    str, str, str, Callable[[], Any]
]  # title, words of the verb that does the same, help, what it does


class Actions(Provider):
    """Every action of this place by name or verb, and changing the theme; typing finds others elsewhere."""

    @property
    def _offers(self) -> Iterator[_Offer]:
        app, screen = cast("WherryApp", self.app), self.screen
        if isinstance(screen, PlaceScreen):
            for action in actions_at(screen.place_id, app.read_only):
                words = f"key {shown(action, app.keys)}" + (f" · wherry {action.twin}" if action.twin else "")
                do = partial(screen.action_act, action.id)
                yield action.title, action.twin, screen.why_not(action) or words, do
        yield "change the theme", "", "colours of the screens", app.action_change_theme

    @property
    def _elsewhere(self) -> Iterator[_Offer]:
        """Yield what can be done in other places; it leads there, where one sees what it is done to."""
        app, screen = cast("WherryApp", self.app), self.screen
        here = screen.place_id if isinstance(screen, PlaceScreen) else ""
        for place in PLACES:
            for action in actions_at(place.id, app.read_only) if place.id != here else ():
                if action.places == (place.id,):
                    key = shown(action, app.keys)
                    go = partial(self._lead, place.id, f"{action.title}: {key}")
                    words = f"key {key} in {place.key} {place.title}"
                    yield f"{place.title}: {action.title}", action.twin, words, go

    async def _lead(self, place_id: str, words: str) -> None:
        app = cast("WherryApp", self.app)
        await app.action_go(place_id)
        if (place := app.place) is not None:
            place.say(words, "accent")

    async def discover(self) -> Hits:
        """Offer all before anything is typed."""
        for title, _, words, do in self._offers:
            yield DiscoveryHit(title, do, help=_plain(words))

    async def search(self, query: str) -> Hits:
        """Offer those that fit."""
        matcher = self.matcher(query)
        for title, twin, words, do in (*self._offers, *self._elsewhere):
            score = matcher.match(title) or matcher.match(twin) / 2  # whoever knows the verb finds it by that
            if score > 0:
                yield Hit(score, matcher.highlight(title), do, help=_plain(words))


class Objects(Provider):
    """Places, waves, move groups and VMs by name."""

    async def startup(self) -> None:
        """Gather the names once."""
        self._names = Gazetteer(named(cast("WherryApp", self.app).view))

    async def search(self, query: str) -> Hits:
        """Offer what has the words in its name, whole beginnings first."""
        app = cast("WherryApp", self.app)
        found = self._names.find(query, _MOST)
        for at, thing in enumerate(found):
            name, go = visible(thing.name), partial(app.goto, thing.kind, thing.key)
            score = 1 - at / (2 * len(found))
            yield Hit(score, _plain(f"{thing.kind}  {name}"), go, text=name, help=_plain(thing.words))


def _plain(text: str) -> Any:
    """Return text in which nothing is markup, whoever chose it."""
    return Content(text)


def named(view: View) -> Iterator[tuple[Sequence[str], Callable[[int], Named]]]:
    """Yield the names of everything one can go to, kind by kind."""

    def place(at: int) -> Named:
        return Named("place", PLACES[at].id, PLACES[at].title, PLACES[at].question)

    def wave(at: int) -> Named:
        return Named("wave", view.waves[at].name, waves[at])

    def group(at: int) -> Named:
        return Named("group", groups[at], groups[at], "move group")

    def vm(at: int) -> Named:
        row = view.rows[at]
        return Named("VM", row[0], row[1], f"{visible(row[2])} {visible(row[8])}".strip())

    waves = [f"{item.name} {item.title}" for item in view.waves]
    groups = list(dict.fromkeys(name for _, name in view.placed.values() if name))
    yield [item.title for item in PLACES], place
    yield waves, wave
    yield groups, group
    yield [row[1] for row in view.rows], vm
