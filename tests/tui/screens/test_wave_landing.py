"""What a wave's content says of where its VMs and disks land, and that nobody said it."""

from __future__ import annotations

from tests.planner.sketch import disk, estate, plan, rdm, vm
from tests.tui.estate import HOSTILE
from tui.screens.wave_detail import describe_content

GIB = 1 << 30


def content(**maps: object) -> str:
    inventory = estate(
        vm("a", disk(path="[one] a/a.vmdk"), vmx_path="[one] a/a.vmx", memory_bytes=2 * GIB,
           folder="/DC/vm/Prod", datacenter="DC"),
        vm("b", disk(path="[two] b/b.vmdk")),
        vm("raw", rdm("naa.1", path="[one] r/r.vmdk")),
    )  # fmt: skip
    keep = {"policies": {"physical_rdm": "keep"}, "luns": [{"name": "naa.t", "size_bytes": 1 << 40}]}
    return "\n".join(
        describe_content(wave, wave.size_bytes).plain for wave in plan(inventory, **keep, **maps).waves
    )


def test_each_datastore_with_its_bytes_each_folder_and_what_is_not_mapped() -> None:
    said = content(datastores={"one": "gold"}, folders={"Prod": "Moved"})
    assert "gold  12.0 GiB with swap files" in said
    assert "? 1 disk not mapped: 0 maps datastores" in said, "a raw device needs no place"
    assert "folder Moved  1 VM" in said
    assert "VMDK 10.0 GiB  → gold" in said
    bare = content()
    assert "? 2 disks not mapped" in bare
    assert "→ gold" not in bare
    assert "folder" not in bare


def test_hostile_places_are_one_printable_line_each() -> None:
    for name in HOSTILE:
        said = content(datastores={"one": name}, folders={"/": name})
        assert all(row.isprintable() for row in said.split("\n"))
