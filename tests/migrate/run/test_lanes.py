"""Which acts begin: limits are kept, weight and size decide, nobody is held up by another's host."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migrate.claims import Claim, Rank, taken_by
from migrate.run.lanes import Lane, choose


def steps(lanes: list[Lane]) -> list[str]:
    return [lane.step for lane in lanes]


def lane(step: str, size_bytes: int = 1, host: str = "", *, disks: int = 4, weight: float = 1.0) -> Lane:
    claims = (Claim("disks", disks), *((Claim("disks of a host", 1, host),) if host else ()))
    return Lane(step, size_bytes, weight, claims)


def test_weight_comes_before_size_and_size_before_order() -> None:
    sizes = {"a": 10, "b": 30, "c": 10, "d": 1}

    def ready(disks: int) -> list[Lane]:
        return [
            lane(name, size, disks=disks, weight=2.0 if name == "d" else 1.0) for name, size in sizes.items()
        ]

    assert steps(choose(ready(4), [])) == ["d", "b", "a", "c"]
    assert steps(choose(ready(2), [])) == ["d", "b"]
    assert steps(choose(ready(2), [lane("x")])) == ["d"]


def test_a_busy_host_holds_up_no_other() -> None:
    ready = [lane("a", 9, "h1"), lane("b", 8, "h1"), lane("c", 7, "h2")]
    assert steps(choose(ready, [])) == ["a", "c"]
    assert steps(choose(ready, [lane("x", 1, "h1")])) == ["c"]


def test_who_wants_more_than_there_is_goes_alone() -> None:
    many, one = (
        Lane("many", claims=(Claim("snapshots", 4, count=9),)),
        Lane("one", claims=(Claim("snapshots", 4),)),
    )
    assert steps(choose([many, one], [])) == ["many"]
    assert steps(choose([many], [one])) == []


PLACES = {"all": 5, "h1": 2, "h2": 1, "d1": 3}
lanes = st.builds(
    Lane,
    step=st.uuids().map(str),
    size_bytes=st.integers(0, 100),
    weight=st.sampled_from((0.5, 1.0, 4.0)),
    rank=st.sampled_from(Rank),
    claims=st.lists(
        st.builds(
            lambda name, count: Claim("places", PLACES[name], name, count),
            st.sampled_from(sorted(PLACES)),
            st.integers(1, 6),
        ),
        max_size=3,
        unique_by=lambda claim: claim.of,
    ).map(tuple),
)


@given(ready=st.lists(lanes, max_size=12))
def test_limits_hold_while_work_comes_and_goes_and_everything_gets_its_turn(ready: list[Lane]) -> None:
    running: list[Lane] = []
    left = list(ready)
    while left or running:
        firsts = [one for one in left if one.rank is Rank.FIRST]
        chosen = choose(left, running)
        ranks = [one.rank for one in chosen]
        assert ranks == sorted(ranks)
        kept = taken_by(claim for one in firsts if one not in chosen for claim in one.claims)
        for one in chosen:
            left.remove(one)
            if one.rank is not Rank.FIRST:
                free = taken_by(claim for other in running for claim in other.claims) + kept
                assert all(claim.fits(free[claim.place]) for claim in one.claims), "nothing of a cutover's"
            running.append(one)
        assert running, "with nothing under way something must begin"
        for (_, of), taken in taken_by(claim for one in running for claim in one.claims).items():
            holders = sum(any(claim.of == of for claim in one.claims) for one in running)
            assert taken <= PLACES[of] or holders == 1
        assert not choose(left, running), "what may begin begins at once"
        running.pop(0)


def test_what_a_cutover_waits_for_nobody_takes() -> None:
    def of(step: str, rank: Rank, host: str, size_bytes: int = 1) -> Lane:
        claims = (Claim("disks", 3), Claim("disks of a host", 1, host))
        return Lane(step, size_bytes, claims=claims, rank=rank)

    last, seed, ahead = (
        of("last", Rank.FIRST, "h1"),
        of("seed", Rank.USUAL, "h2", 9),
        of("ahead", Rank.AHEAD, "h3", 99),
    )
    busy = [of("busy", Rank.USUAL, "h1")]
    assert steps(choose([ahead, seed, last], [])) == ["last", "seed", "ahead"]
    assert steps(choose([ahead, seed, last], busy)) == ["seed"], "the third of all is kept"
    assert steps(choose([ahead, seed], busy, [last])) == ["seed"], "whoever waits for it"
    assert steps(choose([ahead, seed], busy, [seed])) == ["seed", "ahead"], "only a cutover has that"
    assert steps(choose([of("x", Rank.USUAL, "h1")], [], [last])) == []
    assert steps(choose([last], [], [last])) == ["last"], "two cutovers keep each other waiting for nothing"
