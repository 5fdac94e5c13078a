"""The steps of a move group's history: its journal, and what brings the replicas up to it for the cutover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.run.runbook import Phase, Step
from planner.effects import Effect
from planner.journal_room import room_bytes

if TYPE_CHECKING:
    from migrate.run.group_steps import GroupSteps
    from planner.plan import PlannedDisk

_HOUR_S = 3600


def in_history(group: GroupSteps) -> list[PlannedDisk]:
    """Return the disks that each round brings: a physical RDM comes once, what is left out no more."""
    return [disk for disk in group.tracked if not disk.left_out]


def has_history(group: GroupSteps) -> bool:
    """Return whether checkpoints of the group are kept."""
    return bool(group.wave.policies.history_h and in_history(group))


def keep_history(group: GroupSteps, needs: tuple[str, ...]) -> list[Step]:
    """Return the step after which passes go through a journal, or after which an older one is gone."""
    disks = in_history(group)
    if not disks:
        return []
    policies = group.wave.policies
    size_bytes = sum(disk.size_bytes for disk in disks)
    hard, warning = room_bytes(policies.journal_limit, policies.journal_warning, size_bytes)
    return [
        group.step(
            "journal",
            "journal",
            f"{group.name}: history at the target",
            Phase.REPLICATE,
            Effect.LIVE,
            needs=needs,
            params={
                "vms": [vm.id for vm in group.vms],
                "name": group.plain_name,
                "volumes": [disk.volume for disk in disks],
                "creates": [f"{group.disk_id(disk)}/create" for disk in disks],
                "history_s": round(policies.history_h * _HOUR_S),
                "hard_bytes": hard,
                "warning_bytes": warning,
            },
            undoable=True,
        )
    ]


def fold(group: GroupSteps, needs: tuple[str, ...]) -> list[Step]:
    """Return the step that moves most of the history while the sources still run."""
    if not has_history(group):
        return []
    return [
        group.step(
            "fold",
            "fold",
            f"{group.name}: bring the replicas to the newest checkpoint",
            Phase.CUTOVER,
            Effect.LIVE,
            needs=needs,
            params={"vms": [vm.id for vm in group.vms]},
        )
    ]


def promote(group: GroupSteps) -> list[Step]:
    """Return the step after which the replicas are all there is, when the last passes are over."""
    if not has_history(group):
        return []
    disks = in_history(group)
    finals = [f"{group.disk_id(disk)}/final" for disk in disks]
    return [
        group.step(
            "promote",
            "promote",
            f"{group.name}: bring the replicas to the last pass, end the history",
            Phase.CUTOVER,
            Effect.LIVE,
            needs=tuple(finals),
            params={
                "vms": [vm.id for vm in group.vms],
                "volumes": [disk.volume for disk in disks],
                "finals": finals,
            },
        )
    ]
