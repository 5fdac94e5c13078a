"""Each fix against a simulated source: what it changes, refuses, asks after a crash and takes back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from migrate.papers.evidence import evidence, undo_evidence
from migrate.run.actions import Outcome
from migrate.run.driver import Stopped
from migrate.run.history import Event, Status
from migrate.run.remedy import compose_remedies
from migrate.sites.configuration import Configuration, Drive
from migrate.sites.ports import Capability, DiskState
from migrate.steps.kinds import KINDS
from planner.errors import ProjectBusy
from planner.fixes import FIXES, NEED_OFF
from planner.model import Backing, Power
from planner.settings import Remedies
from tests.migrate.estate import small_wave
from tests.migrate.simulated_run import Boundaries, Died, World
from tests.migrate.troubled import with_tasks

ISO = Drive("cdrom-0", "CD/DVD drive 1", True, True, "[iso] debian.iso")
EMPTY = Drive("floppy-0", "Floppy drive 1", False, True)
ODD = Configuration(
    hw_version=10,
    cbt=False,
    tracking=False,
    modes=(("2000", "independent_persistent"), ("2001", "independent_persistent")),
    drives=(ISO, EMPTY),
    consolidation_needed=True,
)
VM = "id-db"  # its disk 2001 is a physical RDM


def world(
    fixes: Iterable[str] | Mapping[str, Iterable[str]] = FIXES, *, outage: bool = True, **odd: Any
) -> World:
    wanted = fixes if isinstance(fixes, Mapping) else {VM: fixes}
    wave = with_tasks(small_wave(), wanted)
    here = World(wave, compose_remedies(wave, wave.tasks, Remedies(), outage))
    for vm in wanted:
        here.source.site.configurations[vm] = replace(ODD, **odd)
    return here


def configuration(here: World, vm: str = VM) -> Configuration:
    found = here.source.site.configuration(vm)
    assert found is not None
    return found


def power(here: World, vm: str = VM) -> Power:
    return here.source.site.vms[vm].power


def back(here: World, boundary: Any = lambda point: None) -> Stopped:
    here.note("", Event.ROLLBACK)
    return here.drive(boundary=boundary)


def test_every_fix_is_a_step_kind_and_says_what_it_would_do() -> None:
    assert set(FIXES) <= set(KINDS)
    here = world()
    assert [step.kind for step in here.runbook.steps] == [
        "look", "consolidate", "disconnect-media", "enable-cbt", "halt", "upgrade-hardware", "disk-mode",
        "resume",
    ]  # fmt: skip
    assert all(KINDS[step.kind].plan(step) for step in here.runbook.steps)
    assert here.source.calls == {}
    assert here.clock.at_s == 0


def test_all_fixes_of_a_vm_and_all_the_way_back() -> None:
    here = world()
    before = configuration(here)
    assert here.drive().outcome is Outcome.COMMITTED
    after = configuration(here)
    assert (after.hw_version, after.cbt, after.tracking, after.consolidation_needed) == (
        15,
        True,
        True,
        False,
    )
    assert dict(after.modes) == {"2000": "persistent", "2001": "independent_persistent"}
    assert [(drive.connected, drive.starts_connected, drive.media) for drive in after.drives] == [
        (False, False, ISO.media),
        (False, False, ""),
    ]
    assert (power(here), after.snapshots) == (Power.ON, 0)
    assert all(evidence(step.kind, here.history.results[step.id]) for step in here.runbook.steps)
    assert back(here).outcome is Outcome.ROLLED_BACK
    assert configuration(here) == replace(before, consolidation_needed=False)
    assert power(here) is Power.ON
    for step in here.runbook.steps:
        if step.undoable:
            assert undo_evidence(step.kind, here.history.undone[step.id])
    assert here.broken() == []


def test_what_is_so_already_is_not_changed_and_not_taken_back() -> None:
    here = world()
    fine = Configuration(hw_version=19)
    here.source.site.configurations[VM] = fine
    assert here.drive().outcome is Outcome.COMMITTED
    assert configuration(here).hw_version == 19
    assert {name for (name, *_), _ in here.source.calls.items()} <= {"source.shut_down", "source.power_on"}
    calls = dict(here.source.calls)
    assert back(here).outcome is Outcome.ROLLED_BACK
    assert dict(here.source.calls) == calls, "nothing was changed, so nobody is stopped for the way back"
    assert power(here) is Power.ON


@pytest.mark.parametrize("fix", FIXES)
def test_one_fix_touches_nothing_else(fix: str) -> None:
    here = world([fix])
    before = configuration(here)
    here.drive()
    after = configuration(here)
    fields = {
        "consolidate": {"consolidation_needed"},
        "disconnect-media": {"drives"},
        "enable-cbt": {"cbt", "tracking"},
        "upgrade-hardware": {"hw_version"},
        "disk-mode": {"modes"},
    }[fix]
    changed = {name for name in Configuration.__slots__ if getattr(before, name) != getattr(after, name)}
    assert changed == fields
    stopped = any("shut_down" in name for name, *_ in here.source.calls)
    assert stopped is (fix in NEED_OFF)


# refusals


def test_change_tracking_is_refused_with_snapshots_and_the_rest_goes_on() -> None:
    here = world(snapshots=2)
    assert here.drive().outcome is Outcome.COMMITTED
    failure = here.history.failures[f"{_prefix(here)}/enable-cbt"]
    assert "has 2 snapshots" in failure["message"]
    assert failure["hint"]
    assert here.history.status[f"{_prefix(here)}/enable-cbt"] is Status.SKIPPED
    assert not configuration(here).cbt
    assert configuration(here).hw_version == 15
    assert power(here) is Power.ON
    back(here)
    assert configuration(here) == replace(ODD, snapshots=2, consolidation_needed=False)


def test_change_tracking_is_refused_on_hardware_that_is_too_old() -> None:
    here = world(["enable-cbt"], hw_version=4)
    here.drive()
    assert "knows no change tracking" in here.history.failures[f"{_prefix(here)}/enable-cbt"]["message"]
    assert not configuration(here).cbt


def test_a_vm_is_not_stopped_without_consent() -> None:
    here = world(["upgrade-hardware"], outage=False)
    assert here.drive().outcome is Outcome.COMMITTED
    assert "no outage was agreed to" in here.history.failures[f"{_prefix(here)}/halt"]["message"]
    assert configuration(here).hw_version == 10
    assert not any("shut_down" in name for name, *_ in here.source.calls)
    assert power(here) is Power.ON


def test_a_guest_that_does_not_listen_is_never_forced() -> None:
    here = world()
    object.__setattr__(here.source, "shut_down", lambda vm, op, timeout_s: False)
    assert here.drive().outcome is Outcome.COMMITTED
    assert "did not shut down" in here.history.failures[f"{_prefix(here)}/halt"]["message"]
    assert not any("power_off" in name or "power_on" in name for name, *_ in here.source.calls)
    assert configuration(here).hw_version == 10
    assert configuration(here).cbt, "what needs no outage is done"
    assert back(here).outcome is Outcome.ROLLED_BACK, "nothing has to be taken back that needs an outage"
    assert not configuration(here).cbt
    assert power(here) is Power.ON


def test_a_guest_that_goes_down_late_is_started_again() -> None:
    here = world(["upgrade-hardware"])

    def late(vm: str, op: str, timeout_s: float) -> bool:
        here.source.site.vms[vm] = replace(here.source.site.vms[vm], power=Power.OFF)
        return False

    object.__setattr__(here.source, "shut_down", late)
    assert here.drive().outcome is Outcome.COMMITTED
    assert configuration(here).hw_version == 15
    assert power(here) is Power.ON


def test_a_vm_that_is_gone_is_passed_over_and_the_others_go_on() -> None:
    here = world({VM: FIXES, "id-web": ["enable-cbt", "disk-mode"]})
    del here.source.site.vms[VM]
    assert here.drive().outcome is Outcome.COMMITTED
    assert "is not at site source" in here.history.failures["v0/look"]["message"]
    assert configuration(here, "id-web").cbt
    assert power(here, "id-web") is Power.ON


def test_a_fix_that_fails_for_good_does_not_keep_its_vm_down() -> None:
    here = world(["upgrade-hardware", "disk-mode"])
    here.source.site.failing["set_hardware_version"] = 99
    assert here.drive().outcome is Outcome.COMMITTED
    assert configuration(here).hw_version == 10
    assert dict(configuration(here).modes)["2000"] == "persistent"
    assert power(here) is Power.ON


def test_a_vm_that_does_not_come_back_waits_for_a_person() -> None:
    here = world(["upgrade-hardware"])
    here.source.site.failing["power_on"] = 1
    stopped = here.drive()
    assert stopped.decide is not None
    assert stopped.decide.kind == "resume"
    assert power(here) is Power.OFF
    here.note(stopped.decide.id, Event.RETRY)
    assert here.drive().outcome is Outcome.COMMITTED
    assert power(here) is Power.ON


# power around an outage


def test_a_vm_that_was_off_stays_off_both_ways() -> None:
    here = world(outage=False)
    here.source.site.vms[VM] = replace(here.source.site.vms[VM], power=Power.OFF)
    assert here.drive().outcome is Outcome.COMMITTED
    assert configuration(here).hw_version == 15
    assert (configuration(here).cbt, configuration(here).tracking) == (True, False)
    assert "next start" in evidence("enable-cbt", here.history.results[f"{_prefix(here)}/enable-cbt"])
    back(here)
    assert configuration(here) == replace(ODD, consolidation_needed=False)
    assert power(here) is Power.OFF
    assert not any("power_on" in name for name, *_ in here.source.calls)


def test_going_back_from_the_middle_of_an_outage_starts_the_vm() -> None:
    here = world(["disk-mode"])

    def die(point: str) -> None:
        if point == f"{_prefix(here)}/disk-mode after act":
            raise Died

    with pytest.raises(Died):
        here.drive(boundary=die)
    assert power(here) is Power.OFF
    assert back(here).outcome is Outcome.ROLLED_BACK
    assert power(here) is Power.ON
    assert dict(configuration(here).modes)["2000"] == "independent_persistent"
    assert here.broken() == []


def test_a_vm_that_somebody_stopped_since_is_not_started_by_the_way_back() -> None:
    here = world(["disk-mode"])
    here.drive()
    here.source.site.power_off(VM, "by hand")
    assert back(here).outcome is Outcome.ROLLED_BACK
    assert power(here) is Power.OFF
    assert dict(configuration(here).modes)["2000"] == "independent_persistent"


# the way back leaves alone what is somebody else's


def test_what_was_changed_since_stays_as_somebody_wanted_it() -> None:
    here = world()
    here.drive()
    disks = here.source.site.vms[VM].disks
    new = DiskState("2009", "id-db/2009", 4096, Backing.VMDK)
    here.source.site.vms[VM] = replace(here.source.site.vms[VM], disks=(*disks, new))
    found = configuration(here)
    other = replace(found.drives[0], connected=True, media="[iso] other.iso")
    here.source.site.configurations[VM] = replace(
        found, hw_version=17, drives=(other, *found.drives[1:]), modes=(("2009", "append"), *found.modes[:2])
    )
    back(here)
    now = configuration(here)
    assert now.hw_version == 17
    assert now.drives == (other, EMPTY)
    assert dict(now.modes)["2009"] == "append"
    assert dict(now.modes)["2000"] == "independent_persistent"
    said = undo_evidence("upgrade-hardware", here.history.undone[f"{_prefix(here)}/upgrade-hardware"])
    assert "changed since" in said


def test_hardware_stays_where_a_site_cannot_lower_it_and_that_is_said() -> None:
    here = world(["upgrade-hardware"])
    can = here.source.site.capabilities - {Capability.LOWER_HARDWARE}
    object.__setattr__(here.source, "capabilities", can)
    here.drive()
    assert back(here).outcome is Outcome.ROLLED_BACK
    assert configuration(here).hw_version == 15
    undone = here.history.undone[f"{_prefix(here)}/upgrade-hardware"]
    assert "cannot lower" in undo_evidence("upgrade-hardware", undone)


# crashes


def _prefix(here: World) -> str:
    return here.runbook.steps[0].id.partition("/")[0]


def _points(here: World) -> list[str]:
    seen = Boundaries()
    here.drive(boundary=seen)
    return seen.points


@pytest.mark.parametrize("outage", [True, False])
def test_a_death_at_any_boundary_changes_nothing_of_the_end_and_nothing_twice(outage: bool) -> None:
    calm = world(outage=outage)
    points = _points(calm)
    assert len(points) > 25
    for number in range(1, len(points) + 1):
        here = world(outage=outage)
        with pytest.raises(Died):
            here.drive(boundary=Boundaries(number))
        assert here.drive().outcome is Outcome.COMMITTED, points[number - 1]
        assert configuration(here) == configuration(calm), points[number - 1]
        assert power(here) is Power.ON
        assert here.source.site.snapshots == {}
        assert here.broken() == [], points[number - 1]


def test_the_way_back_after_a_death_anywhere_and_dying_itself_ends_as_before() -> None:
    points = _points(world())
    for number in range(1, len(points) + 1):
        for die_back in (0, 1, 3, 5, 7, 11):
            here = world()
            with pytest.raises(Died):
                here.drive(boundary=Boundaries(number))
            merged = not configuration(here).consolidation_needed
            here.note("", Event.ROLLBACK)
            if die_back:
                with contextlib.suppress(Died):
                    here.drive(boundary=Boundaries(die_back))
            assert here.drive().outcome is Outcome.ROLLED_BACK
            where = f"{points[number - 1]}, {die_back}"
            assert configuration(here) == replace(ODD, consolidation_needed=not merged), where
            assert power(here) is Power.ON, where
            assert here.broken() == [], where


CALLS = (
    "set_change_tracking", "set_hardware_version", "set_disk_modes", "set_drives", "consolidate",
    "take_snapshot", "drop_snapshot", "shut_down", "power_on",
)  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("way", ["lose", "refuse"])
def test_a_lost_answer_is_asked_for_and_not_repeated(call: str, way: str) -> None:
    here = world()
    getattr(here.source, way)[call] = 1
    assert here.drive().outcome is Outcome.COMMITTED
    calm = world()
    calm.drive()
    assert configuration(here) == configuration(calm)
    assert power(here) is Power.ON
    assert here.source.site.snapshots == {}
    if way == "lose":
        assert here.broken() == []


def test_a_change_that_was_made_though_the_site_complained_is_taken_back_too() -> None:
    here = world(["disconnect-media"])
    before = configuration(here)
    left = [1]

    def complains(vm: str, drives: Any, op: str) -> None:
        here.source.site.set_drives(vm, drives, op)
        if left:
            left.pop()
            raise ProjectBusy("somebody is at work there", "wait")

    object.__setattr__(here.source, "set_drives", complains)
    assert here.drive().outcome is Outcome.COMMITTED
    assert here.history.attempts[f"{_prefix(here)}/disconnect-media"] == 2
    assert configuration(here) != before
    back(here)
    assert configuration(here) == before


def test_control_a_kind_that_forgets_to_ask_changes_twice() -> None:
    """Negative control: the counting of changes would notice."""

    class Forgetful:
        def __init__(self, kind: Any) -> None:
            self.kind = kind

        def __getattr__(self, name: str) -> Any:
            return getattr(self.kind, name)

        def act(self, ctx: Any, step: Any, op: str) -> dict[str, Any]:
            ctx.source.set_drives(step.subject, (("cdrom-0", False, False),), op)
            return {"changed": True}

        def verify(self, ctx: Any, step: Any, op: str) -> None:
            return None

    here = world(["disconnect-media"])
    here.kinds = {**KINDS, "disconnect-media": Forgetful(KINDS["disconnect-media"])}

    def die(point: str) -> None:
        if point.endswith("disconnect-media after act"):
            raise Died

    with pytest.raises(Died):
        here.drive(boundary=die)
    here.drive()
    assert any("set_drives" in problem for problem in here.broken())
