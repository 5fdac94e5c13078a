from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandList, CommandPalette
from textual.pilot import Pilot

from tests.tui import estate
from tests.tui.plain import ROWS, Told, place, plain
from tests.tui.stage import lines, opened, reached, text, until
from tui.actions.table import actions_at
from tui.gazetteer import Gazetteer, Named
from tui.palette import named

HOSTILE = "[bold]x[/]\x1b[31m\u202e [/] [@click=app.exit]y[/]"


def rows(*names: str) -> tuple[tuple[Any, ...], ...]:
    """Return rows of the inventory as the session lists them."""
    return tuple((f"vm-{i}", name, name, "", "", 0, 0, 0, name, "", None) for i, name in enumerate(names))


def offered(pilot: Pilot[None]) -> list[str]:
    found = pilot.app.screen.query_one(CommandList)
    return [found.get_option_at_index(i).prompt.plain for i in range(found.option_count)]  # type: ignore[union-attr]


async def ask(pilot: Pilot[None], key: str, wanted: str) -> list[str]:
    """Open a palette, type, and return what it offers."""
    await pilot.press(key)
    await reached(pilot, CommandPalette)
    await pilot.press(*wanted)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause(0.2)
    return offered(pilot)


async def test_the_palette_lists_the_actions_of_the_place_with_key_and_twin_or_why_not() -> None:
    async with plain() as pilot:
        found = "\n".join(await ask(pilot, "ctrl+p", ""))
        for action in actions_at("inventory"):
            assert action.title in found
        assert "write the plan for people and tools\nthere is no plan yet" in found
        assert "filter the table\nkey / · wherry inventory" in found
        assert "change the theme" in found


async def test_an_action_is_done_from_the_palette() -> None:
    async with plain() as pilot:
        await ask(pilot, "ctrl+p", "mark all")
        await pilot.press("enter")
        await until(lambda: len(place(pilot).table.marks) == len(ROWS))


async def test_what_is_done_elsewhere_is_found_and_leads_there(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        first, *_ = await ask(pilot, "ctrl+p", "approve every wave")
        assert first == "Waves: approve every wave …\nkey ^a in 4 Waves"
        await pilot.press("enter")
        await until(lambda: pilot.app.current_mode == "waves")
        await until(lambda: "approve every wave …: ^a" in lines(pilot)[-2])
        assert len(pilot.app.screen_stack) == 1, "it is only led to"


async def test_an_action_is_found_by_the_verb_that_does_the_same() -> None:
    async with plain() as pilot:
        found = await ask(pilot, "ctrl+p", "export")
        assert any(words.startswith("write the plan for people and tools") for words in found)


async def test_an_action_that_cannot_be_done_says_why() -> None:
    async with plain() as pilot:
        await ask(pilot, "ctrl+p", "write the plan")
        await pilot.press("enter")
        await until(lambda: "there is no plan yet" in lines(pilot)[-2])


@pytest.mark.parametrize("key", ["ctrl+p", "ctrl+o"])
async def test_hostile_names_are_offered_as_they_are(key: str) -> None:
    async with plain(Told(rows(HOSTILE, "other", "[/]"))) as pilot:
        found = await ask(pilot, key, "[/]")
        assert any("VM  [bold]x[/]␛[31m<U+202E>" in item for item in found)
        assert any(item.startswith("VM  [/]") for item in found)
        assert not {"\x1b", "\u202e"} & set(text(pilot))
        for strip in pilot.app.screen._compositor.render_strips():
            assert not any("@click" in (part.style.meta if part.style else {}) for part in strip)
        assert pilot.app.is_running


async def test_go_to_offers_things_only_and_goes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[tuple[str, str]] = []
    monkeypatch.setattr("tui.app.WherryApp.goto", lambda self, kind, key: gone.append((kind, key)))
    async with plain(Told(rows("mark-db", "db-mark", "other"))) as pilot:
        found = await ask(pilot, "ctrl+o", "mark")
        assert [item.splitlines()[0] for item in found] == ["VM  mark-db", "VM  db-mark"]
        await pilot.press("enter")
        await until(lambda: gone)
        assert gone == [("VM", "vm-0")]


def test_names_are_found_by_their_parts_beginnings_first_and_not_too_many() -> None:
    names = ["zz crm", "CRM-db", "x", "", "crm\ntwo\tlines", "Straße", "x", "last"]
    more = ["", "xtra"]
    book = Gazetteer(
        [(names, lambda at: Named("VM", str(at), names[at])), ([], lambda at: Named("", "", "")),
         (more, lambda at: Named("group", f"g{at}", more[at]))]
    )  # fmt: skip

    def keys(wanted: str, most: int = 10) -> list[str]:
        return [thing.key for thing in book.find(wanted, most)]

    assert keys("crm") == ["1", "4", "0"]
    assert keys("crm", 2) == ["1", "4"]
    assert keys("crm", 1) == ["1"]
    assert keys(" CRM two ") == ["4"]
    assert keys("strasse") == ["5"]
    assert keys("x") == ["2", "6", "g1"]
    assert keys("last") == ["7"]
    assert keys("st") == ["5", "7"]
    assert keys("nothing") == keys("  ") == []
    assert Gazetteer(()).find("x", 3) == []
    assert Gazetteer([([""], lambda at: Named("", "", ""))]).find("x", 3) == []


def test_places_waves_groups_and_vms_are_among_what_has_a_name(tmp_path: Path) -> None:
    session = estate.session(estate.build(tmp_path))
    try:
        *_, view = session.refresh()
    finally:
        session.close()
    book = Gazetteer(named(view))
    assert [(thing.kind, thing.key) for thing in book.find("w01", 9)] == [("wave", "W01")]
    assert ("group", "crm") in [(thing.kind, thing.key) for thing in book.find("crm", 9)]
    assert [(t.kind, t.key, t.words) for t in book.find("crm-db-01", 9)] == [("VM", "vm-4", "prod-a W01")]
    assert [(t.kind, t.key) for t in book.find("inven", 9)] == [("place", "inventory")]
