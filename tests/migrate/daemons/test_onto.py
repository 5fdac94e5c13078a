"""What is written over by a name: followed once, to a block device, and never to another one later."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from migrate.daemons.onto import Onto
from migrate.journal.materialise import write_onto
from planner.errors import BadInput
from planner.units import MIB
from tests.migrate.journal.test_materialise import SIZE, content, looped, nothing, source

ROOM = 6 * MIB
OLD = b"old!" * (ROOM // 4)


def a_file(path: Path) -> Path:
    path.write_bytes(OLD)
    return path


def points(name: Path, node: Path) -> Path:
    """Have a name lead to a device, from whatever it led to, as udev does."""
    new = name.with_suffix(".new")
    new.symlink_to(node)
    new.rename(name)
    return name


def test_a_file_is_named_itself_and_stays_the_one_it_was(tmp_path: Path) -> None:
    lun = a_file(tmp_path / "lun")
    onto = Onto.of(lun)
    assert (onto.node, onto.shown) == (lun, str(lun))
    with closing(onto.open()) as disk:
        assert disk.size_bytes == ROOM
    a_file(tmp_path / "another").rename(lun)
    with pytest.raises(BadInput, match="is another disk than it was"):
        onto.open()
    lun.unlink()
    lun.symlink_to(a_file(tmp_path / "other"))
    with pytest.raises(BadInput, match="cannot be written"):
        onto.open()


@pytest.mark.parametrize(
    ("leads_to", "said"),
    [
        ("lun", "which is no block device"),
        ("/dev/null", "which is no block device"),
        ("pipe", "which is no block device"),
        (".", "which is no block device"),
        ("nowhere", "cannot be written: No such file"),
        ("wwn\x1b[31m", "cannot be written: Too many levels of symbolic links"),
    ],
)
def test_a_link_to_anything_else_is_refused(tmp_path: Path, leads_to: str, said: str) -> None:
    a_file(tmp_path / "lun")
    os.mkfifo(tmp_path / "pipe")
    name = tmp_path / "wwn\x1b[31m"
    name.symlink_to(leads_to)
    with pytest.raises(BadInput, match=said) as refused:
        Onto.of(name)
    assert "\x1b" not in str(refused.value)
    assert (tmp_path / "lun").read_bytes() == OLD


def test_a_name_of_a_device_is_followed_to_it(tmp_path: Path) -> None:
    lun = a_file(tmp_path / "lun")
    with looped(lun) as device:
        name = points(tmp_path / "wwn-0x5000", device)
        onto = Onto.of(name)
        assert (onto.node, onto.shown) == (device, f"{name} ({device})")
        assert write_onto(source(), onto, nothing).file == str(name)
    assert lun.read_bytes() == content() + OLD[SIZE:]


def test_a_name_that_leads_elsewhere_by_now_writes_nothing(tmp_path: Path) -> None:
    first, second = a_file(tmp_path / "first"), a_file(tmp_path / "second")
    with looped(first) as device, looped(second) as other:
        name = points(tmp_path / "wwn-0x5000", device)
        onto = Onto.of(name)
        points(name, other)
        with pytest.raises(BadInput, match="is another disk than it was"):
            write_onto(source(), onto, nothing)
    assert (first.read_bytes(), second.read_bytes()) == (OLD, OLD)


def test_a_name_that_moves_while_it_is_written_is_told(tmp_path: Path) -> None:
    first, second = a_file(tmp_path / "first"), a_file(tmp_path / "second")
    with looped(first) as device, looped(second) as other:
        name = points(tmp_path / "wwn-0x5000", device)
        with pytest.raises(BadInput, match="is another disk than it was"):
            write_onto(source(), Onto.of(name), lambda *_said: points(name, other) and None)
    assert first.read_bytes()[:SIZE] == content(), "what was open is written to its end"
    assert second.read_bytes() == OLD


def test_a_node_that_another_disk_got_is_refused(tmp_path: Path) -> None:
    first, second = a_file(tmp_path / "first"), a_file(tmp_path / "second")
    with looped(first) as device:
        onto = Onto.of(points(tmp_path / "wwn-0x5000", device))
        if not onto._identity[-1]:
            pytest.skip("not run: this kernel does not number its disks")
        subprocess.run(["/sbin/losetup", "-d", str(device)], check=True)
        subprocess.run(["/sbin/losetup", str(device), str(second)], check=True)
        with pytest.raises(BadInput, match="is another disk than it was"):
            write_onto(source(), onto, nothing)
    assert second.read_bytes() == OLD
