"""How fresh copies are, VM by VM: what the record says of passes, tries and groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.copies import Copies, Copy, copies
from migrate.run import cycles
from migrate.run.history import Event
from migrate.run.runbook import GO
from tests.migrate.gates.standing import Standing, planned, stored


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Standing]:
    with stored(tmp_path / "move", planned()) as run:
        yield run


def seen(run: Standing) -> Copies:
    times = cycles.times_of(run.project, run.run.id)
    return copies(run.project, run.wave, run.run, run.history, times, home=False)


def of(found: Copies, vm: str) -> Copy:
    return next(copy for copy in found.vms if copy.member.vm == vm)


def test_every_vm_has_its_disks_and_nothing_changed_before_the_first_round(run: Standing) -> None:
    found = seen(run)
    assert [copy.member.vm for copy in found.vms] == [vm for group in run.wave.groups for vm in group.vms]
    by_disk = {disk.volume: disk.size_bytes for disk in run.wave.disks}
    assert set(by_disk) == {volume for copy in found.vms for volume in copy.volumes}
    assert all(copy.size_bytes == sum(by_disk[volume] for volume in copy.volumes) for copy in found.vms)
    assert all((copy.changed_bytes, copy.tries, copy.doing) == (None, 0, "") for copy in found.vms)
    assert found.copied_at == {group.name: "" for group in run.wave.groups}
    assert (found.data_bytes, found.wire_bytes, found.deduped_bytes) == (0, 0, 0)


def test_what_a_whole_round_said_is_told(run: Standing) -> None:
    deltas = [step.id for step in run.history.runbook.steps if "/delta/" in step.id]
    for number, step in enumerate(deltas):
        run.results[step] = {"data_bytes": 1000 + number, "wire_bytes": 10, "deduped_bytes": 7}
    run.go_to(GO)
    found = seen(run)
    last = {step.rpartition("/delta/")[0]: step for step in deltas}
    wanted = sum(run.results[step]["data_bytes"] for step in last.values())
    disks = sum(len(copy.volumes) for copy in found.vms)
    if disks == len(run.wave.disks):  # no disk is shared here
        assert sum(copy.changed_bytes or 0 for copy in found.vms) == wanted
    assert found.deduped_bytes >= 7 * len(deltas)
    assert all(found.copied_at.values())
    assert min(found.copied_at.values()) == cycles.copied_at(
        run.run, run.history, cycles.times_of(run.project, run.run.id)
    )


def test_a_pass_under_way_and_its_tries_in_vain(run: Standing) -> None:
    seeds = [step for step in run.history.runbook.steps if step.id.endswith("/seed")]
    first = seeds[0]
    run.do(*(step.id for step in run.history.runbook.steps[: run.history.runbook.index[first.id]]
             if step.kind != "transfer"))  # fmt: skip
    vm = first.params["vms"][0]
    run.append(first.id, Event.INTENT)
    assert (of(seen(run), vm).doing, of(seen(run), vm).tries) == ("seed", 0)
    run.append(first.id, Event.FAILED, message="refused", hint="")
    assert of(seen(run), vm).tries == 1
    run.append(first.id, Event.INTENT)
    assert of(seen(run), vm).tries == 0, "attempts are counted by who tries"
