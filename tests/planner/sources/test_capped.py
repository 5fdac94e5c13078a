from __future__ import annotations

from planner.model import VM, Disk, Inventory
from planner.sources.capped import capped
from planner.units import MIB


def test_large_disks_are_cut_small_ones_stay_and_the_inventory_says_so() -> None:
    disks = (
        Disk("2000", "one", 100 * MIB, used_bytes=80 * MIB),
        Disk("2001", "two", 3 * MIB + 512, used_bytes=MIB),
        Disk("2002", "three", 10),
    )
    vm = VM(id="a", name="a", disks=disks, used_bytes=90 * MIB)
    cut = capped(Inventory("s", "t", (vm,), notes=("first",)), 8 * MIB)
    assert [disk.size_bytes for disk in cut.vms[0].disks] == [8 * MIB, 3 * MIB, MIB]
    assert [disk.used_bytes for disk in cut.vms[0].disks] == [8 * MIB, MIB, None]
    assert cut.vms[0].used_bytes == 12 * MIB
    assert cut.notes[0] == "first"
    assert "8.0 MiB" in cut.notes[1]
