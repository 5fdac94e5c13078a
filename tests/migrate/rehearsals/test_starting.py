"""Which copies of a rehearsal are started, and which answers count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.rehearsals.booted import Booted, Probed, _weighed
from migrate.rehearsals.starting import left_out, missed_by
from planner.model import Backing
from planner.plan import Wave
from tests.migrate.estate import disk, wave

SHARED = "id-a/2001"


def shop() -> Wave:
    """Return a wave in which ``a`` and ``b`` share a disk, and start before ``c`` and after ``d``."""
    disks = [disk("a"), disk("a", "b", number=1), disk("c"), disk("d")]
    return wave({"g": ["a", "b", "c", "d"]}, disks, [["d"], ["a", "b"], ["c"]])


def test_a_vm_that_shares_is_left_out_with_whom_it_shares() -> None:
    assert left_out(shop(), [SHARED]) == {
        f"id-{vm}": f"not started: it shares Hard disk 2 with {other}, and what VMs share is in no checkpoint"
        for vm, other in (("a", "b"), ("b", "a"))
    }
    assert left_out(shop(), []) == {}


def test_a_vm_without_snapshots_and_a_physical_mapping_are_told_apart() -> None:
    assert left_out(shop(), ["id-a/2000"])["id-a"].startswith("not started: no snapshot of it can be taken")
    assert left_out(shop(), ["id-c/2000"])["id-c"] == "not started: Hard disk 1 is in no checkpoint"
    alone = wave({"g": ["a"]}, [disk("a", source=Backing.RDM_PHYSICAL)], [["a"]])
    assert "RDM in physical mode" in left_out(alone, ["id-a/2000"])["id-a"]


def test_only_what_starts_after_the_missing_ones_misses_them() -> None:
    idle = left_out(shop(), [SHARED])
    assert missed_by(shop(), idle) == {"id-c": ("a", "b")}
    assert missed_by(shop(), {}) == {}


def test_an_answer_that_is_not_well_counts_unless_something_before_it_is_missing() -> None:
    answer = Probed("id-c", "c", False, "nothing answers", 2.0)
    assert _weighed(answer, ()).ok is False
    told = _weighed(answer, ("a", "b"))
    assert (told.ok, told.detail) == (
        None,
        "nothing answers; not counted, for a, b, which start before it, were not started",
    )
    assert _weighed(replace(answer, ok=True), ("a",)).ok is True


@pytest.mark.parametrize(
    ("answers", "unproved", "verdict"),
    [
        ((True, None), ("v",), "partial"),
        ((True, False), ("v",), "findings"),
        ((None,), ("v",), "findings"),
        ((True,), (), "clean"),
        ((False,), (), "findings"),
    ],
)
def test_partial_is_only_what_came_up_well_as_far_as_it_went(
    answers: tuple[bool | None, ...], unproved: tuple[str, ...], verdict: str
) -> None:
    probes = tuple(Probed(str(number), "", ok, "", 0.0) for number, ok in enumerate(answers))
    assert Booted("W", "f", {}, 0, unproved, probes, "", removed=True).verdict.value == verdict
