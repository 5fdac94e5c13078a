"""A vCenter that stays away for longer than anybody is patient, in the middle of a wave or of its way back.

The step waits for a person and says which vCenter does not answer, and since when. Nothing is lost meanwhile;
once it is back, "again" goes on to the end that an undisturbed run has.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from migrate.run.patience import Patience
from migrate.sites.vsphere import connection
from planner.sources.vcenter import collector
from tests.faults.strikes import BACK, OUT, Strike
from tests.faults.vcenterlab import Story
from tests.vcenter.fixtures import StartVCenter

_SINCE = re.compile(r"no answer since \d{4}-\d\d-\d\d \d\d:\d\d UTC")
_LONG = {"awayMs": 3_600_000}
_PHASES = (
    ("replicate", "source", "CreateSnapshot_Task", "restartAfter"),
    ("replicate", "source", "RemoveSnapshot_Task", "restart"),
    ("cutover", "target", "CreateVM_Task", "restartAfter"),
    ("cutover", "target", "PowerOnVM_Task", "restart"),
    ("cutover", "source", "ShutdownGuest", "restartAfter"),
    ("commit", "source", "Rename_Task", "restart"),
    ("rollback", "source", "PowerOnVM_Task", "restartAfter"),
    ("rollback", "target", "UnregisterVM", "restart"),
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.Connection.__init__.__kwdefaults__, "patience_s", 0.2)
    monkeypatch.setattr(connection, "_PAUSE_S", 0.05)
    monkeypatch.setattr(collector, "_BACK_OFF_S", (0.01,))
    monkeypatch.setattr(Patience.__init__, "__defaults__", (0.4, 0.4, 0.05, 0.1))


def _outage(story: Story, verb: str, side: str, method: str, effect: str) -> None:
    """Give a verb in which a vCenter goes away for an hour; what is said is checked, then it is back."""
    peer = story.peer(side)
    peer.rules([Strike(verb, side, method, effect, value=_LONG).rule])
    ran = story.stage.cli.live(verb, "W01")
    assert ran.code == 4, ran.text
    why = next(line for line in ran.text.splitlines() if line.startswith("why: "))
    assert f"127.0.0.1:{peer.port}" in why
    assert _SINCE.search(why), why
    assert "then the same verb goes on from there" in ran.text
    assert "of this reading" not in ran.text, "this is no reading"
    assert _SINCE.search(story.stage.cli.done("status").text), "it is seen later, too"
    before = story.stage.cli.stored()
    again = story.stage.cli.live(verb, "W01")
    assert again.code == 6, again.text
    assert f"127.0.0.1:{peer.port} broke off: HTTP status 503" in again.err
    assert "hint: " in again.err
    assert story.stage.cli.stored() == before
    peer.reboot(0)
    assert peer.fired() == [1]
    peer.rules([])


def _told(tmp_path: Path, vcenter: StartVCenter, *outages: tuple[str, str, str, str]) -> None:
    by_verb = {one[0]: one for one in outages}
    with Story(tmp_path / "move", vcenter) as story:
        way = OUT if "commit" in by_verb else BACK
        for verb in way:
            if verb in by_verb:
                _outage(story, *by_verb[verb])
            said = len(story.said)
            story.verb(verb)
            assert len(story.said) == said + 1, "it took more than to say it once again"
            if verb == "replicate":
                story.plant.write(story.name, os.urandom(70_000), 300_000)
            elif verb == "cutover":
                story.problems += story.at_the_gate()
        assert story.problems + (story.aside() if way is OUT else story.back()) == []


def test_an_outage_on_the_way_out_and_one_on_the_way_back_wait_for_a_person(
    tmp_path: Path, vcenter: StartVCenter
) -> None:
    _told(tmp_path, vcenter, _PHASES[1], _PHASES[6])


@pytest.mark.soak
@pytest.mark.parametrize("phase", _PHASES, ids="-".join)
def test_an_outage_in_each_phase(
    tmp_path: Path, vcenter: StartVCenter, phase: tuple[str, str, str, str]
) -> None:
    _told(tmp_path, vcenter, phase)
