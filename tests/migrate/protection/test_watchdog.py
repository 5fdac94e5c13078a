"""The watchdog: whatever becomes of the process that freezes, or of the watchdog, everybody goes on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.protection.freezing import checkpoint
from migrate.protection.guard import Guard
from tests.migrate.protection.fake_agent import FREEZE, THAW, FakeAgent
from tests.migrate.protection.freezers import Freezer
from tests.migrate.protection.scene import CRASH, FILESYSTEM, agent_member, did, eventually, hooked, policy


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeAgent]:
    with FakeAgent(tmp_path / "qga.sock") as fake:
        yield fake


def _reach(phase: str, fake: FakeAgent, folder: Path) -> bool:
    """Wait until a freezer is in a phase."""
    match phase:
        case "hooks":
            return eventually(lambda: "before" in did(folder, "app"))
        case "freezing":
            return fake.await_heard(FREEZE)
        case "inserting":
            return eventually((folder / "inserting").exists)
        case _:
            return fake.await_heard(THAW)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
@pytest.mark.parametrize("phase", ["hooks", "freezing", "inserting", "thawing"])
def test_a_freezer_that_dies_or_stands_still_keeps_nobody_frozen(
    tmp_path: Path, fake: FakeAgent, phase: str, number: signal.Signals
) -> None:
    before = f"while [ ! -e {tmp_path}/hooked ]; do sleep 0.01; done"
    app = hooked(tmp_path, "app", before=before)
    if phase != "hooks":
        (tmp_path / "hooked").touch()
    if phase == "thawing":
        (tmp_path / "go").touch()
    fake.takes_s = {FREEZE: 0.2, THAW: 0.2}
    # only one that stands still while others are held needs the limit
    limit_s = 1.0 if number == signal.SIGSTOP and phase != "thawing" else 30.0
    asked = replace(policy(agent_member(fake.path), app, limit_s=limit_s), hook_limit_s=60.0)
    with Freezer(tmp_path, asked) as freezer:
        assert _reach(phase, fake, tmp_path)
        freezer.signal(number)
        (tmp_path / "hooked").touch()  # a hook that is under way comes to its end
        assert eventually(lambda: freezer.log)
        assert not fake.frozen
        assert "NOT LET GO" not in freezer.log
        assert did(tmp_path, "app") == ["before", "after"]
        if number == signal.SIGKILL:
            assert "because the process that asked for it was gone" in freezer.log or phase == "thawing"
            return
        (tmp_path / "go").touch()
        freezer.signal(signal.SIGCONT)
        told = freezer.result()
        assert not fake.frozen
        if phase == "thawing":
            assert (told["consistency"], told["fired"]) == (FILESYSTEM, "")
        else:
            assert (told["consistency"], told["fired"]) == (
                CRASH,
                "they were held for 1.0 s, which is the limit",
            )


def test_a_watchdog_that_is_armed_after_the_freeze_is_none(tmp_path: Path, fake: FakeAgent) -> None:
    """Negative control: the same death, and nobody is there to thaw."""
    with Freezer(tmp_path, policy(agent_member(fake.path)), "late") as freezer:
        assert _reach("inserting", fake, tmp_path)
        freezer.signal(signal.SIGKILL)
        assert not fake.await_state(False, 1.0)
        assert freezer.log == ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
@pytest.mark.parametrize("phase", ["hooks", "freezing", "inserting", "thawing"])
def test_a_watchdog_that_dies_or_stands_still_keeps_nobody_frozen(
    tmp_path: Path, fake: FakeAgent, phase: str, number: signal.Signals
) -> None:
    """The other process does its work then, and what it leaves running is ended."""
    app = hooked(tmp_path, "app", before="sleep 1000" if phase == "hooks" else "")
    if phase in ("freezing", "thawing"):
        fake.takes_s = {FREEZE: 0.2, THAW: 0.2}
    asked = replace(policy(agent_member(fake.path), app), hook_limit_s=3.0)
    with Guard(asked, slack_s=1.5) as guard:

        def strike() -> None:
            if phase == "inserting" or _reach(phase, fake, tmp_path):
                os.kill(guard.pid, number)

        striking = threading.Thread(target=strike)
        if phase != "inserting":
            striking.start()
        told = guard.freeze()
        if phase == "inserting":
            with guard.watching():
                striking.start()
                assert fake.await_state(False)
        if not told.fired:
            told = guard.release()
        striking.join()
    assert told.fired in ("the watchdog died", "the watchdog stood still")
    assert {found.consistency for found in told.members} == {CRASH}
    assert not fake.frozen
    assert did(tmp_path, "app")[0] == "before"
    assert did(tmp_path, "app")[-1] == "after"
    assert not eventually(lambda: did(tmp_path, "app")[-1] == "before", 0.1)


def test_a_watchdog_that_is_told_to_end_lets_go_first(tmp_path: Path, fake: FakeAgent) -> None:
    asked = policy(agent_member(fake.path), consistency=FILESYSTEM)
    with Guard(asked, tmp_path / "log") as guard:
        assert not guard.freeze().fired
        os.kill(guard.pid, signal.SIGINT)  # a Ctrl-C is not for it
        assert fake.frozen
        os.kill(guard.pid, signal.SIGTERM)
        assert fake.await_state(False)
        told = guard.release()
    assert told.fired == "the watchdog was told to end"
    assert told.members[0].consistency is CRASH


def test_one_that_gives_up_lets_go(tmp_path: Path, fake: FakeAgent) -> None:
    """Leaving the block without a release, as an error does."""
    with Guard(policy(agent_member(fake.path))) as guard:
        guard.freeze()
        assert fake.frozen
    assert fake.await_state(False)


def test_a_guest_that_does_not_thaw_is_reported_and_tried_for_longer(tmp_path: Path, fake: FakeAgent) -> None:
    """The checkpoint is not held up by it; the watchdog goes on and says what came of it."""
    fake.refused[THAW] = "the agent is busy"
    asked = policy(agent_member(fake.path), consistency=FILESYSTEM)
    reached = checkpoint(asked, lambda: None, lambda _it: None, tmp_path / "log")
    assert reached.consistency is CRASH
    assert reached.complaints == ("db may still be held: it did not confirm yet",)
    assert not (tmp_path / "log").read_text("utf-8")
    fake.refused.clear()
    assert fake.await_state(False)
    assert eventually(lambda: (tmp_path / "log").read_text("utf-8"))
