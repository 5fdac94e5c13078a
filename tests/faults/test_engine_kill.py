"""A wave carried out by the engine, while engine, movers and receiver are killed at random."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest

from migrate.run.execute import Purpose
from tests.faults.conftest import Stage
from tests.faults.endstate import committed, world
from tests.faults.enginelab import (
    await_result,
    engine_of,
    kill_engine,
    kill_mover,
    kill_receiver,
    order,
)
from tests.faults.labrun import Lab

_FORWARD = (Purpose.REPLICATE, Purpose.CUTOVER, Purpose.COMMIT)
UNSEEN = "nobody saw the finished replicas"  # an engine has no witness inside; its end is compared instead
_KILLS = {"engine": kill_engine, "mover": kill_mover, "receiver": kill_receiver}


def carry(lab: Lab, chance: random.Random, most: int) -> Counter[str]:
    """Carry the wave out under at most so many kills and return how often each process died."""
    killed: Counter[str] = Counter()
    done = threading.Event()

    def kill() -> None:
        while not done.wait(chance.uniform(0.05, 0.8)) and killed.total() < most:
            name = chance.choice(list(_KILLS))
            if _KILLS[name](lab):
                killed[name] += 1

    with engine_of(lab) as project:
        killer = threading.Thread(target=kill)
        killer.start()
        try:
            for purpose in _FORWARD:
                while True:
                    result = await_result(project, order(project, purpose))
                    if result.get("error") not in ("unreachable", "failed"):
                        break  # a person gives the verb again when the receiver was gone
                assert "error" not in result, result
                if result["stopped"]["decide"]:
                    result = await_result(project, order(project, purpose))
        finally:
            done.set()
            killer.join()
    return killed


def check(stage: Stage, name: str, chance: random.Random, most: int) -> Counter[str]:
    with Lab.copy(stage.template, stage.scratch / name) as lab:
        killed = carry(lab, chance, most)
        assert [said for said in committed(lab) if said != UNSEEN] == []
        assert world(lab) == stage.end
    return killed


def test_a_wave_ends_as_if_nobody_had_killed_its_engine_movers_and_receiver(
    stage: Stage, rng: random.Random
) -> None:
    killed = check(stage, "engine", rng, 5)
    print("killed", ", ".join(f"{name} {times}" for name, times in sorted(killed.items())))
    assert killed["engine"] or killed["mover"]


@pytest.mark.soak
def test_hundreds_of_waves_under_kills(stage: Stage, rng: random.Random) -> None:
    killed: Counter[str] = Counter()
    for number in range(100):
        killed += check(stage, f"engine-{number}", rng, 20)
    print("killed", ", ".join(f"{name} {times}" for name, times in sorted(killed.items())))
