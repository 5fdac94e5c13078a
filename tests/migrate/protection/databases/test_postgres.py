"""PostgreSQL under the policy of docs/protection.md: what its checkpoints hold, and what a useless hook does.

The data and the log of writes are on two disks of a tap. The agent of the guest is a stand-in that really
freezes; everything else is what a person would have.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrate.engine.private_postgres import programs
from tests.guest import disorder
from tests.migrate.protection.databases.mounted import Filesystem
from tests.migrate.protection.databases.postgres import Postgres, cannot_run, commit
from tests.migrate.protection.databases.protected import Made, Protected
from tests.migrate.protection.databases.recipes import PATIENT, placed, recipe, written
from tests.migrate.protection.databases.reordered import reordered
from tests.migrate.protection.databases.writing import Bounds, Writer
from tests.migrate.protection.scene import script

_OLD = "its recovery begins before the checkpoint was asked for"


@dataclass(frozen=True, slots=True)
class Scene:
    """A server that is written to all the time, on disks of a tap that follows the recipe."""

    stage: Protected
    server: Postgres
    writer: Writer

    def checkpoint(self, name: str) -> tuple[Made, int]:
        """Make a checkpoint; also return where the log of writes was when it was asked for."""
        self.writer.wait_for(30)
        asked_at = self.server.position()
        made = self.stage.checkpoint(name, self.writer)
        self.writer.wait_for(30)
        return made, asked_at

    def wrong_with(self, made: Made, asked_at: int) -> list[str]:
        """Start a server on the image of a checkpoint and return what is wrong with it."""
        with self.stage.image(made.name) as disks:
            return self.wrong_on(disks, made.bounds, asked_at)

    def wrong_on(self, disks: Mapping[str, Filesystem], bounds: Bounds, asked_at: int) -> list[str]:
        """The same on disks that are there."""
        wrong = [f"{name} is not as a freeze leaves it" for name, disk in disks.items() if not disk.is_clean]
        try:
            for disk in disks.values():
                disk.mount()
        except OSError as error:
            return [*wrong, f"a disk cannot be mounted: {error}"]
        place = next(iter(disks.values())).place.parent.parent
        there = Postgres(place / "run", disks["data"].place, disks["wal"].place)
        there.come_from(self.server)
        wrong += [_OLD] if there.begins_recovery() < asked_at else []
        there.start()
        try:
            return wrong + there.wrong_with(bounds)
        except ConnectionError:
            return [*wrong, f"the server does not start: {there.log[-500:]}"]
        finally:
            there.stop()

    @contextmanager
    def without_hook(self) -> Iterator[None]:
        """Have a hook that does nothing."""
        psql = self.stage.folder / "bin" / "psql"
        psql.unlink()
        script(psql.parent, psql.name, "exit 0")
        yield
        psql.unlink()
        psql.symlink_to(programs() / "psql")


@pytest.fixture(scope="module")
def scene(place: Path) -> Iterator[Scene]:
    if why := cannot_run():
        pytest.skip(f"not run: {why}")
    (place / "bin").mkdir()
    (place / "bin" / "psql").symlink_to(programs() / "psql")
    text = placed(
        recipe("PostgreSQL", "# erp.toml"),
        {
            **PATIENT,
            "/run/qemu/erp-db-01.agent": str(place / "agent"),
            '"-h", "erp-db-01"': f'"-h", "{place / "run"}"',
        },
    )
    stage = Protected(place, "erp", ("data", "wal"), written(place / "erp.toml", text, 0o600))
    try:
        server = Postgres(place / "run", stage.places["data"], stage.places["wal"])
        stage.ending(server.stop)
        server.make()
        server.ask(recipe("PostgreSQL", "CREATE ROLE"))
        session = server.session()
        stage.ending(session.close)
        writer = Writer(lambda number: commit(session, number))
        stage.ending(writer.end)
        yield Scene(stage, server, writer)
    finally:
        stage.end()


def test_a_checkpoint_under_the_recipe_is_what_its_label_says(scene: Scene) -> None:
    """Negative control in it: a hook that does nothing is believed, and noticed here."""
    made, asked_at = scene.checkpoint("held")
    assert (made.label, made.said) == ("application", "")
    assert made.bounds.acknowledged >= 30
    assert scene.wrong_with(made, asked_at) == []
    with scene.without_hook():
        made, asked_at = scene.checkpoint("useless")
    assert made.label == "application"
    assert scene.wrong_with(made, asked_at) == [_OLD]


@pytest.mark.soak
def test_an_agent_that_lies_would_be_noticed_here(scene: Scene) -> None:
    scene.stage.agent.lying = True
    try:
        made, asked_at = scene.checkpoint("lied")
    finally:
        scene.stage.agent.lying = False
    assert "wal is not as a freeze leaves it" in scene.wrong_with(made, asked_at)


@pytest.mark.soak
def test_a_hook_that_is_refused_lowers_the_label(scene: Scene) -> None:
    scene.server.ask("REVOKE pg_checkpoint FROM wherry;")
    made, _ = scene.checkpoint("refused")
    scene.server.ask("GRANT pg_checkpoint TO wherry;")
    assert made.label == "filesystem"
    assert "its before hook ended with code 1" in made.said


@pytest.mark.soak
def test_many_checkpoints_and_none_in_another_order(scene: Scene) -> None:
    made = [scene.checkpoint(f"number-{number}") for number in range(25)]
    assert {point.label for point, _ in made} == {"application"}
    assert {point.name: wrong for point, at in made if (wrong := scene.wrong_with(point, at))} == {}
    scene.stage.end()
    rng = random.Random(1)
    point, asked_at = made[-2]
    for order, holds in ((disorder.kept, True), (disorder.shuffled, False), (disorder.apart, False)):
        with reordered(scene.stage, point.name, order, rng) as disks:
            wrong = scene.wrong_on(disks, point.bounds, asked_at)
            print(f"{order.__name__}: {wrong}")
            assert (wrong == []) is holds, wrong
