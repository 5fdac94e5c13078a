"""Taking over a project whose host is lost: every run that was under way is rebuilt from the sites."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from migrate import audit
from migrate.clock import SystemClock
from migrate.run import lost, recovering
from migrate.run import store as runs
from migrate.run.line_policy import LinePolicy
from migrate.run.recovering import Recovered
from migrate.run.remedy_orders import give_back
from migrate.run.stamps import stamps
from migrate.run.store import RunKind
from migrate.run.world import both_sites, context
from planner.effects import Effect
from planner.errors import BadInput
from planner.store import plans
from planner.store.project import FILE, Project


def back_up(project: Project, to: Path) -> int:
    """Write a whole copy of ``project.db``, also while others write it; return its bytes.

    Raises BadInput when there is a file already.
    """
    if to.exists():
        raise BadInput(f"{to} is there already", "name a file that is not")
    part = to.with_name(f"{to.name}.part")
    with closing(sqlite3.connect(project.root / FILE)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
    part.rename(to)
    return to.stat().st_size


def restore(root: Path, backup: Path) -> None:
    """Make a project's directory from a backup; raises BadInput when there is a project already."""
    if (root / FILE).exists():
        raise BadInput(f"{root} has a project already", "give --project DIR of a directory without one")
    if not backup.is_file():
        raise BadInput(f"{backup} is no file", "name a file that 'wherry recover --backup-to' wrote")
    root.mkdir(parents=True, exist_ok=True)
    (root / "run").mkdir(mode=0o700, exist_ok=True)
    part = root / f"{FILE}.part"
    part.write_bytes(backup.read_bytes())
    part.chmod(0o600)
    with closing(sqlite3.connect(part)) as check:
        try:
            ((said,),) = check.execute("PRAGMA integrity_check(1)").fetchall()
        except sqlite3.DatabaseError as error:
            said = str(error)
    if said != "ok":
        part.unlink()
        raise BadInput(f"{backup} is damaged: {said}", "take an older backup")
    part.rename(root / FILE)


def recover(project: Project) -> list[Recovered]:
    """Rebuild every run under way; raises Blocked, Unreachable, and ProjectBusy while one is driven."""
    found: list[Recovered] = []
    with both_sites(project) as sites:
        known = stamps(project.id, *sites)
        anew = {run.id: run for run in lost.lost_runs(project, known, sites[0])}
        for run in anew.values():
            if run.kind is RunKind.FAILBACK:
                out = runs.latest(project, run.wave)
                assert out is not None
                recovering.settle(project, out)
        for run in list(recovering.under_way(project)):
            with runs.held(project, run.wave):
                history = runs.history(project, run)
                line = LinePolicy(project, plans.get(project, run.plan).plan.wave(run.wave))
                ctx = context(
                    project,
                    run,
                    history,
                    sites[::-1] if run.kind is RunKind.FAILBACK else sites,
                    line,
                    report=lambda moving: None,
                    stop=lambda: False,
                    let_go=lambda _volume: False,
                    clock=SystemClock(),
                    hauling=None,
                )
                found.append(recovering.recover(project, run, ctx, known, run.id in anew))
        lost.drop_snapshots(project, *sites)
    give_back(project)
    audit.note(project, Effect.LIVE, "recover", project.name, {"runs": [one.run for one in found]})
    return found
