"""VMDK descriptors: the round trip, what is refused, and what qemu-img makes of ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.disks.quoting import parse_assignment, quoted
from migrate.disks.vmdk import Descriptor, extent_name, geometry, parse_descriptor, write_descriptor
from planner.errors import Corrupt
from planner.model import Backing

MIB = 1024**2
HOSTILE = 'a"b|c\n\r\x1b[31m../\u202ex\u2028y\ud800 ü €'


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_survives_quoting_on_one_line(value: str) -> None:
    line = f"key = {quoted(value)}"
    assert len(line.splitlines()) == 1
    assert parse_assignment(line) == ("key", value)


@pytest.mark.parametrize("backing", list(Backing))
def test_a_descriptor_reads_back(backing: Backing) -> None:
    made = Descriptor(
        backing, 8 * MIB, extent_name("disk-0", backing), 0xABCD1234, database=(("x.y", HOSTILE),)
    )
    found = parse_descriptor(write_descriptor(made))
    assert (found.backing, found.size_bytes, found.extent, found.cid) == (
        backing,
        8 * MIB,
        made.extent,
        made.cid,
    )
    assert dict(found.database)["x.y"] == HOSTILE


def test_types_and_extents_are_those_of_esxi() -> None:
    text = write_descriptor(
        Descriptor(Backing.RDM_PHYSICAL, 8 * MIB, extent_name("db", Backing.RDM_PHYSICAL), 1)
    )
    assert 'createType="vmfsPassthroughRawDeviceMap"' in text
    assert 'RW 16384 VMFSRDM "db-rdmp.vmdk"' in text
    assert 'RW 16384 VMFSRDM "db-rdm.vmdk"' in write_descriptor(
        Descriptor(Backing.RDM_VIRTUAL, 8 * MIB, extent_name("db", Backing.RDM_VIRTUAL), 1)
    )


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ('"x-flat.vmdk"', '"../../etc/passwd"'),
        ('"x-flat.vmdk"', '"/dev/sda"'),
        ('"x-flat.vmdk"', '".."'),
        ("RW 16384", "RW 0"),
        ("VMFS ", "SPARSE "),
        ('"vmfs"', '"streamOptimized"'),
        ("# The Disk", 'RW 10 VMFS "other.vmdk"\n# The Disk'),
        ("version=1", "no such line"),
        ("CID=00000001", "CID=zz"),
    ],
)
def test_what_is_not_understood_is_refused(find: str, put: str) -> None:
    text = write_descriptor(Descriptor(Backing.VMDK, 8 * MIB, "x-flat.vmdk", 1))
    assert find in text
    with pytest.raises(Corrupt):
        parse_descriptor(text.replace(find, put, 1))


def test_geometry_covers_the_disk() -> None:
    assert geometry(8 * MIB) == (8, 64, 32)
    assert geometry(40 * 1024 * MIB)[1:] == (255, 63)


def test_qemu_img_reads_our_vmdk(tmp_path: Path) -> None:
    qemu = shutil.which("qemu-img")
    if qemu is None:
        pytest.skip("not run: qemu-img is not installed")
    flat, raw = tmp_path / "x-flat.vmdk", tmp_path / "x.raw"
    for path in (flat, raw):
        path.write_bytes(b"\0" * 65536 + os.urandom(1) * 1000)
        os.truncate(path, 8 * MIB)
    raw.write_bytes(flat.read_bytes())
    vmdk = tmp_path / "x.vmdk"
    vmdk.write_text(write_descriptor(Descriptor(Backing.VMDK, 8 * MIB, flat.name, 7)))
    done = subprocess.run([qemu, "info", "--output=json", vmdk], capture_output=True, check=True)
    info = json.loads(done.stdout)
    assert (info["format"], info["virtual-size"]) == ("vmdk", 8 * MIB)
    assert info["format-specific"]["data"]["create-type"] == "vmfs"
    compare = [qemu, "compare", "-f", "vmdk", "-F", "raw", str(vmdk), str(raw)]
    assert subprocess.run(compare, capture_output=True, check=False).returncode == 0
    raw.write_bytes(b"\1" + flat.read_bytes()[1:])
    assert subprocess.run(compare, capture_output=True, check=False).returncode == 1
