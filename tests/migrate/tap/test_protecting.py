"""A tap under a policy: what a checkpoint is worth is said behind it, and nobody can unsay older ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.protection.policy import Member, Policy
from migrate.sites.ports import Consistency
from migrate.tap.chunks import Judged
from migrate.tap.protecting import LOG, Protecting
from migrate.tap.recorder import Mode
from planner.errors import BadInput, Blocked
from tests.migrate.protection.fake_agent import FakeAgent
from tests.migrate.protection.scene import CRASH, FILESYSTEM, agent_member, eventually, policy
from tests.migrate.tap.rig import VOLUMES, Far, Near


@pytest.fixture
def near(tmp_path: Path, far: Far) -> Iterator[Near]:
    made = Near(tmp_path / "near", far, random.Random(1))
    assert made.streaming.settle(30)
    yield made
    made.streaming.stop()


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeAgent]:
    with FakeAgent(tmp_path / "qga.sock") as fake:
        yield fake


def asked(fake: FakeAgent) -> Policy:
    return policy(agent_member(fake.path), consistency=FILESYSTEM)


def protecting(near: Near, asked: Policy, folder: Path) -> Protecting:
    return Protecting(asked, asked.group, VOLUMES, near.recorder, folder)


def worth(far: Far) -> dict[str, Consistency]:
    """Return what the named checkpoints at the target are worth."""
    return {point.name: point.consistency for point in far.group.checkpoints() if point.name}


def test_a_checkpoint_gets_its_label_at_the_target(
    near: Near, far: Far, fake: FakeAgent, tmp_path: Path
) -> None:
    one = protecting(near, asked(fake), tmp_path)
    near.burst(20)
    made = one.checkpoint("frozen", pinned=True)
    assert worth(far) == {"frozen": FILESYSTEM}
    found = far.group.find("frozen")
    assert (found.record, found.pinned) == (made.record, True)
    assert far.image(made.record) == near.writes.content()
    fake.filesystems = 0
    one.checkpoint("not")
    assert worth(far) == {"frozen": FILESYSTEM, "not": CRASH}
    assert one.status()["last_why"] == "db: none of its file systems could be frozen"
    assert "crm" in (tmp_path / LOG).read_text("utf-8")
    far.restart()
    assert worth(far) == {"frozen": FILESYSTEM, "not": CRASH}


def test_what_was_required_and_lost_is_withdrawn(
    near: Near, far: Far, fake: FakeAgent, tmp_path: Path
) -> None:
    one = protecting(near, replace(asked(fake), required=True), tmp_path)
    mark = near.recorder.mark

    def thawing(point: object) -> int:
        fake.thaw_by_itself()
        return mark(point)  # type: ignore[arg-type]

    near.recorder.mark = thawing  # type: ignore[method-assign, assignment]
    with pytest.raises(Blocked, match="it was thawed before"):
        one.checkpoint("lost")
    assert worth(far) == {}


def test_only_what_waits_for_a_label_gets_one(near: Near, far: Far, fake: FakeAgent, tmp_path: Path) -> None:
    """Whoever has the keys of a source cannot take back what the target kept of it."""
    made = protecting(near, asked(fake), tmp_path).checkpoint("kept")
    for record in (made.record, far.group.checkpoints()[0].record, 10**6):
        for word in (None, CRASH):
            judged = Judged(record, word)
            near.recorder.judge(judged)
            judged.made.result(30)
    assert worth(far) == {"kept": FILESYSTEM}
    assert len(far.group.checkpoints()) >= 2


def test_nobody_is_frozen_for_a_target_that_is_not_there(
    near: Near, far: Far, fake: FakeAgent, tmp_path: Path
) -> None:
    one = protecting(near, asked(fake), tmp_path)
    near.recorder.let_go("the line is down")
    with pytest.raises(Blocked):
        one.checkpoint()
    assert fake.heard == []


def test_it_is_made_by_itself_while_it_streams(near: Near, far: Far, fake: FakeAgent, tmp_path: Path) -> None:
    one = protecting(near, replace(asked(fake), every_s=0.1), tmp_path)
    one.start()
    try:
        assert eventually(lambda: sum(p.consistency is FILESYSTEM for p in far.group.checkpoints()) >= 2)
    finally:
        one.stop()
    assert near.recorder.mode is Mode.STREAMING
    assert not fake.frozen


def test_a_policy_of_another_group_is_refused(near: Near, fake: FakeAgent, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is for group crm, not for erp"):
        Protecting(asked(fake), "erp", VOLUMES, near.recorder, tmp_path)


def test_a_disk_that_nobody_holds_is_not_called_held(near: Near, fake: FakeAgent, tmp_path: Path) -> None:
    """A label speaks for the members: a disk of none of them would be left out of it in silence."""
    (one,) = asked(fake).members
    first = replace(one, disks=VOLUMES[:1])
    for members in ((first,), (first, Member("other")), (one, Member("other"))):
        with pytest.raises(BadInput, match="is of no member of the policy"):
            protecting(near, policy(*members), tmp_path)
    both = policy(first, Member("other", disks=VOLUMES[1:]))
    assert protecting(near, both, tmp_path).checkpoint().reached.consistency is CRASH
