"""Remedies carried out by the engine, both ways, while it is killed: the same end, each change once."""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from migrate.daemons.lock import is_running
from migrate.engine.carrying import carry
from migrate.engine.presence import ensure
from migrate.run import controls, orders, recovery
from migrate.run import store as runs
from migrate.run.driver import Told
from migrate.run.execute import Onlooker
from migrate.run.following import Follower
from migrate.run.means import Hauling
from migrate.run.remedy_orders import Wished
from migrate.run.store import RunKind
from migrate.run.waves import check_remedied, find_wave
from migrate.sites.lab import daemon
from migrate.status import project_status
from planner.errors import Blocked
from planner.store.project import Project
from tests.faults.conftest import in_memory
from tests.faults.enginelab import await_result, engine_of, kill_engine, kill_receiver, reopen
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab
from tests.faults.remedylab import (
    apply,
    changes,
    make_template,
    remedied,
    taken_back,
    undo,
    whole_world,
)

_ALL, _BACK = Wished(with_outage=True), Wished(with_outage=True, back=True)
_KILLS = {"engine": kill_engine, "receiver": kill_receiver}  # there is no mover: no byte is moved


@dataclass(frozen=True, slots=True)
class Stage:
    """The template, and what remedies that nobody disturbed made of it."""

    template: Path
    scratch: Path
    begin: dict[str, Any]
    end: dict[str, Any]
    made: Counter[tuple[str, str, str]]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with in_memory(tmp_path_factory.mktemp("remedies")) as scratch:
        template = make_template(scratch / "template")
        with Lab.copy(template, scratch / "undisturbed") as lab:
            begin = whole_world(lab)
            lab.drive(apply)
            reference = Stage(template, scratch, begin, whole_world(lab), changes(lab))
            lab.drive(undo)
            assert taken_back(lab, begin) == []
        yield reference


def place(project: Project, wish: Wished) -> int:
    return orders.place(project, WAVE, wish.purpose, wish.options).id


def carry_killed(lab: Lab, wish: Wished, chance: random.Random, most: int) -> Counter[str]:
    """Have an engine carry remedies under so many kills; return who died how often.

    It dies once for certain when something was recorded, then at random moments.
    """
    killed: Counter[str] = Counter()
    done = threading.Event()

    def kill() -> None:
        with lab.project() as mine:
            while runs.last_entry(mine) == since and not done.wait(0.001):
                pass
        killed["engine"] += kill_engine(lab)
        while not done.wait(chance.uniform(0.0, 0.4)) and killed.total() < most:
            name = chance.choice(list(_KILLS))
            if _KILLS[name](lab):
                killed[name] += 1

    with engine_of(lab) as project:
        ensure(project.root, project.run_dir)
        since, number = runs.last_entry(project), place(project, wish)
        killer = threading.Thread(target=kill)
        killer.start()
        try:
            result = await_result(project, number)
        finally:
            done.set()
            killer.join()
    assert "error" not in result, result
    assert result["stopped"]["decide"] is None
    return killed


def both_ways(stage: Stage, name: str, chance: random.Random) -> Counter[str]:
    with Lab.copy(stage.template, stage.scratch / name) as lab:
        killed = carry_killed(lab, _ALL, chance, 6)
        assert remedied(lab, stage.end, stage.made) == []
        killed += carry_killed(lab, _BACK, chance, 6)
        assert taken_back(lab, stage.begin) == []
    return killed


def test_remedies_end_as_if_nobody_had_killed_their_engine(stage: Stage, rng: random.Random) -> None:
    killed = both_ways(stage, "killed", rng)
    print("killed", ", ".join(f"{name} {times}" for name, times in sorted(killed.items())))
    assert killed["engine"] >= 2


@pytest.mark.soak
def test_many_times(stage: Stage, rng: random.Random) -> None:
    killed: Counter[str] = Counter()
    for number in range(50):
        killed += both_ways(stage, f"killed-{number}", rng)
    print("killed", ", ".join(f"{name} {times}" for name, times in sorted(killed.items())))


def test_an_order_that_was_carried_out_and_not_ended_is_not_carried_out_once_more(
    stage: Stage, hauling: Hauling
) -> None:
    ways: dict[Wished, Callable[[Lab], list[str]]] = {
        _ALL: lambda lab: remedied(lab, stage.end, stage.made),
        _BACK: lambda lab: taken_back(lab, stage.begin),
    }
    with Lab.copy(stage.template, stage.scratch / "unended") as lab, lab.project() as project:
        for wish, wrong in ways.items():
            number = place(project, wish)
            assert carry(project.root, number, hauling, lambda: False)
            first, before = orders.find(project, number).result, runs.last_entry(project)
            assert wrong(lab) == []
            reopen(project, number)
            assert carry(project.root, number, hauling, lambda: False)
            assert orders.find(project, number).result == first
            assert runs.last_entry(project) == before, "web's disks, which failed, are not tried once more"


def test_control_an_order_that_remembers_nothing_is_carried_out_once_more(
    stage: Stage, hauling: Hauling
) -> None:
    with Lab.copy(stage.template, stage.scratch / "forgetful") as lab, lab.project() as project:
        number = place(project, _ALL)
        carry(project.root, number, hauling, lambda: False)
        before = runs.last_entry(project)
        reopen(project, number)
        with project.write() as db:
            db.execute("UPDATE work_order SET options = json_set(options, '$.since', ?)", (before,))
        carry(project.root, number, hauling, lambda: False)
        assert runs.last_entry(project) > before


def test_an_engine_that_is_halted_leaves_the_order_open_and_nobody_else_may_go_on(
    stage: Stage, hauling: Hauling
) -> None:
    with Lab.copy(stage.template, stage.scratch / "halted") as lab, lab.project() as project:
        number, edges = place(project, _ALL), count()
        assert not carry(project.root, number, hauling, lambda: next(edges) > 4)
        assert orders.find(project, number).result is None
        assert runs.last_entry(project) > 0
        with pytest.raises(Blocked, match="half done"):
            check_remedied(project, find_wave(project, WAVE).wave)
        assert carry(project.root, number, hauling, lambda: False)
        assert remedied(lab, stage.end, stage.made) == []


def test_remedies_are_shown_followed_paused_and_gone_on_with(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "followed") as lab, engine_of(lab) as project:
        ensure(project.root, project.run_dir)
        since, number = runs.last_entry(project), place(project, _ALL)
        while runs.last_entry(project) == since:
            time.sleep(0.001)
        site = is_running(lab.run_of("dc1"), daemon.NAME)
        assert site is not None
        os.kill(site, signal.SIGSTOP)  # so that it is in the middle of a step for a while
        try:
            shown = remedies(project)
            controls.ask_to_pause(project, WAVE)
            time.sleep(0.3)  # the engine looks for a pause four times a second
        finally:
            os.kill(site, signal.SIGCONT)
        assert re.fullmatch(rf"the remedies of {WAVE} are under way: \d+ of \d+ steps", shown)
        heard: list[Told] = []
        order = orders.find(project, number)
        (paused,) = Follower(project, order, since, Onlooker(tell=heard.append)).follow()
        assert paused.stopped.paused
        assert paused.run.kind is RunKind.REMEDY
        assert {one.step.id for one in heard} == set(paused.history.attempts)
        assert remedies(project) == f"the remedies of {WAVE} were interrupted"

        since, number = runs.last_entry(project), place(project, _ALL)
        (done,) = Follower(project, orders.find(project, number), since, Onlooker()).follow()
        assert done.run == paused.run
        assert remedied(lab, stage.end, stage.made) == []


def remedies(project: Project) -> str:
    """Return what status says of them."""
    (need,) = (one for one in project_status(project).needs if "remedies" in one.text)
    return need.text


def test_orders_of_a_lost_host_are_given_back(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "lost") as lab, lab.project() as project:
        number = place(project, _ALL)
        recovery.recover(project)
        result = orders.find(project, number).result
        assert result is not None
        assert result["message"] == f"the host was lost while remedies of {WAVE} were ordered"
