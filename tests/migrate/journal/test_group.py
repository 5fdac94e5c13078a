"""A group at its target: who asks for checkpoints, joins later, fails, or looks meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from migrate.journal.disk import JournalledDisk
from migrate.journal.group import Asked
from migrate.journal.log import open_log
from migrate.journal.members import Members, save_members
from migrate.journal.state import Checkpoint
from migrate.replication.passes import Mode
from migrate.sites.consistency import Consistency
from planner.errors import Blocked, Corrupt, NotFound, ProjectBusy
from tests.migrate.journal.storage import SimulatedFiles
from tests.migrate.journal.target import SIZE, Pass, Replica, Target


def test_what_is_asked_for_in_a_cycle_is_made_when_it_ends(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    first = target.cycle(1)
    one, other = Pass(target, "disk-0", 2), Pass(target, "disk-1", 2)
    one.begin()
    with pytest.raises(Blocked, match="between two points: a pass of disk-0 is under way"):
        target.group.checkpoint(Asked("too early"))
    assert target.group.checkpoint(Asked("waits", pinned=True), wait=True) is None
    one.end()
    given_up = target.group.later(Asked("given up"))
    target.group.withdraw(given_up)
    later = target.group.later(Asked("waits longer"))
    other.begin()
    other.write()
    assert target.group.checkpoints() == [first]
    other.end()
    points = target.group.checkpoints()[1:]
    names = {point.name: point for point in points}
    assert {"waits", "waits longer"} <= set(names)
    assert "given up" not in names
    assert names["waits"].pinned
    assert later.made == names["waits longer"]
    assert all(target.is_whole(point) for point in points)
    at_once = target.group.checkpoint(Asked("at once"))
    assert at_once is not None
    assert target.is_whole(at_once)


CRASH, FILESYSTEM, APPLICATION = Consistency


@pytest.mark.parametrize(
    ("said", "reached"),
    [
        ((APPLICATION, APPLICATION), APPLICATION),
        ((APPLICATION, FILESYSTEM), FILESYSTEM),
        ((CRASH, APPLICATION), CRASH),
        ((CRASH, CRASH), CRASH),
    ],
)
def test_a_checkpoint_of_a_cycle_is_worth_the_least_that_was_said_of_a_disk(
    tmp_path: Path, said: tuple[Consistency, Consistency], reached: Consistency
) -> None:
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    target.cycle(1)
    target.run("disk-0", 2, said[0])
    asked = target.group.later(Asked("in the cycle"))
    target.kill()
    target.run("disk-1", 2, said[1])
    assert asked.made is None, "it went with its process"
    named = target.group.checkpoint(Asked("afterwards"))
    told = target.group.checkpoint(Asked("told", consistency=FILESYSTEM))
    assert [point.consistency for point in (named, told) if point] == [reached, FILESYSTEM]
    target.kill()
    assert [point.consistency for point in target.group.checkpoints()] == [
        CRASH,
        reached,
        reached,
        FILESYSTEM,
    ]
    assert target.cycle(3).consistency is CRASH, "what a cycle was worth is of no later one"


def test_what_waited_is_forgotten_with_the_receiver(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    target.cycle(1)
    one = Pass(target, "disk-0", 2)
    one.begin()
    assert target.group.checkpoint(Asked("waits"), wait=True) is None
    target.kill()
    target.cycle(2)
    assert [point.name for point in target.group.checkpoints()] == ["", ""]


def test_a_checkpoint_and_a_pass_that_begins_at_that_moment(tmp_path: Path) -> None:
    """The pass begins when the checkpoint has asked about its disk: its writes come behind the mark."""
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    target.cycle(1)
    one = Pass(target, "disk-0", 2)
    threads: list[threading.Thread] = []

    def begin() -> None:
        one.begin()
        one.write()

    def asked(volume: str) -> None:
        if volume == "disk-1" and not threads:  # the one before was asked about already
            threads.append(threading.Thread(target=begin))
            threads[0].start()
            threads[0].join(0.2)

    target.asked = asked
    point = target.group.checkpoint(Asked("now"))
    threads[0].join()
    assert point is not None
    assert target.holds(point, 1)


def test_a_log_does_not_begin_under_a_conversation_that_is_past_it(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0"])
    target.run("disk-0", 0)
    assert target.group.checkpoints() == []
    looking = Pass(target, "disk-0", 1)  # opened, and may begin at any moment
    with pytest.raises(Blocked, match="open for a pass"):
        target.group.checkpoint(Asked("now"))
    looking.begin()
    looking.end()
    (point,) = target.group.checkpoints()
    target.run("disk-0", 2)
    assert target.is_whole(point)


def test_a_flush_that_failed_makes_no_checkpoint_until_it_was_compared(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    first = target.cycle(1)
    broken = Pass(target, "disk-0", 2)
    broken.begin()
    broken.write()
    broken.lose_a_flush()
    target.run("disk-1", 2)
    with pytest.raises(Blocked, match="never brought here as a whole"):
        target.group.checkpoint(Asked("now"))
    assert target.group.checkpoints() == [first]
    assert target.is_whole(first)
    compared = Pass(target, "disk-0", 2, Mode.COMPARE)
    compared.begin()
    compared.end()
    second = target.group.checkpoints()[-1]
    assert second.cycle == "cycle-2"
    assert target.is_whole(second)
    assert target.is_whole(first)


def test_a_disk_that_joins_later_is_in_what_comes_and_not_in_what_was(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    old = [target.cycle(1), target.cycle(2)]
    target.group.close()
    target.start(["disk-0", "disk-1", "new"])
    with pytest.raises(Blocked, match="new was never brought here as a whole"):
        target.group.checkpoint(Asked("now"))
    seed = Pass(target, "new", 1)
    for volume in ("disk-0", "disk-1"):
        target.run(volume, 3)
    seed.begin()
    seed.write()
    assert target.group.checkpoints() == old
    seed.end()
    with pytest.raises(Blocked, match="different cycles"):
        target.group.checkpoint(Asked("now"))
    looking = Pass(target, "new", 3)
    with pytest.raises(Blocked, match="open for a pass"):
        target.group.checkpoint(Asked("now"))
    looking.begin()
    looking.end()
    first = target.group.checkpoints()[-1]
    assert first.cycle == "cycle-3"
    assert target.is_whole(first)
    for _ in range(2):  # also to the process after it
        for point in old:
            with pytest.raises(NotFound, match="new joined group after checkpoint"):
                target.image(point, "new")
            assert target.image(point, "disk-1") == target.content("disk-1", int(point.cycle[-1]))
        target.kill()
    fourth = target.cycle(4)
    assert target.is_whole(fourth)
    assert target.is_whole(first)
    target.group.promote(fourth.record)
    assert target.is_whole(fourth)
    assert target.group.checkpoints() == [fourth]


def test_two_promotions_at_once_do_not_mix(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    points = [target.cycle(cycle) for cycle in range(1, 7)]
    refused: list[BaseException] = []

    def promote(point: Checkpoint) -> None:
        try:
            target.group.promote(point.record)
        except NotFound as error:  # a later one was promoted first
            refused.append(error)

    threads = [threading.Thread(target=promote, args=(point,)) for point in points[1:5]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{len(refused)} of {len(threads)} came too late")
    left = target.group.checkpoints()
    assert left == points[4:]
    assert all(target.is_whole(point) for point in left)


def test_an_image_stays_when_the_log_failed_and_was_opened_anew(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    first, second = target.cycle(1), target.cycle(2)
    image = target.group.image(first.record, "disk-0")
    newer = target.group.image(second.record, "disk-0")
    target.group.close()  # its files are opened again when they are needed
    newest = max(target.folder.glob("*.segment"))
    newest.rename(newest.with_suffix(".away"))  # so the next append finds no file
    broken = Pass(target, "disk-0", 3)
    broken.begin()
    with pytest.raises(OSError, match="No such file"):
        broken.finish()
    broken.close()
    assert target.group.log.failed
    newest.with_suffix(".away").rename(newest)
    third = target.cycle(3)
    assert third.cycle == "cycle-3"
    assert all(target.is_whole(point) for point in (first, second, third))
    with pytest.raises(ProjectBusy, match="an image of checkpoint"):
        target.group.promote(third.record)
    buffer = bytearray(SIZE)
    image.read_into(memoryview(buffer), 0)
    assert bytes(buffer) == target.content("disk-0", 1)
    newer.read_into(memoryview(buffer), 0)
    assert bytes(buffer) == target.content("disk-0", 2)
    newer.close()
    opened = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    segments = [path for path in opened if path.parent == target.folder]
    assert len(segments) == len(set(segments)) > 0  # none is kept open by the log that failed
    image.close()
    target.group.promote(third.record)
    assert target.is_whole(third)


def test_a_number_is_a_number_whatever_others_are_called(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    first = target.cycle(1)
    target.cycle(2)
    target.group.checkpoint(Asked(str(first.record)))
    assert target.group.find(str(first.record)) == first
    with pytest.raises(NotFound):
        target.group.find("")


def test_a_folder_that_does_not_say_which_disks_it_is_of_is_refused(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    target.cycle(1)
    target.group.close()
    members = target.folder / "group.json"
    told = members.read_bytes()
    twice = told.replace(b'"disk-1": 1', b'"disk-1": 0')
    others = told.replace(b'"group": "group"', b'"group": "other"')
    for broken in (b"", b"{}", b"[]", b'{"volumes": {}}', twice, others):
        assert broken != told
        members.write_bytes(broken)
        with pytest.raises(Corrupt):
            target.start(target.volumes)
    members.unlink()
    with pytest.raises(Corrupt, match="which disks"):
        target.start(target.volumes)
    members.write_bytes(told)
    target.start(target.volumes)
    assert len(target.group.checkpoints()) == 1


def test_a_journal_whose_process_died_before_its_first_segment_begins_anew(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0", "disk-1"])
    for volume in target.volumes:
        target.run(volume, 0)
    save_members(target.folder, "group", Members().joined(target.volumes, 0))
    target.kill()
    assert target.group.checkpoints() == []
    points = [target.cycle(cycle) for cycle in (1, 2)]
    target.kill()
    assert target.group.checkpoints() == points
    assert all(target.is_whole(point) for point in points)


class Wide(Replica):
    """A disk full of ones, larger than memory."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(bytearray())
        self.size_bytes = size_bytes

    def read_into(self, buffer: memoryview, _offset: int) -> None:
        buffer[:] = b"\1" * len(buffer)


def test_a_long_run_of_zeros_is_written_whole(tmp_path: Path) -> None:
    """A disk larger than its source is zeroed behind it, over more than one record can say."""
    size = 9 * 2**30
    disk = JournalledDisk(0, Wide(size), open_log(SimulatedFiles(), "group"))
    disk.zero(5, size - 10)
    for offset, expected in (
        (0, b"\1" * 5 + bytes(3)),
        (2**32 - 4, bytes(8)),
        (size - 8, bytes(3) + b"\1" * 5),
    ):
        buffer = bytearray(8)
        disk.read_into(memoryview(buffer), offset)
        assert bytes(buffer) == expected
