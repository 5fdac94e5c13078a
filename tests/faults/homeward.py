"""A committed wave on its way home: its verbs, where each goes, and what must be true in the end."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from migrate.run.execute import Purpose
from migrate.run.store import RunKind
from planner.model import Power
from tests.faults.endstate import NAMES, everywhere
from tests.faults.killlab import IDLE, RUNNING, WAVE
from tests.faults.labrun import Lab
from tests.faults.scenario import Astray, killed_at_each
from tests.faults.witness import read_witness

HOMEWARD = (Purpose.REVERSE, Purpose.FAILBACK, Purpose.COMMIT)
GOAL = {
    Purpose.REVERSE: ("go", ""),
    Purpose.FAILBACK: ("commit", ""),
    Purpose.COMMIT: ("", "committed"),
    Purpose.ROLLBACK: ("", "rolled back"),
}


def go(lab: Lab, purpose: Purpose, points: Collection[str] = ()) -> set[str]:
    """Drive a verb to where it goes; it dies once at each of the points it gets to. Return at which."""

    def is_there() -> bool:
        return lab.standing(RunKind.FAILBACK) == GOAL[purpose]

    died, ended = killed_at_each(lab, purpose, points, is_there)
    if not is_there():
        raise Astray(f"{purpose.value} is at {lab.standing(RunKind.FAILBACK)} after {ended}")
    return died


def runs_at(lab: Lab, here: str, there: str) -> Iterator[str]:
    """Yield what is wrong when the wave runs ``here`` and its fenced copies are ``there``."""
    with lab.site(here) as site, lab.site(there) as other:
        for vm, name in NAMES.items():
            state, fenced = site.observe(vm), other.observe(vm)
            wanted = Power.OFF if vm == IDLE else Power.ON
            if (state.name, state.power, state.connected, state.note) != (name, wanted, True, ""):
                yield f"{vm} is not itself at {here}: {state}"
            if (fenced.name[:-8], fenced.power, fenced.connected) != (f"{name}-moved-", Power.OFF, False):
                yield f"{vm} is not fenced at {there}: {fenced}"
            if not fenced.note.startswith(f"wherry: moved away by {WAVE}"):
                yield f"{vm} has no note at {there}: {fenced.note!r}"
        for vm in RUNNING:
            health, guest = site.probe(vm), site.guest(vm)
            if not health.ok or guest.missing or guest.corrupt:
                yield f"{vm} is not well at {here}: {health.detail}, {guest}"


def written_at(lab: Lab, site: str) -> dict[str, int]:
    """Return the highest record that each VM has acknowledged at a site."""
    with lab.site(site) as here:
        return {vm: here.guest(vm).last_acknowledged for vm in RUNNING}


def home(lab: Lab, written: dict[str, int]) -> list[str]:
    """Return what is wrong after a failback: ``written`` was acknowledged at the target before it."""
    problems = [
        *everywhere(lab, RunKind.FAILBACK),
        *stopped_equal_at_the_end(lab),
        *runs_at(lab, "dc1", "dc2"),
    ]
    journal = lab.folder("dc1") / "state" / "receiver" / "journal"
    if left := [path.name for path in journal.rglob("*") if path.suffix in (".segment", ".index")]:
        problems.append(f"{', '.join(left)} are left of the journal")
    with lab.site("dc1") as source:
        for vm, record in written.items():
            if source.guest(vm).last_written < record:
                problems.append(f"{vm} lost what it had written at the target")
    return problems


def stopped_equal_at_the_end(lab: Lab) -> Iterator[str]:
    """Yield differences of the copies when all had stopped."""
    notes = [note["stopped"] for note in read_witness(lab.root) if "stopped" in note]
    if not notes:
        yield "nobody saw the finished copies"
    for note in notes:
        for volume, digest in note["source"].items():
            if note["target"][volume] != digest:
                yield f"{volume} differed between the sites before its VM started at home"
