from pathlib import Path

from tests.tui import estate
from tests.tui.stage import BIG, SMALL, lines, opened, panel, table, text


async def test_a_wave_shows_what_it_does_and_why(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, waves=3), BIG) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "plan 1 · 3 waves (at least 1) · 11 VMs · 1 unplanned" in text(pilot)
        content, judgement = panel(pilot, "content"), panel(pilot, "judgement")
        assert "shop-db-01 ═ shop-db-02: they share LUN naa.6001" in content
        assert "started in this order" in content
        assert "RDM physical → VMDK" in content
        assert "rule: a physical RDM becomes a VMDK by policy" in content
        assert content.index("RDM physical → VMDK") < content.index("Hard disk 1  VMDK")
        assert "Sat 14 Mar 22:00 → Sun 04:00 UTC (6 h)" in judgement
        assert "P50 / P95  11 m / 19 m" in judgement
        assert "✔ ann" in judgement
        assert "→ it becomes a VMDK" in judgement
        await pilot.press("down", "down")
        await pilot.pause()
        assert "▸ Waves ▸ W03" in lines(pilot)[0]
        judgement = panel(pilot, "judgement")
        assert "none: it may cut over at any time" in judgement
        assert "○ not yet: wherry plan approve W03" in judgement
        assert "✖ old-box is off" in judgement


async def test_narrow_panels_take_turns(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path), SMALL) as pilot:
        await pilot.press("4")
        await pilot.pause()
        content = pilot.app.screen.query_one("#content")
        judgement = pilot.app.screen.query_one("#judgement")
        assert content.display
        assert not judgement.display
        await pilot.press("tab")
        await pilot.pause()
        assert content.has_focus
        await pilot.press("tab")
        await pilot.pause()
        assert judgement.has_focus
        assert judgement.display
        assert not content.display
        await pilot.press("escape")
        assert table(pilot).has_focus
        await pilot.press("enter")
        await pilot.pause()
        assert content.has_focus


async def test_waves_sort(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, waves=3)) as pilot:
        await pilot.press("4", "s", "S")
        await pilot.pause()
        shown = table(pilot)
        assert [shown.rows[index][0] for index in shown.order] == ["W03", "W02", "W01"]
        assert shown.key == "W01"
