"""A vCenter whose services restart in the middle of a wave: sessions, views and tasks are gone, VMs stay.

For a while its proxy answers 503, or closes connections; then nobody is let in yet; then REST is missing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.strikes import Strike
from tests.faults.vcenterlab import Story
from tests.vcenter.fixtures import StartVCenter

_SLOW = {"awayMs": 3000, "loginMs": 1000, "restMs": 2000}
_CLOSED = {"awayMs": 3000, "loginMs": 1000, "close": True}
_PHASES = (
    *(("replicate", "source", one) for one in ("CreateSnapshot_Task", "QueryChangedDiskAreas")),
    ("replicate", "source", "RemoveSnapshot_Task"),
    ("replicate", "target", "CreateVirtualDisk_Task"),
    *(("cutover", "source", one) for one in ("ShutdownGuest", "QueryChangedDiskAreas")),
    *(("cutover", "target", one) for one in ("CreateVM_Task", "SetField", "PowerOnVM_Task")),
    *(("commit", "source", one) for one in ("ReconfigVM_Task", "Rename_Task", "MoveIntoFolder_Task")),
    ("rollback", "source", "PowerOnVM_Task"),
    *(("rollback", "target", one) for one in ("ShutdownGuest", "UnregisterVM")),
)
_BOTH = (
    Strike("cutover", "source", "RetrievePropertiesEx", "restart", 20, {"awayMs": 700, "loginMs": 300}),
    Strike("cutover", "target", "RetrievePropertiesEx", "restart", 20, {"awayMs": 700, "close": True}),
)


def test_both_restart_in_a_cutover_and_one_at_the_gate(tmp_path: Path, vcenter: StartVCenter) -> None:
    with Story(tmp_path / "move", vcenter) as story:
        story.verb("replicate")
        story.verb("cutover", *_BOTH)
        assert (story.missed, story.problems) == ([], [])
        assert len(story.said) == 2, "nobody had to say it again"
        assert story.at_the_gate() == []
        story.peer("target").reboot(1.0)
        ran = story.stage.cli.live("rollback", "W01")
        assert ran.code == 6, ran.text
        assert f"127.0.0.1:{story.peer('target').port}" in ran.text
        assert "hint: " in ran.text
        story.verb("rollback")
        assert story.back() == story.problems == []


@pytest.mark.soak
@pytest.mark.parametrize("how", [_SLOW, _CLOSED], ids=["503", "closed"])
@pytest.mark.parametrize("effect", ["restart", "restartAfter"])
@pytest.mark.parametrize(("verb", "side", "method"), _PHASES)
def test_one_restarts_in_each_phase(
    tmp_path: Path,
    vcenter: StartVCenter,
    verb: str,
    side: str,
    method: str,
    effect: str,
    how: dict[str, object],
) -> None:
    with Story(tmp_path / "move", vcenter) as story:
        wrong = story.run(Strike(verb, side, method, effect, value=how))
        assert (wrong, story.missed) == ([], [])
