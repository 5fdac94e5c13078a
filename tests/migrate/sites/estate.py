"""A tiny estate for tests of the lab: a shared-disk pair, both kinds of RDM, hostile names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.sites.lab.build import LabSummary, build_lab
from migrate.sites.lab.client import LabSite
from planner.model import VM, Backing, BusSharing, Disk, Inventory, Nic, Power
from planner.settings import Lun

MIB = 1024**2
HOSTILE = '../../etc/passwd"\n|22[red]=1+1 \x1b[31m\u202e ü'


def inventory() -> Inventory:
    shared = Disk("2001", "Shared", 2 * MIB, path="[ds] pair/s.vmdk", multi_writer=True, bus=1, unit=0)
    return Inventory(
        "test",
        "2026-01-01T00:00:00Z",
        (
            VM(
                "db",
                HOSTILE,
                power=Power.ON,
                cpus=2,
                memory_bytes=512 * MIB,
                disks=(
                    Disk("2000", "Hard disk 1", 2 * MIB, path="[ds] db/0.vmdk"),
                    Disk("2001", "Hard disk 2", 1 * MIB, path="[ds] db/1.vmdk"),
                    Disk("2002", "RDM", 1 * MIB, Backing.RDM_PHYSICAL, lun="naa.../p"),
                ),
                nics=(Nic("Network adapter 1", "prod|db", "00:50:56:00:00:01", "Vmxnet3"),),
            ),
            VM(
                "pair-1",
                "pair-1",
                power=Power.ON,
                disks=(Disk("2000", "d", MIB, path="[ds] p1/0.vmdk"), shared),
            ),
            VM(
                "pair-2",
                "pair-2",
                disks=(
                    Disk("2000", "d", MIB, path="[ds] p2/0.vmdk"),
                    shared,
                    Disk("2002", "r", MIB, Backing.RDM_VIRTUAL, lun="naa.v", bus_sharing=BusSharing.VIRTUAL),
                ),
            ),
            VM("diskless", "diskless", power=Power.ON),
            VM("tpl", "a template", template=True, disks=(Disk("2000", "d", MIB),)),
        ),
    )


def build(directory: Path, rate: float = 800.0, capacity: int | None = None, **changes: object) -> LabSummary:
    arguments: dict[str, object] = {
        "source_name": "source",
        "target_name": "target",
        "luns": [Lun(name="naa.t", size_bytes=2 * MIB)],
        "seed": 7,
        "progress": lambda what, done, total: None,
        "write_rate": rate,
        "target_capacity_bytes": capacity,
        **changes,
    }
    estate = arguments.pop("inventory", None) or inventory()
    return build_lab(directory, estate, **arguments)  # type: ignore[arg-type]


@contextmanager
def running(directory: Path) -> Iterator[LabSite]:
    site = LabSite.connect(directory)
    try:
        yield site
    finally:
        assert site.stop()


def wait_for(condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
    import time

    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def content(site: LabSite, volume: str, snapshot: str | None = None) -> bytes:
    disk = site.open_read(volume, snapshot)
    try:
        buffer = bytearray(disk.size_bytes)
        disk.read_into(memoryview(buffer), 0)
        return bytes(buffer)
    finally:
        disk.close()
