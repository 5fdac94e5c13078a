from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from planner.checks.registry import Readiness
from planner.model import VM, Inventory
from planner.units import GIB
from tests.tui import estate
from tests.tui.stage import SMALL, lines, opened, panel, table, text, until
from tui.screens.inventory import InventoryScreen
from tui.screens.vm_detail import describe_vm
from tui.theme import tally_words


async def filtered(pilot: Pilot[None], query: str) -> None:
    if pilot.app.current_mode != "inventory":
        await pilot.press("2")
        await pilot.pause()
    field = pilot.app.screen.query_one(Input)
    if not field.has_focus:
        await pilot.press("slash")
    assert field.has_focus
    field.value = query
    screen = pilot.app.screen
    assert isinstance(screen, InventoryScreen)
    await until(lambda: screen._filter == query)
    await pilot.pause()


def names(pilot: Pilot[None]) -> list[str]:
    shown = table(pilot)
    return [shown.rows[index][1] for index in shown.order]


async def test_a_filter_shows_what_matches_and_escape_clears_it(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        await filtered(pilot, "crm")
        assert names(pilot) == ["crm-db-01", "crm-app-01", "crm-web-01"]
        assert "12 VMs · 3 match" in text(pilot)
        await pilot.press("enter")
        assert table(pilot).has_focus
        await pilot.press("escape")
        await pilot.pause()
        assert len(names(pilot)) == 12
        assert "▸ Inventory" in lines(pilot)[0]
        await pilot.press("escape")
        await pilot.pause()
        assert "▸ Overview" in lines(pilot)[0]


async def test_keys_in_the_filter_are_text(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        await pilot.press("2", "slash", *"q1s4")
        await pilot.pause()
        assert pilot.app.screen.query_one(Input).value == "q1s4"
        assert pilot.app.current_mode == "inventory"


async def test_a_wrong_filter_is_said_in_words_and_keeps_what_was_shown(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        await filtered(pilot, "crm")
        await filtered(pilot, "disk>")
        assert "▲" in lines(pilot)[-2]
        assert "disk" in lines(pilot)[-2]
        assert len(names(pilot)) == 3
        await filtered(pilot, "nobody-has-this-name")
        assert lines(pilot)[-2] == ""
        assert "no VM matches the filter: esc clears it" in text(pilot)
        assert "no VM under the cursor" in panel(pilot, "detail")


async def test_s_sorts_and_shift_s_turns_round(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        await pilot.press("2", "s")
        await pilot.pause()
        assert names(pilot) == sorted(names(pilot))
        assert "by name ↑" in text(pilot)
        await pilot.press("S")
        await pilot.pause()
        assert names(pilot) == sorted(names(pilot), reverse=True)
        assert "by name ↓" in text(pilot)


async def test_the_detail_follows_the_cursor_and_puts_remedies_beside_findings(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        await pilot.press("2")
        await pilot.pause()
        detail = panel(pilot, "detail")
        assert "▲ warning  disks.rdm  shop-db-01 has a physical RDM\n  → it becomes a VMDK" in detail
        assert "group shop  wave W01" in detail
        assert "becomes VMDK: a physical RDM becomes a VMDK by policy" in detail
        assert "vlan-10" in detail
        assert "used by shop-app-01:1433" in detail
        await pilot.press("end")
        await pilot.pause()
        assert "in no wave: excluded by name" in panel(pilot, "detail")
        assert "row 12 of 12" in text(pilot)


async def test_enter_makes_the_detail_large_and_escape_takes_it_back(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path), SMALL) as pilot:
        await pilot.press("2", "enter")
        await pilot.pause()
        upper = pilot.app.screen.query_one("#upper")
        assert not upper.display
        assert "[facts]" in text(pilot)
        assert "Windows Server 2019" in panel(pilot, "detail")
        await pilot.press("escape")
        await pilot.pause()
        assert upper.display
        assert table(pilot).has_focus


async def test_a_vm_that_checks_could_not_decide_is_not_called_fine(tmp_path: Path) -> None:
    def half_known(inventory: Inventory) -> Readiness:
        return Readiness((), {"compute.cdrom": 1}, {"vm-1": 7})  # shop-db-02

    root = estate.build(tmp_path)
    async with opened(root, session=estate.session(root, checks_of=half_known)) as pilot:
        await pilot.press("2")
        await until(lambda: table(pilot).rows and table(pilot).rows[0][10] is not None)
        await pilot.pause()
        cells = {row[1]: tally_words(row[10]) for row in table(pilot).rows}
        assert cells["shop-db-02"] == "? 7"
        assert cells["crm-db-01"] == "✔"
        await pilot.press("down")
        await until(lambda: "? 7 checks could not be decided" in panel(pilot, "detail"))
        assert "✔" not in panel(pilot, "detail")


def test_what_a_source_does_not_say_of_a_vm_is_shown_as_unknown(tmp_path: Path) -> None:
    silent = VM("vm-9", "silent", "u", gaps=("disks", "nics"))
    bare = VM("vm-8", "bare", "u", cpus=2, memory_bytes=GIB)
    inventory = Inventory("thin.xlsx", "2026-03-10T09:00:00Z", (silent, bare))
    session = estate.session(estate.build(tmp_path, inventory, planned=False))
    list(session.refresh())
    said = describe_vm(silent, session.view, session).plain
    assert "– vCPU, –" in said
    assert "disks unknown" in said
    assert "network adapters unknown" in said
    assert "no disks" in describe_vm(bare, session.view, session).plain
    assert "no network adapters" in describe_vm(bare, session.view, session).plain
    session.close()
