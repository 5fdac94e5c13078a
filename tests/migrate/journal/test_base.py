"""A journal that stands on what its disks hold: whatever comes later, that stays, and can be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.disks import durable
from migrate.journal import enrolled, members, site
from migrate.journal.allowance import Space
from migrate.journal.group import Asked
from migrate.journal.keeping import keep
from migrate.journal.limits import Limits, Room
from planner.errors import Blocked, NoSpace, WherryError
from tests.migrate.journal.target import SIZE
from tests.migrate.journal.test_site import DISKS, GROUP, Calls, Died, Place, quick, wanted

BASE = "committed"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a site whose disks hold 9 in every byte."""
    found = filled(tmp_path)
    yield found
    found.journals.close()


def filled(store: Path) -> Place:
    found = Place(store)
    for volume in DISKS:
        found.replicas.open_write(volume).write(bytes([9]) * SIZE, 0)
    return found


def enrol(place: Place, run: str = "r1/") -> None:
    place.journals.enrol(replace(wanted(run), base=BASE), anew=False)


def image(place: Place, checkpoint: str, volume: str = DISKS[0]) -> int:
    group = place.journals.group(GROUP)
    disk = group.image(group.find(checkpoint).record, volume)
    try:
        data = bytearray(SIZE)
        disk.read_into(memoryview(data), 0)
    finally:
        disk.close()
    assert len(set(data)) == 1
    return data[0]


def names(place: Place) -> list[tuple[str, str, bool]]:
    points = place.journals.group(GROUP).checkpoints()
    return [(point.name, point.cycle, point.pinned) for point in points]


def test_the_first_pass_leaves_the_disks_alone_and_what_they_held_is_a_checkpoint(place: Place) -> None:
    enrol(place)
    assert names(place) == [(BASE, "", True)]
    for number in (1, 2):
        place.cycle(f"r1/{number}", number)
    assert names(place) == [(BASE, "", True), ("", "r1/1", False), ("", "r1/2", False)]
    place.again()
    enrol(place)
    assert len(names(place)) == 3, "one that is there goes on as it is"
    assert [place.replica(volume) for volume in DISKS] == [9, 9]
    assert [image(place, BASE, volume) for volume in DISKS] == [9, 9]
    assert (image(place, "latest"), place.newest("vm/1")) == (2, 2)
    said = place.journals.close_at(GROUP, Asked("failback W01", pinned=True), quick)
    assert (said["cycle"], place.replica("vm/0"), place.replica("vm/1")) == ("r1/2", 2, 2)


def test_control_without_a_base_the_first_pass_goes_over_the_disks(place: Place) -> None:
    place.journals.enrol(wanted(), anew=False)
    place.cycle("r1/1", 1)
    assert [place.replica(volume) for volume in DISKS] == [1, 1]


def test_given_up_the_disks_are_as_they_were(place: Place) -> None:
    enrol(place)
    place.cycle("r1/1", 1)
    assert place.journals.dismiss(GROUP)
    assert [place.replica(volume) for volume in DISKS] == [9, 9]
    enrol(place, "r2/")
    assert (names(place), image(place, BASE)) == ([(BASE, "", True)], 9)


def test_neither_age_nor_a_lack_of_room_takes_it(place: Place) -> None:
    enrol(place)
    month_ms = 31 * 24 * 3600 * 1000
    number, refused = 0, ""
    while not refused and number < 40:
        number += 1
        group = place.journals.group(GROUP)
        keep(group, Limits(3600.0, Room(3 * SIZE)), number * month_ms, quick)
        try:
            place.cycle(f"r1/{number}", number)
        except NoSpace as error:
            refused = error.message
    assert "has reached its limit" in refused
    assert [place.replica(volume) for volume in DISKS] == [9, 9]
    assert [image(place, BASE, volume) for volume in DISKS] == [9, 9]
    assert names(place)[0] == (BASE, "", True)


def test_without_room_for_it_nothing_begins_and_nothing_is_written(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(site, "space_of", lambda _folder, _reserve: Space(10, 20))
        with pytest.raises(NoSpace, match="no room for a journal"):
            enrol(place)
    assert place.journals.enrolment(GROUP) is None
    assert place.files == []
    enrol(place)
    assert image(place, BASE) == 9


def test_mended_down_to_nothing_it_stands_on_its_disks_again(place: Place) -> None:
    enrol(place)
    place.cycle("r1/1", 1)
    place.journals.close()
    for segment in (place.store / "journal").rglob("*.segment"):
        segment.write_bytes(b"rot" + segment.read_bytes()[3:])
    journals = place.again()
    with pytest.raises(WherryError):
        journals.group(GROUP)
    assert journals.mend(GROUP).checkpoints == ()
    assert names(place) == [(site.AFTER_MENDING, "", True)]
    place.cycle("r1/2", 2)
    assert (place.replica("vm/0"), image(place, site.AFTER_MENDING), place.newest("vm/0")) == (9, 9, 2)


def test_killed_while_it_begins_no_pass_gets_past_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Die before each durable change in turn; the same call after it ends as if nothing had been."""
    deaths = blocked = 0
    for at in range(40):
        place, dying = filled(tmp_path / str(at)), Calls(at).dying
        place.store.mkdir()
        with monkeypatch.context() as patch:
            for module in (enrolled, members):
                patch.setattr(module, "replace_file", dying(durable.replace_file))
                patch.setattr(module, "sync_directory", dying(durable.sync_directory))
            patch.setattr(site, "_stand_on", dying(site._stand_on))
            try:
                enrol(place)
                died = False
            except Died:
                died = True
        place.again()
        if died:
            deaths += 1
            if (one := place.journals.enrolment(GROUP)) is not None and one.is_open:
                blocked += 1
                with pytest.raises(Blocked, match="was not begun"):
                    place.cycle("r1/0", 5)
            enrol(place)
        assert image(place, BASE) == 9
        place.cycle("r1/1", 1)
        assert (place.replica("vm/0"), image(place, BASE), place.newest("vm/0")) == (9, 9, 1)
        place.journals.close()
        if not died:
            break
    assert deaths >= 4
    assert blocked
