"""The groups of a project's waves as people call them, and whoever keeps their journals.

    W01/shop ── a group of wave W01      W01 ── all of its groups      "" ── those of every wave

A receiver knows a group by a key of ours; people and documents see its name. Until its cutover the journals
of a wave are at the target, once it is committed at the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.run.returning import find_returning
from migrate.run.waves import find_wave
from migrate.transfers.histories import group_key
from planner.errors import BadInput, NotFound
from planner.names import visible
from planner.store import plans
from planner.store import settings as settings_store

if TYPE_CHECKING:
    from migrate.daemons.control import Asks, Held, Told
    from planner.plan import Wave
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class WaveGroup:
    """A group of a wave: its key at the receiver, its part of step ids, and what people call it.

    ``side`` is the site whose receiver keeps its journal: source or target.
    """

    key: str
    part: str
    title: str
    side: str = "target"


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whoever keeps the journals of some groups, asked by their titles; ``store`` is where it keeps them."""

    groups: tuple[WaveGroup, ...]
    asks: Asks
    store: Path


def groups_of(project: Project, wave: Wave) -> tuple[WaveGroup, ...]:
    """Return the groups of a wave."""
    side = "source" if find_returning(project, wave.name) is not None else "target"
    return tuple(
        WaveGroup(
            group_key(project.id, wave.name, f"g{number}"), f"g{number}", f"{wave.name}/{group.name}", side
        )
        for number, group in enumerate(wave.groups)
    )


def named(project: Project, text: str) -> tuple[WaveGroup, ...]:
    """Return the groups that somebody names; raises NotFound."""
    if not text:
        newest = plans.find_head(project)
        names = [row.name for row in plans.waves(project, newest.version)] if newest else []
        return tuple(one for name in names for one in groups_of(project, find_wave(project, name).wave))
    wave, _, name = text.partition("/")
    groups = groups_of(project, find_wave(project, wave).wave)
    found = tuple(one for one in groups if not name or name == one.part or one.title == text)
    if not found:
        raise NotFound(
            f"wave {visible(wave, 80)} has no group {visible(name, 80)}", f"it has {_list(groups)}"
        )
    return found


def one_named(project: Project, text: str) -> WaveGroup:
    """Return the one group that somebody names; raises NotFound, BadInput."""
    found = named(project, text)
    if len(found) != 1:
        raise BadInput("it is not said of which group", f"name one: {_list(found)}")
    return found[0]


@contextmanager
def keeping(project: Project, groups: Sequence[WaveGroup]) -> Iterator[Keeping]:
    """Yield the receivers of their sites, started if needed; raises BadInput, Blocked, Unreachable.

    The store is that of the first group.
    """
    from migrate.daemons.reaching import asks_of
    from migrate.daemons.receiver import store_of
    from migrate.sites.opening import open_site

    places: dict[str, str] = {}
    for side in dict.fromkeys(one.side for one in groups) or ("target",):
        with closing(open_site(settings_store.load(project), side, project.root)) as site:
            places[side] = site.where
    asked = {side: asks_of(place) for side, place in places.items()}
    first = next(iter(places.values()))
    yield Keeping(tuple(groups), _Titled(asked, {one.title: one for one in groups}), store_of(first))


class _Titled:
    """Asks with the keys of groups in place of their titles, and tells it the other way round."""

    def __init__(self, asked: Mapping[str, Asks], groups: Mapping[str, WaveGroup]) -> None:
        self._asked = asked  # by side
        self._groups = groups
        self._titled_by = {one.key: one for one in groups.values()}

    def ask(self, verb: str, request: Told, tell: Callable[[Told], None] = lambda _told: None) -> Told:
        """Ask; see ``Asks``."""
        with self._saying(request):
            asked = self._keyed(request)
            return self._titled(self._of(request).ask(verb, asked, lambda told: tell(self._titled(told))))

    @contextmanager
    def hold(self, verb: str, request: Told) -> Iterator[Held]:
        """Hold; see ``Asks``."""
        from dataclasses import replace

        with self._saying(request), self._of(request).hold(verb, self._keyed(request)) as held:
            yield replace(held, told=self._titled(held.told))

    def _of(self, request: Told) -> Asks:
        """Return who is asked about a group; whoever names none asks the first."""
        found = self._groups.get(str(request.get("group", "")))
        return self._asked[found.side] if found is not None else next(iter(self._asked.values()))

    def _keyed(self, request: Told) -> Told:
        found = self._groups.get(str(request.get("group", "")))
        return {**request, "group": found.key} if found is not None else request

    def _titled(self, told: Told) -> Told:
        found = self._titled_by.get(str(told.get("group", "")))
        return {**told, "group": found.title, "side": found.side} if found is not None else told

    @contextmanager
    def _saying(self, request: Told) -> Iterator[None]:
        """Say of a group what people call it, where the receiver does not know it."""
        try:
            yield
        except NotFound as error:
            found = self._groups.get(str(request.get("group", "")))
            if "not served here" not in error.message or found is None:
                raise
            why = "it was not replicated yet, or was cut over since"
            if found.side == "source":
                why = "at its source there is one from the first round after the commit to the go home"
            raise NotFound(
                f"{visible(found.title, 200)} has no history: {why}", "wherry status tells where it stands"
            ) from error


def _list(groups: Sequence[WaveGroup]) -> str:
    return ", ".join(visible(one.title, 80) for one in groups[:8]) or "none"
