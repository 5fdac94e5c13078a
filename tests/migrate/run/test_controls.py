from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate import audit
from migrate.run import controls
from migrate.run.compose import compose
from migrate.run.driver import Driver
from migrate.run.history import Status
from migrate.sites.simulated import SimulatedSite
from migrate.steps.kinds import KINDS
from migrate.transfers.ports import Copied
from planner.errors import Paused
from planner.store.project import Project
from tests.migrate.estate import small_wave
from tests.migrate.simulated_run import World


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p") as made:
        yield made


def test_a_request_is_seen_until_it_is_answered(project: Project) -> None:
    assert controls.asked_by(project, "W01") is None
    controls.ask_to_pause(project, "W01")
    assert controls.asked_by(project, "W01") == audit.person()
    assert controls.asked_by(project, "W02") is None
    controls.answer(project, "W01")
    assert controls.asked_by(project, "W01") is None


def test_a_request_is_in_the_audit(project: Project) -> None:
    controls.ask_to_pause(project, "W01")
    assert [(line.act, line.subject) for line in audit.lines(project)][-1] == ("pause", "W01")


def test_a_watch_sees_a_request_of_another_connection(project: Project) -> None:
    watch = controls.pause_watch(project, "W01")
    assert not watch()
    with Project.open(project.root) as other:
        controls.ask_to_pause(other, "W01")
    assert controls.pause_watch(project, "W01")()


def _drive(world: World, paused: Any, transfers: Any = None) -> Any:
    history = world.reload()
    ctx = world.context(history)
    if transfers is not None:
        ctx.transfers = transfers
    return Driver(ctx, KINDS, world.ledger.recorder(history), paused=paused).drive(lambda gate: None)


def test_a_paused_driver_stops_between_steps_and_goes_on_later() -> None:
    world = World(small_wave(), compose(small_wave()))
    asked = iter([False, False, False, True])
    assert _drive(world, lambda: next(asked)).paused
    done = [step for step, status in world.reload().status.items() if status is Status.DONE]
    assert len(done) == 3
    assert _drive(world, lambda: False).gate.id == "go"
    assert world.broken() == []


class _StopsOnce:
    """Transfers that somebody stops in the middle, once."""

    def __init__(self, world: World) -> None:
        self._inner = world.transfers
        self.stopped = False

    def copy(self, *wanted: Any) -> Copied:
        if not self.stopped:
            self.stopped = True
            raise Paused("the transfer was stopped between two blocks", "run the verb again")
        return self._inner.copy(*wanted)

    def compare(self, *wanted: Any, larger: bool = False) -> Any:
        return self._inner.compare(*wanted, larger=larger)


def test_a_transfer_stopped_at_a_block_edge_is_not_a_failure() -> None:
    world = World(small_wave(), compose(small_wave()))
    transfers = _StopsOnce(world)
    assert _drive(world, lambda: transfers.stopped, transfers).paused
    history = world.reload()
    assert history.failures == {}
    assert isinstance(world.source.site, SimulatedSite)
    assert _drive(world, lambda: False, transfers).gate.id == "go"
