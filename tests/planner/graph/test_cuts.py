"""Groups above the caps: the cheapest cut is exact, storage is never cut, and what it costs is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from planner.graph.cuts import Weight, oversize
from planner.graph.edge import Edge
from planner.graph.oversized import above_caps, maybe_above_caps, oversized
from planner.groups import move_groups
from planner.model import Tie
from planner.units import GIB, TIB
from tests.planner.sketch import disk, estate, needs, settings, vm


def _tie(a: str, b: str, weight: int | None, kind: str = "dependency") -> Edge:
    return Edge(a, b, Tie.HARD, kind, "r", weight_bytes=weight)


TWO_HALVES = [
    *(_tie(a, b, 1000) for a, b in combinations("abc", 2)),
    *(_tie(a, b, 1000) for a, b in combinations("xyz", 2)),
    _tie("c", "x", 10),
    _tie("x", "a", 5),
]


def test_the_cheapest_cut_names_the_part_the_ties_and_the_traffic() -> None:
    found = oversize("abcxyz", TWO_HALVES, {}, Weight(4, TIB))
    assert found is not None
    assert found.exact
    cut = found.cheapest
    assert cut is not None
    assert set(cut.part) in ({"a", "b", "c"}, {"x", "y", "z"})
    assert (cut.traffic_bytes, len(cut.refuse), cut.unknown, cut.fits) == (15, 2, 0, True)
    assert found.fitting == cut


def test_within_the_caps_nothing_is_said() -> None:
    assert oversize("abcxyz", TWO_HALVES, {}, Weight(6, TIB)) is None
    assert oversize("abcxyz", TWO_HALVES, {"a": 2 * TIB}, Weight(6, TIB)) is not None


def test_what_is_known_in_part_may_be_above_the_caps_and_is_not_said_to_fit() -> None:
    sizes = dict.fromkeys("abcxyz", GIB)
    assert oversize("abcxyz", TWO_HALVES, sizes, Weight(6, 6 * GIB), {"a"}) is None, "nobody knows"
    found = oversize("abcxyz", TWO_HALVES, sizes, Weight(6, 5 * GIB), {"a"})
    assert found is not None, "what is known is above already"
    assert (found.size_bytes, found.sized) == (6 * GIB, False)
    assert found.fitting is not None
    assert found.fitting.fits is None
    all_known = oversize("abcxyz", TWO_HALVES, sizes, Weight(6, 5 * GIB))
    assert all_known is not None
    assert all_known.sized
    assert all_known.fitting is not None
    assert all_known.fitting.fits is True
    small = oversize("abcxyz", TWO_HALVES, sizes, Weight(6, 2 * GIB), {"a"})
    assert small is not None
    assert small.cheapest is not None
    assert small.cheapest.fits is False, "a side is above for certain, whatever its other disks are"


def test_groups_of_an_estate_of_which_a_part_is_known() -> None:
    known = [vm(name, disk(size_bytes=600 * GIB)) for name in "abc"]
    bare = replace(vm("d"), disks=(), gaps=("disks",))
    ties = (needs("a", "b"), needs("c", "d"))
    inventory = estate(*known, bare, ties=ties)
    for tib, above, maybe in ((2.0, [], ["c"]), (1.0, ["a"], ["c"]), (0.5, ["a", "c"], [])):
        chosen = settings(caps={"vms": 50, "tib": tib})
        groups = move_groups(inventory, chosen)
        names = {group.name: group.vms[0].removeprefix("id-") for group in groups}
        assert [names[one.name] for one in above_caps(groups, inventory, chosen)] == above
        assert [names[one.name] for one in maybe_above_caps(groups, inventory, chosen)] == maybe
        found = oversized(groups, inventory, chosen)
        assert {names[name]: one.sized for name, one in found.items()} == {
            name: name != "c" for name in above
        }


def test_the_cheapest_may_not_fit_and_the_cheapest_that_does_is_told_beside_it() -> None:
    ties = [*(_tie(a, b, 1000) for a, b in combinations("abcd", 2)), _tie("d", "e", 50), _tie("e", "f", 1)]
    found = oversize("abcdef", ties, {}, Weight(4, TIB))
    assert found is not None
    assert found.cheapest is not None
    assert (found.cheapest.part, found.cheapest.fits) == (("f",), False)
    assert found.fitting is not None
    assert set(found.fitting.part) == {"e", "f"}
    assert found.fitting.traffic_bytes == 50
    assert set(found.joints) == {"d", "e"}


def test_storage_is_never_cut() -> None:
    ties = [_tie("a", "b", None, "volume"), _tie("b", "c", 10**15), _tie("c", "d", None, "clone")]
    found = oversize("abcd", ties, {}, Weight(3, TIB))
    assert found is not None
    assert found.cheapest is not None
    assert [(e.source, e.target) for e in found.cheapest.refuse] == [("b", "c")]
    solid = oversize("ab", [_tie("a", "b", None, "volume")], {}, Weight(1, TIB))
    assert solid is not None
    assert (solid.cheapest, solid.fitting, solid.joints) == (None, None, ())


def test_a_vapp_is_parted_by_refusing_every_pair_across() -> None:
    chain = [Edge(a, b, Tie.HARD, "vapp", "both belong to vApp p") for a, b in zip("abc", "bcd", strict=True)]
    found = oversize("abcd", chain, {}, Weight(2, TIB))
    assert found is not None
    assert found.cheapest is not None
    assert len(found.cheapest.refuse) == 3
    assert found.fitting is not None
    assert len(found.fitting.refuse) == 4
    assert found.joints == ()  # no member of a vApp is a joint of it


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(1, 50), st.booleans()), max_size=24)
)
@hypothesis_settings(max_examples=120, deadline=None)
def test_no_cut_of_refusable_ties_is_cheaper(drawn: list[tuple[int, int, int, bool]]) -> None:
    vms = "abcdefgh"
    chain = [_tie(a, b, 3) for a, b in pairwise(vms)]
    drawn_ties = [
        _tie(vms[a], vms[b], weight, "volume" if solid and weight > 35 else "dependency")
        for a, b, weight, solid in drawn
        if a != b
    ]
    ties = [*chain, *drawn_ties]
    found = oversize(vms, ties, {}, Weight(7, TIB))
    assert found is not None
    costs = []
    for size in range(1, 5):
        for side in map(set, combinations(vms, size)):
            across = [e for e in ties if (e.source in side) != (e.target in side)]
            if all(e.refusable for e in across):
                costs.append(sum(e.weight_bytes or 0 for e in across))
    assert (found.cheapest is None) == (not costs)
    if found.cheapest is not None:
        assert found.cheapest.traffic_bytes == min(costs)
        parted = [e for e in ties if e not in found.cheapest.refuse]
        reached, queue = {vms[0]}, [vms[0]]
        for here in queue:
            for e in parted:
                for a, b in ((e.source, e.target), (e.target, e.source)):
                    if a == here and b not in reached:
                        reached.add(b)
                        queue.append(b)
        assert len(reached) < len(vms)


def test_groups_of_an_estate_by_the_caps_of_the_settings() -> None:
    inventory = estate(
        *(vm(name, disk(size_bytes=600 * GIB)) for name in "abc"),
        vm("small"),
        ties=(needs("a", "b", traffic_bytes=9), needs("b", "c", traffic_bytes=4)),
    )
    chosen = settings(caps={"vms": 50, "tib": 1.2})
    found = oversized(move_groups(inventory, chosen), inventory, chosen)
    (one,) = found.values()
    assert one.size_bytes == 1800 * GIB
    assert one.fitting is not None
    assert (one.fitting.part, one.fitting.traffic_bytes) == (("id-c",), 4)
    assert oversized(move_groups(inventory, settings()), inventory, settings()) == {}
