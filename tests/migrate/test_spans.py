"""Lines that say where something lies on a disk: no byte is left out, none is seen where there is none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migrate.disks.extent import Extent
from migrate.spans import SPANS, folded, spans, tallied

runs = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 60)), max_size=12)


def extents(gaps: list[tuple[int, int]]) -> list[Extent]:
    """Return ascending extents from what is between them and how long each is."""
    found, at = [], 0
    for gap, length in gaps:
        found.append(Extent(at + gap, length))
        at += gap + length
    return found


@given(runs, st.integers(1, 700), st.integers(1, 20))
def test_each_digit_is_the_share_of_its_span_rounded_up(
    gaps: list[tuple[int, int]], size: int, count: int
) -> None:
    taken = {byte for one in extents(gaps) for byte in range(one.offset, one.end) if byte < size}
    line = spans(extents(gaps), size, count)
    assert len(line) == count
    for number, digit in enumerate(line):
        here = sum(byte * count // size == number for byte in taken)
        assert int(digit) == min(9, -(-here * count * 9 // size))


@given(runs, st.integers(1, 700))
def test_runs_that_touch_are_one_area_and_the_longest_is_told(gaps: list[tuple[int, int]], size: int) -> None:
    taken = "".join(
        "#" if any(one.offset <= byte < one.end for one in extents(gaps)) else " " for byte in range(size)
    )
    tally = tallied(extents(gaps), size)
    assert tally.areas == len(taken.split())
    assert tally.longest_bytes == max(map(len, taken.split()), default=0)


def test_a_sector_of_a_large_disk_is_seen_and_a_whole_disk_is_full() -> None:
    size = 62 * 1024**4
    line = spans([Extent(size - 512, 512)], size)
    assert line == "0" * (SPANS - 1) + "1"
    assert spans([Extent(0, size)], size) == "9" * SPANS
    assert spans([], size) == "0" * SPANS


@given(st.text("0123456789", min_size=1, max_size=200), st.integers(1, 220))
def test_what_is_folded_shows_the_fullest(line: str, width: int) -> None:
    drawn = folded(line, width)
    assert len(drawn) == min(width, len(line))
    assert max(drawn) == max(line)
    assert (drawn.strip("0") == "") == (line.strip("0") == "")
