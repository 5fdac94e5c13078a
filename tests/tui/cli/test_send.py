"""wherry send: what it notes, what it notices of its source, and what it says of keys that end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate import audit
from migrate.keys import authority
from migrate.keys.names import Holder, Role
from migrate.transfers.direct import OneDisk
from planner.store.project import Project
from planner.units import MIB
from tests.faults.path import Event
from tests.faults.receiving import Site
from tests.tui.cli.command import refused, wherry

SIZE = 2 * MIB


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"), SIZE)
    yield made
    made.close()


def test_it_is_noted_in_the_log_of_a_project(place: Site, tmp_path: Path) -> None:
    assert wherry("init", str(tmp_path)).code == 0
    assert place.send("noted", "--verify", "--project", str(tmp_path)).code == 0
    place.line.events.append(Event(0, cuts=True))
    assert place.send("cut", "--project", str(tmp_path)).code == 6
    project = Project.open(tmp_path)
    try:
        noted = [line for line in audit.lines(project) if line.act.startswith("sen")]
        assert audit.broken_at(project) is None
    finally:
        project.close()
    assert [line.act for line in noted] == ["send", "sent", "send", "send failed"]
    assert {(line.subject, line.effect) for line in noted} == {("v", "live")}
    assert '"verified": true' in noted[1].detail
    assert '"why": ' in noted[3].detail


def test_a_dry_run_notes_nothing(place: Site, tmp_path: Path) -> None:
    assert wherry("init", str(tmp_path)).code == 0
    words = [word for word in place.command("dry", "--project", str(tmp_path)) if word != "--live"]
    before = (tmp_path / "project.db").read_bytes()
    assert wherry(*words).code == 0
    assert (tmp_path / "project.db").read_bytes() == before


def test_a_file_that_was_written_to_is_sent_anew_under_the_same_name(place: Site) -> None:
    assert place.send("same").document["data_bytes"] == SIZE
    assert place.send("same").document["data_bytes"] == 0
    place.renew()
    assert place.send("same").document["data_bytes"] == SIZE
    assert place.is_equal()


def test_a_file_that_is_written_to_meanwhile_is_told(place: Site) -> None:
    def write() -> None:
        os.utime(place.source, (1, 1))

    place.line.events.append(Event(MIB, act=write))
    place.renew()
    ran = place.send("meanwhile")
    assert ran.code == 1
    assert "was written to while it was sent" in ran.document["message"]
    assert place.send("meanwhile").code == 0
    assert place.is_equal()


def test_two_senders_never_mean_the_same_by_one_name(tmp_path: Path) -> None:
    for name in ("a.img", "b.img"):
        (tmp_path / name).write_bytes(b"x" * 4096)
    disk = OneDisk(str(tmp_path / "a.img"))
    names = {
        disk.content("monday", "dc1"),
        disk.content("monday", "dc3"),
        disk.content("tuesday", "dc1"),
        OneDisk(str(tmp_path / "b.img")).content("monday", "dc1"),
        OneDisk("nbd://host/a").content("monday", "dc1"),
    }
    assert len(names) == 5
    assert disk.content("monday", "dc1") in names
    assert len(disk.content("\u202e" * 512, "dc1")) < 512


def test_names_that_cannot_travel_are_refused(place: Site) -> None:
    for name in ("", "x" * 513, "\udcff"):
        words = [word for word in place.command(name) if word != "--json"]
        refused(wherry(*words), 2, "the name of a pass is 1 to 512 characters")
        words = ["v2" if word == "v" else word for word in place.command("p") if word != "--json"]
        words[words.index("v2")] = name
        refused(wherry(*words), 2, "the id of a volume is 1 to 512 characters")


def test_it_says_that_its_keys_end_soon(place: Site) -> None:
    begins = datetime.now(UTC) - timedelta(days=20)
    soon = place.root / "soon.pem"
    authority.issue(place.root / "keys", Holder("p1", "dc1", Role.SENDER), 30, soon, begins)
    words = [str(soon) if word.endswith("dc1.pem") else word for word in place.command("soon")]
    ran = wherry(*words)
    assert ran.code == 0
    assert "the keys of the sender of site dc1, project p1 end at" in ran.err
    assert "end at" not in place.send("late").err
    assert "no list of revoked keys is given" in place.log()
