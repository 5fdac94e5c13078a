"""Ties and hubs as people decide them: accepted, refused, added, taken back; checked, remembered, audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.graph import Edge
    from planner.model import VM, Decision, Inventory, Ruling
    from planner.store.inventories import StoredInventory
    from planner.store.project import Project

_LONGEST = 500  # characters of a reason
_NAMED = 6  # VMs that one sentence names


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided: in words, on which VMs (ids), how many words were taken back, and the inventory
    that follows from it, None when it says the same as before."""

    said: str
    vms: tuple[str, ...]
    stored: StoredInventory | None
    count: int = 1


def reason_of(why: str) -> str:
    """Return a reason as it is kept, on one line; raises BadInput for one that is too long."""
    from planner.errors import BadInput

    reason = " ".join(why.split())
    if len(reason) > _LONGEST:
        raise BadInput(f"--why has more than {_LONGEST} characters", "say it in a sentence")
    return reason


def decide(
    project: Project,
    ruling: Ruling,
    names: Sequence[str],
    *,
    why: str = "",
    port: int | None = None,
    inventory: Inventory | None = None,
) -> Decided:
    """Remember a decision on two VMs, or on one as a hub; ``inventory`` is the newest when it is known.

    Raises NotFound for a VM or tie there is not, and BadInput for what contradicts storage or another word.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import BadInput
    from planner.model import Ruling
    from planner.names import visible
    from planner.store import decisions, inventories
    from tui.acts.finding import find_vm, vms_by_name

    reason = reason_of(why)
    needed = 1 if ruling in (Ruling.HUB, Ruling.NO_HUB) else 2
    if len(names) != needed:
        raise BadInput(f"{ruling.value} is said of {needed} VMs, not of {len(names)}", "name so many")
    inventory = inventory or inventories.latest(project).inventory
    known = vms_by_name(inventory)
    ends = [find_vm(inventory, name, known) for name in names]
    _allowed(project, inventory, ruling, ends, port)
    stored = decisions.decide(project, ruling, ends, who=audit.person(), why=reason, port=port)
    shown = " and ".join(visible(vm.name, 60) for vm in ends)
    audit.note(
        project,
        Effect.EDIT_PLAN,
        f"deps {ruling.value}",
        shown,
        {"vms": [vm.id for vm in ends], "port": port, "why": reason},
    )
    said = {
        Ruling.ACCEPT: "what was seen between {} is accepted",
        Ruling.REFUSE: "what was seen between {} is refused",
        Ruling.HARD: "{} move together",
        Ruling.ORDER: f"{visible(ends[-1].name, 60)} is there before {visible(ends[0].name, 60)} moves",
        Ruling.APART: "{} move apart",
        Ruling.HUB: "{} is a hub",
        Ruling.NO_HUB: "{} is no hub",
    }[ruling].replace("{}", shown)
    return Decided(said, tuple(vm.id for vm in ends), stored)


def join(project: Project, names: Sequence[str], *, why: str, inventory: Inventory | None = None) -> Decided:
    """Remember that several VMs move together, with one tie for each group that does not yet.

    Raises BadInput without a reason, or when they move together already, and what ``decide`` raises.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import BadInput
    from planner.groups import move_groups
    from planner.model import Ruling
    from planner.names import visible
    from planner.store import decisions, inventories
    from planner.store import settings as settings_store
    from tui.acts.finding import find_vm, vms_by_name

    reason = reason_of(why)
    if not reason:
        raise BadInput("--why says nothing", "say in a sentence why they move together")
    inventory = inventory or inventories.latest(project).inventory
    known = vms_by_name(inventory)
    vms = list({vm.id: vm for vm in (find_vm(inventory, name, known) for name in names)}.values())
    if len(vms) < 2:
        raise BadInput("one VM alone moves together with nobody", "name two or more")
    home = {
        vm: group.name for group in move_groups(inventory, settings_store.load(project)) for vm in group.vms
    }
    firsts = list({home.get(vm.id, vm.id): vm for vm in reversed(vms)}.values())[::-1]
    shown = ", ".join(visible(vm.name, 60) for vm in vms[:_NAMED])
    shown += f" and {len(vms) - _NAMED} more" if len(vms) > _NAMED else ""
    if len(firsts) < 2:
        raise BadInput(f"{shown} move together already", "see why: wherry deps why VM")
    pairs = [(firsts[0], other) for other in firsts[1:]]
    for pair in pairs:
        _allowed(project, inventory, Ruling.HARD, pair, None)
    stored = decisions.decide_all(project, Ruling.HARD, pairs, who=audit.person(), why=reason)
    ids = tuple(vm.id for vm in vms)
    audit.note(project, Effect.EDIT_PLAN, "deps together", shown, {"vms": list(ids), "why": reason})
    return Decided(f"{shown} move together", ids, stored, len(pairs))


def decide_ties(
    project: Project,
    ruling: Ruling,
    ties: Sequence[tuple[str, str, int | None]],
    *,
    why: str = "",
    inventory: Inventory | None = None,
) -> int:
    """Accept or refuse ties, each two VM ids and a port, all or none; return how many that were.

    Each is noted as one decided alone is. Raises NotFound and BadInput for the first that cannot be.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import BadInput, NotFound
    from planner.graph import edges, refused_edges
    from planner.model import Ruling
    from planner.names import visible
    from planner.store import decisions, inventories

    reason = reason_of(why)
    if ruling not in (Ruling.ACCEPT, Ruling.REFUSE) or not ties:
        raise BadInput("ties are accepted or refused, one or more at once", "choose some")
    inventory = inventory or inventories.latest(project).inventory
    vms = {vm.id: vm for vm in inventory.vms}
    if unknown := next((end for a, b, _ in ties for end in (a, b) if end not in vms), None):
        raise NotFound(f"VM {visible(unknown, 60)} is not in the inventory", "look at the ties again")
    found: dict[frozenset[str], list[Edge]] = {frozenset((a, b)): [] for a, b, _ in ties}
    for edge in (*edges(inventory), *refused_edges(inventory)):
        if (between := found.get(frozenset((edge.source, edge.target)))) is not None:
            between.append(edge)
    shown = [" and ".join(visible(vms[end].name, 60) for end in (a, b)) for a, b, _ in ties]
    by_port: dict[int | None, list[tuple[VM, VM]]] = {}
    for (a, b, port), words in zip(ties, shown, strict=True):
        _seen(ruling, words, port, found[frozenset((a, b))])
        by_port.setdefault(port, []).append((vms[a], vms[b]))
    for port, pairs in by_port.items():
        decisions.decide_all(project, ruling, pairs, who=audit.person(), why=reason, port=port)
    for (a, b, port), words in zip(ties, shown, strict=True):
        audit.note(
            project,
            Effect.EDIT_PLAN,
            f"deps {ruling.value}",
            words,
            {"vms": [a, b], "port": port, "why": reason},
        )
    return len(ties)


def forget(project: Project, names: Sequence[str], port: int | None = None) -> Decided:
    """Take back what was decided on two VMs, or on one as a hub; raises NotFound when nobody decided."""
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import NotFound
    from planner.names import visible
    from planner.store import decisions, inventories
    from tui.acts.finding import find_vm, vms_by_name

    inventory = inventories.latest(project).inventory
    known = vms_by_name(inventory)
    ends = [find_vm(inventory, name, known) for name in names]
    ids = {vm.id for vm in ends}
    found = [
        item
        for item in inventory.decisions
        if {item.a, item.b} - {""} == ids and (port is None or item.port == port)
    ]
    shown = " and ".join(visible(vm.name, 60) for vm in ends)
    if not found:
        raise NotFound(f"nobody decided on {shown}", "see 'wherry deps list decided' and 'wherry deps hubs'")
    stored = None
    for item in found:
        stored = decisions.forget(project, item, audit.person())
    audit.note(project, Effect.EDIT_PLAN, "deps forget", shown, {"vms": sorted(ids), "port": port})
    return Decided(f"{shown}: nothing is decided any more", tuple(sorted(ids)), stored, len(found))


def _allowed(
    project: Project, inventory: Inventory, ruling: Ruling, ends: Sequence[VM], port: int | None
) -> None:
    """Raise BadInput for what cannot be decided: no such tie, a tie of storage, a contradiction."""
    from planner.errors import BadInput
    from planner.graph import edges, refused_edges
    from planner.model import Ruling, Tie
    from planner.names import visible
    from planner.store import settings as settings_store

    if ruling in (Ruling.HUB, Ruling.NO_HUB):
        listed = settings_store.load(project).shared_services
        if ruling is Ruling.NO_HUB and {ends[0].id, ends[0].name} & set(listed):
            raise BadInput(
                f"{visible(ends[0].name, 60)} stands in shared_services of the settings",
                "take it out there: wherry settings edit",
            )
        return
    if ends[0].id == ends[1].id:
        raise BadInput(f"{visible(ends[0].name, 60)} was named twice", "name two VMs")
    pair = {vm.id for vm in ends}
    between = [edge for edge in edges(inventory) if {edge.source, edge.target} == pair]
    shown = " and ".join(visible(vm.name, 60) for vm in ends)
    if ruling in (Ruling.ACCEPT, Ruling.REFUSE):
        _seen(ruling, shown, port, [*between, *(e for e in refused_edges(inventory) if _ends(e) == pair)])
    elif ruling is Ruling.APART and (hard := next((e for e in between if e.tie is Tie.HARD), None)):
        raise BadInput(f"{shown} must move together: {hard.reason}", "refuse or end that tie first")
    _contradicted(inventory, ruling, ends, shown)


def _ends(edge: Edge) -> set[str]:
    return {edge.source, edge.target}


def _seen(ruling: Ruling, shown: str, port: int | None, between: Sequence[Edge]) -> None:
    from planner.errors import BadInput, NotFound
    from planner.graph.edge import PERSON
    from planner.model import Ruling, Tie

    seen = [e for e in between if e.kind != PERSON and (port is None or e.port == port)]
    if not seen:
        on = "" if port is None else f" on port {port}"
        said = any(edge.kind == PERSON for edge in between)
        hint = (
            "take a tie that a person added back with 'wherry deps forget'"
            if said
            else "see 'wherry deps list'"
        )
        raise NotFound(f"nothing was seen between {shown}{on}", hint)
    solid = next((edge for edge in seen if not edge.refusable), None)
    if ruling is Ruling.REFUSE and solid is not None and port is None:
        end = {
            "volume": "detach the disk from one of them at the source",
            "clone": "make the clone a full one at the source",
            "ft": "turn fault tolerance off at the source",
        }[solid.kind]
        raise BadInput(f"{shown} cannot be parted by a word: {solid.reason}", f"{end}, then discover again")
    if ruling is Ruling.REFUSE and all(edge.tie is Tie.APART for edge in seen):
        raise BadInput(f"{shown} are kept apart by a DRS rule", "drop the rule at the source")


def _contradicted(inventory: Inventory, ruling: Ruling, ends: Sequence[VM], shown: str) -> None:
    """Raise BadInput when somebody said the opposite: together and apart, or each before the other."""
    from planner.errors import BadInput
    from planner.graph.decided import said_by
    from planner.model import Ruling

    opposite = {Ruling.HARD: Ruling.APART, Ruling.APART: Ruling.HARD, Ruling.ORDER: Ruling.ORDER}.get(ruling)
    a, b = (vm.id for vm in ends)

    def against(item: Decision) -> bool:
        ways = [(b, a)] if ruling is Ruling.ORDER else [(a, b), (b, a)]
        return item.ruling is opposite and (item.a, item.b) in ways

    if found := next((item for item in inventory.decisions if against(item)), None):
        raise BadInput(
            f"{shown} were decided on the other way by {said_by(found)}",
            "take that back first: wherry deps forget A B",
        )
