"""A VM taken out of its vApp in one word: every tie that the vApp gives it is refused at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.ties import tell

if TYPE_CHECKING:
    from planner.model import VM, Inventory
    from planner.store.project import Project


def leave(project: Project, name: str, of: str, *, why: str, as_json: bool) -> None:
    """Refuse what ties a VM to the others of a vApp, ``of`` is ``vapp:NAME``; raises BadInput, NotFound."""
    from migrate import audit
    from planner.effects import Effect
    from planner.model import Ruling
    from planner.names import visible
    from planner.store import decisions, inventories
    from planner.units import show_count
    from tui.acts.deciding import reason_of
    from tui.acts.finding import find_vm, vms_by_name

    reason = reason_of(why)
    inventory = inventories.latest(project).inventory
    vm = find_vm(inventory, name, vms_by_name(inventory))
    others = _others(inventory, vm, of)
    stored = decisions.decide_all(
        project, Ruling.REFUSE, [(vm, other) for other in others], who=audit.person(), why=reason
    )
    ids = [vm.id, *(other.id for other in others)]
    shown = f"{visible(vm.name, 60)} and vApp {visible(vm.vapp, 60)}"
    audit.note(project, Effect.EDIT_PLAN, "deps refuse", shown, {"vms": ids, "vapp": vm.vapp, "why": reason})
    tell(
        stored,
        f"{visible(vm.name, 60)} moves without the {show_count(len(others), 'other VM')} of vApp "
        f"{visible(vm.vapp, 60)}, unless something else ties them",
        {"ruling": Ruling.REFUSE.value, "vms": ids, "port": None},
        as_json,
    )


def _others(inventory: Inventory, vm: VM, of: str) -> list[VM]:
    from planner.errors import BadInput, NotFound
    from planner.graph import edges
    from planner.names import visible

    kind, colon, wanted = of.partition(":")
    if kind != "vapp" or not colon or not wanted.strip():
        raise BadInput(f"--of says {visible(of, 60)}, which is no vApp", "write it like --of vapp:shop")
    shown = visible(vm.name, 60)
    if vm.vapp.casefold() != wanted.strip().casefold():
        there = f"its vApp is {visible(vm.vapp, 60)}" if vm.vapp else "it is in none"
        raise NotFound(f"{shown} is not in vApp {visible(wanted, 60)}: {there}", "see 'wherry deps why VM'")
    home = (vm.vcenter, vm.datacenter, vm.vapp)
    others = [
        item
        for item in inventory.vms
        if (item.vcenter, item.datacenter, item.vapp) == home and item.id != vm.id
    ]
    if not others:
        raise BadInput(f"{shown} is alone in its vApp", "nothing has to be refused")
    ids = {item.id for item in others}
    for edge in edges(inventory):
        pair = {edge.source, edge.target}
        if vm.id in pair and pair & ids and not edge.refusable:
            raise BadInput(
                f"{shown} cannot leave its vApp by a word: {edge.reason}",
                "end that at the source, then discover again",
            )
    return others
