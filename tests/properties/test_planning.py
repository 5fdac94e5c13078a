"""Properties of every plan, on random small estates."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.groups import closing
from planner.model import Dependency, Disk, Inventory, Tie
from planner.plan import Plan
from planner.units import GIB, TIB
from planner.waves.order import order_ties, precedence
from tests.planner.sketch import disk, estate, plan, rdm, vm


@pytest.fixture(autouse=True, scope="module")
def annealed_only() -> Iterator[None]:
    """CP-SAT has properties of its own; here hundreds of plans are made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("planner.waves.cpsat.available", lambda: False)
        yield


CAPS = st.fixed_dictionaries({"vms": st.integers(1, 6), "tib": st.sampled_from([0.02, 0.05, 8.0])})


@st.composite
def estates(draw: st.DrawFn) -> Inventory:
    count = draw(st.integers(1, 12))
    vms = []
    for number in range(count):
        disks: list[Disk] = [disk(size_bytes=draw(st.integers(1, 30)) * GIB)]
        if lun := draw(st.sampled_from(["", "", "", "naa.1", "naa.2"])):
            disks.append(rdm(lun))
        if path := draw(st.sampled_from(["", "", "", "[d] q.vmdk", "[d] q-000001.vmdk"])):
            disks.append(disk("2002", path=path))
        tier = draw(st.sampled_from(["", "", "", "", "directory"]))
        vms.append(vm(f"v{number}", *disks, tier=tier, vapp=draw(st.sampled_from(["", "", "", "", "pod"]))))
    ends = st.integers(0, count - 1)
    ties = draw(
        st.lists(
            st.builds(
                lambda a, b, tie: Dependency(f"id-v{a}", f"id-v{b}", tie, "random"),
                ends,
                ends,
                st.sampled_from(list(Tie)),
            ),
            max_size=14,
        )
    )
    return estate(*vms, ties=tuple(ties))


def _homes(found: Plan) -> dict[str, int]:
    return {vm.id: at for at, wave in enumerate(found.waves) for vm in wave.vms}


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(estates(), CAPS)
def test_hard_ties_are_never_split_and_everyone_moves_once(
    inventory: Inventory, caps: dict[str, float]
) -> None:
    from planner.graph import edges, shared_services

    found = plan(inventory, caps=caps)
    homes = _homes(found)
    assert sorted(homes) == sorted(vm.id for vm in inventory.vms)
    assert sum(len(wave.vms) for wave in found.waves) == len(homes)
    hubs = frozenset(shared_services(inventory, _none()))
    for edge in edges(inventory):
        if closing(edge, hubs):
            assert homes[edge.source] == homes[edge.target]
    assert found.score.hard_violations == 0
    volumes = [item.volume for wave in found.waves for item in wave.disks]
    assert len(volumes) == len(set(volumes))


@quick
@given(estates(), CAPS)
def test_caps_hold_unless_one_group_alone_exceeds_them_and_that_is_noted(
    inventory: Inventory, caps: dict[str, float]
) -> None:
    found = plan(inventory, caps=caps)
    for wave in found.waves:
        over = len(wave.vms) > caps["vms"] or wave.size_bytes > round(caps["tib"] * TIB)
        if over:
            assert len(wave.groups) == 1
            name = wave.groups[0].name
            assert any(note.startswith(f"group {name} (") and "exceeds" in note for note in found.notes)
    assert found.score.waves_bound <= found.score.waves == len(found.waves)


@quick
@given(estates(), CAPS)
def test_order_is_respected_and_boot_batches_hold_every_running_vm_once(
    inventory: Inventory, caps: dict[str, float]
) -> None:
    from planner.groups import move_groups

    found = plan(inventory, caps=caps)
    wave_of = {group.name: at for at, wave in enumerate(found.waves) for group in wave.groups}
    plain = [group for group in move_groups(inventory, _none()) if not group.shared_services]
    order = precedence(plain, inventory.dependencies)
    cyclic = {name for cycle in order.cycles for name in cycle}
    for later, earlier in order_ties(plain, inventory.dependencies):
        if not {later, earlier} <= cyclic:
            assert wave_of[earlier] < wave_of[later]
    for wave in found.waves:
        booted = [vm for batch in wave.boot for vm in batch]
        assert sorted(booted) == sorted(vm.id for vm in wave.vms if vm.powered_on)
        if not any(note.startswith("boot order") for note in found.notes):
            at = {vm: number for number, batch in enumerate(wave.boot) for vm in batch}
            for tie in inventory.dependencies:
                if tie.tie is Tie.APART:
                    continue
                if tie.source != tie.target and tie.source in at and tie.target in at:
                    assert at[tie.target] < at[tie.source]


@quick
@given(estates(), CAPS, st.randoms(use_true_random=False))
def test_a_plan_is_the_same_every_time_and_ignores_the_order_of_ties(
    inventory: Inventory, caps: dict[str, float], random: object
) -> None:
    from dataclasses import replace

    found = plan(inventory, caps=caps)
    assert plan(inventory, caps=caps).fingerprint == found.fingerprint
    shuffled = list(inventory.dependencies)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    other = plan(replace(inventory, dependencies=tuple(shuffled)), caps=caps)
    assert [wave.fingerprint for wave in other.waves] == [wave.fingerprint for wave in found.waves]


def _none():  # type: ignore[no-untyped-def]
    from planner.settings import Settings

    return Settings()
