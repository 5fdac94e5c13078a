"""Stories with a death or a failure at a chosen point, or deaths at random; what came of them, counted.

python -m tests.faults.theatre FOLDER '{"seed": 1, "kills": "all", "failures": "all", "random": 1000}'
"""

from __future__ import annotations

import errno
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migrate.replication.sink import DiskSink
from tests.faults.crossings import TORN, Arm
from tests.faults.killed import Deaths, Trial
from tests.faults.twosides import RECEIVER, STORY, MakeSink, make_template


@dataclass
class Told:
    """What came of trials."""

    trials: int = 0
    kills: int = 0
    struck: Counter[str] = field(default_factory=Counter)  # by side, name and how
    resumed: int = 0
    deduped: int = 0
    compared: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Point:
    """A crossing that an undisturbed story has."""

    side: int
    name: str
    nth: int

    @property
    def kind(self) -> tuple[bool, str]:
        """Points of one kind are the same moment of different passes."""
        return self.side == RECEIVER, self.name

    def hows(self) -> tuple[str, ...]:
        """Return the ways to die here."""
        return ("before", "torn", "after") if self.name.split(" ")[0] in TORN else ("before", "after")

    def failures(self) -> tuple[str | int, ...]:
        """Return the ways to fail here; none where it is the peer that is spoken with."""
        what = self.name.split(" ")[0]
        if what in ("send", "hear"):
            return ()
        return (errno.EIO, errno.ENOSPC, "short") if what in TORN else (errno.EIO,)


class Theatre:
    """Plays stories one after the other, and counts."""

    def __init__(self, root: Path, make_sink: MakeSink | None = None) -> None:
        self._template, self._root = root / "template", root / "trial"
        self._template.mkdir(parents=True)
        self._areas = make_template(self._template)
        self._make_sink = make_sink
        self._pass_s = 0.1  # what a pass takes, about
        self.told = Told()

    def points(self) -> list[Point]:
        """Play an undisturbed story and return its crossings."""
        begun = time.monotonic()
        trial = self._trial(None, None)
        self._pass_s = (time.monotonic() - begun) / len(STORY)
        assert not trial.wrong, trial.wrong
        return [
            Point(side, name, nth)
            for side, counts in sorted(trial.counts.items())
            for name, count in sorted(counts.items())
            for nth in range(1, count + 1)
        ]

    def kill(self, point: Point, how: str) -> None:
        """Play a story in which one side dies at a point."""
        self._trial(point, Arm(point.name, point.nth, how))

    def fail(self, point: Point, how: str | int, *, for_ever: bool) -> None:
        """Play a story in which a call fails."""
        trial = self._trial(point, Arm(point.name, point.nth, how, for_ever))
        if how == errno.ENOSPC and trial.compared:
            self.told.wrong.append(f"{point}: compared although it was space that lacked")

    def kill_at_random(self, rng: random.Random, deaths: int) -> None:
        """Play a story in which either side is killed so many times, whatever it is doing."""
        left = deaths
        before = self.told.kills

        def death() -> tuple[int, float] | None:
            nonlocal left
            if not left or rng.random() < 0.3:
                return None
            left -= 1
            return rng.choice((RECEIVER, 0)), rng.uniform(0, self._pass_s)

        self._trial(None, None, death)
        self.told.struck["either side, at random"] += self.told.kills - before

    def _trial(self, point: Point | None, arm: Arm | None, deaths: Deaths = lambda: None) -> Trial:
        trial = Trial(self._template, self._root, self._areas, self._make_sink)
        trial.play(point.side if point else None, arm, deaths)
        told = self.told
        told.trials += 1
        told.kills += trial.kills
        told.resumed += trial.resumed
        told.deduped += trial.deduped
        told.compared += trial.compared
        if point is not None and arm is not None:
            who = "receiver" if point.side == RECEIVER else "sender"
            how = os.strerror(arm.how) if isinstance(arm.how, int) else arm.how
            often = ", for ever" if arm.for_ever else ""
            told.struck[f"{who}, {point.name}, {how}{often}" if trial.struck else "not reached"] += 1
        told.wrong += [f"{point} {arm}: {problem}" for problem in trial.wrong]
        return trial


class Late(DiskSink):
    """A mutant: the last write before a flush waits until the disk is closed, if that comes."""

    def __init__(self, disk: Any) -> None:
        super().__init__(disk)
        self._kept: tuple[int, bytes] | None = None
        close = disk.close

        def write_and_close() -> None:
            self._let_go()
            close()

        disk.close = write_and_close

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Write what was kept, and keep this."""
        self._let_go()
        self._kept = (offset, bytes(data))

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            super().write(*kept)


class Careless(DiskSink):
    """A mutant: does not look how much of a write was written."""

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Write once."""
        os.pwrite(self._disk.fileno(), data, offset)  # type: ignore[attr-defined]


def play(root: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Play what is asked for and return what came of it.

    ``kills`` and ``failures`` are ``all`` for every point in every way; ``failures`` are ``kinds`` for one
    of each kind, and ``kills`` are ``half`` for one of each of half of the kinds;
    ``random`` is a number of kills. ``mutant`` is put in the receiver, and struck where it is wrong.
    """
    rng = random.Random(asked["seed"])
    mutant = asked.get("mutant", "")
    theatre = Theatre(root, {"": None, "late": Late, "careless": Careless}[mutant])
    if mutant == "late":  # the second record of a volume says that its first pass is complete
        theatre.kill(Point(RECEIVER, "rename progress", 2), "after")
    elif mutant == "careless":
        theatre.fail(Point(RECEIVER, "pwrite disk", 2), "short", for_ever=False)
    if mutant:
        return {**vars(theatre.told), "points": 1, "kinds": []}
    points = theatre.points()
    kinds: dict[tuple[bool, str], list[Point]] = {}
    for point in points:
        kinds.setdefault(point.kind, []).append(point)
    chosen = {kind: rng.choice(found) for kind, found in kinds.items()}
    deaths = [(point, how) for point in points for how in point.hows()]
    failures = [
        (point, how, for_ever)
        for point in points
        for how in point.failures()
        for for_ever in ((False,) if how == "short" else (False, True))
    ]
    if asked.get("kills") == "half":
        deaths = [
            (point, rng.choice(point.hows())) for point in rng.sample([*chosen.values()], len(chosen) // 2)
        ]
    if asked.get("failures") == "kinds":
        some = {kind: [item for item in failures if item[0] == point] for kind, point in chosen.items()}
        failures = [rng.choice(found) for found in some.values() if found]
    for point, how in deaths if asked.get("kills") else ():
        theatre.kill(point, how)
    for point, why, for_ever in failures if asked.get("failures") else ():
        theatre.fail(point, why, for_ever=for_ever)
    while theatre.told.struck["either side, at random"] < asked.get("random", 0):
        theatre.kill_at_random(rng, 5)
    return {**vars(theatre.told), "points": len(points), "kinds": sorted(name for _side, name in kinds)}


if __name__ == "__main__":
    print(json.dumps(play(Path(sys.argv[1]), json.loads(sys.argv[2]))))
