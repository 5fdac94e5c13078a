"""A plan laid out for edits: its tracks, who stands where, and what breaks with groups in other slots.

Nothing is changed here: what parts an item or moves it gives new tracks beside the old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from planner.edits import Act, Edit, ends_of, wave_of
from planner.model import Dependency, MoveGroup, Tie
from planner.names import visible
from planner.settings import Pin
from planner.waves.arrange import Track, stand, tracks_of
from planner.waves.called import Called
from planner.waves.constraints import Kin
from planner.waves.explain import sentences, shown_slot
from planner.waves.families import Families
from planner.waves.items import Ask
from planner.waves.moved import Delta, Standing, restood, standing, standing_parted
from planner.waves.parting import part
from planner.waves.pins import slot_of
from planner.waves.verdict import Laid
from planner.waves.verify import Violation


def free_of(ask: Ask) -> Ask:
    """Return what items are held by on a desk: a move by hand holds against a search, not the next move."""
    return replace(ask, hand=replace(ask.hand, moved={}))


class Layout:
    """A plan laid out. ``ask.standing`` says which slot each VM has, ``was`` how each track stands.

    ``free`` is the ask that its problems are built from, ``home`` the track and item of a group by name.
    """

    def __init__(self, ask: Ask, like: Layout | None = None) -> None:
        """Lay out ``ask``; ``like`` is another one of the same inventory."""
        self.ask = ask
        self.free = free_of(ask)
        self.tracks = tracks_of(ask.everyone, self.free, lambda built: stand(built, self.free))
        self.was = [standing(track.built.problem, track.assignment) for track in self.tracks]
        self._by_vm: dict[str, list[Dependency]] = (
            _by_vm(ask.inventory.dependencies) if like is None else like._by_vm
        )
        self.order_ties: tuple[Dependency, ...] = (
            tuple(tie for tie in ask.inventory.dependencies if tie.tie is Tie.ORDER)
            if like is None
            else like.order_ties
        )
        self.find_groups()

    def find_groups(self, called: Called | None = None, kins: Mapping[str, Kin] | None = None) -> None:
        """Note where each group is and what it is called, from ``ask`` and ``tracks``.

        ``called`` and ``kins`` (by name) are what is known of that already.
        """
        self.home = {
            group.name: (number, at)
            for number, track in enumerate(self.tracks)
            for at, found in enumerate(track.built.members)
            for group in found
        }
        self.families = Families(self.ask, self.tracks, kins)
        self.called = called or Called(self.ask.everyone, self.ask.lookup.vms)

    def slot(self, group: MoveGroup) -> int:
        """Return where a group stands."""
        number, at = self.home[group.name]
        return self.tracks[number].assignment[at]

    def group_of(self, vm: str) -> MoveGroup | None:
        """Return the group of a VM by its id, None for one that is in no wave."""
        return self.called.group_of.get(vm)

    def ties(self, vm: str) -> Sequence[Dependency]:
        """Return the dependencies that a VM is an end of."""
        return self._by_vm.get(vm, ())

    def named(self, what: str) -> tuple[MoveGroup, ...]:
        """Return the groups a person means; raises NotFound, and BadInput for a name of several."""
        return self.called.groups(what)

    def wave(self, what: str, for_whom: str) -> int:
        """Return the slot of a wave (W03) or of the start of a window; raises BadInput for none there is."""
        windows = [window for window in self.tracks[0].built.windows if window] if self.tracks else []
        most = min((len(track.built.problem.slots) for track in self.tracks), default=0)
        return slot_of(Pin(what=for_whom, wave=what), self.ask.settings, windows, most, "cannot move to")

    def standing(self, changes: Mapping[str, int]) -> dict[str, int]:
        """Return the slot of every VM with groups (by name) in other slots."""
        now = {group.name: self.slot(group) for group in self.ask.everyone} | dict(changes)
        return {vm: now[group.name] for group in self.ask.everyone for vm in group.vms}

    def edit(self, act: Act, what: str, groups: Sequence[MoveGroup], slot: int | None = None) -> Edit:
        """Return an edit of groups, not numbered yet."""
        vms = [self.ask.lookup.vms[vm] for group in groups for vm in group.vms]
        wave, start = ("", "") if slot is None else wave_of(slot, self.tracks[0].built.windows)
        return Edit(act=act, what=what, vms=ends_of(vms), wave=wave, start=start)

    def parted(self, number: int, places: Mapping[str, int]) -> tuple[Track, dict[int, int]]:
        """Return a track in which groups with a place share an item with none of another, and those items.

        ``places`` are slots by the name of a group, what is returned slots by item.
        """
        track = self.tracks[number]
        by_item: dict[tuple[int, int], list[MoveGroup]] = {}
        for name, slot in places.items():
            home, at = self.home[name]
            if home == number:
                group = next(one for one in self.tracks[number].built.members[at] if one.name == name)
                by_item.setdefault((at, slot), []).append(group)
        items: dict[int, int] = {}
        for (at, slot), mine in by_item.items():
            if len(mine) == len(track.built.members[at]):
                items[at] = slot
            else:
                track = part(track, at, mine, self.free, self.ties)
                items[len(track.built.members) - 1] = slot
        return track, items

    def held_against(self, number: int, track: Track) -> Standing:
        """Return the plan to compare with: the same one, of the problem as it is parted now."""
        was, before = self.was[number], self.tracks[number]
        if track is before:
            return was
        count = len(before.built.members)
        parents = {
            at: self.home[found[0].name][1]
            for at, found in enumerate(track.built.members[count:], start=count)
        }
        return standing_parted(was, track.built.problem, track.assignment, parents)

    def placed(self, places: Mapping[str, int]) -> tuple[tuple[str, ...], Delta, tuple[Laid, ...]]:
        """Return what breaks with groups (by name) in these slots, what that costs, and the tracks then."""
        refused: list[str] = []
        total = Delta()
        broken: list[Violation] = []
        laid = []
        for number in sorted({self.home[name][0] for name in places}):
            track, items = self.parted(number, places)
            was = self.held_against(number, track)
            after = tuple(items.get(at, own) for at, own in enumerate(track.assignment))
            then, delta = restood(was, after, set(items.values()))
            laid.append((number, replace(track, assignment=after), then))
            refused += sentences(track, self.free, delta, after)
            broken += delta.broken
            total = Delta(
                total.waves + delta.waves,
                total.cut_share + delta.cut_share,
                total.stretch_gb + delta.stretch_gb,
                total.peak_share + delta.peak_share,
                total.violations + delta.violations,
                tuple(broken),
            )
        refused += self._behind_services(places)
        return tuple(dict.fromkeys(refused)), total, tuple(laid)

    def services(self) -> list[int]:
        """Return the slots of the services that move last; one put among plain groups is of their track."""
        return sorted(self.slot(group) for group in self.ask.everyone if self.home[group.name][0] > 0)

    def _behind_services(self, places: Mapping[str, int]) -> list[str]:
        services = self.services()
        if not services:
            return []
        plain = (name for name, slot in places.items() if self.home[name][0] == 0 and slot >= services[0])
        late = next(plain, None)
        if late is None:
            return []
        where = shown_slot(self.tracks[0], services[0])
        return [f"shared services move last, from {where} on: {visible(late)} cannot be behind them"]


def _by_vm(ties: Iterable[Dependency]) -> dict[str, list[Dependency]]:
    found: dict[str, list[Dependency]] = {}
    for tie in ties:
        found.setdefault(tie.source, []).append(tie)
        found.setdefault(tie.target, []).append(tie)
    return found
