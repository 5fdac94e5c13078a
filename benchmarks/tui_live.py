"""400 live lanes of 6 Replicate: what four refreshes a second cost, and what 10,000 updates leave behind.

    python -m benchmarks.tui_live OUT ROOT

A process of its own writes the progress of all disks; the application measures itself and leaves.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

LANES, UPDATES, SECONDS = 400, 10_000, 30.0
_TOTAL = 40 << 30
_TALK = """
import sys, time
from pathlib import Path
from benchmarks.tui_live import progress
progress(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
"""


def make(root: Path, lanes: int = LANES) -> int:
    """Make a project with one wave whose disks are all being copied; return the number of its order."""
    from migrate.run import orders
    from migrate.run import store as runs
    from migrate.run.compose import compose
    from planner.store.project import Project
    from tests.migrate.estate import disk, wave
    from tests.migrate.stored import store_plan

    names = [f"vm-{number:03}" for number in range(lanes)]
    groups = {f"group-{at // 10}": names[at : at + 10] for at in range(0, lanes, 10)}
    planned = wave(groups, [disk(name, size_bytes=_TOTAL) for name in names], [names])
    with Project.create(root, "bench") as project:
        runs.begin(project, store_plan(project, planned), compose(planned))
        _begin_all(project)
        order = orders.place(project, planned.name, "replicate")
        orders.begin(project, order.id)
        return order.id


def _begin_all(project: Any) -> None:
    """Have every first copy be under way."""
    from migrate.run import store as runs

    run = runs.every(project, runs.RunKind.WAVE)[0]
    rows = []
    for step in run.runbook.steps:
        first = step.id.endswith("/seed")
        before = step.kind in ("check", "create-disk", "journal") or step.id.endswith("/snapshot/0")
        if first or before:
            rows.append((run.id, step.id, "intent"))
        if before:
            rows.append((run.id, step.id, "done"))
    with project.write() as db:
        db.conn.executemany(
            "INSERT INTO step_record (run, step, kind, attempt, at, detail)"
            " VALUES (?, ?, ?, 1, '2026-10-01T00:00:00.000Z', '{}')",
            rows,
        )


def progress(root: Path, order: int, lanes: int) -> None:
    """Write how far all disks are, four times a second, until this process is ended."""
    from migrate.replication.adapt import Binds
    from migrate.replication.pace import Left
    from migrate.run.following import ProgressFile
    from migrate.transfers.ports import Moving, Packing

    file = ProgressFile(root, order)
    done = 0
    while True:
        done = (done + (23 << 20)) % _TOTAL
        for number in range(lanes):
            moving = Moving(
                f"id-vm-{number:03}/2000", (done + (number << 26)) % _TOTAL, _TOTAL, done // 2, 92e6,
                Packing(3, 2.3, Binds.LINK), Left(3600.0, 5400.0), 3 << 20,
            )  # fmt: skip
            file._moving[moving.volume] = moving
        file.write()
        time.sleep(0.25)


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


async def _measure(app: Any) -> dict[str, list[float]]:
    from tui.live.document import WaveNow

    while not (app.place is not None and app.place.ready and app.place.live.complete):
        await asyncio.sleep(0.1)
    place = app.place
    while len(place.table.rows) < LANES or not place.live.waves[0].moving:
        await asyncio.sleep(0.1)
    await asyncio.sleep(5.0)
    seen, show = [0], place.show_live

    def counted(live: Any) -> None:
        seen[0] += 1
        show(live)

    place.show_live = counted
    begun, cpu = time.monotonic(), time.process_time()
    await asyncio.sleep(SECONDS)
    spent_s = time.monotonic() - begun
    share, rate = (time.process_time() - cpu) / spent_s, seen[0] / spent_s
    print(f"{share:.1%} of a core, {rate:.1f} refreshes a second", file=sys.stderr, flush=True)
    live = place.live
    memory, spent = [], []
    for number in range(UPDATES):
        wave: WaveNow = live.waves[0]
        moving = {
            volume: one._replace(done_bytes=(one.done_bytes + (number << 22)) % one.total_bytes)
            for volume, one in wave.moving.items()
        }
        place.live = replace(live, waves=(replace(wave, moving=moving),))
        at = time.process_time()
        place.show_live(place.live)
        spent.append(1000 * (time.process_time() - at))
        if number % 20 == 0:
            await asyncio.sleep(0)
        if number in (UPDATES // 10, UPDATES - 1):
            memory.append(_rss_mib())
    return {"share": [100 * share], "rate": [rate], "update_ms": spent, "memory_mib": memory}


def main(out: Path, root: Path) -> None:
    """Make the project, show it, and write down what it cost."""
    import tui.app
    from migrate.daemons.lock import ServerLock
    from migrate.engine.presence import NAME, announce
    from migrate.run import store as runs
    from planner.store.project import Project
    from tui.session import Session

    class Itself(tui.app.WherryApp):
        CSS_PATH = str(Path(tui.app.__file__).parent / "screens" / "place.tcss")

        def on_ready(self) -> None:
            self.run_worker(self._cost())

        async def _cost(self) -> None:
            out.write_text(json.dumps(await _measure(self)))
            self.exit()

    order = make(root)
    with ExitStack() as at_end:
        project = at_end.enter_context(Project.open(root))
        at_end.enter_context(ServerLock(project.run_dir, NAME))
        announce(project.run_dir)
        at_end.enter_context(runs.held(project, "W01"))
        talker = subprocess.Popen([sys.executable, "-c", _TALK, str(root), str(order), str(LANES)])
        at_end.callback(talker.wait)
        at_end.callback(talker.kill)
        Itself(root, session=Session(root, judges=False), place="replicate").run(
            headless=True, size=(120, 35)
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
