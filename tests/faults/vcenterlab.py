"""A wave between two vCenters under strikes: out to the commit gate and back, or out for good.

The run goes on by itself, or when a person says "again", and its end is that of an undisturbed run: one VM
at the target with the bytes of its source, no snapshot left, and the source as it was, or put aside.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from migrate.daemons import receiver
from migrate.daemons.lock import is_running
from tests.faults.strikes import BACK, OUT, SIDES, WAYS, Record, Strike
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer
from tests.vcenter.staged import Plant, Staged, content, machines, snapshots, staged

_TRIES = 6  # of a verb: a person says "again" in between
_BACK_S = 30.0  # of a vCenter that restarted at the last call
_BREATH_S = 0.4  # of that person
_AGAIN = (4, 6)  # something waits for a decision, or a vCenter did not answer
_REFUSED = 1  # a question before anything is begun was declined: then nothing is stored


class Story:
    """A wave under strikes; ``problems`` is what was wrong, ``said`` what was to be read meanwhile.

    ``settings`` are the plan's, as ``Staged.planned`` has them.

    As a context manager it takes everything with it that it started and made.
    """

    def __init__(self, root: Path, start: StartVCenter, **settings: str) -> None:
        self._root = root
        self._plant = Plant(start("-vm", "1"))
        self.name = min(self._plant.machines)
        self.stage: Staged = staged(root, self._plant.peer, start("-vm", "0")).planned(self.name, **settings)
        self.problems: list[str] = []
        self.said: list[str] = []
        self._left: list[Strike] = []

    def __enter__(self) -> Story:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for folder in (self._root / "sites").iterdir():
            _end_receiver(folder)
        for side in SIDES:
            self.peer(side).close()
        _remove(self._root)

    @property
    def plant(self) -> Plant:
        """The source as its owner sees it now: a restart ends the session of anybody."""
        self._plant.machines = machines(self._plant.peer)
        return self._plant

    @property
    def here(self) -> Any:
        """The VM at the source, by whatever name."""
        return next(machine for name, machine in self.plant.machines.items() if name.startswith(self.name))

    def peer(self, side: str) -> VCenterPeer:
        """Return the vCenter of a side."""
        return self.stage.source if side == "source" else self.stage.target

    def run(self, *strikes: Strike) -> list[str]:
        """Go the way on which the strikes fall, and return what is wrong."""
        way = next((one.way for one in strikes if one.way is not BACK), BACK)
        for verb in way:
            self.verb(verb, *(one for one in strikes if one.verb == verb))
            if verb == "replicate":
                self.plant.write(self.name, os.urandom(70_000), 300_000)
            elif verb == "cutover":
                self.problems += self.at_the_gate()
        self.problems += self.back() if way is BACK else self.aside()
        return self.problems

    @property
    def missed(self) -> list[Strike]:
        """Those of the strikes that never fell."""
        return self._left

    def verb(self, verb: str, *strikes: Strike) -> None:
        """Give a verb, again and again while something waits for a person; the strikes fall meanwhile."""
        by_side = {side: [one for one in strikes if one.side == side] for side in SIDES}
        for side, mine in by_side.items():
            self.peer(side).rules([one.rule for one in mine])
        said = []
        for _ in range(_TRIES):
            before = self.stage.cli.stored()
            ran = self.stage.cli.live(verb, "W01")
            self.said.append(ran.text)
            if ran.code == 0:
                break
            said.append(f"{verb} ended with {ran.code}: {ran.text}")
            refused = ran.code == _REFUSED and self.stage.cli.stored() == before
            if ran.code not in _AGAIN and not refused:
                self.problems += said
                break
            time.sleep(_BREATH_S)
            self.stage.cli("run", "retry", "W01")
        else:
            self.problems += said
        for side, mine in by_side.items():
            _await_served(self.peer(side))
            fired = self.peer(side).fired()
            self._left += [one for one, times in zip(mine, fired, strict=True) if not times]
            self.peer(side).rules([])

    def at_the_gate(self) -> list[str]:
        """Return what is wrong when everything runs at the target."""
        found, here = machines(self.stage.target), self.here
        if list(found) != [self.name]:
            return [f"at the target are {list(found)}"]
        there = found[self.name]
        powers = (here.runtime.powerState, there.runtime.powerState)
        wrong = [] if powers == ("poweredOff", "poweredOn") else [f"source and target are {powers}"]
        if content(there) != self.plant.written[self.name]:
            wrong.append("the replica differs")
        return wrong + self._snapshots()

    def back(self) -> list[str]:
        """Return what is wrong when everything is back."""
        wrong = [f"at the target is {name}" for name in machines(self.stage.target)]
        if self.here.runtime.powerState != "poweredOn":
            wrong.append("the source does not run")
        return wrong + self._source()

    def aside(self) -> list[str]:
        """Return what is wrong when everything is at the target for good."""
        wrong = self.at_the_gate()
        names = list(self.plant.machines)
        moved = [name for name in names if name.startswith(f"{self.name}-moved-")]
        if len(moved) != 1 or self.name in names or self.here.parent.name != "wherry-moved":
            wrong.append(f"at the source are {names}, ours in {self.here.parent.name}")
        return wrong + self._source()

    def _source(self) -> list[str]:
        changed = content(self.here) != self.plant.written[self.name]
        return (["the source was changed"] if changed else []) + self._snapshots()

    def _snapshots(self) -> list[str]:
        return [f"{name} has a snapshot" for name in snapshots(self.stage.source)]


def record(root: Path, start: StartVCenter) -> Record:
    """Return what is called of both vCenters when nothing befalls a wave, in either way."""
    calls: dict[str, dict[str, dict[str, int]]] = {}
    for number, way in enumerate(WAYS):
        with Story(root / str(number), start) as story:
            for verb in way:
                for side in SIDES:
                    story.peer(side).calls(reset=True)
                story.verb(verb)
                calls[verb] = {side: story.peer(side).calls() for side in SIDES}
                if verb == "cutover":
                    story.problems += story.at_the_gate()
            assert story.problems + (story.back() if way is BACK else story.aside()) == []
    assert calls.keys() == {*BACK, *OUT}
    return calls


def _await_served(peer: VCenterPeer) -> None:
    """Return when a vCenter is there again: who judges comes after a restart, not in it."""
    deadline = time.monotonic() + _BACK_S
    while True:
        try:
            peer.connect()
            return
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _remove(folder: Path) -> None:
    """Remove a folder in which something that ends may still write its last."""
    for _ in range(10):
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
            return
        time.sleep(0.1)
    shutil.rmtree(folder)


def _end_receiver(folder: Path) -> None:
    """End the receiver of a site's folder, and wait until it has gone."""
    directory = folder / "run"
    pid = is_running(directory, receiver.NAME)
    with contextlib.suppress(ProcessLookupError):
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
    while pid is not None and is_running(directory, receiver.NAME) == pid:
        time.sleep(0.005)
