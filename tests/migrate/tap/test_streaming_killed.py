"""Real processes over TLS: a receiver and a tap that are killed in the middle, and who may stream what."""

from __future__ import annotations

import dataclasses
import json
import random
import socket
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.daemons.registered import Register
from migrate.journal.store import Journals
from migrate.keys.names import Holder, Role
from migrate.replication.messages import Hello
from migrate.replication.network import NetworkService
from migrate.replication.sender import greet
from migrate.replication.tls import TlsKeys, connect_tls
from planner.errors import WherryError
from tests.migrate.replication.served import ALL, FAR, Keys, issuer
from tests.migrate.tap.guest import read_history
from tests.migrate.tap.rig import GROUP, SIZE, VOLUMES, Writes, filled, numbers_of


class Place:
    """Keys, disks on both sides, a receiver and a tap."""

    def __init__(self, root: Path, keys: Keys) -> None:
        self.root, self.home, self.store = root, root / "near", root / "store"
        keys(ALL).rename(root / "dc1.pem")
        keys(FAR).rename(root / "dc2.pem")
        self.port = 0
        self.home.mkdir()
        rng, writes = random.Random(2), Writes()
        volumes = []
        for number, volume in enumerate(VOLUMES):
            stem = volume.replace("/", "-")
            writes.initial[number] = array("Q", [rng.choice((0, 2**40)) + at for at in range(writes.blocks)])
            (self.home / f"{stem}.img").write_bytes(filled(writes.initial[number]))
            (root / f"{stem}-target.img").write_bytes(b"old!" * (SIZE // 4))
            volumes.append({"id": volume, "path": str(root / f"{stem}-target.img"), "group": GROUP})
        writes.initial = [array("Q", [n if n >= 2**40 else 0 for n in one]) for one in writes.initial]
        for number, volume in enumerate(VOLUMES):
            (self.home / f"{volume.replace('/', '-')}.img").write_bytes(filled(writes.initial[number]))
        (self.home / "initial").write_text(json.dumps([one.tolist() for one in writes.initial]))
        (root / "in.json").write_text(json.dumps({"volumes": volumes}))
        self.receiver = self.receive()

    def receive(self) -> subprocess.Popen[str]:
        with (self.root / "receiver.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tui.cli.entry", "receiver", "--store", str(self.store), "--keys",
                 str(self.root / "dc2.pem"), "--volumes", str(self.root / "in.json"),
                 "--listen", f"127.0.0.1:{self.port}"],
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        said = process.stdout and process.stdout.readline()
        assert said, (self.root / "receiver.log").read_text("utf-8")
        self.port = int(said.split()[0].rpartition(":")[2])
        return process

    def tap(self, seed: int) -> Tap:
        return Tap([str(self.home), str(self.port), str(seed)], self.root / "tap.log")

    def end(self) -> None:
        _end(self.receiver)


class Tap:
    """The other process, and what it says."""

    def __init__(
        self, words: list[str], log: Path, *, module: str = "tests.migrate.tap.guest", verb: str = ""
    ) -> None:
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *([verb] if verb else []), *words],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True,
            )  # fmt: skip
        self.log = log
        said_first = self.hear()
        assert "listens" in said_first if verb else said_first == "up", said_first

    def ask(self, line: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self, *expected: str) -> str:
        assert self.process.stdout is not None
        said = self.process.stdout.readline().strip()
        assert said, self.log.read_text("utf-8")
        assert not expected or said in expected
        return said

    def kill(self) -> None:
        _end(self.process)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(60)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return issuer(tmp_path)


@pytest.fixture
def place(tmp_path: Path, keys: Keys) -> Iterator[Place]:
    made = Place(tmp_path, keys)
    yield made
    made.end()


def test_both_ends_killed_while_guests_write(place: Place) -> None:
    rng = random.Random(11)
    tap = place.tap(1)
    try:
        assert tap.ask("settle") == "True"
        tap.ask("burst 20")
        for round_ in range(2):
            tap.ask("burst 30")
            place.end()
            tap.ask("burst 30")
            place.receiver = place.receive()
            assert tap.ask("settle") == "True"
            assert tap.ask("run") == "runs"
            time.sleep(0.2 + rng.random() / 2)
            if round_:
                place.end()  # the line is down, too, when the tap dies
                time.sleep(0.1)
            tap.kill()
            if round_:
                place.receiver = place.receive()
            tap = place.tap(2 + round_)
        assert tap.ask("settle") == "True"
        tap.ask("point in the end")
    finally:
        tap.kill()
        place.end()
    writes = read_history(place.home)
    register = Register(
        (volume, place.root / f"{volume.replace('/', '-')}-target.img", GROUP) for volume in VOLUMES
    )
    journals = Journals(place.store, register.groups(), register)
    group = journals.group(GROUP)
    points, last = group.checkpoints(), 0
    for point in points:
        found = []
        for volume in VOLUMES:
            image = group.image(point.record, volume)
            found.append(numbers_of(image))
            image.close()
        count = writes.prefix(found)
        assert count is not None, f"checkpoint {point.record} is of no moment"
        assert count >= last
        last = count
    assert points[-1].name == "in the end" or group.find("in the end")
    assert last == len(writes.history)
    journals.close()
    print(f"{len(writes.history)} writes, {len(points)} checkpoints")


def test_who_may_stream_a_group(place: Place, keys: Keys) -> None:
    def ask(
        holder: Holder, group: str, disks: tuple[tuple[str, int], ...], **more: str
    ) -> WherryError | None:
        channel = connect_tls("127.0.0.1", place.port, TlsKeys(keys(holder)), "dc2", 10.0)
        hello = Hello(
            purpose="stream", volume=group, size_bytes=0, nonce="0" * 32, disks=disks,
            **{"tap": "a" * 16, "session": "b" * 32, **more},  # type: ignore[arg-type]
        )  # fmt: skip
        try:
            greet(channel, hello)
        except WherryError as error:
            return error
        finally:
            channel.close()
        return None

    both = tuple((volume, SIZE) for volume in VOLUMES)
    limited = dataclasses.replace(ALL, groups=(GROUP,))
    other = dataclasses.replace(ALL, groups=("erp",))
    for holder, group, disks, said in (
        (other, GROUP, both, "of no group that these keys are for"),
        (Holder("p1", "dc2", Role.RECEIVER), GROUP, both, None),
        (ALL, "erp", both, "not served here"),
        (ALL, VOLUMES[0], both[:1], "not served here"),
        (ALL, GROUP, both[:1], "do not have the same disks"),
        (ALL, GROUP, (*both, ("other\x1b", 1)), "see other␛"),
        (ALL, GROUP, (both[0], both[0]), "do not have the same disks"),
        (ALL, GROUP, ((VOLUMES[0], SIZE + 1), both[1]), "the tap's has"),
    ):
        if said is None:
            with pytest.raises(WherryError):
                connect_tls("127.0.0.1", place.port, TlsKeys(keys(holder)), "dc2", 10.0)
            continue
        error = ask(holder, group, disks)
        assert error is not None, (group, disks)
        assert said in error.message
    assert "whose it is" in str(ask(ALL, GROUP, both, tap=""))
    assert ask(limited, GROUP, both) is None


def test_a_tap_with_another_folder_takes_over_with_a_newer_generation(place: Place, tmp_path: Path) -> None:
    def tap(state: str, *more: str) -> Tap:
        disks = [f"{volume}={place.home / volume.replace('/', '-')}.img" for volume in VOLUMES]
        return Tap(
            ["--state", str(tmp_path / state), "--group", GROUP, "--disk", disks[0], "--disk", disks[1],
             "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{place.port}", "--keys",
             str(tmp_path / "dc1.pem"), "--site", "dc2", "--report", "300ms", "--json", *more],
            tmp_path / "tap.log", module="tui.cli.entry", verb="tap",
        )  # fmt: skip

    def said_by(running: Tap, what: str) -> None:
        deadline = time.monotonic() + 60
        while what not in running.hear():
            assert time.monotonic() < deadline
        running.kill()

    said_by(tap("one"), '"mode": "streaming"')
    said_by(tap("two"), "has another tap, of generation 0")
    said_by(tap("two", "--generation", "1"), '"mode": "streaming"')
    said_by(tap("one"), "has another tap, of generation 1")


def test_streams_take_no_places_from_passes_nor_from_each_other(tmp_path: Path, keys: Keys) -> None:
    paths = {volume: tmp_path / f"{volume}.img" for volume in "abcd"}
    for path in paths.values():
        path.write_bytes(bytes(SIZE))
    store, halt = tmp_path / "store", threading.Event()
    register = Register((volume, path, "") for volume, path in paths.items())
    journals = Journals(store, register.groups(), register)
    service = NetworkService(
        TlsKeys(keys(FAR)), journals.open_write, register.groups(), store, journals=journals, peers=2
    )
    near, channels = TlsKeys(keys(ALL)), []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
        thread = threading.Thread(target=service.serve, args=(listening, halt.is_set))
        thread.start()
        try:
            for group in "abc":
                channels.append(connect_tls("127.0.0.1", port, near, "dc2", 10.0))
                hello = Hello(
                    purpose="stream", volume=group, size_bytes=0, nonce="0" * 32, tap="a", session="b",
                    disks=((group, SIZE),),
                )  # fmt: skip
                assert greet(channels[-1], hello)[1].numbers == (0,)
            channels.append(connect_tls("127.0.0.1", port, near, "dc2", 10.0))
            asked = Hello(purpose="pass", volume="d", size_bytes=SIZE, nonce="0" * 32, pass_id="p")
            assert greet(channels[-1], asked)[1].mode == "seed"
        finally:
            for channel in channels:
                channel.close()
            halt.set()
            thread.join(60)
    journals.close()
