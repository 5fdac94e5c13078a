"""A fault at one call of a wave between two vCenters: the call fails, its answer is lost, the session ends.

The run goes on by itself, or when a person says "again", and its end is that of an undisturbed run: one VM
at the target with the bytes of its source, no snapshot left, and after the way back the source as it was.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer
from tests.vcenter.staged import Plant, Staged, content, machines, snapshots, staged, write

_TRIES = 5  # of a verb: a person says "again" in between
_AGAIN = (4, 6)  # something waits for a decision, or a vCenter did not answer
_TASKS = ("drop", "dropAfter", "fault", "taskFault", "expire", "half")
_CALLS = ("drop", "dropAfter", "fault", "expire", "half")
_READS = ("drop", "fault", "expire", "half")
_PLACES = {
    "source": {
        **dict.fromkeys(("CreateSnapshot_Task", "RemoveSnapshot_Task", "PowerOnVM_Task"), _TASKS),
        **dict.fromkeys(("ShutdownGuest", "SetField", "AddCustomFieldDef"), _CALLS),
        **dict.fromkeys(("QueryChangedDiskAreas", "QueryEvents", "QueryVirtualDiskUuid"), _READS),
        "RetrievePropertiesEx": ("drop", "expire", "half"),
    },
    "target": {
        **dict.fromkeys(("CreateVirtualDisk_Task", "CreateVM_Task", "PowerOnVM_Task"), _TASKS),
        **dict.fromkeys(("MakeDirectory", "ShutdownGuest", "UnregisterVM", "SetField"), _CALLS),
        "RetrievePropertiesEx": ("drop", "expire", "half"),
    },
}
_FAULTS = {"fault": "SystemError", "taskFault": "SystemError"}
_MOST_SKIPPED = 40  # of reads, which there are many of


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault at one call."""

    side: str
    method: str
    effect: str
    skip: int = 0

    @property
    def rule(self) -> dict[str, object]:
        """What the simulator is told."""
        what = {self.effect: _FAULTS.get(self.effect, True)}
        return {"method": self.method, "skip": self.skip, "count": 1, **what}

    def __str__(self) -> str:
        return f"{self.side} {self.method} {self.effect} after {self.skip}"


def _all(rng: random.Random) -> Iterator[Strike]:
    for side, methods in _PLACES.items():
        for method, effects in methods.items():
            for effect in effects:
                yield Strike(
                    side, method, effect, rng.randrange(_MOST_SKIPPED) if method[:8] == "Retrieve" else 0
                )


class Story:
    """A wave out and back before the commit, under strikes; ``problems`` is what was wrong."""

    def __init__(self, root: Path, start: StartVCenter) -> None:
        self.plant = Plant(start("-vm", "1"))
        self.name = min(self.plant.machines)
        self.stage: Staged = staged(root, self.plant.peer, start("-vm", "0")).planned(self.name)
        self.problems: list[str] = []

    def peer(self, side: str) -> VCenterPeer:
        """Return the vCenter of a side."""
        return self.stage.source if side == "source" else self.stage.target

    def run(self, *strikes: Strike) -> list[str]:
        """Go out and back, and return what is wrong."""
        for side in ("source", "target"):
            self.peer(side).rules([one.rule for one in strikes if one.side == side])
        self.verb("replicate")
        self.plant.write(self.name, os.urandom(70_000), 300_000)
        self.verb("cutover")
        self.problems += self.at_the_gate()
        self.verb("rollback")
        self.problems += self.back()
        for side in ("source", "target"):
            mine = [one for one in strikes if one.side == side]
            fired = self.peer(side).fired() if mine else []
            self.problems += [
                f"{one} never struck" for one, times in zip(mine, fired, strict=True) if not times
            ]
        return self.problems

    def verb(self, verb: str) -> None:
        """Give a verb, again and again while something waits for a person."""
        said = []
        for _ in range(_TRIES):
            ran = self.stage.cli.live(verb, "W01")
            if ran.code == 0:
                return
            said.append(f"{verb} ended with {ran.code}: {ran.text}")
            if ran.code not in _AGAIN:
                break
            self.stage.cli("run", "retry", "W01", "--live")
        self.problems += said

    def at_the_gate(self) -> list[str]:
        """Return what is wrong when everything runs at the target."""
        found, here = machines(self.stage.target), self.plant.machines[self.name]
        if list(found) != [self.name]:
            return [f"at the target are {list(found)}"]
        there = found[self.name]
        powers = (here.runtime.powerState, there.runtime.powerState)
        wrong = [] if powers == ("poweredOff", "poweredOn") else [f"source and target are {powers}"]
        if content(there) != self.plant.written[self.name]:
            wrong.append("the replica differs")
        return wrong + [f"{name} has a snapshot" for name in snapshots(self.stage.source)]

    def back(self) -> list[str]:
        """Return what is wrong when everything is back."""
        here = self.plant.machines[self.name]
        wrong = [f"at the target is {name}" for name in machines(self.stage.target)]
        if here.runtime.powerState != "poweredOn":
            wrong.append("the source does not run")
        if content(here) != self.plant.written[self.name]:
            wrong.append("the source was changed")
        return wrong + [f"{name} has a snapshot" for name in snapshots(self.stage.source)]


_FOUND = (
    Strike("source", "QueryEvents", "fault"),  # a source that was stopped stayed off after the way back
    Strike("target", "SetField", "fault"),  # a VM that was built was not known as our own
)


@pytest.mark.parametrize("strike", _FOUND, ids=str)
def test_a_fault_that_did_harm(tmp_path: Path, vcenter: StartVCenter, strike: Strike) -> None:
    assert Story(tmp_path / "move", vcenter).run(strike) == []


@pytest.mark.parametrize("number", range(2))
def test_a_fault_at_a_call(tmp_path: Path, vcenter: StartVCenter, number: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    rng = random.Random(seed)
    strike = rng.choice(list(_all(rng)))
    assert Story(tmp_path / "move", vcenter).run(strike) == [], f"SEED {seed}: {strike}"


@pytest.mark.soak
def test_every_fault_at_every_call(tmp_path: Path, vcenter: StartVCenter) -> None:
    wrong: dict[str, list[str]] = {}
    for number, strike in enumerate(_all(random.Random(1))):
        if found := Story(tmp_path / str(number), vcenter).run(strike):
            wrong[str(strike)] = found
    assert wrong == {}


@pytest.mark.soak
def test_pairs_of_faults(tmp_path: Path, vcenter: StartVCenter) -> None:
    seed = random.SystemRandom().randrange(2**32)
    rng = random.Random(seed)
    wrong: dict[str, list[str]] = {}
    for number in range(40):
        pair = rng.sample(list(_all(rng)), 2)
        if found := Story(tmp_path / str(number), vcenter).run(*pair):
            wrong[" and ".join(map(str, pair))] = found
    assert wrong == {}, f"SEED {seed}"


def test_whoever_judges_sees_what_is_wrong(tmp_path: Path, vcenter: StartVCenter) -> None:
    story = Story(tmp_path / "move", vcenter)
    story.verb("replicate")
    story.verb("cutover")
    assert story.at_the_gate() == story.problems == []
    write(machines(story.stage.target)[story.name], b"torn", 5_000)
    story.plant.machines[story.name].CreateSnapshot_Task("left", "", False, False)
    said = story.at_the_gate()
    assert "the replica differs" in said
    assert f"{story.name} has a snapshot" in said
    assert "the source does not run" in story.back()
    assert Story(tmp_path / "other", vcenter).run(Strike("target", "DestroyNetwork", "drop")) == [
        "target DestroyNetwork drop after 0 never struck"
    ]
