"""A project in the middle of its moves, as its record says: one wave waits and got old, one is being copied.

W01 in sync, older than its target     W02 seeding, driven, an engine at work     W03 approved
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from migrate.daemons.lock import ServerLock
from migrate.engine.presence import NAME, announce
from migrate.replication.adapt import Binds
from migrate.replication.pace import Left
from migrate.run import orders
from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.following import ProgressFile
from migrate.run.history import Event
from migrate.run.orders import Order
from migrate.run.runbook import GO
from migrate.transfers.ports import Moving, Packing
from planner.plan import Wave
from planner.settings import Link, Settings
from planner.settings_sites import Site
from planner.store import approvals
from planner.store import settings as settings_store
from planner.store.project import Project
from tests.migrate.estate import disk, wave
from tests.migrate.gates.standing import Standing, _results
from tests.migrate.stored import store_plan
from tests.tui.estate import NOW

GIB = 1 << 30
NAMES = ("db", "web", "files", "mail", "dns")


@dataclass
class Running:
    """The project with its two runs, and the order that is open."""

    project: Project
    in_sync: Standing
    seeding: Standing
    order: Order
    progress: ProgressFile
    engine: ServerLock

    def moves(self, done_bytes: int, total_bytes: int = 40 * GIB) -> None:
        """Have the first disk of W02 be as far as that."""
        volume = self.seeding.wave.disks[0].volume
        packed = Packing(3, 2.3, Binds.LINK)
        left = Left(3600.0, 5400.0)
        self.progress.report(
            Moving(volume, done_bytes, total_bytes, done_bytes // 2, 92e6, packed, left, 3 * GIB, 2)
        )
        self.progress.write()


def waves(names: tuple[str, ...] = NAMES, titles: tuple[str, ...] = ("shop", "office", "base")) -> list[Wave]:
    """Return three waves of VMs with these names; ids are plain."""
    ids = [f"vm{number}" for number in range(5)]
    made = [
        wave(
            {names[0]: ids[:1], names[1]: ids[1:2]},
            [disk(ids[0], size_bytes=40 * GIB), disk(ids[1])],
            [ids[:2]],
        ),
        wave({names[2]: ids[2:4]}, [disk(ids[2], size_bytes=40 * GIB), disk(ids[3])], [ids[2:4]], name="W02"),
        wave({names[4]: ids[4:]}, [disk(ids[4])], [ids[4:]], name="W03"),
    ]
    called = {f"id-{one}": name for one, name in zip(ids, names, strict=True)}
    return [
        one.model_copy(
            update={
                "title": title,
                "vms": tuple(vm.model_copy(update={"name": called[vm.id]}) for vm in one.vms),
                "policies": one.policies.model_copy(update={"rpo_min": 15.0, "cycle_min": 5.0}),
            }
        )
        for one, title in zip(made, titles, strict=True)
    ]


@contextmanager
def running(root: Path, planned: list[Wave] | None = None) -> Iterator[Running]:
    """Make the project, with an engine that lives as long as the block."""
    planned = planned or waves()
    with ExitStack() as at_end:
        project = at_end.enter_context(Project.create(root, "acme"))
        sites = {"dc1": Site(url="simulated:", role="source"), "dc2": Site(url="simulated:", role="target")}
        settings_store.save(project, Settings(sites=sites, link=Link(rate_mbit=4000, share=0.5)), "ann")
        plan = store_plan(project, *planned)
        approvals.approve(project, plan, tuple(one.name for one in planned), "ann")
        first, second = (
            Standing(project, one, run, runs.history(project, run), _results(one))
            for one in planned[:2]
            for run in (runs.begin(project, plan, compose(one)),)
        )
        _tell_bytes(first)
        first.go_to(GO)
        _begin_seeds(second)
        order = orders.place(project, "W02", "replicate", who="ann")
        orders.begin(project, order.id)
        _set_times(project, NOW)
        engine = at_end.enter_context(ServerLock(project.run_dir, NAME))
        announce(project.run_dir)
        at_end.enter_context(runs.held(project, "W02"))
        made = Running(project, first, second, order, ProgressFile(root, order.id), engine)
        made.moves(16 * GIB)
        yield made


def _tell_bytes(run: Standing) -> None:
    reach = {
        "checkpoints": 4,
        "history_s": 7200.0,
        "wanted_s": 86400.0,
        "is_short": False,
        "said": [],
        "oldest": "",
    }
    for step in run.history.runbook.steps:
        if step.kind == "transfer":
            told = {"data_bytes": 3 * GIB, "wire_bytes": GIB, "deduped_bytes": GIB // 2}
            run.results[step.id] = {**run.results.get(step.id, {}), **told}
        elif step.kind == "checkpoint":
            run.results[step.id] = {**run.results.get(step.id, {}), "history": reach}


def _begin_seeds(run: Standing) -> None:
    seeds = [step for step in run.history.runbook.steps if step.id.endswith("/seed")]
    before = run.history.runbook.steps[: run.history.runbook.index[seeds[0].id]]
    run.do(*(step.id for step in before if step.kind != "transfer"))
    run.append(seeds[0].id, Event.INTENT)


def _set_times(project: Project, now: datetime) -> None:
    """Have everything have happened 22 minutes before ``now``."""
    at = (now - timedelta(minutes=22)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with project.write() as db:
        for table, column in (("step_record", "at"), ("run", "at"), ("work_order", "at")):
            db.conn.execute(f"UPDATE {table} SET {column} = ?", (at,))


@asynccontextmanager
async def talking(run: Running, done_bytes: int = 16 * GIB) -> AsyncIterator[None]:
    """Have the disk under way say again and again how far it is: so that nobody thinks it silent."""

    async def talk() -> None:
        while True:
            run.moves(done_bytes)
            await asyncio.sleep(0.3)

    task: asyncio.Task[Any] = asyncio.create_task(talk())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
