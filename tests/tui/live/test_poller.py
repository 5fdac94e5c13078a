"""The thread that looks: it tells what changed, what cannot be read, and ends when it is told to."""

from __future__ import annotations

import threading
from pathlib import Path

from migrate.run.history import Event
from tests.migrate.gates.standing import planned, stored
from tui.live.document import Live
from tui.live.poller import Poller


class Heard:
    """What a poller told."""

    def __init__(self) -> None:
        self.all: list[Live] = []
        self._more = threading.Condition()

    def __call__(self, live: Live) -> None:
        with self._more:
            self.all.append(live)
            self._more.notify_all()

    def until(self, true: object, seconds: float = 60.0) -> Live:
        assert callable(true)
        with self._more:
            assert self._more.wait_for(lambda: any(map(true, self.all)), seconds), "it was not told in time"
            return next(live for live in self.all if true(live))


def test_changes_are_told_and_only_they(tmp_path: Path) -> None:
    heard = Heard()
    with stored(tmp_path / "move", planned()) as run:
        poller = Poller(run.project.root, heard, period_s=0.01)
        poller.start()
        try:
            heard.until(lambda live: live.complete)
            run.append("check", Event.INTENT)
            heard.until(lambda live: live.waves[0].status.current != "" and live.waves[0].run == run.run.id)
        finally:
            poller.close()
    assert all(one != other for one, other in zip(heard.all, heard.all[1:], strict=False))


def test_a_project_that_is_gone_is_said_and_read_again_when_it_is_back(tmp_path: Path) -> None:
    heard = Heard()
    poller = Poller(tmp_path / "move", heard, period_s=0.01)
    poller.start()
    try:
        heard.until(lambda live: "is not a wherry project" in live.error)
        with stored(tmp_path / "move", planned()):
            heard.until(lambda live: live.complete and not live.error)
    finally:
        poller.close()
