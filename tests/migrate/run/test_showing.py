"""Where VMs stand is shown at sites with a console, beside the run and never in its way."""

from __future__ import annotations

import threading

from migrate.run.compose import compose
from migrate.run.driver import Told
from migrate.run.history import Event
from migrate.run.showing import Shower
from migrate.sites.ports import Shown
from planner.errors import Unreachable
from tests.migrate.estate import small_wave

RUNBOOK = compose(small_wave())
DAWN_S = 1767225600.0  # 2026-01-01


class Console:
    """A site that remembers what it shows, once it may."""

    def __init__(self, *, away: bool = False) -> None:
        self.shown: list[tuple[str, Shown]] = []
        self.free = threading.Event()
        self.free.set()
        self._away = away

    def show(self, vm: str, shown: Shown, op: str) -> None:
        self.free.wait(30)
        if self._away:
            raise Unreachable("the vCenter is away")
        self.shown.append((vm, shown))


def told(shower: Shower, *ids: str, event: Event = Event.DONE) -> None:
    for step in ids:
        shower.told(Told(RUNBOOK.step(step), event, {}))


def shower(*sites: object) -> Shower:
    return Shower(RUNBOOK, "run-1", sites, lambda: DAWN_S, lambda told: None)


def test_the_phase_of_each_vm_is_shown_once() -> None:
    site = Console()
    one = shower(site, object())
    stop = next(step.id for step in RUNBOOK.steps if step.kind == "stop" and step.subject == "id-web")
    told(one, "g0/d0/seed", "g0/d2/seed", "g0/checkpoint/1", stop)
    told(one, stop, event=Event.INTENT)
    told(one, stop, event=Event.UNDONE)
    one.close()
    assert site.shown == [
        *((vm, Shown("W01", "seed")) for vm in ("id-db", "id-web")),
        *((vm, Shown("W01", "checkpoint", "2026-01-01T00:00:00+00:00")) for vm in ("id-db", "id-web")),
        ("id-web", Shown("W01", "stop")),
        ("id-web", Shown("W01", "way back")),
    ]


def test_a_console_that_does_not_answer_holds_nothing_up() -> None:
    slow, away, other = Console(), Console(away=True), Console()
    slow.free.clear()
    one = shower(slow, away, other)
    told(one, "g0/d0/seed")  # returns although nobody shows anything
    assert other.shown == []
    slow.free.set()
    one.close()
    assert [vm for vm, _ in other.shown] == ["id-db"]


def test_sites_without_a_console_cost_nothing_and_all_is_passed_on() -> None:
    before, heard = threading.active_count(), []
    one = Shower(RUNBOOK, "run-1", (object(), object()), lambda: DAWN_S, heard.append)
    told(one, "g0/d0/seed")
    assert threading.active_count() == before
    assert [one.step.id for one in heard] == ["g0/d0/seed"]
    one.close()
