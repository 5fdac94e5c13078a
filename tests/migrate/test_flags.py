"""Every flag is reached the way people reach it, and shown of a wave, its groups and its VMs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate.members import WaveMembers, wave_members
from migrate.run import controls
from migrate.run.history import Event
from migrate.run.runbook import GO
from migrate.states import Flag
from migrate.status import project_status
from planner.settings import Settings, Site
from planner.store import approvals, plans
from planner.store import settings as settings_store
from tests.migrate.gates.standing import Standing, planned, stored

SITES = {role: Site(url=f"lab:{role}", role=role) for role in ("source", "target")}


def paused(run: Standing) -> None:
    run.go_to(GO)
    controls.ask_to_pause(run.project, "W01")


def stalled(run: Standing) -> None:
    run.do("check")


def failed(run: Standing) -> None:
    run.append("check", Event.INTENT)
    run.append("check", Event.FAILED, message="no", hint="")


def old(run: Standing) -> None:
    run.go_to(GO)
    before = (datetime.now(UTC) - timedelta(hours=2)).isoformat(timespec="milliseconds")
    with run.project.write() as db:
        db.conn.execute("UPDATE step_record SET at = ?", (before.replace("+00:00", "Z"),))


def short(run: Standing) -> None:
    proof = next(step.id for step in run.history.runbook.steps if step.kind == "checkpoint")
    run.go_to(proof)
    run.append(proof, Event.INTENT)
    run.append(proof, Event.DONE, history={"history_s": 60.0, "wanted_s": 3600.0, "is_short": True})
    run.go_to(GO)


def nowhere(run: Standing) -> None:
    settings_store.save(run.project, Settings(), "ada")


def stays(run: Standing) -> None:
    settings_store.save(run.project, Settings(sites=SITES, exclude=(run.wave.vms[0].name,)), "ada")


MAKE: dict[Flag, Callable[[Standing], None]] = {
    Flag.PAUSED: paused,
    Flag.STALLED: stalled,
    Flag.FAILED: failed,
    Flag.RPO_BREACH: old,
    Flag.HISTORY_BREACH: short,
    Flag.NEEDS_CONFIGURATION: nowhere,
    Flag.EXCLUDED: stays,
}


def of_vms(members: WaveMembers) -> dict[str, tuple[str, ...]]:
    return {member.name: member.flags for member in members.members if member.flags}


@pytest.mark.parametrize("flag", Flag)
def test_each_flag_is_shown_when_it_is_so_and_not_before(flag: Flag, tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        settings_store.save(run.project, Settings(sites=SITES), "ada")
        run.go_to("check")
        before = wave_members(run.project, "W01")
        assert flag is Flag.STALLED or flag.value not in before.flags
        MAKE[flag](run)
        (wave,) = project_status(run.project).waves
        members = wave_members(run.project, "W01")
        first = run.wave.vms[0].name
        if flag is Flag.EXCLUDED:
            assert of_vms(members) == {first: ("excluded",)}
            holder = next(group for group in run.wave.groups if run.wave.vms[0].id in group.vms)
            assert {group.group: group.flags for group in members.groups if group.flags} == {
                holder.name: ("excluded",)
            }
            assert project_status(run.project).excluded == 1
        else:
            assert flag.value in wave.flags
            assert flag.value in members.flags


def test_who_is_not_approved_needs_no_sites_yet(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        with run.project.write() as db:
            db.conn.execute("DELETE FROM run")
        assert project_status(run.project).waves[0].flags == ()
        approvals.approve(run.project, plans.latest(run.project), ("W01",), "ada")
        assert project_status(run.project).waves[0].flags == ("needs configuration",)


def test_a_step_that_failed_flags_its_vm_and_its_group(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        settings_store.save(run.project, Settings(sites=SITES), "ada")
        run.go_to("g0/snapshot/0")
        run.append("g0/snapshot/0", Event.INTENT)
        run.append("g0/snapshot/0", Event.FAILED, message="no", hint="")
        members = wave_members(run.project, "W01")
        group, *others = members.groups
        assert group.flags == ("failed",)
        assert all(other.flags == () for other in others)
        mine = {member.flags for member in members.members if member.group == group.group}
        assert mine == {("failed",)}
