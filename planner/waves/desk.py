"""The desk: a plan laid out for edits by hand, each answered at once with what it breaks and what it costs.

    plan ──as it stands──▶ Desk ──move, split, merge, lock, unlock──▶ Verdict ──accepted──▶ the next plan

Nothing is changed here. What a person moved before may be moved again; pins of the settings, locks and
waves under way hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.edits import Act
from planner.errors import BadInput, NotFound
from planner.model import MoveGroup
from planner.names import visible
from planner.units import show_count
from planner.waves import merging, splitting
from planner.waves.explain import Why, why
from planner.waves.layout import Layout
from planner.waves.pins import slot_named, wave_name
from planner.waves.told import told
from planner.waves.verdict import Verdict


class Desk(Layout):
    """A plan laid out, and what a person can do to it. ``ask.standing`` says which slot each VM has."""

    def move(self, what: str, wave: str) -> Verdict:
        """Return what moving a group, a VM's group or an application into a wave does."""
        groups = self.named(what)
        slot = self.wave(wave, what)
        edit = self.edit(Act.MOVE, what, groups, slot)
        if all(self.slot(group) == slot for group in groups):
            raise BadInput(
                f"{visible(what)} moves in {wave_name(slot)} already", "lock the wave to keep it as it is"
            )
        places = {group.name: slot for group in groups}
        refused, delta, laid = self.placed(places)
        return Verdict(edit, self.standing(places), refused, told(self, groups, slot), delta, (), laid)

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
            self.edit(Act.MOVE, ", ".join(group.name for group in groups), groups, slot)
            for slot, groups in going.items()
        )
        moved = {group.name: slot for slot, groups in going.items() for group in groups}
        refused, delta, laid = self.placed(moved)
        notes = dict.fromkeys(said for slot, found in going.items() for said in told(self, found, slot))
        return Verdict(edits[0], self.standing(moved), refused, tuple(notes), delta, edits[1:], laid)

    def split(self, what: str, vms: Sequence[str]) -> Verdict:
        """Return what splitting ``vms`` (names or ids) off ``what`` does; no hard tie is cut."""
        return splitting.split(self, what, vms)

    def merge(self, what: str, other: str) -> Verdict:
        """Return what merging ``other`` into ``what`` does: one group, in the wave of ``what``."""
        return merging.merge(self, what, other)

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
        notes = (f"what is in it stays ({show_count(len(groups), 'group')}), and nobody else gets in",)
        return Verdict(self.edit(Act.LOCK, wave_name(slot), groups, slot), self.standing({}), (), notes)

    def unlock(self, wave: str) -> Verdict:
        """Return what unlocking a wave does."""
        slot, groups = self._groups_in(wave)
        if slot not in self.ask.hand.locked:
            raise BadInput(f"{wave_name(slot)} is not locked", "see 'wherry plan edits'")
        return Verdict(self.edit(Act.UNLOCK, wave_name(slot), groups, slot), self.standing({}))

    def why(self, what: str) -> Why:
        """Return why a VM or group moves in its wave, and not in an earlier one."""
        group = merging.one_named(self, what)
        number, _ = self.home[group.name]
        services = self.services()
        track = self.tracks[number]
        last = services[0] - 1 if services and number == 0 else len(track.built.problem.slots)
        return why(track, self.ask, self.was[number], group, last)
