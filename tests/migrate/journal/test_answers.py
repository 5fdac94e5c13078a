"""What is answered about journals: checkpoints made now or later, names, notes, images, damage."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrate.daemons.control import ControlClient, ControlServer, InProcess, Told
from migrate.daemons.registered import Register
from migrate.daemons.remembered import FILE, WORDS, Remembered, remember
from migrate.disks.nbd.address import parse_uri
from migrate.disks.nbd.disk import open_export
from migrate.journal.answers import RESULTS_MAX, Answers
from migrate.journal.attending import answering, attended
from migrate.journal.limits import Limits, parse_limits
from migrate.journal.store import Journals
from migrate.replication.logfile import LogFile
from migrate.replication.passes import Mode
from migrate.replication.progress import CurrentPass, ProgressLog
from migrate.replication.service import open_store
from planner.errors import BadInput, Blocked, NotFound, ProjectBusy, SiteRefused
from planner.units import GIB, MIB
from tests.migrate.replication.served import until

SIZE = 2 * MIB
GROUP = "crm\u202e"


class Place:
    """A store with two disks of one group and one of another, and passes that really write."""

    def __init__(self, root: Path) -> None:
        self.store = root / "store"
        self.store.mkdir(mode=0o700)
        self.paths = {volume: root / f"{number}.img" for number, volume in enumerate(("a", "b", "c"))}
        for path in self.paths.values():
            path.write_bytes(bytes(SIZE))
        groups = {"a": GROUP, "b": GROUP, "c": ""}
        self.disks = Register((volume, path, groups[volume]) for volume, path in self.paths.items())
        self.journals = Journals(self.store, self.disks.groups(), self.disks)

    def bring(self, volume: str, cycle: str, byte: bytes, offset: int = 0) -> Callable[[], None]:
        """Write what a pass brings and return what ends it."""
        log = ProgressLog(LogFile(self.store, volume), volume)
        disk = self.journals.open_write(volume)
        log.begin(CurrentPass(cycle, Mode.SEED, SIZE, "", False, cycle=cycle), 0)
        disk.write(byte * 4096, offset)

        def end() -> None:
            disk.flush()
            log.finish(4096, 4096)
            disk.close()

        return end

    def cycle(self, cycle: str, byte: bytes) -> None:
        for volume in ("a", "b"):
            self.bring(volume, cycle, byte)()

    def asks(self, **asked: str) -> InProcess:
        limits = parse_limits(**asked)
        return InProcess(Answers(self.journals, self.store, limits, receives=True).handlers())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.journals.close()


def listed(asks: InProcess, group: str = GROUP) -> Told:
    heard: list[Told] = []
    asks.ask("checkpoints", {"group": group}, heard.append)
    (found,) = heard
    return found


def test_before_anything_came_there_is_nothing_and_it_is_said_why(place: Place) -> None:
    asks = place.asks()
    found = listed(asks)
    assert (found["checkpoints"], found["health"]) == ([], None)
    assert "a was never brought here" in found["unrest"]
    with pytest.raises(Blocked, match="between two points"):
        asks.ask("checkpoint", {"group": GROUP})
    with pytest.raises(NotFound, match=r"crm<U\+202E> has no checkpoint latest"):
        asks.ask("note", {"group": GROUP, "checkpoint": "latest"})
    with pytest.raises(NotFound, match="is not served here"):
        asks.ask("checkpoints", {"group": "other"})


def test_a_checkpoint_waits_for_the_end_of_its_cycle_and_can_be_given_up(place: Place) -> None:
    server = ControlServer(
        place.store, Answers(place.journals, place.store, Limits(), receives=True).handlers()
    )
    try:
        client = ControlClient(place.store)
        place.cycle("1", b"1")
        end = place.bring("a", "2", b"2")
        with pytest.raises(Blocked, match="a pass of a is under way"):
            client.ask("checkpoint", {"group": GROUP, "name": "mid"})
        with client.hold("checkpoint", {"group": GROUP, "name": "given up", "wait": True}) as held:
            assert "under way" in held.told["waiting"]
        group = place.journals.group(GROUP)
        until(lambda: not group._waiting)
        made: list[Told] = []
        waiting = threading.Event()

        def wait() -> None:
            request = {"group": GROUP, "name": "patched", "wait": True, "pinned": True}
            made.append(client.ask("checkpoint", request, lambda _told: waiting.set()))

        thread = threading.Thread(target=wait)
        thread.start()
        assert waiting.wait(20)
        end()
        assert not made  # b is still of the cycle before
        place.bring("b", "2", b"2")()
        thread.join(20)
        assert [(point["name"], point["pinned"], point["cycle"]) for point in made] == [
            ("patched", True, "2")
        ]
        names = [point.name for point in group.checkpoints()]
        assert "patched" in names
        assert "given up" not in names
    finally:
        server.close()


def test_the_end_of_the_process_gives_up_what_waits(place: Place) -> None:
    server = ControlServer(
        place.store, Answers(place.journals, place.store, Limits(), receives=True).handlers()
    )
    end = place.bring("c", "1", b"1")
    with ControlClient(place.store).hold("checkpoint", {"group": "c", "wait": True}):
        server.close()
    end()
    assert [point.cycle for point in place.journals.group("c").checkpoints()] == ["1"]  # the cycle's own


def test_what_a_checkpoint_is_called_and_found_by(place: Place) -> None:
    asks = place.asks()
    place.cycle("1", b"1")
    for name in ("12", "latest"):
        with pytest.raises(BadInput, match="means another one"):
            asks.ask("checkpoint", {"group": GROUP, "name": name})
    asks.ask("checkpoint", {"group": GROUP})
    for name in ("x" * 1001, "\udcff"):
        with pytest.raises(BadInput, match="the name of a checkpoint is up to 1000 characters"):
            asks.ask("checkpoint", {"group": GROUP, "name": name})
        with pytest.raises(BadInput, match="a result is up to 1000 characters"):
            asks.ask("note", {"group": GROUP, "checkpoint": "latest", "result": name})
    with pytest.raises(BadInput, match="is no consistency"):
        asks.ask("checkpoint", {"group": GROUP, "consistency": "perfect"})
    hostile = "\x1b[2J[red]\u202e"
    first = asks.ask("checkpoint", {"group": GROUP, "name": hostile, "consistency": "application"})
    second = asks.ask("checkpoint", {"group": GROUP, "name": hostile})
    assert (first["consistency"], second["consistency"]) == ("application", "crash")
    noted = asks.ask("note", {"group": GROUP, "checkpoint": hostile, "pinned": True, "result": "booted"})
    assert noted == {**second, "pinned": True, "results": ["booted"]}
    freed = asks.ask("note", {"group": GROUP, "checkpoint": str(second["record"]), "pinned": False})
    assert (freed["pinned"], freed["results"]) == (False, ["booted"])
    assert asks.ask("note", {"group": GROUP, "checkpoint": "latest"})["record"] == second["record"]
    place.journals.group(GROUP).note(first["record"], result="y")
    for _ in range(RESULTS_MAX - 1):
        asks.ask("note", {"group": GROUP, "checkpoint": str(first["record"]), "result": "z"})
    with pytest.raises(BadInput, match="has 100 results already"):
        asks.ask("note", {"group": GROUP, "checkpoint": str(first["record"]), "result": "too many"})


def test_health_and_what_is_unusual_are_listed_and_damage_hides_no_other_group(place: Place) -> None:
    place.cycle("1", b"1")
    place.bring("c", "1", b"1")()
    found = listed(place.asks(history="4h", hard="1GiB"))
    assert (found["health"]["wanted_s"], found["health"]["limit_bytes"]) == (4 * 3600, GIB)
    assert 0 < found["health"]["size_bytes"] < MIB
    assert [point["unusual"] for point in found["checkpoints"]] == [""]
    place.journals.close()
    for path in (place.store / "journal").glob("*/group.json"):
        if '"c"' in path.read_text("utf-8"):
            path.write_text("{}", "utf-8")
    place.journals = Journals(place.store, place.disks.groups(), place.disks)
    heard: list[Told] = []
    place.asks().ask("checkpoints", {}, heard.append)
    assert [(one["group"], bool(one["error"])) for one in heard] == [("c", True), (GROUP, False)]


def test_images_are_served_as_long_as_they_are_held(place: Place) -> None:
    asks = place.asks()
    place.cycle("1", b"1")
    place.cycle("2", b"2")
    request = {"group": GROUP, "checkpoint": "latest", "where": "127.0.0.1:0", "writable": True,
               "scratch_bytes": MIB}  # fmt: skip
    group = place.journals.group(GROUP)
    with asks.hold("serve-image", request) as held:
        assert [disk["volume"] for disk in held.told["disks"]] == ["a", "b"]
        disk = open_export(parse_uri(held.told["disks"][0]["uri"]), writable=True)
        buffer = bytearray(8192)
        disk.read_into(memoryview(buffer), 0)
        assert buffer == b"2" * 4096 + bytes(4096)
        disk.write(b"x" * 4096, 4096)
        disk.read_into(memoryview(buffer), 0)
        assert buffer == b"2" * 4096 + b"x" * 4096
        with pytest.raises(OSError, match="space"):
            disk.write(b"x" * (MIB + 4096), 0)
        earlier = str(group.checkpoints()[0].record)
        with asks.hold("serve-image", {"group": GROUP, "checkpoint": earlier}) as beside:
            other = open_export(parse_uri(beside.told["disks"][0]["uri"]))
            seen = bytearray(8192)
            other.read_into(memoryview(seen), 0)
            other.close()
        assert seen == b"1" * 4096 + bytes(4096)
        assert group.log.leases.oldest() is not None
        disk.close()
    assert group.log.leases.oldest() is None
    with asks.hold("serve-image", {"group": GROUP, "checkpoint": "latest", "volumes": ["a"]}) as held:
        (found,) = held.told["disks"]
        disk = open_export(parse_uri(found["uri"]))
        disk.read_into(memoryview(buffer), 0)
        assert buffer == b"2" * 4096 + bytes(4096)  # it left no trace
        with pytest.raises(OSError, match="reading only"):
            disk.write(b"x" * 4096, 0)
        disk.close()
    little = place.asks(scratch="50%")
    with pytest.raises(BadInput, match=r"3.0 MiB is more than the receiver gives, 2.0 MiB"):
        little.ask("serve-image", {**request, "scratch_bytes": 3 * MIB})
    assert not list((place.store / "images").iterdir())
    assert not list((place.store / "scratch").iterdir())
    for wrong, said in (
        ("0.0.0.0:0", "reached from other machines"),
        ("example.org:1", "reached from other"),
    ):
        with pytest.raises(BadInput, match=said), asks.hold("serve-image", {**request, "where": wrong}):
            pytest.fail("it was served")
    with (
        pytest.raises(NotFound, match="volume c is not of group"),
        asks.hold("serve-image", {**request, "volumes": ["c"]}),
    ):
        pytest.fail("it was served")


def test_who_has_the_store_answers_where_the_store_is_held(place: Place, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="not the store of a receiver"), answering(place.store):
        pytest.fail("no receiver was ever here")
    with pytest.raises(NotFound, match="not the store of a receiver"), answering(tmp_path / "nowhere"):
        pytest.fail("it is not there")
    assert not (tmp_path / "nowhere").exists()
    place.cycle("1", b"1")
    asked = dict.fromkeys(WORDS, "") | {"history": "4h"}
    with attended(place.store, place.disks.disks, place.journals, asked), answering(place.store) as asks:
        assert isinstance(asks, ControlClient)
        there: list[Told] = []
        asks.ask("checkpoints", {"group": GROUP}, there.append)
    with answering(place.store) as asks:
        assert isinstance(asks, InProcess)
        assert listed(asks)["checkpoints"] == there[0]["checkpoints"]
        said = f"in use by process {os.getpid()}$"
        with pytest.raises(ProjectBusy, match=said), answering(place.store, 0.1):
            pytest.fail("somebody has it")
    end = Place.bring(place, "a", "2", b"2")
    with answering(place.store) as asks, pytest.raises(Blocked, match="no receiver is at work"):
        asks.ask("checkpoint", {"group": GROUP, "wait": True})
    end()


def test_who_comes_while_somebody_has_the_store_waits_a_moment(place: Place) -> None:
    remember(place.store, place.disks.disks, dict.fromkeys(WORDS, "") | {"history": "4h"})
    held = open_store(place.store)
    over = threading.Timer(0.2, os.close, (held,))  # as a verb that is done
    over.start()
    with answering(place.store, 60) as asks:
        assert isinstance(asks, InProcess)
        over.join()
        begun: list[ControlServer] = []
        over = threading.Timer(0.2, lambda: begun.append(ControlServer(place.store, {})))
        over.start()  # as a receiver that had it before it answers
        with answering(place.store, 1) as asks:
            assert isinstance(asks, ControlClient)
        over.join()
        begun[0].close()


def test_a_disk_without_a_group_is_called_as_no_group_is(place: Place) -> None:
    Journals(place.store, {"a": "b", "c": ""}, place.disks).close()
    with pytest.raises(BadInput, match="b is a disk without a group, and the group of others"):
        Journals(place.store, {"a": "b", "b": ""}, place.disks)


def test_disks_that_are_not_as_they_were_are_refused(place: Place) -> None:
    remember(place.store, place.disks.disks, dict.fromkeys(WORDS, ""))
    found = Remembered(place.store)
    assert found.groups() == place.disks.groups()
    found.open_read("a").close()
    found.open_write("a").close()
    place.paths["a"].write_bytes(bytes(SIZE + 512))
    (place.paths["a"].parent / "other").write_bytes(bytes(SIZE))
    (place.paths["a"].parent / "other").replace(place.paths["b"])
    for volume in ("a", "b"):
        with pytest.raises(SiteRefused, match=f"volume {volume} is not the disk that was served"):
            found.open_read(volume)
    with pytest.raises(NotFound, match="was not served here"):
        found.open_read("d")
    for text in ("", "[]", '{"volumes": [1]}', '{"volumes": [{"id": "a"}]}', "[" * 9999):
        (place.store / FILE).write_text(text, "utf-8")
        with pytest.raises(BadInput, match="does not say which disks are served"):
            Remembered(place.store)
