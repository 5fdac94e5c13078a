"""Tasks and what comes back go over a pipe as they are, hostile names and all."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from migrate.movers.task import (
    Comparison,
    Ends,
    Keeping,
    Manner,
    Placement,
    Task,
    dump_task,
    line,
    load_error,
    load_moving,
    load_task,
)
from migrate.replication.adapt import Binds
from migrate.replication.pace import Left
from migrate.replication.passes import Mode
from migrate.sites.ports import Extent
from migrate.transfers.ports import Moving, Packing, Wanted, Written
from planner.errors import NoSpace, PastEnd, Paused, Unreachable, WherryError

_NASTY = "vm\x1b[2J\n\u202e\ud800/2000"
_ENDS, _MANNER = Ends("/a", "/b"), Manner(1, 1 << 20, True, True)
_DELTA = Wanted(_NASTY, 4096, Mode.DELTA, "p", "b/1", "b/2", "s", (Extent(0, 512), Extent(1024, 512)), "c")
_WRITTEN = (Written(_NASTY, 4096, (Extent(0, 512),)), Written("v", 512, ()), Written("w", 512, None))


@pytest.mark.parametrize(
    "task",
    [
        Task(_ENDS, _MANNER, 7, _DELTA),
        Task(_ENDS, _MANNER, 8, Wanted("v", 1, Mode.SEED, "p")),
        Task(_ENDS, _MANNER, 8, replace(_DELTA, larger=True)),
        Task(_ENDS, _MANNER, 9, comparison=Comparison(_NASTY, 4096, None)),
        Task(_ENDS, _MANNER, 9, comparison=Comparison("v", 4096, "s", larger=True)),
        Task(_ENDS, _MANNER, 9, placement=Placement(f"/{_NASTY}", "/seeds", _NASTY, 4096, "r")),
        Task(_ENDS, _MANNER, 9, keeping=Keeping(_NASTY, _NASTY, "/kept", _WRITTEN)),
    ],
)
def test_a_task_comes_out_as_it_went_in(task: Task) -> None:
    come = load_task(json.loads(line({"task": dump_task(task)}))["task"])
    assert come == task
    assert repr(come) == repr(task), "a word is equal to its text, and of another type"


def test_a_task_is_one_thing() -> None:
    raw = dump_task(Task(_ENDS, _MANNER, 7, _DELTA))
    with pytest.raises(ValueError, match="one pass, one comparison, one placement or"):
        load_task({**raw, "wanted": None})
    with pytest.raises(ValueError, match="one pass, one comparison, one placement or"):
        load_task({**raw, "comparison": asdict(Comparison("v", 1, None))})


@pytest.mark.parametrize(
    "moving",
    [
        Moving(_NASTY, 1, 2, 3),
        Moving("v", 1, 2, 3, 4.5, Packing(3, 0.5, Binds.LINK), Left(1.0, 2.0), 6, 7),
    ],
)
def test_progress_comes_out_as_it_went_in(moving: Moving) -> None:
    assert load_moving(json.loads(line({"moving": moving}))["moving"]) == moving


@pytest.mark.parametrize("kind", [NoSpace, PastEnd, Paused, Unreachable, WherryError])
def test_an_error_keeps_its_class_over_the_pipe(kind: type[WherryError]) -> None:
    found = load_error(kind("it broke", "mend it").as_json())
    assert (type(found), found.message, found.hint) == (kind, "it broke", "mend it")


def test_an_error_of_a_newer_mover_is_an_error_all_the_same() -> None:
    found = load_error({"error": "from the future", "message": "m", "hint": "h"})
    assert type(found) is WherryError
