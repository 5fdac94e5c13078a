"""Notes on groups above the caps: the cut, what it costs, and the command, on the plan and on its papers."""

from __future__ import annotations

from itertools import pairwise

from planner.edits import MERGED
from planner.export.markdown import render
from planner.export.printout import Printout
from planner.export.risks import risk_register
from planner.ground import ground_of
from planner.groups import move_groups
from planner.model import Inventory, MoveGroup, Reason
from planner.notes import PARTING, cut_notes
from planner.units import GIB
from tests.planner.sketch import disk, estate, needs, plan, settings, vm

_CAPS = {"vms": 50, "tib": 1.2}


def chain(*names: str) -> Inventory:
    """Return VMs of 600 GiB, each tied to the next; the last tie carries the least."""
    ties = (needs(a, b, traffic_bytes=9000 - at) for at, (a, b) in enumerate(pairwise(names)))
    return estate(*(vm(name, disk(size_bytes=600 * GIB)) for name in names), vm("small"), ties=tuple(ties))


def notes(inventory: Inventory, **caps: float) -> list[str]:
    made = plan(inventory, caps={**_CAPS, **caps})
    return [note for note in made.notes if note.startswith(PARTING)]


def test_the_cut_and_its_command_stand_in_the_notes_and_nothing_is_cut() -> None:
    inventory = chain("a", "b", "c")
    (note,) = notes(inventory)
    assert "refuse 1 tie with 8.8 KiB of known traffic; 1 VM would leave and both sides fit" in note
    assert "'wherry deps refuse b c'" in note
    assert "'wherry deps oversized'" in note
    assert len(plan(inventory, caps=_CAPS).waves[0].groups[0].vms) == 3


def test_groups_within_the_caps_have_no_such_note() -> None:
    assert notes(chain("a", "b")) == []
    assert notes(chain("a", "b", "c"), tib=8) == []


def test_a_cut_that_does_not_suffice_says_so_and_storage_cannot_be_cut() -> None:
    (note,) = notes(chain("a", "b", "c"), tib=0.7)
    assert "a side is above the caps even then" in note
    shared = disk(size_bytes=2000 * GIB, path="[d] q.vmdk")
    (note,) = notes(estate(vm("a", shared), vm("b", shared)))
    assert "no tie can be refused: shared storage holds all of it together" in note


def test_names_that_a_shell_would_not_take_as_they_are_are_in_no_command() -> None:
    (note,) = notes(chain("a", "b\x1b[2J$(x)", "c\u202e"))
    assert "deps refuse" not in note
    assert "'wherry deps oversized'" in note
    assert "\x1b" not in note
    assert "\u202e" not in note


def test_only_some_groups_are_looked_at_and_none_that_was_merged_by_hand() -> None:
    chosen = settings(caps=_CAPS)
    many = [f"{letter}{at}" for at in range(5) for letter in "xyz"]
    inventory = estate(
        *(vm(name, disk(size_bytes=600 * GIB)) for name in many),
        ties=tuple(needs(f"{a}{at}", f"{b}{at}") for at in range(5) for a, b in ("xy", "yz")),
    )
    groups = move_groups(inventory, chosen)
    assert len(groups) == 5
    assert len(cut_notes(groups, inventory, chosen)) == 3
    merged = MoveGroup("m", groups[0].vms, (Reason(groups[0].vms[0], groups[0].vms[1], f"{MERGED}edit 1"),))
    assert cut_notes([merged], inventory, chosen) == ()


def test_sizes_and_services_that_are_known_make_the_same_notes() -> None:
    chosen = settings(caps=_CAPS)
    shared = disk(size_bytes=900 * GIB, path="[d] q.vmdk")
    own = disk("1", size_bytes=900 * GIB)
    vms = vm("a", shared), vm("b", shared, own), vm("c"), vm("t", shared, template=True)
    inventory = estate(*vms, ties=(needs("b", "c"),))
    ground = ground_of(inventory, chosen)
    said = cut_notes(ground.groups, inventory, chosen)
    assert said
    assert cut_notes(ground.groups, inventory, chosen, ground.lookup.sizes, ground.hubs) == said
    assert cut_notes(ground.groups, inventory, chosen, {}, ground.hubs) == ()


def test_papers_name_the_cut_with_what_to_do() -> None:
    inventory = chain("a", "b", "c")
    chosen = settings(caps=_CAPS)
    printout = Printout(plan(inventory, caps=_CAPS), inventory, settings=chosen)
    (risk,) = [row for row in risk_register(printout).rows if str(row[1]).startswith(PARTING)]
    assert "wherry deps refuse b c" in str(risk[1])
    assert str(risk[9]).startswith("refuse those ties if they may cross the line")
    text = render(printout).decode().replace("\\", "")
    assert "wherry deps refuse b c" in text
