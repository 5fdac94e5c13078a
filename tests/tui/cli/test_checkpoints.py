"""Checkpoints and images of a real receiver over TLS: two disks of one group, under hostile names."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from migrate import audit
from migrate.disks.nbd.address import parse_uri
from migrate.disks.nbd.disk import open_export
from migrate.keys import authority
from migrate.keys.names import Holder, Role
from planner.store.project import Project
from planner.units import MIB
from tests.faults.path import Event, Line
from tests.migrate.journal.test_materialise import looped
from tests.migrate.replication.served import until
from tests.tui.cli.command import Ran, refused, wherry

SIZE = 3 * MIB
GROUP = "crm\x1b[2J\u202e[red]"
DISKS = {"a\x1b]0;x\x07/../é": "a", "b [b]&?#=%25+": "b"}
NAME = "before\x1b[31m patch\u2066 [/]\n"
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Place:
    """Keys, sources, targets, a receiver, and what the sources were at each checkpoint."""

    def __init__(self, root: Path) -> None:
        self.root, self.store = root, root / "store"
        authority.create(root / "keys", "p1")
        for site, role in (("dc1", Role.SENDER), ("dc2", Role.RECEIVER)):
            authority.issue(root / "keys", Holder("p1", site, role), 30, root / f"{site}.pem")
        self.rng = random.Random(4)
        self.sources = {volume: self.rng.randbytes(SIZE) for volume in DISKS}
        for stem in DISKS.values():
            (root / f"{stem}-target.img").write_bytes(bytes(SIZE))
        volumes = [
            {"id": volume, "path": str(root / f"{stem}-target.img"), "group": GROUP}
            for volume, stem in DISKS.items()
        ]
        (root / "in.json").write_text(json.dumps({"volumes": volumes}), "ascii")
        self.line = Line(0)
        self.was: dict[int, dict[str, bytes]] = {}
        self.start()

    def start(self) -> None:
        with (self.root / "receiver.log").open("ab") as log:
            self.receiver = subprocess.Popen(
                [sys.executable, "-m", "tui.cli.entry", "receiver", "--store", str(self.store), "--keys",
                 str(self.root / "dc2.pem"), "--volumes", str(self.root / "in.json"),
                 "--listen", "127.0.0.1:0"],
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.receiver.stdout is not None
        said = self.receiver.stdout.readline()
        assert said, (self.root / "receiver.log").read_text("utf-8")
        self.line.to = int(said.split()[0].rpartition(":")[2])

    def end(self, number: int = signal.SIGTERM) -> int:
        self.receiver.send_signal(number)
        code = self.receiver.wait(60)
        self.receiver.communicate()
        return code

    def change(self) -> None:
        for volume, content in self.sources.items():
            offset = self.rng.randrange(SIZE // 4096 - 40) * 4096
            data = self.rng.randbytes(self.rng.randint(1, 30) * 4096)
            self.sources[volume] = content[:offset] + data + content[offset + len(data) :]

    def send(self, volume: str, cycle: str, how: str = "--compare", worth: str = "crash") -> Ran:
        path = self.root / f"{DISKS[volume]}.img"
        path.write_bytes(self.sources[volume])
        return wherry("send", str(path), f"127.0.0.1:{self.line.port}", "--volume", volume, "--site", "dc2",
                      "--keys", str(self.root / "dc1.pem"), "--pass-id", cycle, "--cycle", cycle,
                      how, "--consistency", worth, "--json", "--live")  # fmt: skip

    def cycle(self, cycle: str, *worth: str) -> None:
        for volume, level in zip(DISKS, worth or ("crash", "crash"), strict=True):
            ran = self.send(volume, cycle, worth=level)
            assert ran.code == 0, ran.text
        until(lambda: any(point["cycle"] == cycle for point in self.points()))  # once its disk is let go
        self.was[self.points()[-1]["record"]] = dict(self.sources)

    def ask(self, verb: str, *words: str) -> Ran:
        ran = wherry(verb, GROUP, *words, "--store", str(self.store))
        assert "--json" in words or not _CONTROL.search(ran.text), ran.text
        return ran

    def points(self) -> list[dict[str, Any]]:
        ran = self.ask("checkpoints", "--json")
        assert ran.code == 0, ran.text
        found: list[dict[str, Any]] = ran.document["checkpoints"]
        return found

    @contextmanager
    def served(self, *words: str) -> Iterator[list[dict[str, Any]]]:
        """Serve an image from a process of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tui.cli.entry", "image", GROUP, *words, "--serve", "--json",
             "--store", str(self.store)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if line == "}\n":
                    break
            assert lines, process.communicate()[1]
            self.serving = process
            yield json.loads("".join(lines))["disks"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        self.code = process.returncode

    def check(self, record: int, *words: str) -> None:
        """Compare the image of a checkpoint, served, with what the sources were."""
        with self.served(str(record), *words) as disks:
            for disk in disks:
                assert read(disk["uri"]) == self.was[record][disk["volume"]]
        assert self.code == 0


def read(uri: str) -> bytes:
    """Return what an export holds, read by another program where there is one."""
    if shutil.which("nbdcopy"):
        return subprocess.run(["nbdcopy", uri, "-"], check=True, capture_output=True, timeout=60).stdout
    disk = open_export(parse_uri(uri))
    buffer = bytearray(disk.size_bytes)
    disk.read_into(memoryview(buffer), 0)
    disk.close()
    return bytes(buffer)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("journal"))
    yield made
    made.line.close()
    made.receiver.kill()
    made.receiver.communicate()


def test_cycles_become_checkpoints_and_none_is_made_in_between(place: Place) -> None:
    first, second = DISKS
    assert place.points() == []
    refused(place.ask("checkpoint", "early"), 3, "is between two points", "was never brought here")
    place.cycle("one")
    place.change()
    assert place.send(first, "two").code == 0
    refused(place.ask("checkpoint", NAME), 3, "passes of different cycles", "--wait")
    waiting = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.entry", "checkpoint", GROUP, NAME, "--wait", "--pin", "--json",
         "--store", str(place.store)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert waiting.stderr is not None
    assert waiting.stderr.readline() == "waiting: its disks came in passes of different cycles\n"
    place.line.events.append(Event(MIB, cuts=True))
    assert place.send(second, "two", "--verify").code == 6
    refused(place.ask("checkpoint"), 3, "is under way")
    assert place.send(second, "two", "--verify").code == 0
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, err
    point = json.loads(out)
    assert (point["name"], point["pinned"], point["consistency"]) == (NAME, True, "crash")
    place.was[point["record"]] = dict(place.sources)
    assert place.points()[-1]["record"] == point["record"]
    place.change()
    place.cycle("three", "application", "filesystem")
    assert len(place.was) == 3
    assert [point["consistency"] for point in place.points()] == ["crash", "crash", "filesystem"]


def test_each_image_is_what_the_sources_were(place: Place) -> None:
    assert len(place.was) == 3
    for record in place.was:
        place.check(record)


def test_what_is_written_to_an_image_leaves_no_trace(place: Place) -> None:
    record = max(place.was)
    volume = next(iter(DISKS))
    with place.served("latest", "--disk", volume, "--writable", "--scratch-limit", "1MiB") as (told,):
        disk = open_export(parse_uri(told["uri"]), writable=True)
        disk.write(b"!" * 8192, 4096)
        buffer = bytearray(8192)
        disk.read_into(memoryview(buffer), 4096)
        assert buffer == b"!" * 8192
        with pytest.raises(OSError, match="space"):
            disk.write(bytes(2 * MIB), 0)
        disk.close()
    place.check(record)
    until(lambda: not list((place.store / "images").iterdir()))
    assert list((place.store / "scratch").iterdir()) == []


def test_images_are_written_out(place: Place, tmp_path: Path) -> None:
    ran = place.ask("image", NAME, "--to", str(tmp_path / "out"))
    assert ran.code == 0, ran.text
    told = json.loads((tmp_path / "out" / "checkpoint.json").read_bytes())
    was = place.was[told["checkpoint"]["record"]]
    assert told["checkpoint"]["name"] == NAME
    for disk in told["disks"]:
        assert (tmp_path / "out" / disk["file"]).read_bytes() == was[disk["volume"]]
        assert disk["blake3"] == blake3(was[disk["volume"]]).hexdigest()
    volume = list(DISKS)[1]
    ran = place.ask("image", "latest", "--disk", volume, "--to", str(tmp_path / "db.vmdk"), "--json")
    assert ran.code == 0, ran.text
    assert (tmp_path / "db-flat.vmdk").read_bytes() == place.sources[volume]
    assert ran.document["disks"][0]["blake3"] == blake3(place.sources[volume]).hexdigest()
    lun = tmp_path / "lun"
    lun.write_bytes(b"old!" * (SIZE // 4))
    onto = ("image", "latest", "--disk", volume, "--onto", str(lun))
    assert "nothing was written, add --live" in place.ask(*onto).err
    assert lun.read_bytes() == b"old!" * (SIZE // 4)
    tried = place.ask(*onto, "--json").document
    assert (tried["live"], tried["size_bytes"], tried["room_bytes"]) == (False, SIZE, SIZE)
    refused(place.ask(*onto, "--live"), 2, "was not confirmed")
    refused(place.ask(*onto, "--live", "--confirm", "lun"), 2, "'lun' is not the path of the device")
    assert lun.read_bytes() == b"old!" * (SIZE // 4)
    sure = ("--live", "--confirm", str(lun))
    assert place.ask(*onto, *sure).code == 0
    assert lun.read_bytes() == place.sources[volume]
    refused(place.ask("image", "latest", "--onto", str(lun), *sure), 2, "only one disk")
    lun.unlink()
    refused(place.ask("image", "latest", "--to", str(tmp_path / "out")), 2, "is there already")
    refused(place.ask("image", "latest", "--disk", volume, "--to", str(tmp_path / "x.img"), "--format",
                      "vmdk"), 2, "is not what a vmdk disk is called")  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["db-flat.vmdk", "db.vmdk", "out"]


def test_a_device_is_written_over_by_its_lasting_name(place: Place, tmp_path: Path) -> None:
    lun, name = tmp_path / "lun", tmp_path / "wwn-0x5000"
    lun.write_bytes(b"old!" * (SIZE // 4))
    volume = list(DISKS)[1]
    onto = ("image", "latest", "--disk", volume, "--onto", str(name))
    name.symlink_to(lun)
    refused(place.ask(*onto, "--live", "--confirm", str(name)), 2, "which is no block device")
    name.unlink()
    with looped(lun) as device:
        name.symlink_to(device)
        tried = place.ask(*onto)
        assert f"{name} is {device}" in tried.err
        assert f"over {name} ({device}); nothing was written" in tried.err
        other = place.ask(*onto, "--live", "--confirm", str(device))
        assert (other.code, "is not the path of the device" in other.err) == (2, True), other.text
        assert lun.read_bytes() == b"old!" * (SIZE // 4)
        written = place.ask(*onto, "--live", "--confirm", str(name), "--json").document
        assert (written["to"], written["node"], written["live"]) == (str(name), str(device), True)
    assert lun.read_bytes() == place.sources[volume]


def test_it_is_noted_in_the_log_of_a_project(place: Place, tmp_path: Path) -> None:
    assert wherry("init", str(tmp_path / "move")).code == 0
    noted = ("--project", str(tmp_path / "move"))
    assert place.ask("checkpoint", "noted", *noted).code == 0
    place.was[place.points()[-1]["record"]] = dict(place.sources)
    assert place.ask("image", "noted", "--to", str(tmp_path / "out"), *noted).code == 0
    assert place.ask("image", "none", "--to", str(tmp_path / "out"), *noted).code == 2
    lun = ("image", "noted", "--disk", next(iter(DISKS)), "--onto", str(tmp_path / "lun"))
    refused(place.ask(*lun, *noted), 2, "cannot be written")
    (tmp_path / "lun").write_bytes(bytes(SIZE - 512))
    refused(place.ask(*lun, *noted), 2, f"has {SIZE - 512} bytes")
    os.truncate(tmp_path / "lun", SIZE)
    assert place.ask(*lun, *noted).code == 0  # it is only tried
    with Project.open(tmp_path / "move") as project:
        lines = [line for line in audit.lines(project) if "init" not in line.act]
    assert [line.act for line in lines] == ["checkpoint", "checkpoint made", "image", "image written"]
    assert {line.subject for line in lines} == {GROUP}


def test_what_makes_no_sense_is_refused(place: Place) -> None:
    refused(place.ask("image", "latest"), 2, "served or written out, one of them")
    refused(place.ask("image", "latest", "--serve", "--to", "x"), 2, "served or written out, one of them")
    refused(place.ask("image", "latest", "--to", "x", "--writable"), 2, "only what is served")
    refused(place.ask("image", "latest", "--serve", "--scratch-limit", "much"), 2, "is not a size")
    refused(place.ask("image", "latest", "--serve", "--listen", "0.0.0.0:0"), 2, "from other machines")
    refused(place.ask("image", "999", "--serve"), 2, "has no checkpoint 999")
    refused(place.ask("image", "latest", "--serve", "--disk", "c"), 2, "volume c is not of group")
    refused(place.ask("checkpoint", "17"), 2, "means another one")
    refused(wherry("checkpoints", "--pin", "1", "--store", str(place.store)), 2, "not said of which group")
    refused(wherry("checkpoints", "--store", str(place.root / "none")), 2, "not the store of a receiver")
    (place.root / ("x" * 100)).mkdir()
    deep = place.root / ("x" * 100) / ".." / "store"
    refused(wherry("image", GROUP, "latest", "--serve", "--store", str(deep)), 2, "too long a path")


def test_notes_stay_and_the_list_shows_them(place: Place) -> None:
    hostile = "booted\x1b[5m\u202e, passed"
    newest = str(max(place.was))
    assert place.ask("checkpoints", "--pin", newest, "--result", "latest", hostile).code == 0
    assert place.ask("checkpoints", "--unpin", NAME).code == 0
    out = place.ask("checkpoints").out
    assert "\u241b[5m<U+202E>, passed" in out
    assert "pinned" in out
    assert "before\u241b[31m patch<U+2066> [/]\u240a" in out
    assert out.startswith("crm\u241b[2J<U+202E>[red]: 4 checkpoints of 2 disks, back to ")
    assert [point["pinned"] for point in place.points() if point["name"] == NAME] == [False]


def test_the_verbs_work_while_no_receiver_is_at_work(place: Place, tmp_path: Path) -> None:
    before = place.points()
    with place.served(str(min(place.was))):
        assert place.end() == 0
        place.serving.wait(60)
    assert place.code == 6  # who served it has gone
    assert place.points() == before
    place.check(min(place.was), "--listen", "127.0.0.1:0")
    assert place.ask("checkpoint", "while nobody", "--wait").code == 0
    assert place.ask("checkpoints", "--result", "latest", "kept").code == 0
    assert place.ask("image", "latest", "--to", str(tmp_path / "out")).code == 0
    place.start()
    assert place.points()[-1]["results"] == ["kept"]
    place.was[place.points()[-1]["record"]] = dict(place.sources)
    place.change()
    place.cycle("four")
    assert place.end(signal.SIGKILL) == -signal.SIGKILL
    place.check(max(place.was))
    place.start()
    assert len(place.points()) >= 5


def test_a_broken_journal_is_mended(place: Place) -> None:
    points = place.points()
    refused(place.ask("checkpoints", "--mend"), 3, "is open in a receiver at work")
    assert place.end() == 0
    refused(place.ask("checkpoints", "--mend"), 2, "nothing is broken")
    segments = sorted((place.store / "journal").glob("*/*.segment"), key=lambda path: path.stat().st_size)
    with segments[-1].open("r+b") as file:
        file.seek(segments[-1].stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    ran = place.ask("checkpoints", "--mend")
    assert ran.code == 0, ran.text
    assert "goes on before the damage" in ran.out
    left = {point["record"] for point in place.points()}
    assert left < {point["record"] for point in points}
    if there := left & place.was.keys():
        place.check(max(there))
    place.start()
    place.was.clear()
    place.cycle("after")
    place.check(max(place.was))


def test_the_store_may_come_from_the_environment(place: Place) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli.entry", "checkpoints", "--json"],
        env={**os.environ, "WHERRY_STORE": str(place.store)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert [group["group"] for group in json.loads(done.stdout)] == [GROUP]
