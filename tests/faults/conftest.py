"""The lab that is killed, made once a session, in memory where there is room for it."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migrate.movers.pool import Pool
from migrate.movers.transfers import Generations, Shares
from migrate.run.board import Board
from migrate.run.means import Hauling
from tests.faults.endstate import committed, world
from tests.faults.killlab import SITES, make_template
from tests.faults.labrun import Lab
from tests.faults.scenario import FORWARD, finish, points_of

_ROOM = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Stage:
    """Where scenarios are played: the template, a folder for copies, and an undisturbed run's end."""

    template: Path
    scratch: Path
    points: tuple[str, ...]
    end: dict[str, Any]


@contextmanager
def in_memory(otherwise: Path) -> Iterator[Path]:
    """Give a folder in memory for the block, or the other one where there is no room."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free <= _ROOM:
        yield otherwise
        return
    scratch = Path(tempfile.mkdtemp(prefix="wherry-kill-", dir=memory))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Build the template and carry it out once, undisturbed."""
    with in_memory(tmp_path_factory.mktemp("kill")) as scratch:
        template = make_template(scratch / "template")
        with Lab.copy(template, scratch / "undisturbed") as lab:
            for purpose in FORWARD:
                finish(lab, purpose)
            assert committed(lab) == []
            reference = Stage(template, scratch, tuple(points_of(lab)), world(lab))
        yield reference


@pytest.fixture
def rng(record_property: Any) -> random.Random:
    """Return a source of chance whose seed is printed."""
    seed = random.SystemRandom().randrange(2**32)
    print("SEED", seed)
    record_property("seed", seed)
    return random.Random(seed)


@pytest.fixture
def hauling() -> Iterator[Hauling]:
    """Give what an engine carries with, for orders that are carried out in this process."""
    with Pool() as pool:
        yield Hauling(pool, Shares(), Generations(), Board(), pool)


@pytest.fixture(scope="session")
def abroad(stage: Stage) -> Path:
    """Return a template whose wave is committed: its VMs ran at the target and wrote there."""
    template = stage.scratch / "abroad"
    lab = Lab.copy(stage.template, template)
    for purpose in FORWARD:
        finish(lab, purpose)
    lab.kill_all()
    _forget_the_way_out(lab)
    return template


def _forget_the_way_out(lab: Lab) -> None:
    (lab.root / "witness.jsonl").unlink()
    for name in SITES:
        (lab.folder(name) / "state" / "ops.log").write_bytes(b"")
