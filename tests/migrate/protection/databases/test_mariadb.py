"""MariaDB under the policy of docs/protection.md: what its checkpoints hold, and when the lock is lost.

The data and the redo log are on two disks of a tap. The agent of the guest is a stand-in that really
freezes; everything else is what a person would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.migrate.protection.databases.mariadb import MariaDB, cannot_run, commit
from tests.migrate.protection.databases.protected import Made, Protected
from tests.migrate.protection.databases.recipes import PATIENT, placed, recipe, written
from tests.migrate.protection.databases.writing import Writer
from tests.migrate.protection.fake_agent import FREEZE
from tests.migrate.protection.scene import script

_HEADING = "MySQL and MariaDB"
_OPEN = "shop.noted check warning 1 client is using or hasn't closed the table properly"


@dataclass(frozen=True, slots=True)
class Scene:
    """A server that is written to all the time, on disks of a tap that follows the recipe with ``hook``."""

    stage: Protected
    server: MariaDB
    writer: Writer
    hook: Path

    def checkpoint(self, name: str) -> Made:
        """Make a checkpoint."""
        self.writer.wait_for(30)
        made = self.stage.checkpoint(name, self.writer)
        self.writer.wait_for(30)
        return made

    def wrong_with(self, made: Made) -> list[str]:
        """Start a server on the image of a checkpoint and return what is wrong with it."""
        with self.stage.image(made.name) as disks:
            wrong = [f"{name} is not as a freeze leaves it" for name, at in disks.items() if not at.is_clean]
            for disk in disks.values():
                disk.mount()
            place = self.stage.folder / f"image-{made.name}" / "run"
            there = MariaDB(place, disks["data"].place, disks["redo"].place)
            there.start()
            try:
                return wrong + there.wrong_with(made.bounds)
            finally:
                there.stop()

    @contextmanager
    def without_hook(self) -> Iterator[None]:
        """Have a hook that does nothing."""
        text = self.hook.read_text("utf-8")
        script(self.hook.parent, self.hook.name, "exit 0")
        yield
        written(self.hook, text, 0o700)

    @contextmanager
    def killing(self) -> Iterator[None]:
        """Have somebody end the session that holds the lock, while the disks are frozen."""
        freeze = self.stage.agent.on_command
        session = self.server.session()

        def and_kill(command: str) -> None:
            freeze(command)
            if command == FREEZE:
                (number,) = session.ask(
                    "SELECT id FROM information_schema.processlist WHERE user = 'wherry';"
                )
                session.ask(f"KILL {number};")

        self.stage.agent.on_command = and_kill
        yield
        self.stage.agent.on_command = freeze
        session.close()


@pytest.fixture(scope="module")
def scene(place: Path) -> Iterator[Scene]:
    if why := cannot_run():
        pytest.skip(f"not run: {why}")
    options = recipe(_HEADING, "# /etc/wherry/mysql.cnf")
    run = place / "run"
    written(place / "mysql.cnf", placed(options, {"host = crm-db-01": f"socket = {run / 'socket'}"}), 0o600)
    hook = recipe(_HEADING, "#!/bin/sh\n# /etc/wherry/mysql-hold")
    hook = placed(hook, {"/etc/wherry/mysql.cnf": str(place / "mysql.cnf")})
    policy = placed(
        recipe(_HEADING, "# crm.toml"),
        {**PATIENT, "/run/qemu/crm-db-01.agent": str(place / "agent"), "/etc/wherry": str(place)},
    )
    made = written(place / "mysql-hold", hook, 0o700)
    stage = Protected(place, "crm", ("data", "redo"), written(place / "crm.toml", policy, 0o600))
    try:
        server = MariaDB(run, stage.places["data"], stage.places["redo"])
        stage.ending(server.stop)
        server.make()
        server.ask(recipe(_HEADING, "CREATE USER"))
        session = server.session()
        stage.ending(session.close)
        writer = Writer(lambda number: commit(session, number))
        stage.ending(writer.end)
        yield Scene(stage, server, writer, made)
    finally:
        stage.end()


def test_a_checkpoint_under_the_recipe_is_what_its_label_says(scene: Scene) -> None:
    """Negative control in it: a hook that does nothing is believed, and noticed here."""
    made = scene.checkpoint("held")
    assert (made.label, made.said) == ("application", "")
    assert made.bounds.acknowledged >= 30
    assert scene.wrong_with(made) == []
    with scene.without_hook():
        made = scene.checkpoint("useless")
    assert made.label == "application"
    assert scene.wrong_with(made) == [_OPEN]
    with scene.killing():
        made = scene.checkpoint("killed")
    assert made.label == "filesystem"
    assert "its check hook ended with code 1: the session that held the lock is gone" in made.said


@pytest.mark.soak
def test_a_hook_that_is_refused_says_why(scene: Scene) -> None:
    scene.server.ask("REVOKE RELOAD ON *.* FROM wherry@'%';")
    made = scene.checkpoint("refused")
    scene.server.ask("GRANT RELOAD ON *.* TO wherry@'%';")
    assert made.label == "filesystem"
    assert "its before hook ended with code 1: ERROR 1227" in made.said


@pytest.mark.soak
def test_many_checkpoints(scene: Scene) -> None:
    made = [scene.checkpoint(f"number-{number}") for number in range(25)]
    assert {point.label for point in made} == {"application"}
    assert {point.name: wrong for point in made if (wrong := scene.wrong_with(point))} == {}
