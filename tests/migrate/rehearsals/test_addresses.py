"""Addresses in use at the target: what is found, and that nobody's silence is taken for none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from migrate.rehearsals.addresses import Addresses, Told, compare, findings, told_by, words
from migrate.rehearsals.booted import Booted, Probed
from migrate.sites.addresses import Holder
from planner.conduct_addressing import NicAddresses
from planner.conduct_planned import PlannedNic as Given
from planner.model import VM, Nic, Power
from planner.plan import PlannedNic, Wave
from planner.store.project import Project
from tests.migrate.estate import small_wave

EVIL = "[red]\x1b[2J"
MAC = "00:50:56:aa:00:01"


def wave(*, given: tuple[str, ...] = (), mac: str = MAC.upper()) -> Wave:
    """Return a wave whose first VM has one adapter; ``given`` are its new addresses."""
    made = small_wave()
    first = made.vms[0].model_copy(
        update={"nics": (PlannedNic(label="nic 0", source="a", target="b", mac=mac),)}
    )
    rest = tuple(vm.model_copy(update={"nics": ()}) for vm in made.vms[1:])
    conduct = made.conduct
    if given:
        nic = Given(vm=first.id, nic="nic 0", live=NicAddresses(addresses=given))
        conduct = conduct.model_copy(update={"nics": (nic,)})
    return made.model_copy(update={"vms": (first, *rest), "conduct": conduct})


def source(made: Wave, *addresses: str) -> dict[str, VM]:
    vm = made.vms[0]
    nic = Nic("nic 0", "a", MAC, addresses=addresses)
    return {vm.id: VM(id=vm.id, name=vm.name, power=Power.ON, nics=(nic,))}


def there(*holders: Holder) -> Told:
    return Told("site dc2", holders)


def counts(said: Addresses) -> tuple[tuple[int, int | None], tuple[int, int | None]]:
    return (said.ips.looked, said.ips.found), (said.macs.looked, said.macs.found)


def test_conflicts_are_found_and_named_and_a_vm_is_not_in_its_own_way() -> None:
    made = wave()
    known = source(made, "10.0.0.5", "fe80::1", "2001:db8::0005")
    other = Holder("x", EVIL, (MAC,), ("2001:DB8::5", "10.0.0.6"))
    itself = Holder(made.vms[0].id, made.vms[0].name, (MAC,), ("10.0.0.5",))
    said = compare(made, known, there(other, itself))
    assert counts(said) == ((2, 1), (1, 1)), "link-local addresses mean nothing elsewhere"
    assert {(one.kind, one.address) for one in said.conflicts} == {("IP", "2001:db8::5"), ("MAC", MAC)}
    told = list(findings(said))
    assert len(told) == 2
    assert all("\x1b" not in one.message for one in told)
    assert next(iter(words(said))) == "2 IP addresses looked for, 1 in use, by site dc2"
    clean = compare(made, known, there(itself))
    assert counts(clean) == ((2, 0), (1, 0))
    assert not clean.conflicts


def test_what_the_plan_gives_counts_and_not_what_a_guest_had() -> None:
    made = wave(given=("10.9.0.5/24",))
    holder = Holder("x", "old", (), ("10.0.0.5",))
    assert counts(compare(made, source(made, "10.0.0.5"), there(holder)))[0] == (1, 0)
    new = replace(holder, ips=("10.9.0.5",))
    assert counts(compare(made, source(made, "10.0.0.5"), there(new)))[0] == (1, 1)


def test_silence_is_unknown_and_never_none() -> None:
    made = wave()
    known = source(made, "10.0.0.5")
    silent = Holder("x", "no tools", (), None)
    said = compare(made, known, there(silent))
    assert counts(said) == ((1, None), (1, 0))
    assert "no tools at the target does not say" in said.ips.why
    assert "unknown" in next(iter(words(said)))
    also = compare(made, known, there(silent, Holder("y", "y", (), ("10.0.0.5",))))
    assert counts(also)[0] == (1, 1), "what was found is found"
    assert "not all is known" in next(iter(words(also)))
    nobody = compare(made, {}, there())
    assert counts(nobody)[0] == (0, None)
    assert "nobody knows the addresses of" in nobody.ips.why
    assert counts(compare(made, known, Told(no_macs="no", no_ips="no"))) == ((1, None), (1, None))


def test_a_site_that_cannot_say_and_no_inventory_is_unknown(tmp_path: Path) -> None:
    with Project.create(tmp_path / "move") as project:
        told = told_by(project, None)
    assert not told.by
    assert "no inventory of the target was read" in told.no_ips
    assert told.no_macs


def test_a_conflict_keeps_a_booted_copy_from_being_clean() -> None:
    made = wave()
    well = (Probed("v", "v", True, "up", 1.0),)
    held = compare(made, source(made, "10.0.0.5"), there(Holder("x", "x", (), ("10.0.0.5",))))
    free = compare(made, source(made, "10.0.0.5"), there(Holder("x", "x", (), None)))
    for said, verdict in ((held, "findings"), (free, "clean"), (None, "clean")):
        booted = Booted("W", "f", {}, 0, (), well, "", removed=True, addresses=said)
        assert booted.verdict.value == verdict
    partial = Booted("W", "f", {}, 0, ("v",), well, "", removed=True, addresses=held)
    assert partial.verdict.value == "findings"
