"""A policy over a real journal: a checkpoint is worth a crash until its label is known, and keeps it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migrate.journal.directory import DirectoryFiles
from migrate.journal.log import Log, open_log
from migrate.journal.state import Checkpoint, drop_mark, label_mark
from migrate.journal.writes import Write
from migrate.protection.freezing import checkpoint
from migrate.protection.policy import Policy
from planner.errors import Blocked
from tests.migrate.protection.fake_agent import FakeAgent
from tests.migrate.protection.scene import CRASH, FILESYSTEM, agent_member, policy


def protect(log: Log, asked: Policy) -> None:
    """Make a checkpoint of a log under a policy, as a tap does it."""

    def insert() -> Checkpoint:
        log.append([Write(0, 0, 512, b"x" * 512)])
        return log.checkpoint(1_000, name="nightly")

    def withdraw(point: Checkpoint) -> None:
        log.mark(drop_mark([point.record]))
        log.commit()

    reached = checkpoint(asked, insert, withdraw)
    assert reached.inserted.consistency is CRASH  # what a crash before this line would have left
    log.mark(label_mark(reached.inserted.record, reached.consistency))
    log.commit()


def test_a_label_is_durable_and_a_withdrawn_checkpoint_is_not_offered(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    log = open_log(DirectoryFiles(folder), "crm", segment_bytes=2000)
    with FakeAgent(tmp_path / "qga.sock") as fake:
        asked = policy(agent_member(fake.path), consistency=FILESYSTEM)
        protect(log, asked)
        fake.filesystems = 0
        protect(log, asked)
        with pytest.raises(Blocked):
            protect(log, replace(asked, required=True))
    for state in (log.state, open_log(DirectoryFiles(folder), "crm").state):
        assert [point.consistency for point in state.checkpoints.values()] == [FILESYSTEM, CRASH]
        assert {point.name for point in state.checkpoints.values()} == {"nightly"}
    last = log.last
    log.mark(label_mark(last + 100, FILESYSTEM))  # of one that is not offered any more
    assert len(log.state.checkpoints) == 2
