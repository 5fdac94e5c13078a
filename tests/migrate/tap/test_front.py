"""Guests on a tap: what they write is on the disk and in the records, in one order, whatever overlaps."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.disks.nbd import numbers
from migrate.disks.nbd.address import parse_uri
from migrate.disks.nbd.disk import open_export
from migrate.tap.counts import STALL_S
from migrate.tap.front import Conversation
from migrate.tap.mapfile import AREA, COLD, MapFile, seen
from planner.errors import BadInput, SiteRefused
from planner.units import KIB, MIB
from tests.migrate.tap.served import Tapped, cooled

SIZE = 24 * MIB
HOSTILE = "db \x1b[31m\u202e[bold]"


class Spoiled(FlatDisk):
    """A disk with a place that cannot be written, and one that cannot be read either."""

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        if offset <= 8 * MIB < offset + len(data):
            super().write(memoryview(data)[: len(data) // 2], offset)
            raise OSError(errno.EIO, "a bad sector")
        super().write(data, offset)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        if offset <= 8 * MIB + 64 * KIB < offset + len(buffer):
            raise OSError(errno.EIO, "a bad sector")
        super().read_into(buffer, offset)


class Lingering(FlatDisk):
    """A disk that takes its time to say that zeros were made."""

    def zero(self, offset: int, length: int) -> None:
        super().zero(offset, length)
        if length > MIB:
            time.sleep(0.005)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "db.img", tmp_path / "log.img"]
    for number, path in enumerate(paths):
        with path.open("wb") as file:
            file.truncate(SIZE)
            file.seek(MIB)
            file.write(random.Random(number).randbytes(2 * MIB))
    return paths


@pytest.fixture
def tapped(images: list[Path], tmp_path: Path) -> Iterator[Tapped]:
    disks = [Lingering(images[0], writable=True), Spoiled(images[1], writable=True)]
    names = [HOSTILE, "log"]
    maps = [MapFile(tmp_path / f"{n}.areas", names[n], SIZE, seen(d.fileno())) for n, d in enumerate(disks)]
    cooled(maps, disks)
    served = Tapped(tmp_path, disks, names)
    try:
        yield served
    finally:
        served.stop()


class Raw:
    """A client that says what it likes, and reads plain answers in any order."""

    def __init__(self, path: Path, name: str) -> None:
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.settimeout(20)
        self._sock.connect(str(path))
        self.get(18)
        raw = name.encode()
        self.say(struct.pack(">I", 3) + numbers.OPTION.pack(numbers.HAVE_OPTION, 1, len(raw)) + raw)
        self.size, self.can = struct.unpack(">QH", self.get(10))

    def say(self, raw: bytes) -> None:
        self._sock.sendall(raw)

    def get(self, length: int) -> bytes:
        got = bytearray()
        while len(got) < length:
            part = self._sock.recv(length - len(got))
            if not part:
                raise EOFError
            got += part
        return bytes(got)

    def ask(
        self, command: int, offset: int, length: int, data: bytes = b"", cookie: int = 7, flags: int = 0
    ) -> None:
        self.say(numbers.REQUEST.pack(numbers.REQUEST_MAGIC, flags, command, cookie, offset, length) + data)

    def answer(self) -> tuple[int, int]:
        """Return (error, cookie) of the next answer."""
        magic, code, cookie = struct.unpack(">IIQ", self.get(16))
        assert magic == numbers.SIMPLE_MAGIC
        return code, cookie

    def close(self) -> None:
        self._sock.close()


def test_our_client_writes_and_all_of_it_is_recorded(tapped: Tapped, images: list[Path]) -> None:
    before = images[0].read_bytes()
    disk = open_export(
        parse_uri(tapped.uri(f"{HOSTILE}".replace("[", "%5B").replace("\x1b", "%1B"))), writable=True
    )
    disk.write(random.Random(2).randbytes(9 * MIB), 3 * MIB + 5)
    disk.zero(MIB, 512 * KIB)
    disk.zero(8 * MIB, 5 * MIB + 3)
    disk.write(b"end", SIZE - 3)
    disk.flush()
    found = bytearray(SIZE)
    disk.read_into(memoryview(found), 0)
    disk.close()
    assert found == images[0].read_bytes()
    assert found == tapped.records.replayed(0, before)
    assert found != before
    assert not any(disk for disk, *_rest in tapped.records.records)
    assert tapped.tap.counts.map_waits > 0, "nothing was cold, which proves little"
    assert tapped.tap.counts.errors == 0


def needs(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"not run: there is no {tool} here")


def run(*command: str | Path) -> str:
    return subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_qemu_and_libnbd_are_guests(tapped: Tapped, images: list[Path], tmp_path: Path) -> None:
    needs("nbdcopy")
    needs("qemu-io")
    before = images[1].read_bytes()
    other = tmp_path / "other.img"
    other.write_bytes(random.Random(4).randbytes(7 * MIB))
    run("nbdcopy", "--flush", "--connections=4", other, tapped.uri("log"))
    said = run(
        "qemu-io", "-f", "raw", "-c", "write -P 0xab 16M 64k", "-c", "write -f -P 0xcd 17M 4k", "-c",
        "write -z 1M 3M", "-c", "discard 20M 1M", "-c", "flush", "-c", "read -P 0xab 16M 64k", "-c",
        "read -P 0 1M 3M", tapped.uri("log"),
    )  # fmt: skip
    assert "failed" not in said
    copied = tmp_path / "copied.img"
    run("nbdcopy", tapped.uri("log"), copied)
    assert copied.read_bytes() == images[1].read_bytes() == tapped.records.replayed(1, before)
    assert images[1].read_bytes()[17 * MIB : 17 * MIB + 4 * KIB] == b"\xcd" * 4 * KIB
    needs("nbdinfo")
    listed = json.loads(run("nbdinfo", "--list", "--json", f"nbd+unix://?socket={tapped.socket}"))
    assert [export["export-name"] for export in listed["exports"]] == [HOSTILE, "log"]
    assert all(export["can_multi_conn"] for export in listed["exports"])


def test_overlapping_writes_of_several_guests_stand_in_the_records_as_on_the_disk(
    tapped: Tapped, images: list[Path]
) -> None:
    failed: list[BaseException] = []

    def write(guest: Raw, rng: random.Random) -> None:
        try:
            for cookie in range(16):
                offset = 10 * MIB + rng.randrange(3 * MIB)
                kind = rng.random()
                if kind < 0.8:
                    data = rng.randbytes(rng.choice([1, 4 * KIB, 100_000]))
                    flags = numbers.FLAG_FUA if kind < 0.1 else 0
                    guest.ask(1, offset, len(data), data, cookie, flags)
                else:  # large ones are made by a thread
                    guest.ask(rng.choice([4, 6]), offset, rng.choice([4 * KIB, 2 * MIB]), b"", cookie)
            assert {guest.answer() for _ in range(16)} == {(0, cookie) for cookie in range(16)}
        except BaseException as error:  # noqa: BLE001, it fails the test below
            failed.append(error)

    guests = [(Raw(tapped.socket, HOSTILE), random.Random(seed)) for seed in range(4)]
    before, known = images[0].read_bytes(), 0
    for _ in range(12):
        threads = [threading.Thread(target=write, args=guest) for guest in guests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not failed
        before = tapped.records.replayed(0, before, known)
        known += 4 * 16
        assert len(tapped.records.records) == known
        assert images[0].read_bytes() == before
    for guest, _rng in guests:
        guest.close()


def test_a_cold_area_is_hot_in_the_file_before_anything_is_written_there(
    tapped: Tapped, images: list[Path], tmp_path: Path
) -> None:
    guest = Raw(tapped.socket, HOSTILE)
    guest.ask(1, 5 * AREA, 4, b"data")
    assert guest.answer() == (0, 7)
    raw = (tmp_path / "0.areas").read_bytes()
    (tmp_path / "seen").write_bytes(raw)  # what a process that starts now would find
    found = MapFile(tmp_path / "seen", HOSTILE, SIZE, seen(os.open(images[0], os.O_RDONLY)))
    assert [area for area, state in enumerate(found.hot) if state != COLD] == [5]
    found.close(None)
    guest.close()


def test_a_disk_that_fails_tells_its_guest_and_the_records_say_what_is_there(
    tapped: Tapped, images: list[Path]
) -> None:
    before = images[1].read_bytes()
    guest = Raw(tapped.socket, "log")
    guest.ask(1, 8 * MIB, 8 * KIB, b"x" * 8 * KIB)
    assert guest.answer() == (5, 7)
    assert images[1].read_bytes()[8 * MIB : 8 * MIB + 4 * KIB] == b"x" * 4 * KIB, "half of it came through"
    assert images[1].read_bytes() == tapped.records.replayed(1, before)
    assert tapped.records.let_go_for == []
    guest.ask(1, 8 * MIB - 64 * KIB, 256 * KIB, b"y" * 256 * KIB)  # of this nobody knows what is there
    assert guest.answer() == (5, 7)
    assert len(tapped.records.let_go_for) == 1
    hot = tapped.tap.in_front(tapped.areas.hot)
    assert hot == [(1, 8 * MIB - 64 * KIB, 256 * KIB)]
    guest.ask(1, 12 * MIB, 4, b"fine")
    assert guest.answer() == (0, 7)
    guest.close()


class Slow(MapFile):
    """A map on storage that takes its time."""

    def write(self, pages: Mapping[int, bytes]) -> None:
        time.sleep(1.5 * STALL_S)
        super().write(pages)


class Full(MapFile):
    """A map on storage that has no room any more."""

    def write(self, pages: Mapping[int, bytes]) -> None:
        raise OSError(errno.ENOSPC, "no space")


class Stuck(Full):
    """A map that cannot even be removed."""

    def void(self) -> None:
        raise OSError(errno.EROFS, "read only")


def on_map(image: Path, folder: Path, make_map: type[MapFile]) -> Tapped:
    """Serve one disk, cold throughout, with such a map."""
    disk = FlatDisk(image, writable=True)
    cooled([MapFile(folder / "0.areas", "db", SIZE, seen(disk.fileno()))], [disk])
    return Tapped(folder, [disk], ["db"], make_map)


def test_a_guest_that_waits_for_the_map_is_counted(images: list[Path], tmp_path: Path) -> None:
    served = on_map(images[0], tmp_path, Slow)
    try:
        guest = Raw(served.socket, "db")
        guest.ask(1, 0, 4, b"data")
        assert guest.answer() == (0, 7)
        assert served.tap.counts.stalls >= 1
        assert served.tap.counts.longest_s > STALL_S
        guest.close()
    finally:
        served.stop()


def test_guests_go_on_without_a_map_and_then_everything_is_compared(
    images: list[Path], tmp_path: Path
) -> None:
    served = on_map(images[0], tmp_path, Full)
    try:
        guest = Raw(served.socket, "db")
        for number in range(SIZE // AREA):
            guest.ask(1, number * AREA, 4, b"data", number)
            assert guest.answer() == (0, number)
        assert "cannot be written" in served.areas.failed
        assert not (tmp_path / "0.areas").exists()
        guest.close()
    finally:
        served.stop()
    assert not (tmp_path / "0.areas").exists()


def test_nothing_cold_is_written_to_when_the_map_can_neither_be_written_nor_removed(
    images: list[Path], tmp_path: Path
) -> None:
    before = images[0].read_bytes()
    served = on_map(images[0], tmp_path, Stuck)
    try:
        guest = Raw(served.socket, "db")
        for number in range(3):
            guest.ask(1, 5, 4, b"data", number)
            assert guest.answer() == (5, number)
        guest.ask(0, MIB, 4, b"", 9)
        assert guest.answer() == (0, 9)
        guest.close()
    finally:
        served.stop()
    assert images[0].read_bytes() == before


class Unsound(FlatDisk):
    """A disk whose medium loses what it was given."""

    sound = True

    def flush(self) -> None:
        if not self.sound:
            self._poison = "a lost page"  # as a sync that failed leaves it
            raise OSError(errno.EIO, "a lost page")
        super().flush()


def test_a_flush_that_fails_is_final(images: list[Path], tmp_path: Path) -> None:
    disk = Unsound(images[0], writable=True)
    cooled([MapFile(tmp_path / "0.areas", "db", SIZE, seen(disk.fileno()))], [disk])
    served = Tapped(tmp_path, [disk], ["db"])
    try:
        guest = Raw(served.socket, "db")
        guest.ask(1, 0, 4, b"data")
        assert guest.answer() == (0, 7)
        guest.ask(3, 0, 0)
        assert guest.answer() == (0, 7)
        disk.sound = False
        guest.ask(1, 0, 4, b"lost", flags=numbers.FLAG_FUA)
        assert guest.answer() == (5, 7)
        for command, data in ((1, b"more"), (3, b""), (0, b""), (4, b"")):
            guest.ask(command, 0, len(data) or (0 if command == 3 else 4), data)
            assert guest.answer() == (5, 7), command
        guest.close()
    finally:
        served.stop()
    later = MapFile(tmp_path / "0.areas", "db", SIZE, seen(os.open(images[0], os.O_RDONLY)))
    assert later.hot[0] != COLD, "nobody knows what is there"
    later.close(None)


def test_what_cannot_be_is_told_and_what_is_too_large_is_not_waited_for(tapped: Tapped) -> None:
    guest = Raw(tapped.socket, "log")
    assert guest.size == SIZE
    for command, flags, offset, length, code in (
        (1, 0, SIZE - 1, 2, 28),
        (1, 0, 2**63, 2, 28),
        (1, 8, 0, 2, 22),
        (0, 0, SIZE - 1, 2, 22),
        (0, 0, 0, 33 * MIB, 22),
        (4, 0, 2**63, 2**31, 22),
        (6, 16, 0, 4096, 22),
        (7, 0, 0, 4096, 22),
        (99, 0, 0, 0, 22),
    ):
        guest.ask(command, offset, length, b"ab" if command == 1 else b"", flags=flags)
        assert guest.answer() == (code, 7), (command, flags)
    for command in (0, 1, 4, 6):
        guest.ask(command, 5, 0)
        assert guest.answer() == (0, 7)
    assert tapped.records.records == []
    guest.ask(1, 0, 33 * MIB)
    with pytest.raises(EOFError):
        guest.answer()
    guest.close()
    for said in (
        b"GET / HTTP/1.1\r\n\r\n" * 10,
        b"\0\0\0\0",
        struct.pack(">I", 3) + b"IHAVEOPT" + b"\xff" * 8,
    ):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(tapped.socket))
            sock.sendall(said)
            while sock.recv(4096):
                pass
    with pytest.raises(SiteRefused, match="no such export"):
        open_export(parse_uri(tapped.uri("nothing")))
    Raw(tapped.socket, "log").close()


def heard(sock: socket.socket) -> None:
    """Read what is there."""
    with suppress(BlockingIOError):
        while sock.recv(MIB):
            pass


def babble(rng: random.Random, name: bytes) -> bytes:
    """Return something that looks like a client for a while."""
    said = bytearray(struct.pack(">I", 3) + numbers.OPTION.pack(numbers.HAVE_OPTION, 1, len(name)) + name)
    for _ in range(rng.randrange(6)):
        length = rng.choice([0, 1, 4096, 2**31, rng.randrange(SIZE)])
        asked = numbers.REQUEST.pack(
            numbers.REQUEST_MAGIC, rng.choice([0, 0, 1, 2, 77]), rng.choice([0, 1, 1, 3, 4, 6, 7, 200]),
            rng.getrandbits(64), rng.choice([0, SIZE - 1, rng.randrange(SIZE), 2**64 - 1]), length,
        )  # fmt: skip
        said += asked + rng.randbytes(min(length, 5000) if rng.random() < 0.7 else 0)
    for _ in range(rng.choice([0, 0, 1, 3])):
        said[rng.randrange(len(said))] = rng.randrange(256)
    return bytes(said)


def test_writes_that_come_together_are_done_in_order_and_one_that_fails_fails_alone(
    tapped: Tapped, images: list[Path]
) -> None:
    before = images[1].read_bytes()
    guest, rng = Raw(tapped.socket, "log"), random.Random(8)
    guest.ask(1, 7 * MIB, 2 * MIB, bytes(2 * MIB), 1)  # its areas are hot from here on, for all of it
    assert guest.answer() == (5, 1)
    writes = [
        (rng.randrange(7 * MIB, 8 * MIB - 9000), rng.randbytes(rng.randrange(1, 9000))) for _ in range(200)
    ]
    bad = {20, 63, 64, 131, 199}
    for number in bad:
        writes[number] = (8 * MIB - 600, rng.randbytes(1200))
    head = numbers.REQUEST.pack
    guest.say(
        b"".join(
            head(numbers.REQUEST_MAGIC, 0, 1, number, offset, len(data)) + data
            for number, (offset, data) in enumerate(writes)
        )
    )
    answers = {guest.answer() for _ in writes}
    assert answers == {(5 if number in bad else 0, number) for number in range(len(writes))}
    guest.close()
    tapped.stop()
    told = [(offset, data) for _disk, offset, data, _length in tapped.records.records[-len(writes) :]]
    assert all(told[number] == writes[number] for number in range(len(writes)) if number not in bad)
    assert images[1].read_bytes() == tapped.records.replayed(1, before) != before


def test_any_bytes_at_all_in_any_pieces_end_in_answers_or_the_end(tapped: Tapped, images: list[Path]) -> None:
    rng, before = random.Random(11), images[0].read_bytes()

    def talk() -> None:
        near, far = socket.socketpair()
        far.setblocking(False)
        guest = Conversation(tapped.tap, near, set())
        left = memoryview(babble(rng, HOSTILE.encode()))
        while left and not guest.is_closed:
            if rng.random() < 0.9 or guest.is_choked:
                heard(far)
            if guest.is_choked:
                guest.writable()
            elif guest.is_held:
                break  # requests wait, nobody is read from
            else:
                assert 0 < len(guest.window.room()) <= 40 * MIB
                left = left[far.send(left[: rng.choice([1, 30, 5000, 10**6])]) :]
                guest.readable()
        far.close()
        guest.close()

    for _ in range(1500):
        tapped.tap.in_front(talk)
    served = Raw(tapped.socket, HOSTILE)
    served.ask(3, 0, 0)
    assert served.answer() == (0, 7)
    served.close()
    tapped.stop()  # what was asked for and waits is done by then
    assert images[0].read_bytes() == tapped.records.replayed(0, before) != before


def test_a_guest_that_reads_no_answers_is_not_read_from_and_gets_all_of_them_later(tapped: Tapped) -> None:
    guest = Raw(tapped.socket, "log")
    wanted = 24
    sent = threading.Thread(
        target=lambda: [guest.ask(0, MIB, 2 * MIB, cookie=number) for number in range(wanted)]
    )
    sent.start()
    other = Raw(tapped.socket, HOSTILE)
    for number in range(50):
        other.ask(1, number * 4096, 4, b"data", cookie=number)
        assert other.answer() == (0, number)
    seen_cookies = set()
    for _ in range(wanted):
        code, cookie = guest.answer()
        assert code == 0
        assert guest.get(2 * MIB) == random.Random(1).randbytes(2 * MIB)
        seen_cookies.add(cookie)
    sent.join(10)
    assert seen_cookies == set(range(wanted))
    guest.close()
    other.close()


def test_more_requests_than_may_wait_are_all_done(tapped: Tapped, images: list[Path]) -> None:
    before = images[0].read_bytes()
    guest = Raw(tapped.socket, HOSTILE)
    rng = random.Random(3)
    wanted = 700  # each of them waits for a sync
    requests = [(rng.randrange(SIZE - 4096), rng.randbytes(512)) for _ in range(wanted)]

    def ask() -> None:
        for number, (offset, data) in enumerate(requests):
            guest.ask(1, offset, len(data), data, number, numbers.FLAG_FUA)

    asking = threading.Thread(target=ask)
    asking.start()
    answers = {guest.answer() for _ in range(wanted)}
    asking.join(10)
    assert answers == {(0, number) for number in range(wanted)}
    assert images[0].read_bytes() == tapped.records.replayed(0, before)
    guest.close()


def test_only_this_machine_is_listened_to(tmp_path: Path) -> None:
    from migrate.tap.listening import listen

    for where in ("0.0.0.0:0", "10.0.0.5:10809", "[::]:0", "example.org:1"):
        with pytest.raises(BadInput, match="other machines"):
            listen(where)
    (tmp_path / "file").write_bytes(b"mine")
    for where, why in (
        (f"unix:{tmp_path / 'file'}", "in use"),
        (f"unix:{tmp_path / ('x' * 200)}", "listened"),
    ):
        with pytest.raises(BadInput, match=why):
            listen(where)
    assert (tmp_path / "file").read_bytes() == b"mine"
    path = tmp_path / "sock"
    with listen(f"unix:{path}"):
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(BadInput, match="in use"):
            listen(f"unix:{path}")
    assert path.exists(), "as one that died leaves it"
    with listen(f"unix:{path}"), socket.socket(socket.AF_UNIX) as knock:
        knock.connect(str(path))
