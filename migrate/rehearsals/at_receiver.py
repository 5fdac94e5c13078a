"""What a dry rehearsal asks of the target's receiver: it is never started for that, and writes no disk.

receiver  one on another machine: its keys and ours, and whether it serves the same site
writers   somebody else holds a disk that the run would write
store     room where the receiver keeps its progress and the journals of the wave's groups
answers   one that runs and does not answer
journals  what those of the wave's groups say of themselves
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.daemons.away import Away, find_away, keys_of
from migrate.daemons.lock import is_running
from migrate.daemons.receiver import NAME, SOCKET, run_of, store_of
from migrate.rehearsals.finding import Finding
from migrate.run.compose_failback import compose_failback
from planner.errors import WherryError
from planner.freezing import unfrozen_at
from planner.names import visible
from planner.units import MIB, show_bytes

if TYPE_CHECKING:
    from migrate.daemons.control import Asks
    from migrate.run.runbook import Runbook
    from migrate.sites.reached import Reached
    from planner.plan import Wave
    from planner.store.project import Project

_STORE_BYTES = 64 * MIB  # what progress of a wave takes at most, with room to spare


def at_the_receiver(
    project: Project, wave: Wave, runbook: Runbook, source: Reached, target: Reached
) -> Iterator[Finding]:
    """Yield everything at the receiver that is in the way of a wave, and what will be at the source's."""
    away = find_away(target.where)
    if away is None:
        yield from _writers(wave, target)
        yield from _room(store_of(target.where), runbook, "the wave's journals")
        if is_running(run_of(target.where), NAME) is not None:
            yield from _beside(project, wave, runbook, target)
    else:
        yield from _away(project, wave, runbook, target, away, "the wave's journals")
    if wave.conduct.ending.reverse:
        from planner.store import settings

        after = f"after its commit the wave's journals at {visible(source.name)}"
        unfrozen = unfrozen_at(settings.load(project), "target", wave)
        home = compose_failback(wave, {}, unfrozen=unfrozen)
        back = find_away(source.where)
        if back is None:
            yield from _room(store_of(source.where), home, after)
        else:
            yield from _away(project, wave, home, source, back, after)


def _writers(wave: Wave, target: Reached) -> Iterator[Finding]:
    """Yield replicas that another writer has open. A look at the lock of the file, held for no time."""
    from migrate.disks.flat import FlatDisk
    from migrate.sites.lab.tracked import lease

    for disk in wave.disks:
        if target.volume(disk.volume) is None:
            continue
        try:
            with closing(target.open_read(disk.volume)) as found:
                if isinstance(found, FlatDisk):
                    lease(found, disk.volume, exclusive=False)
        except (WherryError, OSError) as error:
            said = error.message if isinstance(error, WherryError) else (error.strerror or str(error))
            yield Finding("receiver leases", said, "see 'wherry status' and who else sends to this site")


def _room(store: Path, runbook: Runbook, what: str) -> Iterator[Finding]:
    """Yield a store without room for what the wave's journals may take; 0 stands for no limit."""
    there = next(path for path in (store, *store.parents) if path.exists())
    found = os.statvfs(there)
    yield from _little(str(there), found.f_bavail * found.f_frsize, runbook, what)


def _little(there: str, free: int, runbook: Runbook, what: str) -> Iterator[Finding]:
    wanted = _STORE_BYTES + sum(
        int(step.params["hard_bytes"]) for step in runbook.steps if step.kind == "journal"
    )
    if free < wanted:
        yield Finding(
            "receiver store",
            f"{visible(there, 200)} has {show_bytes(free)} free, {what} may take {show_bytes(wanted)}",
            "free space there, or lower policies.journal_limit",
        )


def _beside(project: Project, wave: Wave, runbook: Runbook, target: Reached) -> Iterator[Finding]:
    from migrate.daemons.control import ControlClient
    from migrate.daemons.sockets import connect

    try:
        connect(run_of(target.where), SOCKET, 2.0).close()
    except WherryError as error:
        yield Finding("receiver", error.message, error.hint or "look at its log in run/")
        return
    yield from _journals(project, wave, runbook, ControlClient(store_of(target.where), 2.0))


def _away(
    project: Project, wave: Wave, runbook: Runbook, site: Reached, away: Away, what: str
) -> Iterator[Finding]:
    """Yield what is wrong with a receiver on another machine: keys, site, room, and what it is told."""
    from migrate.daemons.reaching import asks_of, look

    try:
        free = int(look(site, away, keys_of(site.where))["free_bytes"])
    except WherryError as error:
        yield Finding("receiver", error.message, error.hint or "start it there")
        return
    yield from _little(f"the receiver's machine at {site.name}", free, runbook, what)
    yield from _journals(project, wave, runbook, asks_of(site.where))


def _journals(project: Project, wave: Wave, runbook: Runbook, asks: Asks) -> Iterator[Finding]:
    from migrate.transfers.histories import AskedHistories

    try:
        histories = AskedHistories(lambda: asks, project.id, wave.name)
        for step in runbook.steps:
            if step.kind == "journal" and (reach := histories.kept(step.id.split("/")[0])) is not None:
                for said in reach.said:
                    yield Finding(
                        "journal", f"{step.subject}: {visible(said, 300)}", "see 'wherry checkpoints'"
                    )
    except WherryError as error:
        yield Finding("receiver", error.message, error.hint or "look at its log in run/")
