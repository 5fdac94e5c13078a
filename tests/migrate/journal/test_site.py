"""The journals of a site: groups come and go while it serves, and no death in between loses one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.disks import durable
from migrate.journal import enrolled, site
from migrate.journal.attending import attended_site
from migrate.journal.enrolled import Enrolment
from migrate.journal.group import Asked
from migrate.journal.keeper import Keeper
from migrate.journal.keeping import Kept
from migrate.journal.site import SiteJournals
from migrate.replication.logfile import LogFile
from migrate.replication.passes import Mode
from migrate.replication.progress import CurrentPass, ProgressLog
from planner.errors import Blocked, Corrupt, NotFound, ProjectBusy
from planner.units import MIB
from tests.migrate.journal.target import SIZE, Replicas

GROUP = "W01 g0 of [red]\x1b"
DISKS = ("vm/0", "vm/1")


def wanted(run: str = "r1/", volumes: tuple[str, ...] = DISKS, group: str = GROUP) -> Enrolment:
    return Enrolment(group, "W01/[b]x", volumes, run, 3600.0, 600 * MIB, 500 * MIB)


class Died(BaseException):
    """The process dies here."""


class Calls:
    """Counts calls over several functions, and dies before the one after ``left``."""

    def __init__(self, left: int) -> None:
        self._left = left

    def dying(self, real: Callable[..., object]) -> Callable[..., object]:
        """Return the function, counted."""

        def call(*args: object, **more: object) -> object:
            self._left -= 1
            if self._left < 0:
                raise Died
            return real(*args, **more)

        return call


class Place:
    """A site's receiver: replicas and a store that outlive it."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.replicas = Replicas()
        self.now_ms = 1_000
        self.journals = SiteJournals(store, self.replicas, lambda: self.now_ms)

    def again(self) -> SiteJournals:
        """Be killed, and begin anew with what is on the disk."""
        self.journals = SiteJournals(self.store, self.replicas, lambda: self.now_ms)
        return self.journals

    def cycle(self, name: str, fill: int, volumes: tuple[str, ...] = DISKS) -> None:
        """Bring all disks of a group, each full of one byte."""
        for volume in volumes:
            log = ProgressLog(LogFile(self.store, volume), volume)
            disk = self.journals.open_write(volume)
            current = CurrentPass(f"{name}/{volume}", Mode.SEED, SIZE, f"at {name}", False, cycle=name)
            log.begin(current, 1)
            disk.write(bytes([fill]) * SIZE, 0)
            disk.flush()
            log.finish(SIZE, SIZE)
            disk.close()

    def newest(self, volume: str) -> int:
        disk = self.journals.open_read(volume)
        data = bytearray(SIZE)
        disk.read_into(memoryview(data), 0)
        disk.close()
        assert len(set(data)) == 1
        return data[0]

    def replica(self, volume: str) -> int:
        data = bytearray(SIZE)
        self.replicas.open_read(volume).read_into(memoryview(data), 0)
        return data[0] if len(set(data)) == 1 else -1

    def base(self, volume: str) -> str:
        return ProgressLog(LogFile(self.store, volume), volume).state.base

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in (self.store / "journal").rglob("*") if path.is_file())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.journals.close()


def kept(place: Place) -> list[str]:
    return [point.cycle for point in place.journals.group(GROUP).checkpoints()]


def quick(_size_bytes: int) -> None:
    """Hold nobody up."""


def test_a_disk_of_no_group_is_plain_and_one_of_a_group_has_checkpoints_by_cycle(place: Place) -> None:
    place.cycle("x/1", 7, ("loose",))
    assert place.replica("loose") == 7
    place.journals.enrol(wanted(), anew=False)
    for number in (1, 2, 3):
        place.cycle(f"r1/{number}", number)
    assert kept(place) == ["r1/1", "r1/2", "r1/3"]
    assert (place.newest("vm/0"), place.replica("vm/0")) == (3, 1), "what came later is in the journal"
    place.again()
    assert kept(place) == ["r1/1", "r1/2", "r1/3"]
    assert place.journals.limits(GROUP).hard is not None
    assert place.newest("vm/1") == 3


def test_history_that_nobody_asks_for_ages_while_the_receiver_works(place: Place) -> None:
    place.journals.enrol(wanted(), anew=False)
    for number in (1, 2, 3):
        place.cycle(f"r1/{number}", number)
    keeper = Keeper(place.journals, place.journals.limits, now_ms=lambda: place.now_ms)
    place.now_ms += 3600 * 1000
    keeper.round()
    assert kept(place) == ["r1/1", "r1/2", "r1/3"]
    place.now_ms += 1
    keeper.round()
    assert kept(place) == ["r1/3"], "the newest stays, however old it is"
    place.cycle("r1/4", 4)
    keeper.round()
    assert kept(place) == ["r1/3", "r1/4"], "history is never shorter than was wanted"


def test_a_receiver_is_needed_while_history_is_moved_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving, done = threading.Event(), threading.Event()

    def slowly(*args: Any) -> Kept:
        args[-1](MIB)
        moving.set()
        assert done.wait(60)
        return Kept()

    monkeypatch.setattr("migrate.journal.keeper.keep", slowly)
    place.journals.enrol(wanted(), anew=False)
    place.cycle("r1/1", 1)
    place.store.chmod(0o700)
    with attended_site(place.store, place.journals) as attending:
        assert moving.wait(60)
        assert attending.is_needed()
        done.set()
        deadline = time.monotonic() + 60
        while attending.is_needed():
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_what_was_here_before_is_no_first_checkpoint(place: Place) -> None:
    place.cycle("r0/9", 9)
    place.journals.enrol(wanted(), anew=False)
    with pytest.raises(Blocked, match="not brought up to date yet"):
        place.journals.group(GROUP).checkpoint(Asked("too early"))
    place.cycle("r1/1", 1)
    assert kept(place) == ["r1/1"]


def test_closing_brings_the_replicas_to_what_is_newest_and_its_disks_are_plain(place: Place) -> None:
    place.journals.enrol(wanted(), anew=False)
    for number in (1, 2):
        place.cycle(f"r1/{number}", number)
    said = place.journals.close_at(GROUP, Asked("cutover W01", pinned=True), quick)
    assert (said["name"], said["cycle"]) == ("cutover W01", "r1/2")
    assert [place.replica(volume) for volume in DISKS] == [2, 2]
    assert place.files.count("enrolled.json") == 1
    assert [name for name in place.files if name.endswith((".segment", ".index"))] == []
    place.cycle("r1/final", 5)
    assert place.replica("vm/0") == 5, "nothing stands before it any more"
    assert place.again().close_at(GROUP, Asked("cutover W01"), quick) == said, "done already it only says so"
    assert place.replica("vm/0") == 5
    assert place.journals.fold(GROUP, quick) == said["record"]
    with pytest.raises(NotFound, match="not served here"):
        place.journals.group(GROUP)


def test_folding_keeps_the_newest_and_goes_on(place: Place) -> None:
    place.journals.enrol(wanted(), anew=False)
    assert place.journals.fold(GROUP, quick) == 0
    for number in (1, 2):
        place.cycle(f"r1/{number}", number)
    place.journals.fold(GROUP, quick)
    assert kept(place) == ["r1/2"]
    assert place.replica("vm/0") == 2
    place.cycle("r1/3", 3)
    assert kept(place) == ["r1/2", "r1/3"]


def test_nothing_is_closed_in_the_middle_of_a_cycle_or_under_an_image(place: Place) -> None:
    place.journals.enrol(wanted(), anew=False)
    place.cycle("r1/1", 1)
    place.cycle("r1/2", 2, DISKS[:1])
    with pytest.raises(Blocked, match="different cycles"):
        place.journals.close_at(GROUP, Asked("cutover W01"), quick)
    place.cycle("r1/2", 2, DISKS[1:])
    group = place.journals.group(GROUP)
    image = group.image(group.checkpoints()[0].record, "vm/0")
    for act in (
        lambda: place.journals.close_at(GROUP, Asked("cutover W01"), quick),
        lambda: place.journals.fold(GROUP, quick),
        lambda: place.journals.dismiss(GROUP),
    ):
        with pytest.raises(ProjectBusy):
            act()
    image.close()
    place.journals.close_at(GROUP, Asked("cutover W01"), quick)
    assert place.replica("vm/1") == 2


def test_another_run_goes_on_with_a_journal_and_begins_anew_where_a_replica_was_made(place: Place) -> None:
    place.journals.enrol(wanted(), anew=False)
    place.cycle("r1/1", 1)
    place.journals.enrol(wanted("r2/"), anew=False)
    place.cycle("r2/1", 2)
    assert kept(place) == ["r1/1", "r2/1"]
    place.journals.enrol(wanted("r3/"), anew=True)
    assert place.base("vm/0") == "", "no delta stands on what went with the journal"
    place.cycle("r3/1", 3)
    assert kept(place) == ["r3/1"]
    place.journals.enrol(wanted("r4/", DISKS[:1]), anew=False)
    place.cycle("r4/1", 4, DISKS[:1])
    assert kept(place) == ["r4/1"]
    assert place.replica("vm/1") == 3, "the disk that left is plain, and as its first cycle"


def test_a_disk_that_another_group_takes_leaves_with_the_journal_of_its_own(place: Place) -> None:
    place.journals.enrol(wanted(), anew=False)
    for number in (1, 2):
        place.cycle(f"r1/{number}", number)
    other = wanted("r2/", DISKS[1:], "another")
    place.journals.enrol(other, anew=False)
    assert place.journals.names() == ["another"]
    assert place.base("vm/0") == "", "it lags behind, so what comes is compared"


def test_dismissed_nothing_is_left(place: Place) -> None:
    place.journals.enrol(wanted(), anew=False)
    for number in (1, 2):
        place.cycle(f"r1/{number}", number)
    assert place.journals.dismiss(GROUP)
    assert place.files == []
    assert not place.journals.dismiss(GROUP)
    assert place.again().names() == []
    with pytest.raises(NotFound, match="no journal here"):
        place.journals.close_at(GROUP, Asked("cutover W01"), quick)


_ACTS = {
    "close": lambda place: place.journals.close_at(GROUP, Asked("cutover W01", pinned=True), quick),
    "dismiss": lambda place: place.journals.dismiss(GROUP),
}


@pytest.mark.parametrize("act", list(_ACTS))
def test_killed_at_each_file_that_changes_it_ends_the_same(
    tmp_path: Path, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Die before each durable change in turn; the same call after it ends as if nothing had been."""
    deaths = 0
    for at in range(40):
        place = Place(tmp_path / str(at))
        place.journals.enrol(wanted(), anew=False)
        for number in (1, 2):
            place.cycle(f"r1/{number}", number)
        dying = Calls(at).dying
        with monkeypatch.context() as patched:
            patched.setattr(enrolled, "replace_file", dying(durable.replace_file))
            patched.setattr(enrolled, "sync_directory", dying(durable.sync_directory))
            patched.setattr(Path, "unlink", dying(Path.unlink))
            patched.setattr(Path, "rmdir", dying(Path.rmdir))
            try:
                _ACTS[act](place)
                died = False
            except Died:
                died = True
        place.again()
        if died:
            deaths += 1
            _ACTS[act](place)
        assert (place.replica("vm/0"), place.replica("vm/1")) == ((2, 2) if act == "close" else (1, 1))
        assert not [name for name in place.files if name.endswith(".segment")]
        assert place.journals.names() == []
        place.journals.enrol(wanted("r2/"), anew=False)
        place.cycle("r2/1", 3)
        assert kept(place) == ["r2/1"]
        place.journals.close()
        if not died:
            break
    assert deaths >= 4


def test_control_a_closing_that_forgets_the_last_pass_is_seen(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "_named", lambda group, _asked: group.checkpoints()[0])
    place.journals.enrol(wanted(), anew=False)
    for number in (1, 2):
        place.cycle(f"r1/{number}", number)
    place.journals.close_at(GROUP, Asked("cutover W01"), quick)
    assert place.replica("vm/0") == 1


def test_an_enrolment_that_makes_no_sense_is_said(place: Place) -> None:
    place.journals.enrol(wanted(), anew=False)
    (path,) = (place.store / "journal").glob("*/enrolled.json")
    path.write_text("{}")
    with pytest.raises(Corrupt, match="does not say which disks"):
        place.again()
