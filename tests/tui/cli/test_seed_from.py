"""wherry receiver --seed-from: a copy from a drive, in place before the first pass, which compares it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from migrate.keys import authority
from migrate.keys.names import Holder, Role
from planner.units import MIB
from tests.tui.cli.command import refused, wherry

SIZE = 24 * MIB


@pytest.fixture
def place(tmp_path: Path) -> Path:
    authority.create(tmp_path / "keys", "p1")
    for site, role in (("dc1", Role.SENDER), ("dc2", Role.RECEIVER)):
        authority.issue(tmp_path / "keys", Holder("p1", site, role), 30, tmp_path / f"{site}.pem")
    content = os.urandom(6 * MIB)
    for name in ("source.img", "usb.img"):
        with (tmp_path / name).open("wb") as disk:
            disk.truncate(SIZE)
            disk.write(content[: 3 * MIB])
            disk.seek(16 * MIB)
            disk.write(content[3 * MIB :])
    with (tmp_path / "source.img").open("r+b") as disk:  # what changed while the drive was on its way
        disk.seek(17 * MIB)
        disk.write(b"newer")
    return tmp_path


def receiver(place: Path, *more: str) -> list[str]:
    return ["receiver", "--store", str(place / "store"), "--keys", str(place / "dc2.pem"),
            "--register", f"v={place / 'target.img'}", "--listen", "127.0.0.1:0", *more]  # fmt: skip


def test_only_what_changed_since_is_sent_and_a_restart_keeps_what_came(place: Path) -> None:
    before = (place / "usb.img").read_bytes()
    seeded = receiver(place, "--seed-from", f"v={place / 'usb.img'}", "--json")
    for turn in ("first", "restart"):
        process = subprocess.Popen(
            [sys.executable, "-m", "tui.cli.entry", *seeded],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            told = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
            (seed,) = told["seeds"]
            sending = ("send", str(place / "source.img"), f"127.0.0.1:{told['port']}", "--volume", "v",
                       "--keys", str(place / "dc1.pem"), "--site", "dc2", "--pass-id", turn, "--verify",
                       "--json", "--live")  # fmt: skip
            if turn == "first":
                assert seed["kept"] is None
                ran = wherry(*sending)
                assert ran.code == 0, ran.text
                assert (ran.document["mode"], ran.document["data_bytes"]) == ("compare", 4096)
                assert "a seed was placed" in ran.document["why"]
            else:
                assert "a sender has been at work on it" in seed["kept"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        assert (place / "target.img").read_bytes() == (place / "source.img").read_bytes()
    assert (place / "usb.img").read_bytes() == before


def test_a_seed_that_fits_nowhere_is_refused(place: Path) -> None:
    refused(wherry(*receiver(place, "--seed-from", "w=/x")), 2, "not ID=PATH of a registered disk")
    refused(wherry(*receiver(place, "--seed-from", "v")), 2, "not ID=PATH of a registered disk")
    refused(wherry(*receiver(place, "--seed-from", f"v={place / 'no.img'}")), 2, "does not exist")
    assert not (place / "target.img").exists()
    (place / "target.img").write_bytes(b"x" * 512)
    refused(wherry(*receiver(place, "--seed-from", f"v={place / 'usb.img'}")), 2, "has 512 bytes")
