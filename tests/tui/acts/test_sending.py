"""What may be decided of sending disks, and what a decision on one keeps a person from saying elsewhere."""

from __future__ import annotations

import pytest

from planner.errors import NotFound
from planner.model import Inventory, Sending
from planner.units import GIB
from tests.planner.sketch import disk, estate, rdm, settings, vm
from tui.acts.remapping import decisions, options
from tui.acts.sending import sending_options, suggestions

LUN = {"name": "t", "size_bytes": 10 * GIB}
NEVER = {"disk": "db/2001", "send": "never", "why": "swap"}
SWAP = "id-db/2001"


def inventory() -> Inventory:
    swap = disk("2001", bus=0, unit=1, path="[ds] db/swap.vmdk")
    return estate(vm("db", disk(bus=0, unit=0), swap, rdm("naa.1", "2002", bus=0, unit=2)))


def test_always_is_offered_where_somebody_decided_otherwise() -> None:
    always, once, never = sending_options(inventory(), settings(), [SWAP])
    assert (always.send, bool(always.why_not)) == (Sending.ALWAYS, True)
    assert (once.why_not, never.why_not) == ("", "")
    assert sending_options(inventory(), settings(sends=[NEVER]), [SWAP])[0].why_not == ""
    _, once, never = sending_options(inventory(), settings(), [SWAP, "id-db/2002"])
    assert "raw device" in once.why_not
    assert once.why_not == never.why_not
    with pytest.raises(NotFound):
        sending_options(inventory(), settings(), ["nothing"])


def test_a_disk_that_is_left_out_may_not_become_a_raw_device_and_that_is_said_before() -> None:
    said = settings(luns=[LUN])
    assert not any(one.why_not for one in options(inventory(), said, [SWAP]))
    found = {one.to: one.why_not for one in options(inventory(), settings(luns=[LUN], sends=[NEVER]), [SWAP])}
    assert "nobody wipes a LUN" in found["rdm-virtual"]
    assert "nobody wipes a LUN" in found["rdm-physical"]
    assert (found[None], found["vmdk"], found["keep"]) == ("", "", "")


def test_a_decision_that_a_newer_inventory_makes_impossible_is_listed_so_that_it_can_be_taken_back() -> None:
    alone = estate(vm("db", disk("2001", bus=0, unit=1)))
    found = decisions(alone, settings(sends=[NEVER]))
    assert [one.id for one in found.volumes] == [SWAP]
    assert "the only disk of its VM" in found.refused[SWAP][0]
    assert found.volumes[0].left_out is None, "what cannot be counts as sent"


def test_what_is_suggested_is_not_decided_yet_and_may_be_left_out() -> None:
    assert [one.volume.id for one in suggestions(inventory(), settings())] == [SWAP]
    assert suggestions(inventory(), settings(sends=[NEVER])) == ()
    boot = estate(vm("db", disk(bus=0, unit=0, path="[ds] db/swap.vmdk"), disk("2001", bus=0, unit=1)))
    assert suggestions(boot, settings()) == ()
