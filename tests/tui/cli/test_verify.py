"""wherry verify of one disk: a receiver of its own process, real TLS, real files, wrong bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.keys import authority
from migrate.keys.names import Holder, Role
from planner.units import MIB
from tests.tui.cli.command import Ran, refused, wherry

SIZE = 40 * MIB + 512
GRAIN = 64 * 1024


class Pair:
    """A source here, and its equal at a receiver."""

    def __init__(self, place: Path) -> None:
        self.place = place
        for site, role in (("dc1", Role.SENDER), ("dc2", Role.RECEIVER)):
            authority.issue(place / "keys", Holder("p1", site, role), 30, place / f"{site}.pem")
        self.source, self.target = place / "source.img", place / "target.img"
        content = os.urandom(3 * MIB)
        for file in (self.source, self.target):
            with file.open("wb") as disk:
                disk.truncate(SIZE)
                disk.write(content[: 2 * MIB])
                disk.seek(20 * MIB)
                disk.write(content[2 * MIB :])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tui.cli.entry", "receiver", "--store", str(place / "store"),
             "--keys", str(place / "dc2.pem"), "--register", f"v={self.target}", "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().split()[0]

    def verify(self, *more: str, site: str = "dc2") -> Ran:
        return wherry("verify", str(self.source), self.address, "--volume", "v",
                      "--keys", str(self.place / "dc1.pem"), "--site", site, *more)  # fmt: skip

    def spoil(self, *offsets: int) -> None:
        """Flip one bit of the target at each offset."""
        with self.target.open("r+b") as disk:
            for at in offsets:
                disk.seek(at)
                byte = disk.read(1)[0]
                disk.seek(at)
                disk.write(bytes([byte ^ 4]))

    def end(self) -> None:
        if self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) == 0


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    authority.create(tmp_path / "keys", "p1")
    running = Pair(tmp_path)
    yield running
    running.end()


def test_wrong_bytes_are_found_repaired_and_certified_only_then(pair: Pair) -> None:
    paper = pair.place / "db.json"
    pair.spoil(MIB + 7, 30 * MIB, SIZE - 1)
    wrong = [[MIB, GRAIN], [30 * MIB, GRAIN], [40 * MIB, 512]]
    before = pair.target.read_bytes()
    ran = pair.verify("--json", "--repair", "--certificate", str(paper))
    assert (ran.code, ran.document["equal"], ran.document["differing"]) == (1, False, wrong)
    assert ran.document["certificate"] is None
    assert "--live" in ran.err
    assert not paper.exists()
    assert pair.target.read_bytes() == before
    project = str(pair.place / "move")
    assert wherry("init", project).code == 0
    ran = pair.verify("--json", "--repair", "--live", "--certificate", str(paper), "--project", project)
    assert ran.code == 0, ran.text
    told = ran.document
    assert (told["equal"], told["method"], told["escape_chance"]) == (True, "full", 0)
    assert (told["before_repair"]["differing"], told["repaired_bytes"]) == (wrong, GRAIN + 4096 + 512)
    assert pair.target.read_bytes() == pair.source.read_bytes()
    assert json.loads(paper.read_text()) == told["certificate"]
    noted = wherry("log", "--project", project, "--json").document["lines"]
    assert [entry["act"] for entry in noted if entry["subject"] == "v"] == ["verify --repair", "verified"]
    again = pair.verify()
    assert (again.code, again.out) == (0, "")
    assert "both sides are equal" in again.err
    checked = wherry("verify", "--check", str(paper), "--disk", str(pair.target), "--json",
                     "--authority", str(pair.place / "dc1.pem"))  # fmt: skip
    assert checked.code == 0, checked.text
    assert (checked.document["disk_read"], checked.document["authority_given"]) == (True, True)
    shown = wherry("verify", "--check", str(paper))
    assert shown.code == 0
    assert "only the authority inside the file" in shown.err
    pair.spoil(20 * MIB)
    refused(wherry("verify", "--check", str(paper), "--disk", str(pair.target)), 1, "does not hold")
    paper.write_text(paper.read_text().replace('"dc2"', '"dc3"'))
    refused(wherry("verify", "--check", str(paper)), 1, "changed after it was signed")
    paper.write_text("{}")
    refused(wherry("verify", "--check", str(paper)), 2, "no data-identity certificate")


def test_a_sample_says_what_it_may_miss_and_parts_take_turns(pair: Pair) -> None:
    ran = pair.verify("--quick", "--json")
    assert ran.code == 0, ran.text
    chance = ran.document["escape_chance"]
    assert 0.5 < chance < 0.7  # 256 of 641 grains
    assert ran.document["data_escape_chance"] < chance
    assert "would have been missed with a chance of" in pair.verify("--quick").err
    record = pair.place / "rounds.json"
    pair.spoil(33 * MIB)
    turns = ("--part", "next/3", "--record", str(record))
    assert [pair.verify(*turns).code for _ in range(4)] == [0, 0, 1, 1]  # what differs stays due
    assert set(json.loads(record.read_text())["verified"]) == {"1", "2"}
    ran = pair.verify(*turns, "--repair", "--live", "--json")
    assert (ran.code, ran.document["method"], ran.document["repaired_bytes"]) == (0, "full", GRAIN)
    assert ran.document["before_repair"]["part"] == "3/3"
    ran = pair.verify(*turns)
    assert "3 of 3 parts are verified" in ran.err


def test_what_makes_no_sense_is_refused(pair: Pair) -> None:
    refused(wherry("verify"), 2, "nothing to verify")
    refused(wherry("verify", "a", "b", "c"), 2, "nothing to verify")
    refused(wherry("verify", "W01", "--quick"), 2, "--quick does not go with a wave")
    refused(wherry("verify", "a", "127.0.0.1:1"), 2, "needs --volume")
    refused(wherry("verify", "--check", "x", "--repair"), 2, "--repair does not go with --check")
    refused(wherry("verify", "--check", str(pair.place / "no.json")), 2, "cannot be read")
    refused(pair.verify("--quick", "--full"), 2, "exclude each other")
    refused(pair.verify("--part", "1/3"), 2, "go together")
    refused(pair.verify("--part", "4/3", "--record", "x"), 2, "is no part")
    refused(pair.verify("--live"), 2, "--live without --repair")
    refused(pair.verify("--certificate", str(pair.source)), 2, "exists already")
    refused(pair.verify("--disk", "x"), 2, "--disk does not go with a disk")
    refused(pair.verify(site="dc9"), 1, "not of site dc9")
    pair.end()
    refused(pair.verify(), 6, "nobody answers")
