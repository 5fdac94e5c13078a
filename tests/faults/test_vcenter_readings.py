"""A vCenter that restarts while it is read or watched: what is stored is whole, or nothing is.

One that is back soon is read on by itself. Of one that stays away a sentence says so, and the code is 6.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from planner.model import Inventory
from planner.sources.vcenter import collector
from planner.sources.vcenter.reading import read_vcenter
from planner.sources.vcenter.watch import Look, steady, watch
from tests.planner.sources.vcenter.logins import login_of
from tests.tui.cli.command import Wherry, wherry
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer
from tests.vcenter.staged import spec, with_password

_SOON = ({"awayMs": 300, "loginMs": 200}, {"awayMs": 300, "close": True})
_LONG = {"awayMs": 3_600_000}
_READS = ("RetrievePropertiesEx", "ContinueRetrievePropertiesEx", "CreateContainerView", "DestroyView")
_LOOKS = ("WaitForUpdatesEx", "QueryPerf", "RetrievePropertiesEx", "CreatePropertyCollector", "CreateFilter")
_EFFECTS = ("restart", "restartAfter")
_BOTH = list(zip(_SOON, _EFFECTS, strict=True))
_PAGE = 4
_EVERY_S = 300


def _rule(method: str, effect: str, how: dict[str, object], skip: int = 0) -> dict[str, object]:
    return {"method": method, "skip": skip, "count": 1, effect: how}


def _read(peer: VCenterPeer) -> Inventory:
    return _plain(read_vcenter(login_of(peer), page=_PAGE))


def _plain(inventory: Inventory) -> Inventory:
    """Return what a restart must leave: why the simulator has no policy service it says in several ways."""
    notes = tuple(note for note in inventory.notes if not note.startswith("storage policies are unknown"))
    return replace(steady(inventory), notes=notes)


def _read_under(peer: VCenterPeer, calm: Inventory, rule: dict[str, object]) -> None:
    peer.rules([rule])
    assert _read(peer) == calm
    assert peer.fired() == [1], rule
    peer.rules([])


@pytest.mark.parametrize(("how", "effect"), _BOTH, ids=_EFFECTS)
def test_it_restarts_in_a_reading(vcenter: StartVCenter, how: dict[str, object], effect: str) -> None:
    peer = vcenter("-vm", "3")
    calm = _read(peer)
    _read_under(peer, calm, _rule("RetrievePropertiesEx", effect, how, 3))
    _read_under(peer, calm, _rule("ContinueRetrievePropertiesEx", effect, how))


@pytest.mark.soak
def test_it_restarts_at_any_call_of_a_reading(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "3")
    calm = _read(peer)
    peer.calls(reset=True)
    _read(peer)
    calls = {method: times for method, times in peer.calls().items() if method in _READS}
    assert calls.keys() == set(_READS)
    for method, times in calls.items():
        for skip in range(times):
            for effect in _EFFECTS:
                _read_under(peer, calm, _rule(method, effect, _SOON[skip % 2], skip))
                if method == "DestroyView":  # which nothing may follow: then it is still away
                    time.sleep(0.6)


class _Time:
    """A clock that moves while somebody sleeps; only waits between two tries take their time."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        time.sleep(0.0 if seconds >= _EVERY_S else seconds)


def _looks(peer: VCenterPeer, *rules: dict[str, object]) -> list[Look]:
    """Return two looks; the rules are from behind the first one on."""
    clock, found = _Time(), []
    for look in watch(login_of(peer), _EVERY_S, _EVERY_S, page=_PAGE, clock=clock, sleep=clock.sleep):
        if not found:
            peer.rules(rules)
        found.append(look)
    assert len(found) == 2
    return found


@pytest.mark.parametrize(("how", "effect"), _BOTH, ids=_EFFECTS)
def test_it_restarts_between_two_looks(vcenter: StartVCenter, how: dict[str, object], effect: str) -> None:
    peer = vcenter("-vm", "3")
    calm = _read(peer)
    for method in ("WaitForUpdatesEx", "RetrievePropertiesEx"):  # the second says per property: log in first
        first, last = _looks(peer, _rule(method, effect, how))
        assert peer.fired() == [1]
        assert _plain(first.inventory) == _plain(last.inventory) == calm
        assert last.missed is None, "one that is back soon is no look that failed"
        peer.rules([])


@pytest.mark.soak
@pytest.mark.parametrize("effect", _EFFECTS)
@pytest.mark.parametrize("method", _LOOKS)
def test_it_restarts_at_any_call_of_a_look(vcenter: StartVCenter, method: str, effect: str) -> None:
    peer = vcenter("-vm", "3")
    calm = _read(peer)
    lost = _rule("WaitForUpdatesEx", "fault", "InvalidCollectorVersion")  # type: ignore[arg-type]
    for how in _SOON:
        rules = [_rule(method, effect, how)]
        if method.startswith("Create"):  # which a look does that begins anew
            rules.append(lost)
        first, last = _looks(peer, *rules)
        assert peer.fired() == [1] * len(rules)
        assert _plain(first.inventory) == _plain(last.inventory) == calm
        assert last.missed is None
        peer.rules([])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wherry:
    monkeypatch.setattr(collector, "_BACK_OFF_S", (0.01,))
    assert wherry("init", str(tmp_path / "move")).code == 0
    return Wherry(tmp_path / "move")


@pytest.mark.parametrize(
    ("method", "skip", "more"),
    [
        ("RetrieveServiceContent", 0, ()),
        ("ContinueRetrievePropertiesEx", 0, ()),
        ("RetrievePropertiesEx", 5, ()),
        ("WaitForUpdatesEx", 0, ("--watch", "--every", "1s", "--for", "1s")),
    ],
    ids=["login", "pages", "kinds", "watch"],
)
def test_one_that_stays_away_is_a_sentence_and_stores_nothing(
    project: Wherry, vcenter: StartVCenter, method: str, skip: int, more: tuple[str, ...]
) -> None:
    peer = vcenter("-vm", "130")  # more than a page
    project.done("discover", "lab")
    before = project.stored()
    peer.rules([_rule(method, "restart", _LONG, skip)])
    ran = with_password(project, peer, "discover", spec(peer), *more)
    assert peer.fired() == [1]
    assert ran.code == 6, ran.text
    said = [line for line in ran.err.splitlines() if not line.startswith("reading ")]
    assert len(said) == 2, ran.err
    assert said[0].count(f"127.0.0.1:{peer.port}") == 1
    assert "503" in said[0] or "cannot be reached" in said[0]
    assert said[1].strip().startswith("hint: ")
    assert project.stored() == before
    peer.reboot(0)
    assert with_password(project, peer, "discover", spec(peer)).code == 0
