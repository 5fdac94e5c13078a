"""Ways through a run with deaths in it, many of them at once, and what went wrong in each.

``every`` spreads scenarios over two processes; ``slice_of`` chooses, by a seed that is printed, one
step of each kind and its boundaries at which nobody knows whether it happened. A commit's runs die at
several of them (``in_few``), those of the soak at one each.
"""

from __future__ import annotations

import json
import os
import random
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from migrate.run.execute import Purpose
from tests.faults.endstate import at_commit_gate
from tests.faults.labrun import Ended, Lab, Verb, kill_at
from tests.faults.witness import read_witness

FORWARD = (Purpose.REPLICATE, Purpose.CUTOVER, Purpose.COMMIT)
GOAL = {
    Purpose.REPLICATE: ("go", ""),
    Purpose.CUTOVER: ("commit", ""),
    Purpose.COMMIT: ("", "committed"),
    Purpose.ROLLBACK: ("", "rolled back"),
    Purpose.ABORT: ("", "aborted"),
}
_WORKERS = 2
_KNOWN = (" before intent", " after outcome", " before undo intent", " after undo outcome")


class Astray(AssertionError):
    """A run did not get where its verb goes."""


def finish(lab: Lab, purpose: Purpose, tries: int = 1) -> list[Ended]:
    """Drive a verb, at most ``tries`` times, until it is where it goes; raises Astray."""
    ends: list[Ended] = []
    while lab.standing() != GOAL[purpose]:
        if len(ends) == tries:
            raise Astray(f"{purpose.value} is at {lab.standing()} after {ends}")
        ends.append(lab.drive(purpose))
    return ends


def killed_at_each(
    lab: Lab, verb: Purpose | Verb, points: Iterable[str], is_there: Callable[[], bool] = lambda: False
) -> tuple[set[str], Ended]:
    """Drive a verb, which dies once at each of the points it gets to, until it ends or is there.

    Returns at which it died, and how it ended.
    """
    left, died, ended = set(points), set[str](), Ended()
    while not is_there() and (ended := lab.drive(verb, kill_at(*left))).killed:
        died.add(point := read_witness(lab.root)[-1]["point"])
        left.remove(point)
    return died, ended


def kill_and_finish(lab: Lab, purpose: Purpose, points: Iterable[str]) -> set[str]:
    """Drive a verb that dies once at each of the points it gets to, to where it goes; return at which."""
    died, ended = killed_at_each(lab, purpose, points, lambda: lab.standing() == GOAL[purpose])
    if lab.standing() != GOAL[purpose]:
        raise Astray(f"{purpose.value} is at {lab.standing()} after {ended}")
    return died


def forward(lab: Lab, points: Collection[str]) -> list[str]:
    """Carry the wave out with one death at each of the points; return what is wrong on the way."""
    died: set[str] = set()
    problems: list[str] = []
    for purpose in FORWARD:
        died |= kill_and_finish(lab, purpose, points)
        if purpose is Purpose.CUTOVER:
            problems += at_commit_gate(lab)
    return problems + not_died_at(points, died)


def not_died_at(points: Iterable[str], died: Collection[str]) -> list[str]:
    """Return what is wrong when a run was to die at each of the points."""
    return [f"the run did not die at {point!r}" for point in points if point not in died]


def points_of(lab: Lab) -> list[str]:
    """Return the boundaries that were passed in a lab, in order, each once."""
    return list(dict.fromkeys(note["point"] for note in read_witness(lab.root)))


def kind_of(point: str) -> str:
    """Return what kind of step a boundary belongs to: ``create``, ``transfer``, ``go``."""
    step = point.split(" ")[0].split("/")
    name = next(part for part in reversed(step) if not part.isdigit())
    return "transfer" if name in ("seed", "delta", "final") else name


def by_kind(points: Sequence[str]) -> dict[str, list[str]]:
    """Return boundaries by the kind of their step."""
    found: dict[str, list[str]] = {}
    for point in points:
        found.setdefault(kind_of(point), []).append(point)
    return found


def slice_of(points: Sequence[str], rng: random.Random) -> list[str]:
    """Return where the outcome of one step of each kind is unknown, and one boundary at which all is known.

    The step is chosen by chance. Before an intent the record is what it was after the outcome before, and
    what is known is no other thing for another kind of step: of these one stands for all.
    """
    steps: dict[str, dict[str, None]] = {}
    for point in points:
        steps.setdefault(kind_of(point), {})[point.split(" ")[0]] = None
    chosen = {rng.choice(list(found)) for found in steps.values()}
    mine = [point for point in points if point.split(" ")[0] in chosen]
    known = [point for point in mine if point.endswith(_KNOWN)]
    spared = set(known) - {rng.choice(known)} if known else set()
    return [point for point in mine if point not in spared]


def in_few(points: Sequence[str], deaths: int = 6) -> list[tuple[str, ...]]:
    """Return the points shared out over runs with at most so many deaths each, far from each other."""
    runs = -(-len(points) // deaths)
    return [tuple(points[first::runs]) for first in range(runs)]


def alone(points: Iterable[str]) -> list[tuple[str, ...]]:
    """Return a run for each of the points."""
    return [(point,) for point in points]


def every_one(
    ways: Iterable[tuple[str, ...]],
    template: Path,
    scratch: Path,
    run: Callable[[Lab, tuple[str, ...]], list[str]],
    at: str = "dc1",
) -> dict[str, list[str]]:
    """Run one scenario for all points of a way; see ``every``."""
    named = {", ".join(points): points for points in ways}
    return every(list(named), template, scratch, lambda lab, name: run(lab, named[name]), at)


def every(
    points: Sequence[str],
    template: Path,
    scratch: Path,
    run: Callable[[Lab, str], list[str]],
    at: str = "dc1",
) -> dict[str, list[str]]:
    """Run one scenario a point, each in a copy of its own whose VMs run at a site; return what was wrong."""
    begun = time.monotonic()
    readers = []
    for worker in range(_WORKERS):
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(read)
                found = {
                    p: _one(p, template, scratch / f"w{worker}", run, at) for p in points[worker::_WORKERS]
                }
                with os.fdopen(write, "w") as pipe:
                    json.dump(found, pipe)
            finally:
                os._exit(0)
        os.close(write)
        readers.append((pid, read))
    wrong: dict[str, list[str]] = {}
    for pid, read in readers:
        with os.fdopen(read) as pipe:
            text = pipe.read()
        os.waitpid(pid, 0)
        assert text, "a worker of the test died"
        wrong |= json.loads(text)
    assert set(wrong) == set(points)
    print(f"{len(points)} scenarios in {time.monotonic() - begun:.1f} s")
    return {point: problems for point, problems in wrong.items() if problems}


def _one(point: str, template: Path, root: Path, run: Callable[[Lab, str], list[str]], at: str) -> list[str]:
    try:
        with Lab.copy(template, root, at) as lab:
            return run(lab, point)
    except Exception:  # noqa: BLE001 - shown with the others
        return [traceback.format_exc()]
