"""The addresses of guests as steps: set by the site before they start, or by a person once they run.

    build ─▶ readdress ─▶ start        build ─▶ start ─▶ HUMAN address ─▶ probes

On the way home an adapter gets back what the cutover found in the guest; where nobody knows that any more,
what the plan says of home.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from migrate.run.group_steps import GroupSteps
from migrate.run.history import History
from migrate.run.runbook import HUMAN, Step
from migrate.sites.networking import GuestNic, load_nic
from migrate.steps.readdress import as_json, words
from planner.conduct_addressing import NicAddresses
from planner.conduct_planned import PlannedConduct, PlannedNic
from planner.effects import Effect
from planner.plan import Wave

_BY_HAND_S = 600.0  # a person at a console, for rehearsals


def guest_nics(nics: Iterable[PlannedNic], way: str = "live") -> tuple[GuestNic, ...]:
    """Return what the adapters of a guest get that way; those that keep what they have are left out."""
    found = ((nic.nic, getattr(nic, way)) for nic in nics)
    return tuple(
        GuestNic(label, said.addresses, said.gateways, said.dns, said.search) for label, said in found if said
    )


def readdress_steps(wave: Wave, group: GroupSteps) -> list[Step]:
    """Return a step for each VM of a group whose guest its site gives other addresses."""
    found = []
    for vm in group.vms:
        given = wave.conduct.nics_of(vm.id)
        nics = guest_nics(nic for nic in given if not nic.by_hand)
        if nics:
            found.append(
                group.vm_step(
                    vm.id,
                    "readdress",
                    "readdress",
                    "set its addresses at the target",
                    Effect.LIVE,
                    needs=(f"{group.vm_id(vm.id)}/build",),
                    params={"vm": vm.id, "nics": as_json(nics)},
                )
            )
    return found


def by_hand_steps(wave: Wave, group: GroupSteps, vm: str, start: str) -> list[Step]:
    """Return the step of the person who gives a guest its addresses once it runs."""
    given = [nic for nic in wave.conduct.nics_of(vm) if nic.by_hand]
    if not (nics := guest_nics(given)):
        return []
    said = "; ".join(map(words, nics))
    return [
        group.vm_step(
            vm,
            "address",
            HUMAN,
            "set its addresses by hand at the target",
            Effect.LIVE,
            needs=(start,),
            params={"says": f"set in the guest: {said} ({given[0].by_hand})", "takes_s": _BY_HAND_S},
            retried=False,
        )
    ]


def found_before(forward: History) -> dict[str, tuple[GuestNic, ...]]:
    """Return what a run found in the guests whose addresses it changed, by VM."""
    return {
        step.subject: tuple(map(load_nic, forward.results[step.id].get("before", ())))
        for step in forward.runbook.steps
        if step.kind == "readdress" and step.id in forward.results
    }


def brought_home(conduct: PlannedConduct, before: Mapping[str, Iterable[GuestNic]]) -> PlannedConduct:
    """Return the conduct of the way home; ``before`` is what the guests had, by VM, where it is known."""
    nics = []
    for nic in conduct.nics:
        had = next((one for one in before.get(nic.vm, ()) if one.label == nic.nic), None)
        known: dict[str, Any] = {"home": _said(had)} if had and had.addresses else {}
        nics.append(nic.model_copy(update=known))
    return conduct.model_copy(update={"nics": tuple(nics)}).homeward()


def _said(nic: GuestNic) -> NicAddresses:
    return NicAddresses(addresses=nic.addresses, gateways=nic.gateways, dns=nic.dns, search=nic.search)
