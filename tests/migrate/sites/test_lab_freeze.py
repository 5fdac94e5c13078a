"""Snapshots and change maps of the lab under guests that go on writing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from migrate.sites.lab.client import LabSite
from migrate.sites.lab.records import scan
from migrate.sites.ports import ChangeId, Consistency
from planner.errors import NotFound, SiteRefused
from planner.names import content_id
from tests.migrate.sites.estate import build, content, running, wait_for

GROUP = ("db", "pair-1", "pair-2")
TRACKED = {"db/2000", "db/2001", "pair-1/2000", "pair-1/2001", "pair-2/2000", "pair-2/2002"}
BLOCK = 64 * 1024


@pytest.fixture
def site(tmp_path: Path) -> Iterator[LabSite]:
    build(tmp_path)
    with running(tmp_path / "source") as found:
        yield found


def on(site: LabSite) -> None:
    for vm in GROUP:
        site.power_on(vm, f"on-{vm}")


def progress(site: LabSite, records: int) -> None:
    targets = {vm: site.guest(vm).last_acknowledged + records for vm in GROUP}
    for vm, target in targets.items():
        wait_for(lambda vm=vm, target=target: site.guest(vm).last_acknowledged >= target)  # type: ignore[misc]


def test_a_snapshot_does_not_change_while_guests_write(site: LabSite) -> None:
    on(site)
    progress(site, 20)
    first = site.take_snapshot(GROUP, "s1")
    assert first.label is Consistency.CRASH
    assert set(first.changes) == TRACKED
    frozen = {volume: content(site, volume, first.id) for volume in TRACKED}
    progress(site, 40)
    second = site.take_snapshot(GROUP, "s2")
    frozen_2 = {volume: content(site, volume, second.id) for volume in TRACKED}
    until = {vm: site.guest(vm).last_acknowledged + 300 for vm in GROUP}  # more than every ring holds
    while any(site.guest(vm).last_acknowledged < last for vm, last in until.items()):
        for volume in TRACKED:  # reading while blocks are being copied and overwritten
            assert content(site, volume, second.id) == frozen_2[volume], volume
    for volume in TRACKED:
        assert content(site, volume, first.id) == frozen[volume], volume
        assert content(site, volume, second.id) == frozen_2[volume], volume
        assert content(site, volume) != frozen[volume], volume
    assert any(frozen[volume] != frozen_2[volume] for volume in TRACKED)


def test_a_snapshot_equals_a_copy_made_while_everything_stands_still(site: LabSite) -> None:
    on(site)
    progress(site, 20)
    assert site.quiesce(GROUP, "q") is Consistency.APPLICATION
    still = {volume: content(site, volume) for volume in TRACKED}
    made = site.take_snapshot(GROUP, "s")
    assert made.label is Consistency.APPLICATION
    site.thaw(GROUP, "t")
    progress(site, 300)
    assert {volume: content(site, volume, made.id) for volume in TRACKED} == still


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size_bytes(self) -> int:
        return len(self._data)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        buffer[:] = self._data[offset : offset + len(buffer)]


def test_a_group_snapshot_is_a_prefix_over_all_disks(tmp_path: Path) -> None:
    build(tmp_path, rate=4000)
    with running(tmp_path / "source") as site:
        on(site)
        vms = {
            "pair-1": ("pair-1/2000", "pair-1/2001"),
            "pair-2": ("pair-2/2000", "pair-1/2001", "pair-2/2002"),
        }
        for number in range(8):
            made = site.take_snapshot(("pair-1", "pair-2"), f"s{number}")
            taken_later = site.take_snapshot(("pair-1", "pair-2"), f"late{number}")
            for vm, volumes in vms.items():
                disks = [content(site, volume, made.id) for volume in volumes]
                found = scan([_Bytes(disk) for disk in disks], content_id(vm))
                assert found.complete, (vm, found)
                assert found.disks == len(volumes)
            site.drop_snapshot(made.id, "d")
            site.drop_snapshot(taken_later.id, "d")
        # negative control: disks of two instants are no prefix, and the scan says so
        early = site.take_snapshot(("pair-2",), "early")
        kept = [content(site, volume, early.id) for volume in vms["pair-2"]]
        progress(site, 40)
        kept[0] = content(site, vms["pair-2"][0])
        assert not scan([_Bytes(disk) for disk in kept], content_id("pair-2")).complete


def test_the_change_map_covers_every_changed_byte(site: LabSite) -> None:
    on(site)
    progress(site, 10)
    first = site.take_snapshot(GROUP, "s1")
    progress(site, 30)
    second = site.take_snapshot(GROUP, "s2")
    for vm in GROUP:
        assert site.shut_down(vm, f"off-{vm}", 5)
    changed_blocks = claimed_blocks = total_blocks = 0
    for volume in TRACKED:
        for since in (first, second):
            before, after = content(site, volume, since.id), content(site, volume)
            areas = site.changed_areas(volume, since.changes[volume])
            assert areas is not None
            claimed = {offset for area in areas for offset in range(area.offset, area.end, BLOCK)}
            differing = {
                o for o in range(0, len(after), BLOCK) if before[o : o + BLOCK] != after[o : o + BLOCK]
            }
            assert differing <= claimed
            assert all(one.end < two.offset for one, two in pairwise(areas))
            changed_blocks += len(differing)
            claimed_blocks += len(claimed)
            total_blocks += len(after) // BLOCK
    assert 0 < changed_blocks <= claimed_blocks < total_blocks // 2  # not by claiming everything
    now = site.change_id("db/2000")
    assert now is not None
    assert site.changed_areas("db/2000", now) == ()
    assert site.changed_areas("db/2000", ChangeId("another", now.counter)) is None
    assert site.changed_areas("db/2002", now) is None  # a physical RDM
    assert site.change_id("db/2002") is None


def test_a_direct_writer_ends_the_history_of_changes(site: LabSite) -> None:
    before = site.change_id("db/2000")
    assert before is not None
    disk = site.open_write("db/2000")
    disk.write(b"x", 0)
    disk.close()
    assert site.changed_areas("db/2000", before) is None


def test_snapshots_end_for_good(site: LabSite) -> None:
    site.power_on("db", "on")
    made = site.take_snapshot(("db",), "op-s")
    assert site.take_snapshot(("db",), "op-s") == made
    assert site.find_snapshot("op-s") == made
    assert site.list_snapshots() == (made,)
    reader = site.open_read("db/2000", made.id)
    site.drop_snapshot(made.id, "d1")
    site.drop_snapshot(made.id, "d2")
    with pytest.raises(OSError, match="dropped"):
        reader.read_into(memoryview(bytearray(4096)), 0)
    reader.close()
    assert site.find_snapshot("op-s") is None
    assert not any((site.directory / "state/snapshots").iterdir())
    with pytest.raises(NotFound):
        site.open_read("db/2000", made.id)
    with pytest.raises(NotFound):
        site.open_read("db/2002", site.take_snapshot(("db",), "again").id)


def test_snapshots_and_writers_keep_each_other_out(site: LabSite) -> None:
    writer = site.open_write("db/2001")
    with pytest.raises(SiteRefused):
        site.take_snapshot(("db",), "s1")
    writer.close()
    made = site.take_snapshot(("db",), "s2")
    with pytest.raises(SiteRefused, match="snapshots"):
        site.open_write("db/2001")
    site.drop_snapshot(made.id, "d")
    site.open_write("db/2001").close()
