"""Either process is struck at any moment: everybody goes on, and no label claims what was not so."""

from __future__ import annotations

import os
import random
import secrets
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.migrate.protection.fake_agent import FREEZE, STATUS, THAW, FakeAgent
from tests.migrate.protection.freezers import Freezer
from tests.migrate.protection.scene import CRASH, agent_member, did, eventually, hooked, policy


def strike(folder: Path, rng: random.Random) -> str:
    """Make one checkpoint that something happens to, check what came of it, and return its label."""
    folder.mkdir()
    (folder / "go").touch()
    with FakeAgent(folder / "qga.sock") as fake:
        fake.takes_s = {word: rng.random() / 5 for word in (FREEZE, STATUS, THAW)}
        app = hooked(folder, "app", before=f"sleep {rng.random() / 5}", after=f"sleep {rng.random() / 5}")
        asked = replace(
            policy(agent_member(fake.path), app, limit_s=rng.choice([1.0, 20.0])), hook_limit_s=5.0
        )
        number = rng.choice([signal.SIGKILL, signal.SIGSTOP])
        at_watchdog = rng.random() < 0.5
        with Freezer(folder, asked) as freezer:
            assert eventually(lambda: freezer.watchdog() or freezer.ended)
            time.sleep(rng.random() * 1.5)
            struck = freezer.watchdog() if at_watchdog else None
            if struck is not None:
                with suppress(ProcessLookupError):
                    os.kill(struck, number)
            elif not freezer.ended:
                freezer.signal(number)
            if number == signal.SIGSTOP and not at_watchdog:
                # one that was held goes on by the limit alone; nobody waits for the other process
                assert eventually(lambda: freezer.log or not fake.frozen)
                freezer.signal(signal.SIGCONT)
            if number == signal.SIGKILL and not at_watchdog:
                assert eventually(lambda: freezer.log or "before" not in did(folder, "app"))
                label = CRASH.value
            else:
                # without a watchdog nobody is frozen, and there is no checkpoint
                label = str(freezer.result().get("consistency", CRASH))
            assert eventually(lambda: not fake.frozen)
            ran = did(folder, "app")
            assert eventually(lambda: not did(folder, "app") or did(folder, "app")[-1] == "after"), ran
        time.sleep(0.05)
        assert not fake.frozen
        if label != CRASH:
            at = float((folder / "inserting").read_text("utf-8"))
            assert any(first <= at <= last for first, last in fake.spans)
    return label


def rounds(folder: Path, count: int) -> None:
    seed = secrets.randbelow(2**32)
    rng = random.Random(seed)
    labels = []
    for number in range(count):
        try:
            labels.append(strike(folder / str(number), rng))
        except BaseException as error:
            error.add_note(f"round {number} of seed {seed}")
            raise
    assert count < 20 or len(set(labels)) == 2, labels  # struck early and late, or nothing was tried


@pytest.mark.soak
def test_whatever_is_struck_whenever_everybody_goes_on(tmp_path: Path) -> None:
    rounds(tmp_path, 100)
