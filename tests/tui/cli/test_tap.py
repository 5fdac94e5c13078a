"""wherry tap beside wherry receiver: real processes, real TLS, guests that write, and a kill -9 of each."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from migrate.daemons.control import ControlClient
from migrate.disks.nbd.address import parse_uri
from migrate.disks.nbd.disk import open_export
from migrate.keys import authority
from migrate.keys.names import Holder, Role
from planner.errors import Unreachable
from planner.units import KIB, MIB
from tests.tui.cli.command import refused, wherry

SIZE = 16 * MIB
GROUP = "crm \x1b[1m"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    authority.create(tmp_path / "keys", "p1")
    for site, role in (("dc1", Role.SENDER), ("dc2", Role.RECEIVER)):
        authority.issue(tmp_path / "keys", Holder("p1", site, role), 30, tmp_path / f"{site}.pem")
    for name in ("db", "log"):
        (tmp_path / f"{name}.img").write_bytes(random.Random(name).randbytes(MIB) + bytes(SIZE - MIB))
        with (tmp_path / f"{name}.replica").open("wb") as replica:
            replica.truncate(SIZE)
    volumes = [
        {"id": name, "path": str(tmp_path / f"{name}.replica"), "group": GROUP} for name in ("db", "log")
    ]
    (tmp_path / "volumes.json").write_text(json.dumps({"volumes": volumes}))
    return tmp_path


def started(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start a verb in a process of its own and return it with its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.entry", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline()


def receiver(place: Path, port: str = "0") -> tuple[subprocess.Popen[str], str]:
    process, said = started(
        "receiver", "--store", str(place / "store"), "--keys", str(place / "dc2.pem"), "--volumes",
        str(place / "volumes.json"), "--listen", f"127.0.0.1:{port}",
    )  # fmt: skip
    return process, said.split()[0]


def tap(place: Path, address: str) -> subprocess.Popen[str]:
    process, said = started(
        "tap", "--state", str(place / "state"), "--group", GROUP, "--disk", f"db={place / 'db.img'}",
        "--disk", f"log={place / 'log.img'}", "--listen", f"unix:{place / 'sock'}", "--to", address,
        "--keys", str(place / "dc1.pem"), "--site", "dc2", "--every", "300ms", "--report", "300ms", "--json",
    )  # fmt: skip
    assert json.loads(said)["disks"] == [{"id": "db", "size_bytes": SIZE}, {"id": "log", "size_bytes": SIZE}]
    return process


def status(place: Path) -> dict[str, Any]:
    return dict(ControlClient(place / "state").ask("status", {}))


def until(what: Callable[[], bool], patience_s: float = 60) -> None:
    deadline = time.monotonic() + patience_s
    while not what():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def is_even(place: Path) -> bool:
    told = status(place)
    return told["mode"] == "streaming" and told["buffered_bytes"] == 0 and told["rpo_s"] is not None


def write(place: Path, seed: int) -> None:
    """Write to both disks as a guest does, until it is told that it is durable."""
    rng = random.Random(seed)
    for name in ("db", "log"):
        disk = open_export(parse_uri(f"nbd+unix:///{name}?socket={place / 'sock'}"), writable=True)
        for _ in range(20):
            disk.write(rng.randbytes(rng.choice([512, 4096, 100 * KIB])), rng.randrange(SIZE - 128 * KIB))
        disk.zero(rng.randrange(SIZE - 2 * MIB), MIB)
        disk.flush()
        disk.close()


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode


def written_out(place: Path, checkpoint: str, folder: str) -> dict[str, bytes]:
    """Return the disks of a checkpoint, written out by the command."""
    found = {}
    for name in ("db", "log"):
        path = place / f"{folder}-{name}.img"
        ran = wherry(
            "image", GROUP, checkpoint, "--store", str(place / "store"), "--disk", name, "--to", str(path)
        )
        assert ran.code == 0, ran.text
        found[name] = path.read_bytes()
    return found


def test_a_group_is_streamed_whoever_dies_and_its_checkpoint_is_what_the_disks_held(place: Path) -> None:
    receiving, address = receiver(place)
    tapping = tap(place, address)
    try:
        until(lambda: is_even(place))
        write(place, 1)
        ran = wherry("checkpoint", GROUP, "before [red]patch", "--store", str(place / "state"), "--json")
        assert ran.code == 0, ran.text
        held = {name: (place / f"{name}.img").read_bytes() for name in ("db", "log")}
        write(place, 2)
        assert end(receiving, signal.SIGKILL) == -signal.SIGKILL
        write(place, 3)  # nobody waits for a target that is gone
        assert end(tapping, signal.SIGKILL) == -signal.SIGKILL
        receiving, _ = receiver(place, address.rpartition(":")[2])
        tapping = tap(place, address)
        until(lambda: is_even(place))
        write(place, 4)
        assert end(tapping) == 0
        listed = wherry("checkpoints", GROUP, "--store", str(place / "store"), "--json")
        assert "before [red]patch" in listed.out
        named = written_out(place, "before [red]patch", "named")
        assert named == held
        assert end(receiving) == 0
        newest = written_out(place, "latest", "newest")
        assert newest == {name: (place / f"{name}.img").read_bytes() for name in ("db", "log")}
    finally:
        for process in (tapping, receiving):
            if process.poll() is None:
                end(process, signal.SIGKILL)


def test_its_disks_are_verified_while_guests_write_and_what_was_flipped_is_found(place: Path) -> None:
    look = ("verify", "--tap", str(place / "state"))
    refused(wherry(*look), 6, "no tap answers")
    receiving, address = receiver(place)
    tapping = tap(place, address)
    stop = threading.Event()

    def busy() -> None:
        for seed in count():
            write(place, seed)
            if stop.wait(0.01):
                return

    guest = threading.Thread(target=busy)
    try:
        until(lambda: is_even(place))
        guest.start()
        papers = place / "papers"
        ran = wherry(*look, "--keys", str(place / "dc1.pem"), "--certificates", str(papers), "--json")
        assert ran.code == 0, ran.text
        assert [(one["volume"], one["equal"], one["looked_bytes"]) for one in ran.document] == [
            ("db", True, SIZE),
            ("log", True, SIZE),
        ]
        paper = Path(ran.document[0]["file"])
        assert {Path(one["file"]) for one in ran.document} == set(papers.iterdir())
        trusted = ("--authority", str(place / "keys" / "authority.pem"))
        checked = wherry("verify", "--check", str(paper), *trusted)
        assert checked.code == 0, checked.text
        assert "each 1.0 MiB at a place of its own in the order of writes" in checked.out
        held = ("verify", "--check", str(paper), "--disk", str(place / "db.img"))
        refused(wherry(*held), 3, "written to meanwhile")
        refused(wherry(*look, "--volume", "no such"), 2, "this tap has no disk no such")
        refused(wherry(*look, "--quick"), 2, "--quick does not go with --tap")
        refused(wherry(*look, "--keys", str(place / "dc1.pem")), 2, "--certificates DIR")
        stop.set()
        guest.join()
        until(lambda: is_even(place))
        (journal,) = (place / "store" / "journal").rglob("*.segment")
        with journal.open("r+b") as file:  # what the first copy brought of the first disk
            file.seek(64 * KIB)
            (byte,) = file.read(1)
            file.seek(64 * KIB)
            file.write(bytes([byte ^ 1]))
        ran = wherry(*look, "--volume", "db", "--keys", str(place / "dc1.pem"), "--certificates", str(papers))
        assert ran.code == 1, ran.text
        assert "differ in" in ran.err
        assert "newer --generation" in ran.err
        assert len(list(papers.iterdir())) == 2, "what differs gets none"
    finally:
        stop.set()
        for process in (tapping, receiving):
            end(process, signal.SIGKILL)


def test_without_a_target_it_keeps_the_map_and_says_so(place: Path) -> None:
    process, said = started(
        "tap", "--state", str(place / "state"), "--group", GROUP, "--disk", f"db={place / 'db.img'}",
        "--disk", f"log={place / 'log.img'}", "--listen", "127.0.0.1:0", "--report", "200ms",
    )  # fmt: skip
    try:
        assert said.startswith("nbd://127.0.0.1:")
        disk = open_export(parse_uri(f"{said.split()[0]}/log"), writable=True)
        disk.write(b"data", 5 * MIB)
        disk.flush()
        disk.close()
        assert (place / "log.img").read_bytes()[5 * MIB : 5 * MIB + 4] == b"data"
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert [line.split()[0] for line in lines[:2]] == ["db", "log"]
        assert "mapped" in lines[2]
        assert "no target is given" in lines[2]
        assert "\x1b" not in "".join(lines)
        refused(wherry("checkpoint", GROUP, "--store", str(place / "state")), 3, "no target")
        refused(
            wherry("tap", "--state", str(place / "state"), "--group", GROUP, "--disk",
                   f"db={place / 'db.img'}", "--listen", "127.0.0.1:0"),
            5, "served already",
        )  # fmt: skip
        assert end(process) == 0
        with pytest.raises(Unreachable):
            status(place)
    finally:
        if process.poll() is None:
            end(process, signal.SIGKILL)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--disk", "db"], "is not ID=PATH"),
        (["--disk", "db=/nowhere"], "cannot be served"),
        (["--disk", "db=db.img", "--listen", "0.0.0.0:1"], "other machines"),
        (["--disk", "db=db.img", "--to", "x:1"], "not who it is"),
        (["--disk", "db=db.img", "--site", "dc2"], "none is named"),
        (["--disk", "db=db.img", "--buffer", "much"], "is not a size"),
        (["--disk", "db=db.img", "--buffer", "1k"], "too small"),
        (["--disk", "db=db.img", "--every", "0s"], "--every"),
        (["--disk", "db=db.img", "--disk", "db=log.img"], "there twice"),
        (["--disk", "db=db.img", "--disk", "log=db.img"], "twice"),
    ],
)
def test_what_makes_no_sense_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch, more: list[str], said: str
) -> None:
    monkeypatch.chdir(place)
    listens = [] if "--listen" in more else ["--listen", "127.0.0.1:0"]
    refused(wherry("tap", "--state", "state", "--group", "crm", *listens, *more), 2, said)


def test_a_folder_is_of_one_group_and_all_of_its_disks(place: Path) -> None:
    db, log = (f"{name}={place / f'{name}.img'}" for name in ("db", "log"))
    start = ["tap", "--state", str(place / "state"), "--listen", "127.0.0.1:0"]
    process, _ = started(*start, "--group", "crm", "--disk", db, "--disk", log)
    assert end(process) == 0
    refused(wherry(*start, "--group", "erp", "--disk", db), 2, "is of group crm, not of erp")
    refused(wherry(*start, "--group", "crm", "--disk", db), 2, "disk log of this tap is not given")
