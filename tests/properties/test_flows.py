"""Properties of evidence: sums do not depend on the order of rows, nor on how they are cut into files."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.evidence.compose import compose
from planner.evidence.records import Conversation, Endpoint, Evidence, Import, Kind, day_bits
from planner.model import Inventory
from planner.sources.flows.tally import NO_PORT, Tally
from tests.planner.sketch import estate, vm

_ENDS = ("a", "b", "10.0.0.1", "10.0.0.2")
_MOMENT = st.one_of(st.none(), st.integers(1_790_000_000, 1_800_000_000))
_ROW = st.tuples(
    st.sampled_from(_ENDS),
    st.sampled_from(_ENDS),
    st.sampled_from((NO_PORT, 1, 443, 65_535)),
    st.sampled_from(("", "tcp", "udp")),
    st.integers(-1, 2**50),
    st.integers(1, 2**40),
    _MOMENT,
    _MOMENT,
)
Summary = dict[tuple[str, str, int | None, str], tuple[object, ...]]


def _tally(rows: list[tuple[object, ...]]) -> Tally:
    tally = Tally("x.csv")
    for number, (source, destination, port, protocol, size, count, first, last) in enumerate(rows, 2):
        tally.add(
            tally.endpoint(str(source)),
            tally.endpoint(str(destination)),
            port,  # type: ignore[arg-type]
            tally.protocol(str(protocol)),
            size,  # type: ignore[arg-type]
            count,  # type: ignore[arg-type]
            first,  # type: ignore[arg-type]
            last,  # type: ignore[arg-type]
            number,
        )
    return tally


def _summary(tally: Tally) -> Summary:
    ends = tally.endpoints
    return {
        (ends[item.source].label, ends[item.destination].label, item.port, item.protocol): (
            item.size_bytes,
            item.count,
            item.first_seen,
            item.last_seen,
            item.days,
        )
        for item in tally.drain()
    }


@given(st.lists(_ROW, max_size=40), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_sums_do_not_depend_on_the_order_of_rows(
    rows: list[tuple[object, ...]], shuffle: random.Random
) -> None:
    shuffled = rows.copy()
    shuffle.shuffle(shuffled)
    assert _summary(_tally(rows)) == _summary(_tally(shuffled))


@given(st.lists(_ROW, max_size=40))
@settings(max_examples=100, deadline=None)
def test_sums_are_those_of_a_plain_count(rows: list[tuple[object, ...]]) -> None:
    found = _summary(_tally(rows))
    assert len(found) == len({row[:4] for row in rows})
    for (source, destination, port, protocol), (size, count, first, last, days) in found.items():
        mine = [
            row
            for row in rows
            if row[:4] == (source, destination, NO_PORT if port is None else port, protocol)
        ]
        known = [row[4] for row in mine if row[4] != -1]
        assert size == (sum(known) if known else None)  # type: ignore[arg-type]
        assert count == sum(row[5] for row in mine)  # type: ignore[misc]
        assert first == min((row[6] for row in mine if row[6] is not None), default=None)  # type: ignore[type-var]
        assert last == max((row[7] for row in mine if row[7] is not None), default=None)  # type: ignore[type-var]
        moments = [moment for row in mine for moment in row[6:8] if moment is not None]
        assert days == day_bits(*moments)  # type: ignore[arg-type]


def _imports(count: int) -> tuple[Import, ...]:
    return tuple(Import(n, Kind.PLAIN, f"{n}.csv", str(n), "", "me", 1, 0, {}) for n in range(1, count + 1))


def _estate() -> Inventory:
    return estate(vm("a"), vm("b"), vm("c"))


_SAID = st.builds(
    Conversation,
    origin=st.integers(1, 2),
    source=st.sampled_from([Endpoint(name) for name in "abcx"]),
    destination=st.sampled_from([Endpoint(name) for name in "abcx"]),
    port=st.sampled_from((None, 80, 443, 50_000, 50_001)),
    protocol=st.sampled_from(("", "tcp", "udp", "icmp")),
    size_bytes=st.one_of(st.none(), st.integers(0, 1000)),
    count=st.integers(1, 5),
    first_seen=_MOMENT,
    last_seen=_MOMENT,
    days=st.integers(0, 2**63 - 1),
    rows=st.lists(st.integers(2, 9), min_size=1, max_size=3, unique=True).map(
        lambda rows: tuple(sorted(rows))
    ),
)


@given(st.lists(_SAID, max_size=30), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_dependencies_do_not_depend_on_the_order_of_conversations(
    said: list[Conversation], shuffle: random.Random
) -> None:
    shuffled = said.copy()
    shuffle.shuffle(shuffled)
    one = compose(_estate(), Evidence(_imports(2), said))
    other = compose(_estate(), Evidence(_imports(2), shuffled))
    assert one == other
    assert all(item.source != item.target for item in one.dependencies)
    assert all(0.5 <= item.confidence < 1 for item in one.dependencies)


@given(st.lists(_SAID, min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_traffic_is_neither_lost_nor_doubled(said: list[Conversation]) -> None:
    composed = compose(_estate(), Evidence(_imports(2), said))
    counted = [
        item
        for item in said
        if item.source != item.destination
        and "x" not in (item.source.name, item.destination.name)
        and not (item.protocol == "icmp" and item.port is None)
    ]
    total = sum(item.size_bytes or 0 for item in counted)
    assert sum(item.traffic_bytes or 0 for item in composed.dependencies) == total
    assert bool(composed.dependencies) == bool(counted)


def test_a_sum_that_forgets_a_row_would_be_seen(tmp_path: Path) -> None:
    """Negative control: the comparison of two tallies tells one row more or less apart."""
    rows: list[tuple[object, ...]] = [("a", "b", 443, "tcp", 5, 1, None, None)] * 3
    assert _summary(_tally(rows)) != _summary(_tally(rows[:2]))
    said = Conversation(1, Endpoint("a"), Endpoint("b"), 443, "tcp", 5, 1, None, None, 0, (2,))
    more = [said, replace(said, origin=2)]
    assert compose(_estate(), Evidence(_imports(2), more)) != compose(
        _estate(), Evidence(_imports(2), [said])
    )
