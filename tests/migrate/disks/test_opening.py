"""Disks opened by name: VMDKs of every type against qemu-img, hostile ones, and what is no disk at all."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.disks.areas import Kind
from migrate.disks.layout import Holds, Layout, Span, parse_layout, write_layout
from migrate.disks.opening import Opened, open_disk
from migrate.disks.ports import BlockDevice
from planner.errors import BadInput, Corrupt, WherryError
from tests.migrate.disks.nbd.servers import KIB, MIB, nbdkit, tool

NOISE = random.Random(7).randbytes(MIB)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Return a raw disk of 8 MiB with a MiB of noise in its middle."""
    path = tmp_path / "disk.raw"
    path.touch()
    os.truncate(path, 8 * MIB)
    with path.open("r+b") as file:
        file.seek(3 * MIB)
        file.write(NOISE)
    return path


def content(disk: BlockDevice) -> bytes:
    buffer = bytearray(disk.size_bytes)
    disk.read_into(memoryview(buffer), 0)
    return bytes(buffer)


def reopened(where: Path, writable: bool = False, mapped: Path | None = None) -> Opened:
    return open_disk(str(where), writable=writable, mapped=mapped)


def converted(raw: Path, kind: str) -> Path:
    made = raw.with_name(f"{kind}.vmdk")
    command: list[str | Path] = [
        tool("qemu-img"),
        "convert",
        "-f",
        "raw",
        "-O",
        "vmdk",
        "-o",
        f"subformat={kind}",
        raw,
        made,
    ]
    subprocess.run(command, check=True)
    return made


@pytest.mark.parametrize(
    "kind",
    ["monolithicFlat", "twoGbMaxExtentFlat", "monolithicSparse", "twoGbMaxExtentSparse", "streamOptimized"],
)
def test_vmdks_of_qemu_img_are_read_byte_for_byte(raw: Path, kind: str) -> None:
    found = reopened(converted(raw, kind))
    assert kind in found.form or found.form == "sparse VMDK"
    assert content(found.disk) == raw.read_bytes()
    assert [run for run in found.disk.allocated() if run[0] < 4 * MIB][-1] == (3 * MIB, MIB)
    assert sum(area.length for area in found.disk.areas()) == 8 * MIB
    found.disk.close()
    if "Sparse" in kind:
        with pytest.raises(BadInput, match="only reads"):
            reopened(raw.with_name(f"{kind}.vmdk"), writable=True)


def test_qemu_img_reads_a_disk_of_several_extents_that_we_wrote(tmp_path: Path) -> None:
    spans = (
        Span(MIB, Holds.FLAT, "x-f001.vmdk", 64 * KIB),
        Span(2 * MIB, Holds.ZERO),
        Span(3 * MIB, Holds.FLAT, 'x "2"-f002.vmdk'),
    )
    for span in spans:
        if span.file:
            (tmp_path / span.file).touch()
            os.truncate(tmp_path / span.file, span.skip_bytes + span.size_bytes)
    name = tmp_path / "x.vmdk"
    plain = Layout("twoGbMaxExtentFlat", spans, 0x12345678)
    name.write_text(write_layout(plain))
    assert parse_layout(name.read_text()).spans == spans
    disk = reopened(name, writable=True).disk
    disk.write(NOISE[: 600 * KIB], 500 * KIB - 76 * KIB)
    disk.write(NOISE[:1000], 6 * MIB - 1000)
    disk.zero(MIB - 1, 2 * MIB + 2)
    disk.flush()
    with pytest.raises(OSError, match="zeros by its descriptor"):
        disk.write(b"x" * 1024, MIB - 512)
    with pytest.raises(OSError, match="lies outside"):
        disk.write(b"x", 6 * MIB)
    whole = content(disk)
    assert whole[424 * KIB : MIB - 1] == NOISE[: 600 * KIB - 1]
    assert whole[-1000:] == NOISE[:1000]
    assert whole[MIB - 1 : 3 * MIB + 1] == bytes(2 * MIB + 2)
    assert Kind.HOLE in {area.kind for area in disk.areas()}
    disk.close()
    # qemu takes a quote in a name for its end and leaves out extents of zeros.
    (tmp_path / spans[2].file).rename(tmp_path / "y-f002.vmdk")
    name.write_text(write_layout(Layout(plain.kind, (spans[0], Span(3 * MIB, Holds.FLAT, "y-f002.vmdk")))))
    copy = tmp_path / "copy.raw"
    copy.write_bytes(whole[:MIB] + whole[3 * MIB :])
    command: list[str | Path] = [tool("qemu-img"), "compare", "-f", "vmdk", "-F", "raw", name, copy]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_a_raw_device_mapping_is_the_device_that_is_named(raw: Path) -> None:
    name = raw.with_name("db.vmdk")
    layout = Layout("vmfsPassthroughRawDeviceMap", (Span(8 * MIB, Holds.RDM, "db-rdmp.vmdk"),))
    name.write_text(write_layout(layout))
    found = reopened(name, mapped=raw)
    assert content(found.disk) == raw.read_bytes()
    found.disk.close()
    with pytest.raises(BadInput, match="not named"):
        reopened(name)
    os.truncate(raw, 9 * MIB)
    with pytest.raises(BadInput, match="says 8388608 bytes"):
        reopened(name, mapped=raw)


FLAT = write_layout(Layout("twoGbMaxExtentFlat", (Span(MIB, Holds.FLAT, "a.vmdk"), Span(MIB, Holds.ZERO))))


@pytest.mark.parametrize(
    ("find", "put", "why"),
    [
        ('"a.vmdk"', '"../a.vmdk"', "not a file beside"),
        ('"a.vmdk"', '"/etc/passwd"', "not a file beside"),
        ('"a.vmdk"', '"|2E|2E|2Fa.vmdk"', "not a file beside"),
        ('"a.vmdk"', '"a|00.vmdk"', "not a file beside"),
        ('"a.vmdk"', '"|FF"', "no text"),
        ('"a.vmdk"', '"..\\a"', "not a file beside"),
        ("RW 2048 ZERO", 'RW 2048 FLAT "a.vmdk" 2047', "same bytes"),
        ("RW 2048 ZERO", "RW 9999999999999999999 ZERO", "size that no disk has"),
        ("RW 2048 ZERO", "RW 0 ZERO", "size that no disk has"),
        ("RW 2048 ZERO", "RW 9007199254740991 ZERO\n" * 2, "more than any disk"),
        ("RW 2048 ZERO", "RW 1 ZERO\n" * 1024, "1025 extents"),
        ("RW 2048 ZERO", "NOACCESS 2048 ZERO", "may not be read"),
        ("RW 2048 ZERO", 'RW 2048 SPARSE "s.vmdk"', "another type"),
        ("RW 2048 ZERO", 'RW 2048 SESPARSE "s.vmdk"', "type SESPARSE"),
        ("RW 2048 ZERO", "RW 99999999999999999999999 ZERO", "neither a value nor"),
        ('FLAT "a.vmdk" 0', 'FLAT "a.vmdk" 1', "says 1049088 bytes"),
        ("twoGbMaxExtentFlat", "monolithicFlat", "2 extents"),
        ("twoGbMaxExtentFlat", "custom\x1b[2J", "not one that can be read"),
        ("parentCID=ffffffff", "parentCID=12345678", "differs from another"),
        ("version=1", 'parentFileNameHint="/etc/shadow"', "differs from another"),
        ("version=1", "#" * 70000, "longer than any"),
    ],
)
def test_a_hostile_descriptor_is_refused_in_one_sentence(
    tmp_path: Path, find: str, put: str, why: str
) -> None:
    assert find in FLAT
    (tmp_path / "a.vmdk").write_bytes(bytes(MIB))
    name = tmp_path / "x.vmdk"
    name.write_text(FLAT)
    reopened(name).disk.close()
    name.write_text(FLAT.replace(find, put, 1))
    before = open_files()
    with pytest.raises(BadInput, match=why) as caught:
        reopened(name)
    assert "\x1b" not in caught.value.message
    assert open_files() == before


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(FLAT) - 1), st.text(max_size=6), st.integers(0, 6))
def test_a_changed_descriptor_is_understood_or_refused(at: int, put: str, cut: int) -> None:
    try:
        found = parse_layout(FLAT[:at] + put + FLAT[at + cut :])
    except Corrupt:
        return
    assert all(span.size_bytes > 0 and "/" not in span.file and span.file != ".." for span in found.spans)
    assert found.size_bytes > 0


@pytest.mark.parametrize(
    ("find", "put", "why"),
    [
        (b"parentCID=ffffffff", b"parentCID=12345678", "differs from another"),
        (b'createType="monolithicSparse"', b'createType="monolithicFlat"  ', "another type|says it is"),
        (b"KDMV\x01\0\0\0", b"KDMV\x09\0\0\0", "version 9"),
        ((8 * MIB // 512).to_bytes(8, "little"), (4 * MIB // 512).to_bytes(8, "little"), "two sizes"),
        ((8 * MIB // 512).to_bytes(8, "little"), bytes(8), "0 sectors"),
    ],
)
def test_a_hostile_sparse_image_never_reaches_qemu(raw: Path, find: bytes, put: bytes, why: str) -> None:
    image = converted(raw, "monolithicSparse")
    whole = image.read_bytes()
    assert find in whole
    image.write_bytes(whole.replace(find, put, 1))
    with pytest.raises(BadInput, match=why):
        reopened(image)


def test_an_image_that_qemu_refuses_says_why_and_leaves_nothing(raw: Path) -> None:
    image = converted(raw, "monolithicSparse")
    with image.open("r+b") as file:
        file.seek(20)  # the size of a grain
        file.write((1 << 40).to_bytes(8, "little"))
    with pytest.raises(WherryError, match=r"qemu-nbd does not serve it: L1 entry size is invalid"):
        reopened(image)
    assert not children(os.getpid())


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def children(pid: int) -> list[str]:
    """Return the processes that have a process for parent and still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z" and "qemu" in status.read_text():
            found.append(status.parent.name)
    return found


def test_the_child_ends_with_the_disk_and_with_a_parent_that_was_killed(raw: Path) -> None:
    image = converted(raw, "streamOptimized")
    disk = reopened(image).disk
    assert len(children(os.getpid())) == 1
    disk.close()
    disk.close()
    assert not children(os.getpid())
    code = (
        "import sys, time; from migrate.disks.opening import open_disk; "
        "disk = open_disk(sys.argv[1]); print('open', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, image], stdout=subprocess.PIPE)
    assert parent.stdout
    assert parent.stdout.readline() == b"open\n"
    (child,) = children(parent.pid)
    watched = os.pidfd_open(int(child))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert select.select([watched], [], [], 20)[0], "qemu-nbd outlived its parent"
    os.close(watched)


def test_what_a_guest_wrote_does_not_decide_how_its_disk_is_read(tmp_path: Path) -> None:
    for name in ("x.img", "x-flat.vmdk", "x-f001.vmdk"):
        path = tmp_path / name
        path.write_bytes(FLAT.encode().ljust(4096, b"\n"))
        found = reopened(path)
        assert (found.form, found.disk.size_bytes) == ("raw file", 4096)
        found.disk.close()


def test_what_is_no_disk_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link.raw").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("none", "does not exist"), ("link.raw", "symbolic link"), ("pipe", "neither a file")):
        with pytest.raises(BadInput, match=why) as caught:
            reopened(tmp_path / name)
        assert caught.value.hint
    with pytest.raises(BadInput, match="is no path"):
        open_disk("a\0b")


def test_an_export_is_opened_by_its_address_and_says_what_it_lacks(tmp_path: Path) -> None:
    with nbdkit(tmp_path, "--filter=noextents", "memory", "1M") as uri:
        found = open_disk(uri)
        assert (found.form, found.disk.size_bytes) == ("NBD export", MIB)
        found.disk.close()
    with nbdkit(tmp_path, "--no-sr", "memory", "1M") as uri:
        found = open_disk(uri)
        assert found.hints == ("the server does not tell holes, all of it will be read",)
        found.disk.close()
