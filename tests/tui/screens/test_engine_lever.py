"""Starting the engine from a screen: when it can be, why not, and that it is this project's engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.engine.presence import halt, running
from planner.store.project import Project
from tests.tui import estate
from tests.tui.screens.test_replicate import confirmed, go, key
from tests.tui.stage import lines, opened, until
from tui.live.document import EngineNow, EngineState, Live
from tui.screens.engine_lever import why_no_start


@pytest.mark.parametrize(
    ("engine", "why"),
    [
        (EngineNow(EngineState.DEAD, orders=1), ""),
        (EngineNow(EngineState.NONE, orders=1), ""),
        (EngineNow(EngineState.STOPPED), ""),
        (EngineNow(EngineState.IDLE), ""),
        (EngineNow(EngineState.IDLE, pid=7), "an engine is at work already, process 7"),
        (EngineNow(EngineState.WORKING, pid=7, orders=1), "an engine is at work already, process 7"),
        (EngineNow(EngineState.STARTING), "the engine is starting or ending: look again in a moment"),
        (EngineNow(EngineState.HIDDEN), "the engine is another login's to run in this project"),
    ],
)
def test_an_engine_is_started_where_none_is(engine: EngineNow, why: str) -> None:
    assert why_no_start(Live(engine, complete=True)) == why


def test_nothing_is_started_before_one_has_looked() -> None:
    assert why_no_start(Live()) == "the project is still being read"


async def test_it_is_started_once_and_said(tmp_path: Path) -> None:
    root = estate.build(tmp_path, waves=2)
    with Project.open(root) as project:
        run_dir = project.run_dir
    try:
        async with opened(root) as pilot:
            place = await go(pilot)
            await key(pilot, "E")
            await confirmed(pilot)
            await until(lambda: "the engine was started and takes orders" in lines(pilot)[-2])
            pid = running(run_dir)
            assert pid is not None
            await until(lambda: place.live.engine.pid == pid)
            await key(pilot, "E")
            await until(lambda: f"an engine is at work already, process {pid}" in lines(pilot)[-2])
    finally:
        halt(run_dir)
