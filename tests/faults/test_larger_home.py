"""A wave comes home from a larger LUN; what its guest wrote past the old end holds it up, nothing is lost.

That disk is in every way home that is killed in these tests; here it holds something past the end, at each
moment at which that can be.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from migrate.replication import tail
from migrate.run.execute import Purpose
from migrate.run.store import RunKind
from migrate.sites.lab.changes import ChangeMap
from migrate.sites.lab.oplog import read_ops
from planner.model import Power
from planner.names import content_id
from planner.units import MIB
from tests.faults.conftest import Stage
from tests.faults.homeward import go, runs_at, stopped_equal_at_the_end, written_at
from tests.faults.killlab import LARGER, RUNNING
from tests.faults.labrun import Ended, Lab
from tests.faults.test_reverse import cycle, imaged
from tests.faults.test_reverse import held as at_source

VOLUME, AT = "web/2000", MIB + LARGER - 4096
SAID = "web-01 Hard disk 1 at site dc2 does not fit onto the one at site dc1: something lies past the 1.0 MiB"


def put(lab: Lab, data: bytes, *, told: bool = False) -> None:
    """Write past the old end of the disk; only of what is ``told`` the site's change map knows."""
    with lab.site("dc2") as site:
        path = Path(site._ask("locate", VOLUME, None)[0])
    if told:
        file = lab.folder("dc2") / "state" / "maps" / f"{content_id('volume', VOLUME)}.map"
        assert file.exists()
        with closing(ChangeMap(file, path.stat().st_size)) as changes:
            changes.mark(AT, len(data))
    with path.open("r+b") as body:
        body.seek(AT)
        body.write(data)


def held(ended: Ended, step: str) -> None:
    """See that a verb is held up at such a step, and says why."""
    assert step in ended.decide.split("/"), ended
    assert SAID in ended.message
    assert f"first at byte {AT}" in ended.message


def asked(lab: Lab) -> int:
    """Return how much was asked of the source."""
    return len(read_ops(lab.folder("dc1") / "state" / "ops.log"))


def test_what_lies_past_the_old_end_holds_a_way_home_up_until_it_is_gone(stage: Stage, abroad: Path) -> None:
    with Lab.copy(abroad, stage.scratch / "larger", "dc2") as lab:
        before, committed = asked(lab), at_source(lab)
        put(lab, b"grown")
        held(lab.drive(Purpose.REVERSE), "check")
        assert asked(lab) == before, "nothing was done at the source"
        assert not any((lab.folder("dc1") / "state").rglob("*.segment"))
        put(lab, bytes(5))
        go(lab, Purpose.REVERSE)

        for verb, told, step in ((cycle, True, "delta"), (Purpose.REVERSE, False, "checkpoint")):
            put(lab, b"grown", told=told)
            held(lab.drive(verb), step)
            put(lab, bytes(5), told=told)
            assert lab.drive(verb).gate == "go", "from a new snapshot"

        put(lab, b"grown")
        held(lab.drive(Purpose.FAILBACK), "fold")
        assert imaged(lab, "committed") == committed, "what was committed is there still"
        with lab.site("dc2") as site:
            assert {site.observe(vm).power for vm in RUNNING} == {Power.ON}
        put(lab, bytes(5))
        written = written_at(lab, "dc2")
        go(lab, Purpose.FAILBACK)
        go(lab, Purpose.COMMIT)
        assert [*runs_at(lab, "dc1", "dc2"), *stopped_equal_at_the_end(lab)] == []
        with lab.site("dc1") as site:
            assert site.volume(VOLUME).size_bytes == MIB
            assert all(site.guest(vm).last_written >= record for vm, record in written.items())


def test_what_is_written_there_as_it_stops_is_found_before_anything_starts(
    stage: Stage, abroad: Path
) -> None:
    with Lab.copy(abroad, stage.scratch / "late", "dc2") as lab:
        go(lab, Purpose.REVERSE)

        def late(point: str) -> None:
            if point == "g0/quiesce after act":
                put(lab, b"grown")

        ended = lab.drive(Purpose.FAILBACK, late)
        held(ended, "verify")
        assert "roll back, so that it runs at site dc2 again" in ended.message
        written = written_at(lab, "dc2")
        with lab.site("dc1") as source, lab.site("dc2") as target:
            assert {site.observe(vm).power for site in (source, target) for vm in RUNNING} == {Power.OFF}
        go(lab, Purpose.ROLLBACK)
        assert list(runs_at(lab, "dc2", "dc1")) == []
        put(lab, bytes(5))
        for purpose in (Purpose.REVERSE, Purpose.FAILBACK, Purpose.COMMIT):
            go(lab, purpose)
        assert list(runs_at(lab, "dc1", "dc2")) == []
        with lab.site("dc1") as site:
            assert all(site.guest(vm).last_written >= record for vm, record in written.items())


def test_without_the_looks_it_is_refused_by_the_digests_alone(
    stage: Stage, abroad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the looks are what holds these ways home up."""
    monkeypatch.setattr(tail, "first_past", lambda *_: None)
    with Lab.copy(abroad, stage.scratch / "blind", "dc2") as lab:
        put(lab, b"grown")
        ended = lab.drive(Purpose.REVERSE)
        assert ended.decide == "g0/checkpoint/1"
        assert SAID not in ended.message
        assert lab.standing(RunKind.FAILBACK) == ("", "")
