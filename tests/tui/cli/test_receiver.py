"""wherry send and wherry receiver: two processes, real TLS, and a kill -9 in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migrate.keys import authority
from migrate.keys.names import Holder, Role
from planner.units import MIB
from tests.tui.cli.command import refused, wherry

SIZE = 256 * MIB


@pytest.fixture
def place(tmp_path: Path) -> Path:
    authority.create(tmp_path / "keys", "p1")
    for site, role in (("dc1", Role.SENDER), ("dc2", Role.RECEIVER)):
        authority.issue(tmp_path / "keys", Holder("p1", site, role), 30, tmp_path / f"{site}.pem")
    (tmp_path / "source.img").write_bytes(os.urandom(MIB) * 256)
    with (tmp_path / "target.img").open("wb") as target:
        target.truncate(SIZE)
    return tmp_path


def start(place: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a receiver of its own process and return it with its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.entry", "receiver", "--store", str(place / "store"),
         "--keys", str(place / "dc2.pem"), "--register", f"v={place / 'target.img'}",
         "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().split()[0]


def sending(place: Path, address: str, *more: str) -> list[str]:
    return ["send", str(place / "source.img"), address, "--volume", "v", "--keys", str(place / "dc1.pem"),
            "--site", "dc2", "--json", "--live", *more]  # fmt: skip


def test_a_killed_receiver_is_resumed_then_compared_and_ended(place: Path) -> None:
    process, address = start(place)
    sender = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.entry", *sending(place, address, "--pass-id", "1")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        # The sender is three stretches of 32 MiB ahead at most: the first is durable, the last not sent.
        while sender.poll() is None and (place / "target.img").stat().st_blocks * 512 < 128 * MIB:
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    out, _ = sender.communicate(timeout=60)
    assert sender.returncode == 6, out
    process, address = start(place)
    try:
        ran = wherry(*sending(place, address, "--pass-id", "1", "--verify"))
        assert ran.code == 0, ran.text
        assert ran.document["verified"] is True
        assert ran.document["resumed_bytes"] >= 32 * MIB
        came = sum(ran.document[what] for what in ("data_bytes", "deduped_bytes", "resumed_bytes"))
        assert came == SIZE
        assert (place / "target.img").read_bytes() == (place / "source.img").read_bytes()
        with (place / "source.img").open("r+b") as file:
            file.seek(5 * MIB)
            file.write(b"x" * 100)
        before = (place / "target.img").read_bytes()
        dry = [word for word in sending(place, address, "--pass-id", "2") if word != "--live"]
        assert wherry(*dry).document == {"volume": "v", "size_bytes": SIZE, "live": False}
        assert (place / "target.img").read_bytes() == before
        ran = wherry(*sending(place, address, "--pass-id", "2", "--compare", "--verify"))
        assert ran.document["data_bytes"] == 4096
        assert (place / "target.img").read_bytes() == (place / "source.img").read_bytes()
        ran = wherry(*sending(place, address, "--pass-id", "3", "--site", "dc9"))
        assert ran.code == 1
        assert "not of site dc9" in ran.document["message"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert wherry(*sending(place, address, "--pass-id", "4")).code == 6


def test_what_cannot_be_served_is_refused(place: Path) -> None:
    base = ("receiver", "--store", str(place / "st"), "--keys", str(place / "dc2.pem"))
    target = f"v={place / 'target.img'}"
    refused(wherry(*base), 2, "no disk is registered")
    refused(wherry(*base, "--register", "x"), 2, "not ID=PATH")
    refused(wherry(*base, "--register", target, "--listen", "7643"), 2, "not ADDRESS:PORT")
    refused(wherry(*base, "--register", target, "--register", f"w={place / 'target.img'}"), 2, "twice")
    wrong = ("receiver", "--store", str(place / "st"), "--keys", str(place / "dc1.pem"))
    refused(wherry(*wrong, "--register", target), 2, "keys are those of the sender")
    assert not (place / "st").exists()
