"""Disks of ours served over NBD, to our own client and to others; bad clients are cut off or told so."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.disks.nbd import numbers
from migrate.disks.nbd.address import parse_uri
from migrate.disks.nbd.disk import open_export
from migrate.disks.nbd.serving.exports import Export
from migrate.disks.nbd.serving.negotiation import REQUEST_MAX
from migrate.disks.nbd.serving.server import CLIENTS_MAX, serve_unix
from migrate.disks.nbd.serving.session import Session
from planner.errors import Unreachable
from planner.units import KIB, MIB

SIZE = 8 * MIB


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(SIZE)
        file.seek(MIB)
        file.write(random.Random(1).randbytes(2 * MIB))
    return path


class Serving:
    """A server in a thread of this process."""

    def __init__(self, path: Path, exports: dict[str, Export]) -> None:
        self.path = path
        self._exports = exports
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        await serve_unix(self.path, self._exports, self._stop, self._ready.set)

    def uri(self, name: str) -> str:
        return f"nbd+unix:///{name}?socket={self.path}"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


@pytest.fixture
def serving(image: Path, tmp_path: Path) -> Iterator[Serving]:
    read, written = FlatDisk(image), FlatDisk(image, writable=True)
    server = Serving(tmp_path / "nbd.sock", {"still": Export(read), "live": Export(written, written)})
    try:
        yield server
    finally:
        server.stop()
        read.close()
        written.close()


def test_our_client_reads_writes_and_flushes(serving: Serving, image: Path) -> None:
    disk = open_export(parse_uri(serving.uri("live")), writable=True)
    data = random.Random(2).randbytes(3 * MIB)
    disk.write(data, 4 * MIB + 5)
    disk.zero(MIB, 512 * KIB)
    disk.flush()
    found = bytearray(SIZE)
    disk.read_into(memoryview(found), 0)
    disk.close()
    assert found == image.read_bytes()
    assert found[4 * MIB + 5 : 7 * MIB + 5] == data
    assert not any(found[MIB : MIB + 512 * KIB])


def test_a_disk_that_is_served_to_read_takes_nothing_and_tells_its_holes(
    serving: Serving, image: Path
) -> None:
    before = image.read_bytes()
    disk = open_export(parse_uri(serving.uri("still")))
    assert list(disk.allocated()) == [(MIB, 2 * MIB)]
    disk.close()
    with pytest.raises(Unreachable, match="for reading only"):
        open_export(parse_uri(serving.uri("still")), writable=True)
    assert image.read_bytes() == before


def needs(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"not run: there is no {tool} here")


def run(*command: str | Path) -> str:
    return subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_qemu_reads_and_writes_it(serving: Serving, image: Path, tmp_path: Path) -> None:
    needs("qemu-img")
    assert json.loads(run("qemu-img", "info", "--output=json", serving.uri("still")))["virtual-size"] == SIZE
    copied = tmp_path / "copied.img"
    run("qemu-img", "convert", "-f", "raw", "-O", "raw", serving.uri("still"), copied)
    assert copied.read_bytes() == image.read_bytes()
    runs = json.loads(run("qemu-img", "map", "--output=json", "-f", "raw", serving.uri("still")))
    assert [(r["start"], r["length"]) for r in runs if r["data"]] == [(MIB, 2 * MIB)]
    other = tmp_path / "other.img"
    other.write_bytes(random.Random(4).randbytes(SIZE))
    run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", other, serving.uri("live"))
    assert image.read_bytes() == other.read_bytes()


def test_libnbd_reads_and_writes_it(serving: Serving, image: Path, tmp_path: Path) -> None:
    needs("nbdcopy")
    copied = tmp_path / "copied.img"
    run("nbdcopy", serving.uri("still"), copied)
    assert copied.read_bytes() == image.read_bytes()
    other = tmp_path / "other.img"
    other.write_bytes(random.Random(5).randbytes(SIZE))
    run("nbdcopy", "--flush", other, serving.uri("live"))
    assert image.read_bytes() == other.read_bytes()
    needs("nbdinfo")
    listed = json.loads(run("nbdinfo", "--list", "--json", f"nbd+unix://?socket={serving.path}"))
    assert [export["export-name"] for export in listed["exports"]] == ["still", "live"]


def test_one_that_is_gone_or_sends_rubbish_is_cut_off_and_others_go_on(serving: Serving) -> None:
    for said in (b"GET / HTTP/1.1\r\n\r\n" * 10, b"\0\0\0\x01" + b"IHAVEOPT" + b"\xff" * 8, b""):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(serving.path))
            sock.sendall(said)
            if said:
                while sock.recv(4096):
                    pass
    disk = open_export(parse_uri(serving.uri("still")))
    disk.close()


def test_so_many_clients_and_no_more(serving: Serving) -> None:
    held = []
    for _ in range(CLIENTS_MAX + 1):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(10)
        sock.connect(str(serving.path))
        held.append(sock)
    greeted = [bool(sock.recv(18)) for sock in held]
    assert greeted == [True] * CLIENTS_MAX + [False]
    for sock in held:
        sock.close()


def begun(exports: dict[str, Export], name: str) -> Session:
    """A session that is past its options, without structured replies."""
    session = Session(exports)
    assert session.take(memoryview(struct.pack(">I", 3)))[0] == 4
    said = numbers.OPTION.pack(numbers.HAVE_OPTION, 1, len(name)) + name.encode()
    used, _needed, answers = session.take(memoryview(said))
    assert used == len(said)
    assert answers
    return session


def asked(session: Session, command: int, offset: int, length: int, data: bytes = b"") -> list[bytes]:
    said = numbers.REQUEST.pack(numbers.REQUEST_MAGIC, 0, command, 7, offset, length) + data
    used, _needed, answers = session.take(memoryview(said))
    assert used == len(said)
    return [bytes(part) for part in answers]


def error_of(answers: list[bytes]) -> int:
    magic, code, cookie = struct.unpack(">IIQ", answers[0])
    assert (magic, cookie) == (numbers.SIMPLE_MAGIC, 7)
    return int(code)


def test_what_cannot_be_is_told_and_what_is_too_large_is_not_waited_for(image: Path) -> None:
    disk = FlatDisk(image)
    session = begun({"a": Export(disk)}, "a")
    assert error_of(asked(session, 1, 0, 4, b"data")) == 1  # read only
    assert error_of(asked(session, 0, SIZE - 1, 2)) == 22
    assert error_of(asked(session, 0, 2**63, 2**31)) == 22
    assert error_of(asked(session, 99, 0, 0)) == 22
    assert asked(session, 0, MIB, 4)[1] == image.read_bytes()[MIB : MIB + 4]
    huge = numbers.REQUEST.pack(numbers.REQUEST_MAGIC, 0, 1, 7, 0, REQUEST_MAX + 1)
    used, needed, answers = session.take(memoryview(huge))
    assert (used, needed, answers, session.is_over) == (len(huge), 0, [], True)
    disk.close()


def test_any_bytes_at_all_end_in_an_answer_or_the_end(image: Path) -> None:
    disk = FlatDisk(image)
    rng = random.Random(9)
    for _ in range(3000):
        session = begun({"a": Export(disk)}, "a") if rng.random() < 0.5 else Session({"a": Export(disk)})
        raw = bytearray(rng.randbytes(rng.randint(1, 80)))
        if rng.random() < 0.7:
            raw[:4] = struct.pack(">I", rng.choice([3, numbers.REQUEST_MAGIC]))
            raw[4:12] = numbers.HAVE_OPTION if rng.random() < 0.8 else raw[4:12]
            raw[12:16] = struct.pack(">I", rng.randrange(12))
            raw[16:20] = struct.pack(">I", rng.randrange(70))
        view = memoryview(bytes(raw))
        while len(view) and not session.is_over:
            used, needed, _answers = session.take(view)
            assert needed <= REQUEST_MAX + 1024
            if not used:
                assert needed > len(view)
                break
            view = view[used:]
    disk.close()
