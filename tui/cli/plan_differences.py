"""The difference of two plans, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.output import line, table

if TYPE_CHECKING:
    from planner.compare import Figure, PlanDiff
    from planner.model import Inventory

_SHOWN = 20


def _figure(name: str, value: Figure) -> str:
    if value is None:
        return "–"
    if name.endswith("_share"):
        return f"{value:.1%}"
    return (
        f"{value:,.1f} {'GB' if name.endswith('_gb') else 'h'}"
        if name.endswith(("_gb", "_h"))
        else f"{value:g}"
    )


def _listed(title: str, rows: list[str]) -> None:
    if rows:
        line(f"{title}: {len(rows)}")
        for row in rows[:_SHOWN]:
            line(f"  {row}")
        if len(rows) > _SHOWN:
            line(f"  and {len(rows) - _SHOWN} more: see --json")


def _vms(count: int) -> str:
    from planner.units import show_count

    return show_count(count, "VM") if count else "no such group"


def show(found: PlanDiff, before: str, after: str, names: dict[str, str]) -> None:
    """Print a difference; ``before`` and ``after`` are what the plans are called, ``names`` VM id → name."""
    from planner.names import visible

    if found.same:
        line(f"{before} and {after} say the same")
        return
    if found.score:
        table(
            ("score", before, after),
            [
                (name.replace("_", " "), _figure(name, a), _figure(name, b))
                for name, (a, b) in found.score.items()
            ],
        )
    if found.waves_added:
        line(f"waves added: {', '.join(found.waves_added)}")
    if found.waves_gone:
        line(f"waves gone: {', '.join(found.waves_gone)}")

    def when(start: str, hours: float | None) -> str:
        return f"{start[:16].replace('T', ' ')} UTC, {hours:g} h" if start else "no window"

    _listed(
        "windows",
        [
            f"{one.wave}: {when(one.before, one.before_h)} → {when(one.after, one.after_h)}"
            for one in found.windows
        ],
    )
    if not found.moved:
        line("no VM changes wave")
    _listed(
        "VMs in another wave",
        [f"{visible(one.name)}: {one.before or 'no wave'} → {one.after or 'no wave'}" for one in found.moved],
    )
    _listed(
        "groups of other VMs",
        [f"{visible(one.group)}: {_vms(one.before)} → {_vms(one.after)}" for one in found.groups],
    )
    _listed(
        "disks that become something else",
        [
            f"{visible(names.get(one.vm, one.vm))}: {visible(one.before) or 'not planned'} → "
            f"{visible(one.after) or 'not planned'}"
            for one in found.remaps
        ],
    )
    _listed(
        "tasks",
        [
            f"{visible(names.get(one.vm, one.vm)) or '(whole wave)'}: {visible(one.title)}: "
            f"{one.before or 'none'} → {one.after or 'none'}"
            for one in found.tasks
        ],
    )
    _listed("notes now", [visible(note) for note in found.notes_added])
    _listed("notes no longer", [visible(note) for note in found.notes_gone])


def names_of(inventory: Inventory) -> dict[str, str]:
    """Return VM id → name."""
    return {vm.id: vm.name for vm in inventory.vms}
