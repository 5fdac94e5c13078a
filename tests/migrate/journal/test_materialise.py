"""Images written out: whole, checked, and never half under their name, whatever dies."""

from __future__ import annotations

import errno
import fcntl
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from migrate.daemons.onto import Onto
from migrate.disks.flat import FlatDisk
from migrate.disks.opening import open_disk
from migrate.disks.ports import ReadableDisk
from migrate.journal.materialise import MANIFEST, Form, Source, write_file, write_folder, write_onto
from planner.errors import BadInput, Corrupt, NoSpace, ProjectBusy, StepFailed
from planner.units import MIB
from tests.migrate.replication.model import MemoryDisk

SIZE = 4 * MIB + 512


def nothing(_what: str, _done: int, _total: int) -> None:
    """Hear no progress."""


def content() -> bytes:
    rng = random.Random(7)
    return bytes(MIB) + rng.randbytes(MIB // 2) + bytes(MIB) + rng.randbytes(SIZE - 5 * MIB // 2)


def source(volume: str = "v", make: Callable[[], ReadableDisk] | None = None) -> Source:
    return Source(volume, make or (lambda: MemoryDisk(content())))


def test_a_file_is_what_the_image_is_with_its_holes(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    written = write_file(
        source(),
        tmp_path / "db.img",
        Form.RAW,
        {},
        lambda what, done, total: heard.append((what, done, total)),
    )
    assert (tmp_path / "db.img").read_bytes() == content()
    assert (tmp_path / "db.img").stat().st_blocks * 512 < SIZE - MIB
    assert written.blake3 == blake3(content()).hexdigest()
    assert (written.file, written.size_bytes) == ("db.img", SIZE)
    assert ("write v", SIZE, SIZE) in heard
    assert heard[-1] == ("check v", SIZE, SIZE)
    assert [path.name for path in tmp_path.iterdir()] == ["db.img"]


def test_a_vmdk_is_one_for_us_and_for_others(tmp_path: Path) -> None:
    write_file(source(), tmp_path / "db.vmdk", Form.VMDK, {}, nothing)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["db-flat.vmdk", "db.vmdk"]
    disk = open_disk(str(tmp_path / "db.vmdk")).disk
    found = bytearray(disk.size_bytes)
    disk.read_into(memoryview(found), 0)
    disk.close()
    assert found == content()
    if shutil.which("qemu-img") is None:
        pytest.skip("not run: there is no qemu-img here")
    command = ["qemu-img", "convert", "-f", "vmdk", "-O", "raw", "db.vmdk", "db.img"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "db.img").read_bytes() == content()


def test_a_folder_says_which_file_is_which_disk(tmp_path: Path) -> None:
    volumes = ["../../etc/passwd", "\x1b[31m\u202eb/\udcff"]
    write_folder([source(volume) for volume in volumes], tmp_path / "out", Form.RAW, {"group": "g"}, nothing)
    told = json.loads((tmp_path / "out" / MANIFEST).read_bytes())
    assert told["group"] == "g"
    assert [(disk["volume"], disk["file"]) for disk in told["disks"]] == [
        (volumes[0], "disk-0.img"),
        (volumes[1], "disk-1.img"),
    ]
    for disk in told["disks"]:
        assert blake3((tmp_path / "out" / disk["file"]).read_bytes()).hexdigest() == disk["blake3"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


class Dying(MemoryDisk):
    """A disk whose reader dies in the middle."""

    def read_into(self, buffer: memoryview, offset: int) -> None:
        if offset > 2 * MIB:
            os.kill(os.getpid(), signal.SIGKILL)
        super().read_into(buffer, offset)


class Counted(MemoryDisk):
    """A disk that knows from where on it was read."""

    first = SIZE

    def read_into(self, buffer: memoryview, offset: int) -> None:
        self.first = min(self.first, offset)
        super().read_into(buffer, offset)


ABOUT = {"group": "crm", "checkpoint": {"record": 7, "at_ms": 1_000, "results": []}}


def killed(write: Callable[[], object]) -> None:
    """Have a process of its own write, and die as it does."""
    child = multiprocessing.get_context("fork").Process(target=write)
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL


def write(to: Path, *sources: Source, about: Mapping[str, Any] = ABOUT) -> None:
    if to.suffix:
        form = Form.VMDK if to.suffix == ".vmdk" else Form.RAW
        write_file(*sources, to, form, about, nothing, stretch_bytes=MIB)
    else:
        write_folder([source("first"), *sources], to, Form.RAW, about, nothing, stretch_bytes=MIB)


@pytest.mark.parametrize("name", ["db.img", "db.vmdk", "folder"])
def test_a_process_that_is_killed_leaves_nothing_under_the_name_and_the_next_goes_on(
    tmp_path: Path, name: str
) -> None:
    killed(lambda: write(tmp_path / name, source("second", lambda: Dying(content()))))
    assert [path.name for path in tmp_path.iterdir()] == [f".{name}.wherry-part"]
    disk = Counted(content())
    noted = {**ABOUT, "checkpoint": {**ABOUT["checkpoint"], "results": ["rehearsed"]}}  # it is the same
    write(tmp_path / name, source("second", lambda: disk), about=noted)
    assert disk.first == 5 * MIB // 2  # the first data of the stretch in which it died
    assert not (tmp_path / f".{name}.wherry-part").exists()
    file = {"db.img": "db.img", "db.vmdk": "db-flat.vmdk", "folder": "folder/disk-1.img"}[name]
    assert (tmp_path / file).read_bytes() == content()
    assert (tmp_path / file).stat().st_blocks * 512 < SIZE - MIB
    if name == "folder":
        assert {path.name for path in (tmp_path / name).iterdir()} == {"disk-0.img", "disk-1.img", MANIFEST}


@pytest.mark.parametrize("what", ["rotten", "stale", "torn note", "no note", "another checkpoint"])
def test_what_stands_there_is_not_believed(tmp_path: Path, what: str) -> None:
    to, part = tmp_path / "db.img", tmp_path / ".db.img.wherry-part"
    killed(lambda: write(to, source("v", lambda: Dying(content()))))
    note = part / "durable.note"
    about: dict[str, Any] = ABOUT
    with (part / "db.img").open("r+b") as file:
        file.seek(MIB + 5 if what == "rotten" else 2 * MIB)  # in what is to read as zeros
        file.write(b"?")
    if what == "torn note":
        note.write_bytes(note.read_bytes()[:-3])
    elif what == "no note":
        note.unlink()
    elif what == "another checkpoint":
        about = {**ABOUT, "checkpoint": {"record": 8, "at_ms": 1_000}}
    disk = Counted(content())
    write(to, source("v", lambda: disk), about=about)
    assert to.read_bytes() == content()
    assert disk.first == (5 * MIB // 2 if what == "stale" else MIB)
    assert [path.name for path in tmp_path.iterdir()] == ["db.img"]


def test_what_failed_in_the_middle_goes_on_and_what_was_written_wrongly_does_not(tmp_path: Path) -> None:
    to, part = tmp_path / "db.img", tmp_path / ".db.img.wherry-part"
    with pytest.raises(StepFailed, match="cannot be read"):
        write(to, source("v", lambda: Failing(content())))
    assert len((part / "durable.note").read_bytes().splitlines()) == 3

    class Forgetful(FlatDisk):
        def flush(self) -> None:
            super().flush()
            os.pwrite(self.fileno(), b"?", 7)

    how = {"opens": lambda path: Forgetful(path, True), "stretch_bytes": MIB}
    with pytest.raises(Corrupt, match="does not read as what was to be written"):
        write_file(source(), to, Form.RAW, ABOUT, nothing, **how)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "db.img").write_bytes(b"precious")
    (tmp_path / "db-flat.vmdk").write_bytes(b"precious")
    (tmp_path / "link.img").symlink_to(tmp_path / "nowhere")
    for name, form in (("db.img", Form.RAW), ("db.vmdk", Form.VMDK), ("link.img", Form.RAW)):
        with pytest.raises(BadInput, match="is there already"):
            write_file(source(), tmp_path / name, form, {}, nothing)
    with pytest.raises(BadInput, match="is there already"):
        write_folder([source()], tmp_path, Form.RAW, {}, nothing)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="is there already"):
        write_file(source(), tmp_path / "empty", Form.RAW, {}, nothing)
    write_folder([source()], tmp_path / "empty", Form.RAW, {}, nothing)
    with pytest.raises(BadInput, match="lies in no folder"):
        write_file(source(), tmp_path / "none" / "db.img", Form.RAW, {}, nothing)

    def meanwhile(_what: str, _done: int, _total: int) -> None:
        (tmp_path / "late.img").write_bytes(b"precious")

    with pytest.raises(BadInput, match="is there already"):
        write_file(source(), tmp_path / "late.img", Form.RAW, {}, meanwhile)
    for name in ("db.img", "db-flat.vmdk", "late.img"):
        assert (tmp_path / name).read_bytes() == b"precious"
    assert not list(tmp_path.glob(".*"))


def test_a_disk_is_written_over_what_is_there(tmp_path: Path) -> None:
    lun = tmp_path / "lun"
    lun.write_bytes(b"old!" * ((SIZE + MIB) // 4))
    written = write_onto(source(), Onto.of(lun), nothing)
    assert lun.read_bytes()[:SIZE] == content()
    assert lun.read_bytes()[SIZE:] == b"old!" * (MIB // 4)
    assert written.blake3 == blake3(content()).hexdigest()
    os.truncate(lun, SIZE - 512)
    with pytest.raises(BadInput, match=rf"has {SIZE - 512} bytes, v has {SIZE}"):
        write_onto(source(), Onto.of(lun), nothing)
    with lun.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        with pytest.raises(BadInput, match="somebody else holds it"):
            write_onto(source(), Onto.of(lun), nothing)
    with pytest.raises(BadInput, match="cannot be written"):
        write_onto(source(), Onto.of(tmp_path / "none"), nothing)


@contextmanager
def looped(file: Path) -> Iterator[Path]:
    """Have a file as a block device, where this kernel and user may."""
    tool = shutil.which("losetup") or "/sbin/losetup"
    made = subprocess.run([tool, "-f", "--show", str(file)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"not run: no block device can be made here: {made.stderr.strip()}")
    try:
        yield Path(made.stdout.strip())
    finally:
        subprocess.run([tool, "-d", made.stdout.strip()], check=True)


def test_a_disk_is_written_over_a_block_device(tmp_path: Path) -> None:
    lun = tmp_path / "lun"
    lun.write_bytes(b"old!" * (6 * MIB // 4))
    with looped(lun) as device:
        written = write_onto(source(), Onto.of(device), nothing)
        assert written.blake3 == blake3(content()).hexdigest()
        held = os.open(device, os.O_RDWR | os.O_EXCL)  # as a mounted file system holds it
        with pytest.raises(BadInput, match=r"/dev/loop\d+ cannot be written: Device or resource busy"):
            write_onto(source(), Onto.of(device), nothing)
        os.close(held)
        with pytest.raises(BadInput, match="it is attached as a device"):
            write_onto(source(), Onto.of(lun), nothing)
        with pytest.raises(BadInput, match=rf"has {6 * MIB} bytes, v has {7 * MIB}"):
            write_onto(source("v", lambda: MemoryDisk(bytes(7 * MIB))), Onto.of(device), nothing)
    assert lun.read_bytes()[:SIZE] == content()
    assert lun.read_bytes()[SIZE:] == b"old!" * ((6 * MIB - SIZE) // 4)


def test_two_do_not_write_the_same(tmp_path: Path) -> None:
    part = tmp_path / ".db.img.wherry-part"
    part.mkdir()
    fd = os.open(part, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    with pytest.raises(ProjectBusy, match="being written by another process"):
        write_file(source(), tmp_path / "db.img", Form.RAW, {}, nothing)
    os.close(fd)
    write_file(source(), tmp_path / "db.img", Form.RAW, {}, nothing)


class Failing(MemoryDisk):
    """A disk that cannot be read to its end."""

    def read_into(self, buffer: memoryview, offset: int) -> None:
        if offset > 2 * MIB:
            raise OSError(errno.EIO, "bad sector")
        super().read_into(buffer, offset)


def test_what_fails_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"image of v<U\+202E> cannot be read at byte \d+: bad sector"):
        write_file(source("v\u202e", lambda: Failing(content())), tmp_path / "a.img", Form.RAW, {}, nothing)
    with pytest.raises(BadInput, match="which no VMDK can have"):
        write_file(source("v", lambda: MemoryDisk(b"x" * 513)), tmp_path / "a.vmdk", Form.VMDK, {}, nothing)

    class Forgetful(FlatDisk):
        def flush(self) -> None:
            super().flush()
            os.pwrite(self.fileno(), b"?", 3 * MIB)

    with pytest.raises(Corrupt, match="does not read as what was to be written"):
        write_file(source(), tmp_path / "a.img", Form.RAW, {}, nothing, lambda path: Forgetful(path, True))

    class Full(FlatDisk):
        def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
            raise OSError(errno.ENOSPC, "full")

    with pytest.raises(NoSpace, match="no space left for v"):
        write_file(source(), tmp_path / "a.img", Form.RAW, {}, nothing, lambda path: Full(path, True))
    assert list(tmp_path.iterdir()) == []
