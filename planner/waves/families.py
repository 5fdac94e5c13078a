"""Whether a move leaves the items as laying the plan out anew would make them.

Groups of one environment of an application share an item while nobody parts them. A move takes its groups out
of theirs; where more than that would change (two that join, a knot of order ties that comes undone), the plan
has to be laid out anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from planner.model import Dependency, MoveGroup, Tie
from planner.waves.arrange import Track
from planner.waves.constraints import NOT_ENFORCED, Kin, kin
from planner.waves.items import Ask

Ties = Callable[[str], Sequence[Dependency]]


class Families:
    """The groups of each kin by track, as they were laid out. Nobody changes it."""

    def __init__(self, ask: Ask, tracks: Sequence[Track], known: Mapping[str, Kin] | None = None) -> None:
        """Note the kin of every group; ``known`` are those told already, by name."""
        known = known or {}
        self._kin: dict[str, Kin] = {}
        self._members: dict[tuple[int, Kin], list[str]] = {}
        for number, track in enumerate(tracks):
            for found in track.built.members:
                for group in found:
                    own = known.get(group.name) or kin(group, ask.vms(group))
                    self._kin[group.name] = own
                    if own.application:
                        self._members.setdefault((number, own), []).append(group.name)
        homes = [_homes(track) for track in tracks]
        self._knotted = {
            key
            for key, names in self._members.items()
            if not _whole(names, homes[key[0]], tracks[key[0]], ask.hand.parts)
        }
        # Ties nobody could keep, and families that ties tore: both may come right when an item is parted.
        self._tangled = [
            bool(track.built.dropped)
            or any(note.startswith(NOT_ENFORCED) for note in track.built.notes)
            or any(key[0] == number for key in self._knotted)
            for number, track in enumerate(tracks)
        ]

    def keep(
        self, number: int, before: Track, after: Track, moved: Iterable[str], ask: Ask, ties: Ties
    ) -> bool:
        """True when the items of ``after`` are those of a plan laid out anew under ``ask``."""
        settings = ask.settings.waves
        parted = len(after.built.members) > len(before.built.members)
        if parted and settings.whole_networks:
            return False
        if parted and self._tangled[number] and _ordered(before, after, ties):
            return False
        if not settings.whole_applications:
            return True
        homes = _homes(after)
        return all(
            (number, own) not in self._knotted
            and _whole(self._members[number, own], homes, after, ask.hand.parts)
            for own in {self._kin[name] for name in moved}
            if own.application
        )

    def kin_of(self, group: MoveGroup) -> Kin:
        """Return what a group that was laid out belongs to."""
        return self._kin[group.name]

    def kins_but(self, name: str) -> dict[str, Kin]:
        """Return what every group belongs to, by name, but for one."""
        return {group: own for group, own in self._kin.items() if group != name}

    def calm(self, number: int, kins: Iterable[Kin]) -> bool:
        """True when no tie of a track is unkept, and each of ``kins`` is as few items as it could be."""
        return not self._tangled[number] and not any((number, own) in self._knotted for own in kins)


def _homes(track: Track) -> dict[str, int]:
    return {group.name: at for at, found in enumerate(track.built.members) for group in found}


def _whole(names: Sequence[str], homes: Mapping[str, int], track: Track, parts: Mapping[str, str]) -> bool:
    """True when those of a kin that stand together and were not parted are one item, and no other is."""
    kinds: dict[tuple[str, int], set[int]] = {}
    for name in names:
        at = homes[name]
        kinds.setdefault((parts.get(name, ""), track.assignment[at]), set()).add(at)
    items = [at for found in kinds.values() for at in found]
    return all(len(found) == 1 for found in kinds.values()) and len(items) == len(set(items))


def _ordered(before: Track, after: Track, ties: Ties) -> bool:
    """True when an item that was parted has to do with the order of items."""
    count = len(before.built.members)
    touched = {at for at in range(count) if before.built.members[at] is not after.built.members[at]}
    return any(touched & {tie.before, tie.after} for tie in before.built.problem.order) or any(
        tie.tie is Tie.ORDER
        for at in touched
        for group in before.built.members[at]
        for vm in group.vms
        for tie in ties(vm)
    )
