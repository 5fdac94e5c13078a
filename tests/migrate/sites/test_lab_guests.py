"""Guests of the lab: nothing acknowledged is lost, and every loss is seen."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.daemons.lock import is_running
from migrate.disks.flat import FlatDisk
from migrate.sites.lab.client import LabSite
from migrate.sites.lab.records import Lane, read_lanes
from planner.errors import Unreachable
from planner.model import Power
from planner.names import content_id
from tests.migrate.sites.estate import build, content, running, wait_for


@pytest.fixture
def site(tmp_path: Path) -> Iterator[LabSite]:
    build(tmp_path)
    with running(tmp_path / "source") as found:
        yield found


def lane_of(site: LabSite, volume: str, vm: str) -> Lane:
    disk = site.open_read(volume)
    try:
        return next(lane for lane in read_lanes(disk) if lane.owner == content_id(vm))
    finally:
        disk.close()


def run_for(site: LabSite, vm: str, records: int) -> int:
    site.power_on(vm, f"on-{uuid.uuid4()}")
    start = site.guest(vm).last_acknowledged
    wait_for(lambda: site.guest(vm).last_acknowledged >= start + records)
    assert site.shut_down(vm, f"off-{uuid.uuid4()}", 5)
    return site.guest(vm).last_acknowledged


def test_records_go_on_over_power_cycles_and_wrap_around(site: LabSite) -> None:
    last = run_for(site, "db", 50)
    assert site.guest("db").last_written == last
    later = run_for(site, "db", 400)
    assert later >= last + 400
    site.power_on("db", "again")
    health = site.probe("db")
    assert health.ok, health
    assert health.detail.startswith("records ")
    assert health.detail.endswith("complete on 3 disks")


def test_both_writers_of_a_shared_disk_are_whole(site: LabSite) -> None:
    for vm in ("pair-1", "pair-2"):
        site.power_on(vm, f"on-{vm}")
    wait_for(lambda: min(site.guest(vm).last_acknowledged for vm in ("pair-1", "pair-2")) > 300)
    site.power_off("pair-1", "off-1")
    assert site.probe("pair-2").ok
    assert not site.probe("pair-1").ok
    state = site.guest("pair-1")
    assert (state.missing, state.corrupt) == (0, 0)
    assert state.last_written >= state.last_acknowledged > 300


@pytest.mark.parametrize("damage", ["zeroed", "stale", "corrupt", "newest lost", "ring lost"])
def test_loss_is_seen(site: LabSite, damage: str) -> None:
    last = run_for(site, "db", 400)
    lane = lane_of(site, "db/2000", "db")
    victim = next(number for number in range(last - 30, last) if lane.holds(number))
    path = site.directory / "vms" / content_id("db") / "disk-0-flat.vmdk"
    disk = FlatDisk(path, writable=True)
    page = bytearray(4096)
    disk.read_into(memoryview(page), lane.place(victim))
    if damage == "zeroed":
        disk.zero(lane.place(victim), 4096)
    elif damage == "stale":  # a record that is valid in itself, one that came earlier
        disk.read_into(memoryview(page), lane.place(victim - lane.count))
        disk.write(page, lane.place(victim))
    elif damage == "corrupt":
        page[1000] ^= 1
        disk.write(page, lane.place(victim))
    elif damage == "ring lost":
        disk.zero(lane.offset, 4096)
    disk.close()
    if damage == "newest lost":
        for volume, file in (
            ("db/2000", "disk-0-flat.vmdk"),
            ("db/2001", "disk-1-flat.vmdk"),
            ("db/2002", ""),
        ):
            lane = lane_of(site, volume, "db")
            found = next((site.directory / "luns").glob("*.img"))
            for image in (site.directory / "luns").glob("*.img"):
                found = image if b'"naa.../p"' in image.with_suffix(".json").read_bytes() else found
            disk = FlatDisk(path.with_name(file) if file else found, writable=True)
            for number in range(last - 8, last + 1):
                if lane.holds(number):
                    disk.zero(lane.place(number), 4096)
            disk.close()
    site.power_on("db", "on-damaged")
    health = site.probe("db")
    assert not health.ok, damage
    assert "ok" not in health.detail
    before = site.guest("db").last_written
    state = site.guest("db")
    if damage in {"zeroed", "stale", "newest lost"}:
        assert state.missing > 0
    if damage == "corrupt":
        assert state.corrupt == 1
    assert state.last_written == before  # a guest that lost something does not write over it


def test_a_clean_stop_lets_a_copy_elsewhere_see_that_its_newest_records_are_gone(
    site: LabSite, tmp_path: Path
) -> None:
    """The floor travels in the ring header: no knowledge of the source is needed to see the loss."""
    run_for(site, "pair-1", 100)
    kept = content(site, "pair-1/2000")
    run_for(site, "pair-1", 100)
    lane = lane_of(site, "pair-1/2000", "pair-1")
    newer = content(site, "pair-1/2000")
    stale = kept[: lane.offset] + newer[lane.offset : lane.offset + 4096] + kept[lane.offset + 4096 :]
    disk = site.open_write("pair-1/2000")  # forgets what the site itself had acknowledged
    disk.write(stale, 0)
    disk.close()
    site.power_on("pair-1", "on")
    assert not site.probe("pair-1").ok


def test_kill_9_of_the_hypervisor_loses_nothing_acknowledged(tmp_path: Path) -> None:
    build(tmp_path)
    source = tmp_path / "source"
    site = LabSite.connect(source)
    for vm in ("db", "pair-1", "pair-2"):
        site.power_on(vm, f"on-{vm}")
    since = site.take_snapshot(("db", "pair-1", "pair-2"), "s")
    frozen = {volume: content(site, volume, since.id) for volume in since.changes}
    wait_for(lambda: site.guest("db").last_acknowledged > 60)
    told = {vm: site.guest(vm).last_acknowledged for vm in ("db", "pair-1", "pair-2")}
    pid = is_running(source / "run", "lab")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: is_running(source / "run", "lab") is None)
    with pytest.raises(Unreachable):
        site.observe("db")
    with running(source) as site:
        state = site.observe("db")
        assert state is not None
        assert state.power is Power.OFF
        assert site.crashed("db")
        assert "crashed" in site.probe("db").detail
        for volume, old in frozen.items():
            assert content(site, volume, since.id) == old  # the snapshot outlived its maker
            areas = site.changed_areas(volume, since.changes[volume])
            assert areas is not None
            now = content(site, volume)
            for area in areas:
                old = old[: area.offset] + now[area.offset : area.end] + old[area.end :]
            assert old == now, f"{volume}: a change is missing from the map"
        for vm, acknowledged in told.items():
            found = site.guest(vm)
            assert found.last_written >= acknowledged
            assert (found.missing, found.corrupt) == (0, 0)
            site.power_on(vm, f"back-{vm}")
            assert site.probe(vm).ok, site.probe(vm)
            assert not site.crashed(vm)


def test_a_stopped_site_comes_back_off_and_whole(tmp_path: Path) -> None:
    build(tmp_path)
    with running(tmp_path / "source") as site:
        site.power_on("db", "on")
        since = site.change_id("db/2000")
    with running(tmp_path / "source") as site:
        state = site.observe("db")
        assert state is not None
        assert state.power is Power.OFF
        assert not site.crashed("db")
        assert since is not None
        assert site.changed_areas("db/2000", since) is not None
        site.power_on("db", "on-2")
        assert site.probe("db").ok
        site.power_on("diskless", "on-3")
        assert site.probe("diskless").ok
