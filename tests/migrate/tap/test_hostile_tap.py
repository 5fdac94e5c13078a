"""A tap that has keys and means ill: what it may not say is refused, and what was kept before stays."""

from __future__ import annotations

import contextlib
import random
import struct
from collections.abc import Callable

import pytest

from migrate.journal.writes import Write, pack
from migrate.replication.channel import ChannelClosed
from migrate.replication.link import Link
from migrate.replication.messages import Hello, Taken, Turn
from migrate.replication.sender import greet
from migrate.replication.streaming import PIECES_MAX
from migrate.replication.wire import OFFSET_MAX, Kind, WireError
from migrate.replication.written import RAW_MAX, frames_of
from migrate.replication.zeros import GRAIN
from planner.errors import WherryError
from tests.migrate.tap.rig import GROUP, SIZE, VOLUMES, Far

Talk = Callable[[Link], None]
BOTH = tuple((volume, SIZE) for volume in VOLUMES)


def hello(session: str = "5" * 32, tap: str = "7" * 16) -> Hello:
    return Hello(
        purpose="stream", volume=GROUP, size_bytes=0, nonce="0" * 32, tap=tap, session=session, disks=BOTH
    )


def turn(link: Link, what: str, upto: int, **more: object) -> None:
    link.send(Kind.MARK, Turn.model_validate({"what": what, "upto": upto, **more}).dump())


def write(link: Link, after: int, *writes: Write, upto: int | None = None) -> None:
    for reached, body in frames_of(writes, after, (0, 1), 1):
        link.send(Kind.WRITES, body, offset=reached if upto is None else upto)


def acknowledged(link: Link) -> Taken:
    link.send(Kind.COMMIT)
    return Taken.load(link.receive(Kind.ACK).body)


def piece(link: Link, after: int) -> None:
    """Send a piece of a write that never comes to its end."""
    table, stored, raw = pack([Write(0, 0, RAW_MAX, bytes(RAW_MAX))], 1)
    link.send(Kind.WRITES, struct.pack("<IIIQ", 1, len(table), raw, after) + table + stored, offset=after)


def whole(link: Link) -> None:
    """Be a tap that has copied all there is: four blocks."""
    turn(link, "torn", 10, full=True, why="first [red]\x1b")
    write(link, 10, Write(0, 0, 4096, b"a" * 4096), Write(1, 4096, 8192, b"b" * 8192))
    turn(link, "whole", 13)
    taken = acknowledged(link)
    assert taken.upto == 13
    assert [number for number, _record in taken.points] == [13]


def endless(link: Link) -> None:
    for _ in range(PIECES_MAX // RAW_MAX + 2):
        piece(link, 13)


def within(link: Link) -> None:
    piece(link, 13)
    turn(link, "point", 14)


def while_torn(link: Link) -> None:
    turn(link, "torn", 20)
    turn(link, "point", 21)


LIES: dict[str, Talk] = {
    "a write behind another one": lambda link: write(link, 14, Write(0, 0, 1, b"x")),
    "a write again": lambda link: write(link, 12, Write(0, 0, 1, b"x")),
    "a write outside": lambda link: write(link, 13, Write(0, SIZE, 1, b"x")),
    "a write to no disk": lambda link: link.send(
        Kind.WRITES, next(frames_of([Write(0, 0, 1, b"x")], 13, (9,), 1))[1], offset=14
    ),
    "a number that is too high": lambda link: write(link, 13, Write(0, 0, 1, b"x"), upto=99),
    "a point that leaves one out": lambda link: turn(link, "point", 15),
    "a point that was": lambda link: turn(link, "point", 13),
    "a point within a write": within,
    "a write without an end": endless,
    "a point while it is torn": while_torn,
    "less than everything, of a tap nobody knows": lambda link: None,
    "a pass": lambda link: link.send(Kind.ZERO, length=4096),
    "a question about no disk": lambda link: link.send(Kind.ASK_DIGESTS, offset=2**40, length=GRAIN),
    "a question about half a grain": lambda link: link.send(Kind.ASK_DIGESTS, offset=512, length=GRAIN),
    "a question about more than a disk": lambda link: link.send(Kind.ASK_DIGESTS, length=SIZE + GRAIN),
    "a mark that is none": lambda link: link.send(Kind.MARK, b'{"what":"floor","upto":14}'),
    "a moment nobody lives to see": lambda link: link.send(
        Kind.MARK, b'{"what":"point","upto":14,"at_ms":999999999999999}'
    ),
    "a number no disk has": lambda link: link.send(
        Kind.MARK, b'{"what":"torn","upto":%d}' % (OFFSET_MAX + 1)
    ),
}


@pytest.mark.parametrize("lie", list(LIES))
def test_a_lie_ends_the_conversation_and_changes_nothing(far: Far, lie: str) -> None:
    link, _welcome = greet(far.connect(), hello())
    whole(link)
    before = [far.image_bytes(point.record) for point in far.group.checkpoints()]
    if lie.startswith("less than"):
        link, welcome = greet(far.connect(), hello("6" * 32))
        assert welcome.known
        far.group.resynced("somebody compared")
        turn(link, "torn", 5)
    else:
        with contextlib.suppress(ChannelClosed):  # it is over already
            LIES[lie](link)
    with pytest.raises(WherryError):
        acknowledged(link)
    assert [far.image_bytes(point.record) for point in far.group.checkpoints()][: len(before)] == before


def test_nothing_is_taken_before_it_is_said_where_it_begins(far: Far) -> None:
    talks: tuple[Talk, ...] = (
        lambda link: write(link, 0, Write(0, 0, 1, b"x")),
        lambda link: turn(link, "whole", 1),
        lambda link: turn(link, "point", 1),
        lambda link: turn(link, "torn", 1),
    )
    for talk in talks:
        link, welcome = greet(far.connect(), hello())
        assert not welcome.known
        talk(link)
        with pytest.raises(WireError):
            acknowledged(link)
    assert far.group.checkpoints() == []


def test_why_it_is_torn_is_text_that_can_be_shown(far: Far) -> None:
    link, _welcome = greet(far.connect(), hello())
    turn(link, "torn", 10, full=True, why="first [red]\x1b\u202e")
    acknowledged(link)
    assert "\x1b" not in far.group.unrest()
    assert "\u202e" not in far.group.unrest()
    assert "first" in far.group.unrest()


def test_random_talk_never_changes_what_was_offered(far: Far) -> None:
    rng = random.Random(9)
    link, _welcome = greet(far.connect(), hello())
    whole(link)
    known = {point.record: far.image_bytes(point.record) for point in far.group.checkpoints()}
    for number in range(40):
        link, _welcome = greet(far.connect(), hello(f"{number:032x}"))
        try:
            for _ in range(6):
                kind = rng.choice([Kind.WRITES, Kind.MARK, Kind.MARK, Kind.COMMIT])
                if kind is Kind.MARK:
                    what = rng.choice(["torn", "whole", "point", "judged"])
                    record, pinned = rng.randrange(20), rng.random() < 0.5
                    turn(link, what, rng.randrange(30), full=rng.random() < 0.5, record=record, pinned=pinned)
                elif kind is Kind.WRITES:
                    data = rng.randbytes(512)
                    write(
                        link, rng.randrange(30), Write(rng.randrange(2), rng.randrange(20) * 512, 512, data)
                    )
                else:
                    acknowledged(link)
        except WherryError:
            pass
    assert len(known) == 1
    for record, content in known.items():
        assert far.image_bytes(record) == content
