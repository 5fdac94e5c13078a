"""The engine: what a step costs beside its act, what waiting waves cost, and the window of a cutover.

A lab of VMs with one disk of 16 MiB each, carried out by a real engine with its movers; times are of the
record of steps. For a last delta of about 50 MB the guests write over all of their records before the
cutover; what it carried is in the row. Waiting waves are runs whose record says that they are at their go
gate. ``--window`` measures these last deltas alone.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from migrate.daemons import receiver
from migrate.daemons.spawn import stop_server
from migrate.engine.presence import ensure, halt, running
from migrate.run import orders
from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.execute import Purpose
from migrate.run.runbook import GO, Phase
from migrate.sites.lab import daemon
from migrate.sites.lab.build import build_lab
from migrate.sites.lab.client import LabSite
from planner.checks.registry import run_checks
from planner.model import VM, Dependency, Disk, Inventory, Nic, Power, Tie
from planner.own_code import child_environment
from planner.planning import make_plan
from planner.settings import Policies, Settings, Site
from planner.store import approvals, inventories, plans
from planner.store import settings as settings_store
from planner.store.project import Project, utc_now
from planner.units import MIB
from tests.migrate.estate import disk, wave
from tests.planner.sketch import estate as some_estate
from tests.planner.sketch import plan as planned
from tests.planner.sketch import vm as some_vm

_SITES = ("dc1", "dc2")
_WAVE = "W01"
_DISK = 16 * MIB
_WRITTEN = {  # by the number of VMs: the disks of each, whose records take 48 MiB in all
    1: (32 * MIB,) * 12,
    4: (32 * MIB,) * 3,
    32: (8 * MIB, 4 * MIB),
}
_RATE = 40.0  # records a second and VM
_RATES = 1280.0  # of all of them, where they write over all that they have
_TIMES_OVER = 1.25  # so that hardly a record is left as it was


def run(quick: bool) -> dict[str, Any]:
    """Return the figures; quick has one lab of four VMs and 40 waiting VMs."""
    rows: list[dict[str, Any]] = []
    for vms in (4,) if quick else (1, 4, 32):
        with _lab(vms, (_DISK,)) as project:
            rows += _cutover(project, vms, overhead=vms == 4)
    rows += _written(quick)
    rows += _waiting(40 if quick else 1000)
    return {"name": "engine", "columns": {"parts": "of that"}, "rows": rows, "host": facts()}


def _written(quick: bool) -> Iterator[dict[str, Any]]:
    """Measure windows whose last deltas carry about 50 MB."""
    for vms, sizes in _WRITTEN.items():
        if vms == 4 or not quick:
            with _lab(vms, sizes, _RATES / vms) as project:
                yield from _cutover(project, vms, overhead=False, written=sum(sizes))


@contextmanager
def _lab(vms: int, sizes: tuple[int, ...], rate: float = _RATE) -> Iterator[Project]:
    """Give a project whose wave of so many VMs runs in a lab, for the block.

    ``sizes`` are those of each VM's disks, ``rate`` the records that each writes a second.
    """
    members = tuple(
        VM(
            f"v{number}",
            f"vm-{number:02d}",
            power=Power.ON,
            cpus=1,
            memory_bytes=64 * MIB,
            disks=tuple(
                Disk(f"20{at:02}", f"Hard disk {at + 1}", size, path=f"[ds] v{number}/{at}.vmdk")
                for at, size in enumerate(sizes)
            ),
            nics=(Nic("Network adapter 1", "prod", f"00:50:56:00:00:{number:02x}", "Vmxnet3"),),
        )
        for number in range(vms)
    )
    ties = tuple(Dependency(member.id, "v0", Tie.HARD, "talks to it all the time") for member in members[1:])
    inventory = Inventory("bench", "2026-01-01T00:00:00Z", members, dependencies=ties)
    settings = Settings(
        sites={
            name: Site(url=f"lab:lab/{name}", role=role)
            for name, role in zip(_SITES, ("source", "target"), strict=True)
        },
        policies=Policies(delta_cycles=1, block_kib=256),
    )
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("WHERRY_BENCH_DIR"), prefix="wherry-engine-") as name,
        Project.create(Path(name) / "p", "bench") as project,
    ):
        settings_store.save(project, settings, "bench")
        stored = inventories.save(project, inventory)
        plan = make_plan(
            project=project.name,
            inventory=stored.inventory,
            inventory_fingerprint=stored.fingerprint,
            settings=settings,
            created_at=utc_now(),
            findings=run_checks(stored.inventory).findings,
        )
        approvals.approve(project, plans.save(project, plan, "bench"), (_WAVE,), "bench")
        root = project.root / "lab"
        build_lab(root, inventory, source_name="dc1", target_name="dc2", luns=(), seed=7,
                  progress=lambda what, done, total: None, write_rate=rate)  # fmt: skip
        source = LabSite.connect(root / "dc1", start=True)
        for member in members:
            source.power_on(member.id, "bench")
        source.close()
        try:
            yield project
        finally:
            halt(project.run_dir)
            for site in _SITES:
                for server in (receiver.NAME, daemon.NAME):
                    stop_server(root / site / "run", server)


def _write_over(project: Project, vms: int, disk_bytes: int) -> None:
    """Return when each guest has written over about all of its records since now."""
    source = LabSite.connect(project.root / "lab" / "dc1", start=False)
    wanted = int(disk_bytes / 8 / 4096 * _TIMES_OVER)  # an eighth of a disk holds records
    until = {f"v{number}": source.guest(f"v{number}").last_acknowledged + wanted for number in range(vms)}
    for vm, number in until.items():
        while source.guest(vm).last_acknowledged < number:
            time.sleep(0.1)
    source.close()


def _cutover(project: Project, vms: int, *, overhead: bool, written: int = 0) -> Iterator[dict[str, Any]]:
    for purpose in (Purpose.REPLICATE, Purpose.CUTOVER):
        if purpose is Purpose.CUTOVER and written:
            _write_over(project, vms, written)
        number = orders.place(project, _WAVE, purpose.value, {"uid": os.getuid()}).id
        ensure(project.root, project.run_dir)
        while (result := orders.find(project, number).result) is None:
            time.sleep(0.05)
        if "stopped" not in result or result["stopped"]["gate"] is None:
            raise RuntimeError(f"the lab's wave did not come to its gate: {result}")
    times = _times(project)
    stops = [span for (step, _), span in times.items() if step.endswith("/stop")]
    probes = [span for (step, _), span in times.items() if step.endswith("/probe")]
    begin, end = min(begin for begin, _ in stops), min(end for _, end in probes)
    parts = ", ".join(
        f"{what} {_busy_s(times, tail, begin, end):.2f}"
        for what, tail in (
            ("stop", "/stop"), ("last delta", "/final"), ("end of history", "/promote"),
            ("compare", "/verify"), ("build", "/build"), ("mark", "/mark"), ("start", "/start"),
            ("probe", "/probe"),
        )
    )  # fmt: skip
    carried = _carried(project)
    yield {
        "what": f"{vms} VMs{', much written' if written else ''}: first stop to first probe passed",
        "value": round(end - begin, 2),
        "unit": "s",
        "parts": f"seconds in which one goes on: {parts}; the last delta carried"
        f" {carried[0] / 1e6:.1f} MB, {carried[1] / 1e6:.1f} MB on the line",
    }
    if overhead:
        gaps = list(_gaps(project, times))
        yield {
            "what": f"between the end of a step and the next one's act, median of {len(gaps)}",
            "value": round(statistics.median(gaps) * 1000, 2),
            "unit": "ms",
            "parts": f"mean {statistics.mean(gaps) * 1000:.2f} ms, most {max(gaps) * 1000:.2f} ms",
        }


def _gaps(project: Project, times: dict[tuple[str, int], tuple[float, float]]) -> Iterator[float]:
    """Yield the seconds between steps, all but those in which the run waited for the next order."""
    orders_at = [_epoch_s(row["at"]) for row in project.rows("SELECT at FROM work_order")]
    for (_, end), (begin, _) in pairwise(sorted(times.values())):
        if not any(end <= at <= begin for at in orders_at):
            yield max(begin - end, 0.0)


def _busy_s(
    times: dict[tuple[str, int], tuple[float, float]], tail: str, since: float, until: float
) -> float:
    """Return for how long at least one step of a kind went on between two moments."""
    total, seen = 0.0, since
    for begin, end in sorted(span for (step, _), span in times.items() if step.endswith(tail)):
        begin, end = max(begin, seen), min(end, until)
        if end > begin:
            total, seen = total + end - begin, end
    return total


def _carried(project: Project) -> tuple[int, int]:
    """Return the payload of the last deltas, and what of it went over the line, in bytes."""
    rows = project.rows("SELECT detail FROM step_record WHERE kind = 'done' AND step LIKE '%/final'")
    results = [json.loads(row["detail"]) for row in rows]
    return sum(one["data_bytes"] for one in results), sum(one["wire_bytes"] for one in results)


def _times(project: Project) -> dict[tuple[str, int], tuple[float, float]]:
    """Return (begin, end) of every attempt of a step, in seconds since 1970."""
    begun: dict[tuple[str, int], float] = {}
    found: dict[tuple[str, int], tuple[float, float]] = {}
    for row in project.rows("SELECT step, kind, attempt, at FROM step_record ORDER BY seq"):
        at_s = _epoch_s(row["at"])
        if row["kind"] == "intent":
            begun[row["step"], row["attempt"]] = at_s
        elif row["kind"] == "done":
            key = row["step"], row["attempt"]
            found[key] = begun[key], at_s
    return found


def _epoch_s(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _waiting(vms: int) -> Iterator[dict[str, Any]]:
    """Measure an engine beside waves of four VMs that wait at their gates, and a status."""
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("WHERRY_BENCH_DIR"), prefix="wherry-engine-") as name,
        Project.create(Path(name) / "p", "bench") as project,
    ):
        _fill(project, vms // 4)
        ensure(project.root, project.run_dir)
        time.sleep(5.0)  # its first look at the calendar
        pid = running(project.run_dir)
        assert pid is not None
        before_s, begun = _spent_s(pid), time.monotonic()
        time.sleep(20.0)
        share = (_spent_s(pid) - before_s) / (time.monotonic() - begun)
        yield {"what": f"{vms} VMs wait at gates: of one core", "value": round(share * 100, 2), "unit": "%"}
        peak = next(
            int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )  # fmt: skip
        yield {"what": "memory of that engine, peak", "value": round(peak / 1024), "unit": "MiB"}
        took = []
        for _ in range(6):  # the first may compile what an installer had compiled
            begun = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "tui.cli.entry", "status", "--project", str(project.root), "--json"],
                check=True, stdout=subprocess.DEVNULL, env=child_environment(),
            )  # fmt: skip
            took.append(time.perf_counter() - begun)
        yield {"what": "wherry status beside it, median of 5", "value": round(statistics.median(took[1:]), 2),
               "unit": "s"}  # fmt: skip
        halt(project.run_dir)


def _spent_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _fill(project: Project, waves: int) -> None:
    """Store so many waves of four VMs, each with a run that waits at its go gate."""
    found = some_estate(some_vm("a"))
    inventories.save(project, found)
    plan = planned(found)
    made = []
    for number in range(waves):
        names = [f"w{number}v{one}" for one in range(4)]
        one = wave({"g": names}, [disk(member) for member in names], [names])
        made.append(one.model_copy(update={"name": f"W{number:03d}"}))
    stored = plans.save(project, plan.model_copy(update={"waves": tuple(made)}), "bench")
    for one in made:
        runbook = compose(one)
        run = runs.begin(project, stored, runbook)
        with project.write() as db:
            db.table("step_record").insert_all(
                {"run": run.id, "step": step.id, "kind": kind, "attempt": 1, "at": utc_now(),
                 "detail": json.dumps({})}
                for step in runbook.steps
                if step.phase is Phase.REPLICATE and step.id != GO
                for kind in ("intent", "done")
            )  # fmt: skip


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    told: Any = list(_written(quick)) if "--window" in sys.argv else run(quick)
    print(json.dumps(told, indent=2, ensure_ascii=False))
