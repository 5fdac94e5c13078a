"""Which way is taken, and that people are told why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.transports.choosing import Choice, choose, open_read, open_write
from migrate.sites.vsphere.transports.ports import Place, Purpose, Way
from planner.errors import NoSpace, SiteRefused, Unreachable, WherryError

PLACE = Place(DatastorePath("ds", "web/web.vmdk"), 1024)


@dataclass
class _Way:
    way: Way
    why: str = ""
    fails: WherryError | None = None
    opened: list[str] = field(default_factory=list)

    def refusal(self, place: Place, purpose: Purpose) -> str:
        return self.why

    def open_read(self, place: Place) -> ReadableDisk:
        if self.fails is not None:
            raise self.fails
        self.opened.append("read")
        return cast("ReadableDisk", self)

    def open_write(self, place: Place) -> WritableDisk:
        return cast("WritableDisk", self.open_read(place))


def test_reading_prefers_a_mounted_file_and_writing_the_device() -> None:
    ways = [_Way(way) for way in reversed(Way)]
    assert choose(ways, PLACE, Purpose.READ).way is Way.LOCAL
    assert choose(ways, PLACE, Purpose.WRITE).way is Way.HOT_ADD
    assert choose(ways, PLACE, Purpose.READ).reason == "local: its datastore is mounted here"


def test_the_reason_names_every_better_way() -> None:
    ways = [
        _Way(Way.HTTP),
        _Way(Way.LOCAL, "not mounted"),
        _Way(Way.HOT_ADD, "no VM"),
        _Way(Way.NBD, "no VDDK"),
    ]
    said = choose(ways, PLACE, Purpose.READ).reason
    assert said == (
        "datastore-http: the vCenter serves its file; not local: not mounted; not hot-add: no VM; "
        "not nbd: no VDDK"
    )


def test_what_fails_to_open_is_told_and_the_next_is_taken() -> None:
    local, nbd = _Way(Way.LOCAL, fails=SiteRefused("the mount is stale", "")), _Way(Way.NBD)
    told: list[Choice] = []
    assert open_read([nbd, local], PLACE, told.append) is cast("ReadableDisk", nbd)
    assert told == [Choice(Way.NBD, ((Way.LOCAL, "the mount is stale"),))]
    assert nbd.opened == ["read"]


def test_other_errors_are_not_passed_over() -> None:
    nbd = _Way(Way.NBD)
    with pytest.raises(NoSpace):
        open_write([_Way(Way.HOT_ADD, fails=NoSpace("full", "")), nbd], PLACE)
    assert nbd.opened == []


def test_no_way_says_why_of_each() -> None:
    ways = [_Way(Way.LOCAL, "not mounted"), _Way(Way.HTTP, "a mapping")]
    with pytest.raises(SiteRefused, match="cannot be written: local: not mounted; datastore-http: a mapping"):
        open_write(ways, PLACE)
    with pytest.raises(SiteRefused, match="no transport is set up"):
        open_read([], PLACE)


def test_what_may_pass_is_tried_again_later() -> None:
    """A run waits for what is unreachable, and asks a person about what is refused."""
    ways = [_Way(Way.HOT_ADD, "no VM"), _Way(Way.NBD, fails=Unreachable("the host is away", ""))]
    with pytest.raises(Unreachable, match=r"hot-add: no VM; nbd: the host is away"):
        open_read(ways, PLACE)
