"""The bucket of a line on a simulated clock: never more than the calendar, hardly less, fair by weight."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.replication.line import QUARTER_S, Line, line_of
from migrate.replication.shaper import Flow, Shaper, burst_bytes
from planner.settings import Hours, Link

WEEKEND: tuple[str, ...] = ("saturday", "sunday")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Sending:
    """Flows that always have more to send, on a clock that jumps from turn to turn."""

    def __init__(self, line: Line | None, begins_s: float, weights: dict[str, float]) -> None:
        self.now_s = begins_s
        self.shaper = Shaper(line, begins_s)
        self.flows = {name: Flow(name, weight) for name, weight in weights.items()}
        self.sent: list[tuple[float, str, int]] = []

    def run(self, until_s: float, most: int = 10**9) -> None:
        asked: dict[str, int] = {}
        while self.now_s < until_s and len(self.sent) < most:
            for name, flow in self.flows.items():
                if not flow.asked_bytes:
                    if name in asked:
                        self.sent.append((self.now_s, name, asked[name]))
                    asked[name] = self.shaper.piece_bytes(self.now_s) or 1
                    self.shaper.ask(flow, asked[name])
            if not self.shaper.poll(self.now_s):
                self.now_s += max(self.shaper.wait_s(self.now_s), 1e-6)
        for flow in self.flows.values():
            self.shaper.withdraw(flow)

    def bytes_of(self, name: str) -> int:
        return sum(size for _, one, size in self.sent if one == name)


def allowed(line: Line, begins_s: float, ends_s: float) -> float:
    """Add up second by second what the calendar allows: another way than the shaper's."""
    edges = [begins_s, *(s for s in range(int(begins_s) + 1, int(ends_s) + 1) if s % 60 == 0), ends_s]
    return sum(line.rate_bytes_s(a) * (b - a) for a, b in pairwise(edges))


links = st.builds(
    Link,
    rate_mbit=st.floats(1, 40),
    share=st.floats(0.1, 1),
    hours=st.lists(
        st.builds(
            Hours,
            days=st.just(("thursday", "friday", "saturday", "sunday")),
            first=st.integers(0, 11),
            until=st.integers(12, 24),
            share=st.sampled_from((0.0, 0.2, 0.5, 1.0)),
        ),
        max_size=2,
    ).map(tuple),
    zone=st.sampled_from(("UTC", "Europe/Paris", "Asia/Kathmandu", "Australia/Lord_Howe")),
)


@settings(max_examples=40, deadline=None)
@given(link=links, begins=st.integers(0, 20 * 3600), flows=st.integers(1, 3))
def test_no_stretch_exceeds_the_calendar_and_little_is_left_unused(
    link: Link, begins: int, flows: int
) -> None:
    line = line_of(link)
    begins_s = at("2026-10-02T00:00") + begins
    sending = Sending(line, begins_s, {str(n): n + 1.0 for n in range(flows)})
    sending.run(begins_s + 4 * 3600, most=600)
    rates = [line.rate_bytes_s(begins_s + n * QUARTER_S) for n in range(17)]
    burst = max(map(burst_bytes, rates))
    ends = [s for s, _, _ in sending.sent]
    for first in range(0, len(ends), max(len(ends) // 12, 1)):
        total = 0
        for last in range(first, len(ends)):
            total += sending.sent[last][2]
            if last % 7 == 0 or last == len(ends) - 1:
                assert total <= allowed(line, ends[first], ends[last]) + burst + 1
    total = sum(size for _, _, size in sending.sent)
    assert total >= 0.97 * allowed(line, begins_s, sending.now_s) - burst


@pytest.mark.parametrize("weights", [(1, 1), (3, 1), (8, 2, 1)])
def test_flows_share_the_line_by_weight_and_nobody_starves(weights: tuple[float, ...]) -> None:
    line = line_of(Link(rate_mbit=80, share=1))
    sending = Sending(line, at("2026-10-02T00:00"), {str(n): w for n, w in enumerate(weights)})
    sending.run(at("2026-10-02T00:00") + 60)
    total = sum(size for _, _, size in sending.sent)
    for number, weight in enumerate(weights):
        assert sending.bytes_of(str(number)) / total == pytest.approx(weight / sum(weights), rel=0.02)


def test_a_flow_alone_takes_all_whatever_its_weight() -> None:
    line = line_of(Link(rate_mbit=80, share=1))
    sending = Sending(line, 0.0, {"a": 0.01})
    sending.run(60.0)
    assert sending.bytes_of("a") >= 0.97 * 60 * 10e6


def test_who_comes_late_gets_its_part_and_not_what_was_missed() -> None:
    line = line_of(Link(rate_mbit=80, share=1))
    sending = Sending(line, 0.0, {"a": 1.0})
    sending.run(60.0)
    before = sending.bytes_of("a")
    sending.flows["b"] = Flow("b", 1.0)
    sending.run(120.0)
    assert sending.bytes_of("a") - before == pytest.approx(sending.bytes_of("b"), rel=0.03)


def test_the_hours_are_those_of_the_zone_on_the_days_clocks_change() -> None:
    day = Hours(days=WEEKEND, first=2, until=3, share=1.0)  # type: ignore[arg-type]
    line = line_of(Link(rate_mbit=0.8, share=0.5, hours=(day,), zone="Europe/Paris"))
    # 25 October 2026: two o'clock comes twice, at 0:00 and at 1:00 UTC
    autumn = [line.rate_bytes_s(at(f"2026-10-25T{hour:02}:30")) for hour in range(4)]
    assert autumn == [1e5, 1e5, 0.5e5, 0.5e5]
    assert line.rate_bytes_s(at("2026-10-24T23:30")) == 0.5e5
    # 28 March 2027: there is no two o'clock
    spring = [line.rate_bytes_s(at("2027-03-28T00:00") + n * QUARTER_S) for n in range(12)]
    assert set(spring) == {0.5e5}
    sending = Sending(line, at("2026-10-25T00:00"), {"a": 1.0})
    sending.run(at("2026-10-25T03:00"))
    assert sending.bytes_of("a") == pytest.approx(2 * 3600 * 1e5 + 3600 * 0.5e5, rel=0.001)


def test_in_closed_hours_nothing_leaves() -> None:
    day = Hours(days=("friday",), first=8, until=18, share=0.0)
    line = line_of(Link(rate_mbit=8, share=1, hours=(day,), zone="UTC"))
    sending = Sending(line, at("2026-10-02T07:59"), {"a": 1.0})
    sending.run(at("2026-10-02T18:01"))
    assert not [s for s, _, _ in sending.sent if at("2026-10-02T08:00") < s < at("2026-10-02T18:00")]
    assert sending.bytes_of("a") == pytest.approx(2 * 60 * 1e6, rel=0.01)


def test_what_is_kept_free_is_never_taken() -> None:
    assert line_of(Link(rate_mbit=80, share=0.5, reserve_mbit=32)).rate_bytes_s(0.0) == 1e6
    assert line_of(Link(rate_mbit=80, share=0.2, reserve_mbit=32)).rate_bytes_s(0.0) == 0.0


def test_another_line_counts_from_now_on() -> None:
    sending = Sending(line_of(Link(rate_mbit=80, share=1)), 0.0, {"a": 1.0})
    sending.run(10.0)
    before = sending.bytes_of("a")
    sending.shaper.set_line(line_of(Link(rate_mbit=8, share=1)), sending.now_s)
    sending.run(20.0)
    assert before == pytest.approx(100e6, rel=0.02)
    assert sending.bytes_of("a") - before == pytest.approx(10e6, rel=0.03)
    sending.shaper.set_line(None, sending.now_s)
    assert sending.shaper.piece_bytes(sending.now_s) is None


def test_credit_is_paid_back() -> None:
    shaper = Shaper(line_of(Link(rate_mbit=8, share=1)), 0.0)
    flow = Flow("a", 1.0)
    shaper.ask(flow, 500_000)
    shaper.force(flow, 0.0)
    assert not flow.asked_bytes
    shaper.ask(flow, 50_000)
    assert not shaper.poll(0.5)
    assert shaper.wait_s(0.5) == pytest.approx(0.05)
    assert shaper.poll(0.56)


def test_a_clock_that_is_put_back_brings_nothing_and_hangs_nothing() -> None:
    shaper = Shaper(line_of(Link(rate_mbit=8, share=1)), 1000.0)
    flow = Flow("a", 1.0)
    shaper.ask(flow, 50_000)
    assert not shaper.poll(500.0)
    assert shaper.wait_s(500.0) == pytest.approx(0.05)
    assert shaper.poll(500.06)
