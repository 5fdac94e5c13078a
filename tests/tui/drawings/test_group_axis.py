"""A group on one axis of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from migrate.group_course import DOWN, SOURCE, TARGET, GroupCourse, Stay, Stretch
from migrate.run.step_phases import BACK, CUTOVER, DELTAS, SEED
from tui.drawings.group_axis import LEGEND, group_axis

NOON = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


def at(hours: float) -> str:
    return (NOON + timedelta(hours=hours)).isoformat()


def drawn(course: GroupCourse, *points: dict[str, object], width: int = 108) -> list[str]:
    return [line.plain[8:] for line in group_axis(course, points, width)]


def course(stretches: list[Stretch], stays: list[Stay], read_at: str = at(10)) -> GroupCourse:
    return GroupCourse("crm", read_at, tuple(stretches), tuple(stays), ())


def point(hours: float, name: str = "", pinned: bool = False) -> dict[str, object]:
    return {"at_ms": int((NOON + timedelta(hours=hours)).timestamp() * 1000), "name": name, "pinned": pinned}


def test_copies_lie_at_the_target_and_the_vms_run_where_they_are() -> None:
    seen = drawn(
        course(
            [
                Stretch(1, SEED, at(0), at(2), False),
                Stretch(1, DELTAS, at(4), at(4.5), False),
                Stretch(1, CUTOVER, at(6), at(7), False),
            ],
            [Stay(at(0), SOURCE), Stay(at(6.2), DOWN), Stay(at(7), TARGET)],
        ),
        point(2), point(4, "before"),
    )  # fmt: skip
    source, target, points = seen[:3]
    assert source == "■" * 60 + "▣" * 10
    assert target == "░" * 20 + " " * 20 + "▒" * 5 + " " * 15 + "▣" * 10 + "■" * 30
    assert (points[20], points[40]) == ("·", "◆")
    assert set(points) == {" ", "·", "◆"}
    assert "12:00" in seen[3] or "15:00" in seen[3]
    assert "11 Mar 2026" in seen[4]


def test_what_goes_on_reaches_to_the_end_and_what_leads_home_lies_at_the_source() -> None:
    seen = drawn(course([Stretch(2, DELTAS, at(5), "", True)], [Stay(at(0), TARGET)]))
    assert seen[0] == " " * 50 + "▒" * 50
    assert seen[1] == "■" * 100


def test_a_way_back_is_drawn_at_both_sides_and_something_short_is_seen() -> None:
    seen = drawn(course([Stretch(1, BACK, at(5), at(5.001), False)], [Stay(at(0), SOURCE)]))
    assert [line.count("◄") for line in seen[:2]] == [1, 1]


def test_a_pinned_point_is_not_hidden_by_others_of_the_same_cell() -> None:
    seen = drawn(course([], [Stay(at(0), SOURCE)]), point(5, pinned=True), point(5.01), point(5.02))
    assert seen[2].strip() == "◆"


def test_nothing_is_said_to_be_nothing() -> None:
    (only,) = group_axis(course([], []), [], 60)
    assert "nothing" in only.plain
    assert len(LEGEND) <= 76, "it stands in the border of a narrow screen"
