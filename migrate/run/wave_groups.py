"""The groups of a project's waves as people call them, and whoever keeps their journals.

    W01/shop ── a group of wave W01      W01 ── all of its groups      "" ── those of every wave

The receiver of the target knows a group by a key of ours; people and documents see its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
    """A group of a wave: its key at the receiver, its part of step ids, and what people call it."""

    key: str
    part: str
    title: str


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whoever keeps the journals of some groups, asked by their titles; ``store`` is where it keeps them."""

    groups: tuple[WaveGroup, ...]
    asks: Asks
    store: Path


def groups_of(project: Project, wave: Wave) -> tuple[WaveGroup, ...]:
    """Return the groups of a wave."""
    return tuple(
        WaveGroup(group_key(project.id, wave.name, f"g{number}"), f"g{number}", f"{wave.name}/{group.name}")
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
    """Yield the receiver of the target, started if needed; raises BadInput, Blocked, Unreachable."""
    from migrate.daemons.receiver import asked_receiver, store_of
    from migrate.sites.opening import open_site

    with closing(open_site(settings_store.load(project), "target", project.root)) as target:
        directory = target.directory
    asks = _Titled(asked_receiver(directory), {one.title: one.key for one in groups})
    yield Keeping(tuple(groups), asks, store_of(directory))


class _Titled:
    """Asks with the keys of groups in place of their titles, and tells it the other way round."""

    def __init__(self, asks: Asks, keys: Mapping[str, str]) -> None:
        self._asks = asks
        self._keys = keys
        self._titles = {key: title for title, key in keys.items()}

    def ask(self, verb: str, request: Told, tell: Callable[[Told], None] = lambda _told: None) -> Told:
        """Ask; see ``Asks``."""
        with self._saying(request):
            asked = self._keyed(request)
            return self._titled(self._asks.ask(verb, asked, lambda told: tell(self._titled(told))))

    @contextmanager
    def hold(self, verb: str, request: Told) -> Iterator[Held]:
        """Hold; see ``Asks``."""
        from dataclasses import replace

        with self._saying(request), self._asks.hold(verb, self._keyed(request)) as held:
            yield replace(held, told=self._titled(held.told))

    def _keyed(self, request: Told) -> Told:
        title = str(request.get("group", ""))
        return {**request, "group": self._keys.get(title, title)} if title else request

    def _titled(self, told: Told) -> Told:
        key = told.get("group")
        return {**told, "group": self._titles.get(key, key)} if key else told

    @contextmanager
    def _saying(self, request: Told) -> Iterator[None]:
        """Say of a group what people call it, where the receiver does not know it."""
        try:
            yield
        except NotFound as error:
            title = str(request.get("group", ""))
            if "not served here" not in error.message or title not in self._keys:
                raise
            raise NotFound(
                f"{visible(title, 200)} has no history: it was not replicated yet, or was cut over since",
                "wherry status tells where it stands",
            ) from error


def _list(groups: Sequence[WaveGroup]) -> str:
    return ", ".join(visible(one.title, 80) for one in groups[:8]) or "none"
