"""The desk: a plan laid out for edits by hand, each answered at once with what it breaks and what it costs.

    plan ──as it stands──▶ Desk ──move, split, merge, lock, unlock──▶ Verdict ──accepted──▶ the next plan

Nothing is changed here. What a person moved before may be moved again; pins of the settings, locks and
waves under way hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace

from planner.edits import Act, Edit, ends_of, wave_of
from planner.errors import BadInput, NotFound
from planner.model import Dependency, MoveGroup, Tie
from planner.names import visible
from planner.settings import Pin
from planner.units import show_count
from planner.waves.arrange import Track, stand, tracks_of
from planner.waves.called import Called
from planner.waves.explain import Why, sentences, shown_slot, why
from planner.waves.families import Families
from planner.waves.items import Ask
from planner.waves.moved import Delta, Standing, changed, restood, standing
from planner.waves.parting import part, torn
from planner.waves.pins import slot_named, slot_of, wave_name
from planner.waves.verdict import Verdict
from planner.waves.verify import Violation, verify

_NAMED = 8


class Desk:
    """A plan laid out. ``ask.standing`` says which slot each VM has."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        # A move by hand holds against a search, not against the next move.
        self._free = replace(ask, hand=replace(ask.hand, moved={}))
        self.tracks = tracks_of(ask.everyone, self._free, lambda built: stand(built, self._free))
        self.was = [standing(track.built.problem, track.assignment) for track in self.tracks]
        self._home = {
            group.name: (number, at)
            for number, track in enumerate(self.tracks)
            for at, found in enumerate(track.built.members)
            for group in found
        }
        self._families = Families(ask, self.tracks)
        self._ties: dict[str, list[Dependency]] = {}
        for tie in ask.inventory.dependencies:
            self._ties.setdefault(tie.source, []).append(tie)
            self._ties.setdefault(tie.target, []).append(tie)
        self._called = Called(ask.everyone, ask.lookup.vms)

    def slot(self, group: MoveGroup) -> int:
        """Return where a group stands."""
        number, at = self._home[group.name]
        return self.tracks[number].assignment[at]

    def group_of(self, vm: str) -> MoveGroup | None:
        """Return the group of a VM by its id, None for one that is in no wave."""
        return self._called.group_of.get(vm)

    def ties(self, vm: str) -> Sequence[Dependency]:
        """Return the dependencies that a VM is an end of."""
        return self._ties.get(vm, ())

    def named(self, what: str) -> tuple[MoveGroup, ...]:
        """Return the groups a person means; raises NotFound, and BadInput for a name of several."""
        return self._called.groups(what)

    def wave(self, what: str, for_whom: str) -> int:
        """Return the slot of a wave (W03) or of the start of a window; raises BadInput for none there is."""
        windows = [window for window in self.tracks[0].built.windows if window] if self.tracks else []
        most = min((len(track.built.problem.slots) for track in self.tracks), default=0)
        return slot_of(Pin(what=for_whom, wave=what), self.ask.settings, windows, most, "cannot move to")

    def _standing(self, changes: Mapping[str, int]) -> dict[str, int]:
        now = {group.name: self.slot(group) for group in self.ask.everyone} | dict(changes)
        return {vm: now[group.name] for group in self.ask.everyone for vm in group.vms}

    def _edit(self, act: Act, what: str, groups: Sequence[MoveGroup], slot: int | None = None) -> Edit:
        vms = [self.ask.lookup.vms[vm] for group in groups for vm in group.vms]
        wave, start = ("", "") if slot is None else wave_of(slot, self.tracks[0].built.windows)
        return Edit(act=act, what=what, vms=ends_of(vms), wave=wave, start=start)

    def _parted(self, number: int, places: Mapping[str, int]) -> tuple[Track, dict[int, int]]:
        """Return a track in which groups with a place share an item with none of another, and those items.

        ``places`` are slots by the name of a group, what is returned slots by item.
        """
        track = self.tracks[number]
        by_item: dict[tuple[int, int], list[MoveGroup]] = {}
        for name, slot in places.items():
            home, at = self._home[name]
            if home == number:
                group = next(one for one in self.tracks[number].built.members[at] if one.name == name)
                by_item.setdefault((at, slot), []).append(group)
        items: dict[int, int] = {}
        for (at, slot), mine in by_item.items():
            if len(mine) == len(track.built.members[at]):
                items[at] = slot
            else:
                track = part(track, at, mine, self._free, self._tied)
                items[len(track.built.members) - 1] = slot
        return track, items

    def _held_against(self, number: int, track: Track) -> Standing:
        """Return the plan to compare with: the same one, of the problem as it is parted now."""
        was = self.was[number]
        if track is self.tracks[number]:
            return was
        held = was.held
        if held:  # their items and ties have other numbers now
            known = {broken.text for broken in held}
            held = tuple(one for one in verify(track.built.problem, track.assignment) if one.text in known)
        return standing(track.built.problem, track.assignment, held)

    def _placed(
        self, places: Mapping[str, int]
    ) -> tuple[tuple[str, ...], Delta, tuple[tuple[int, Track, Standing], ...]]:
        """Return what breaks with groups (by name) in these slots, what that costs, and the tracks then."""
        refused: list[str] = []
        total = Delta()
        broken: list[Violation] = []
        laid = []
        for number in sorted({self._home[name][0] for name in places}):
            track, items = self._parted(number, places)
            was = self._held_against(number, track)
            after = tuple(items.get(at, own) for at, own in enumerate(track.assignment))
            then, delta = restood(was, after, set(items.values()))
            laid.append((number, replace(track, assignment=after), then))
            refused += sentences(track, self._free, delta, after)
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

    def _services(self) -> list[int]:
        """Return the slots of the services that move last; one put among plain groups is of their track."""
        return sorted(self.slot(group) for group in self.ask.everyone if self._home[group.name][0] > 0)

    def _behind_services(self, places: Mapping[str, int]) -> list[str]:
        services = self._services()
        if not services:
            return []
        plain = (name for name, slot in places.items() if self._home[name][0] == 0 and slot >= services[0])
        late = next(plain, None)
        if late is None:
            return []
        where = shown_slot(self.tracks[0], services[0])
        return [f"shared services move last, from {where} on: {visible(late)} cannot be behind them"]

    def move(self, what: str, wave: str) -> Verdict:
        """Return what moving a group, a VM's group or an application into a wave does."""
        groups = self.named(what)
        slot = self.wave(wave, what)
        edit = self._edit(Act.MOVE, what, groups, slot)
        if all(self.slot(group) == slot for group in groups):
            raise BadInput(
                f"{visible(what)} moves in {wave_name(slot)} already", "lock the wave to keep it as it is"
            )
        places = {group.name: slot for group in groups}
        refused, delta, laid = self._placed(places)
        told = self._told(groups, slot)
        return Verdict(edit, self._standing(places), refused, told, delta, (), laid)

    def shift(self, places: Sequence[tuple[MoveGroup, int]]) -> Verdict:
        """Return what moving many groups at once does, each to its slot: one edit for each slot entered.

        Raises BadInput when there is nothing to move, and for a slot that is none.
        """
        going: dict[int, list[MoveGroup]] = {}
        for group, slot in places:
            if self.slot(group) != slot:
                if slot < 0:
                    raise BadInput(f"{visible(group.name)} is in the first wave", "there is none before it")
                going.setdefault(self.wave(wave_name(slot), group.name), []).append(group)
        if not going:
            raise BadInput("what is named moves there already", "name another wave")
        edits = tuple(
            self._edit(Act.MOVE, ", ".join(group.name for group in groups), groups, slot)
            for slot, groups in going.items()
        )
        moved = {group.name: slot for slot, groups in going.items() for group in groups}
        refused, delta, laid = self._placed(moved)
        told = tuple(dict.fromkeys(said for slot, found in going.items() for said in self._told(found, slot)))
        return Verdict(edits[0], self._standing(moved), refused, told, delta, edits[1:], laid)

    def after(self, verdict: Verdict, edits: Sequence[Edit]) -> Desk | None:
        """Return the desk once moves are made; ``edits`` are those of the verdict, with their numbers.

        None when more changes than the items of what moves: then it has to be laid out anew.
        """
        said = {self._called.group_of[end.id]: edit for edit in edits for end in edit.vms}
        if any(group.shared_services for group in said):
            return None
        slots = {group.name: verdict.standing[group.vms[0]] for group in said}
        parts = {group.name: edit.part for group, edit in said.items()}
        hand = self.ask.hand.with_moves(slots, parts, {group.name: one.said for group, one in said.items()})
        found = copy(self)
        found.ask = replace(self.ask, hand=hand, standing=verdict.standing)
        found._free = replace(found.ask, hand=replace(hand, moved={}))
        found.tracks, found.was, found._home = list(self.tracks), list(self.was), dict(self._home)
        for number, track, then in verdict.laid:
            before = self.tracks[number]
            mine = [name for name in slots if self._home[name][0] == number]
            if not self._families.keep(number, before, track, mine, found.ask, self._tied):
                return None
            found.tracks[number], found.was[number] = track, then
            for at in range(len(before.built.members), len(track.built.members)):
                found._home.update((group.name, (number, at)) for group in track.built.members[at])
        return found if self._last_plain() == found._last_plain() else None

    def _last_plain(self) -> int:
        """Return the last slot of groups that are no services, which those come behind; -1 without any."""
        services = {group.name for group in self.ask.everyone if group.shared_services}
        if not services:
            return -1
        plain = (self.slot(one) for one in self.ask.everyone if one.name not in services)
        return max(plain, default=-1)

    def _tied(self, vm: str) -> Sequence[Dependency]:
        return self._ties.get(vm, ())

    def _told(self, groups: Sequence[MoveGroup], slot: int) -> tuple[str, ...]:
        names = {group.name for group in groups}
        vms = {vm for group in groups for vm in group.vms}
        told = [
            f"{visible(group.name)} moves whole: {show_count(len(group.vms), 'VM')}"
            for group in groups
            if len(group.vms) > 1
        ][:_NAMED]
        left: dict[str, set[int]] = {}
        for group in groups:
            number, at = self._home[group.name]
            others = [one for one in self.tracks[number].built.members[at] if one.name not in names]
            if others and (application := self.ask.lookup.vms[group.vms[0]].application):
                left.setdefault(application, set()).update(self.slot(one) for one in others)
        told += [
            f"the rest of {visible(application)} stays in {', '.join(map(wave_name, sorted(slots)))}"
            for application, slots in sorted(left.items())
        ]
        apart = {
            frozenset((tie.source, tie.target))
            for vm in vms
            for tie in self._ties.get(vm, ())
            if tie.tie is Tie.SOFT and not {tie.source, tie.target} <= vms and self._parts(tie, vms, slot)
        }
        if apart:
            told.append(f"{show_count(len(apart), 'soft tie')} between VMs will cross the line for a while")
        if not self.tracks[0].built.windows[slot]:
            told.append(f"{wave_name(slot)} has no window yet")
        return tuple(told)

    def _parts(self, tie: Dependency, vms: set[str], slot: int) -> bool:
        other = self._called.group_of.get(tie.target if tie.source in vms else tie.source)
        mine = self._called.group_of.get(tie.source if tie.source in vms else tie.target)
        return other is not None and mine is not None and self.slot(other) == self.slot(mine) != slot

    def split(self, what: str, vms: Sequence[str]) -> Verdict:
        """Return what splitting ``vms`` (names or ids) off ``what`` does; no hard tie is cut."""
        whole = self._holding(what, vms)
        inside = {vm for group in whole for vm in group.vms}
        chosen: set[str] = set()
        for name in vms:
            found = [vm for vm in inside if name in (vm, self.ask.lookup.vms[vm].name)]
            if not found:
                raise NotFound(f"VM {visible(name)} is not in {visible(what)}", "see 'wherry plan show WAVE'")
            if len(found) > 1:
                raise BadInput(
                    f"{len(found)} VMs of {visible(what)} are called {visible(name)}", "name one by its id"
                )
            chosen.update(found)
        if not chosen or chosen == inside:
            raise BadInput(
                f"nothing of {visible(what)} would be left, or nothing split off", "name some of its VMs"
            )
        names = self.ask.lookup.vms
        refused = torn(self.ask, inside, chosen)
        mine = [group for group in whole if chosen & set(group.vms)]
        if not refused and not self._joined(mine, chosen):
            raise BadInput(
                f"{visible(vms[0])} does not have to move with the rest of {visible(what)} as it is",
                f"move it: wherry plan move {vms[0]!r} WAVE",
            )
        edit = replace(
            self._edit(Act.SPLIT, what, ()),
            vms=ends_of(names[vm] for vm in names if vm in chosen),
            other=", ".join(vms),
        )
        told = ("both parts stay in their wave until one is moved or the plan is made anew",)
        return Verdict(edit, self._standing({}), refused or self._more_items(mine), told)

    def _holding(self, what: str, vms: Sequence[str]) -> tuple[MoveGroup, ...]:
        """Return the groups a name means, or the application of that name when only that has all VMs."""
        whole = self.named(what)
        mine = self._called.application(what)
        names = self.ask.lookup.vms

        def known(groups: Sequence[MoveGroup]) -> bool:
            inside = {said for group in groups for vm in group.vms for said in (vm, names[vm].name)}
            return inside.issuperset(vms)

        return mine if not known(whole) and known(mine) else whole

    def _more_items(self, groups: Sequence[MoveGroup]) -> tuple[str, ...]:
        """Return the caps that break because groups count one by one once they are split off."""
        refused: list[str] = []
        for number in {self._home[group.name][0] for group in groups}:
            mine = [one for one in groups if self._home[one.name][0] == number]
            track, items = self._parted(number, {one.name: self.slot(one) for one in mine})
            _, delta = changed(self._held_against(number, track), track.assignment, set(items.values()))
            refused += sentences(track, self._free, delta, track.assignment)
        return tuple(refused)

    def _joined(self, groups: Sequence[MoveGroup], chosen: set[str]) -> bool:
        """True when chosen VMs share a group, or an item, with others."""
        for group in groups:
            number, at = self._home[group.name]
            mates = {vm for one in self.tracks[number].built.members[at] for vm in one.vms}
            if mates - chosen:
                return True
        return False

    def merge(self, what: str, other: str) -> Verdict:
        """Return what merging ``other`` into ``what`` does: one group, in the wave of ``what``."""
        first, second = self._one(what), self._one(other)
        if first.name == second.name:
            raise BadInput(f"{visible(what)} and {visible(other)} are one group already", "name two groups")
        edit = replace(
            self._edit(Act.MERGE, what, [first]),
            other=other,
            partners=ends_of(self.ask.lookup.vms[vm] for vm in second.vms),
        )
        slot = self.slot(first)
        if first.shared_services is not second.shared_services:
            service = first if first.shared_services else second
            refused: tuple[str, ...] = (f"{visible(service.name)} is a shared service, and those move last",)
            return Verdict(edit, self._standing({}), refused)
        refused, delta, _ = self._placed({first.name: slot, second.name: slot})
        refused = (*self._ordered(first, second), *refused)
        told = self._told([second], slot) if self.slot(second) != slot else ()
        return Verdict(edit, self._standing({second.name: slot}), tuple(dict.fromkeys(refused)), told, delta)

    def _one(self, what: str) -> MoveGroup:
        found = self.named(what)
        if len(found) > 1:
            names = ", ".join(visible(group.name) for group in found[:_NAMED])
            raise BadInput(f"{visible(what)} is {len(found)} move groups", f"name one of: {names}")
        return found[0]

    def _ordered(self, first: MoveGroup, second: MoveGroup) -> list[str]:
        """Return the order ties between two groups that merging would silence."""
        names = self.ask.lookup.vms
        return [
            f"{visible(names[tie.source].name)} needs {visible(names[tie.target].name)} there before it moves"
            for vm in first.vms
            for tie in self._ties.get(vm, ())
            if tie.tie is Tie.ORDER and {tie.source, tie.target} & set(second.vms)
        ]

    def _groups_in(self, wave: str) -> tuple[int, list[MoveGroup]]:
        slot = slot_named(wave)
        groups = [group for group in self.ask.everyone if self.slot(group) == slot]
        if slot is None or not groups:
            known = ", ".join(wave_name(own) for own in sorted({self.slot(one) for one in self.ask.everyone}))
            raise NotFound(f"wave {wave!r} does not exist in this plan", f"use one of: {known}")
        return slot, groups

    def lock(self, wave: str) -> Verdict:
        """Return what locking a wave does: what is in it stays, and nobody else gets in."""
        slot, groups = self._groups_in(wave)
        if slot in self.ask.hand.locked:
            raise BadInput(f"{wave_name(slot)} is locked already", "unlock it: wherry plan unlock WAVE")
        told = (f"what is in it stays ({show_count(len(groups), 'group')}), and nobody else gets in",)
        return Verdict(self._edit(Act.LOCK, wave_name(slot), groups, slot), self._standing({}), (), told)

    def unlock(self, wave: str) -> Verdict:
        """Return what unlocking a wave does."""
        slot, groups = self._groups_in(wave)
        if slot not in self.ask.hand.locked:
            raise BadInput(f"{wave_name(slot)} is not locked", "see 'wherry plan edits'")
        return Verdict(self._edit(Act.UNLOCK, wave_name(slot), groups, slot), self._standing({}))

    def why(self, what: str) -> Why:
        """Return why a VM or group moves in its wave, and not in an earlier one."""
        group = self._one(what)
        number, _ = self._home[group.name]
        services = self._services()
        track = self.tracks[number]
        last = services[0] - 1 if services and number == 0 else len(track.built.problem.slots)
        return why(track, self.ask, self.was[number], group, last)
