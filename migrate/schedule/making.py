"""Making appointments: a wave, a time and a word for it, checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from migrate.run.execute import Purpose, check_approved, intend
from migrate.schedule import calendar
from migrate.schedule.calendar import Appointed, Appointment
from migrate.schedule.times import check_time, read_time, show
from planner.errors import BadInput, Blocked
from planner.names import visible
from planner.store import inventories, plans
from planner.store import settings as settings_store
from planner.ticket import matches

if TYPE_CHECKING:
    from planner.plan import Wave
    from planner.settings import Settings
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Proposed:
    """An appointment that may be made; ``against`` is what a reason has to outweigh, empty for nothing."""

    wave: Wave
    purpose: Appointed
    at: datetime
    against: str = ""


def propose(
    project: Project,
    wave_name: str,
    when: str,
    purpose: Appointed,
    now: datetime,
    *,
    zone: str = "",
    ticket: str = "",
    reason: str = "",
) -> Proposed:
    """Return an appointment that ``make`` may write; raises NotFound, BadInput, Blocked.

    Refused is what the verb itself would be refused now: a wave that is not approved, or cut over. For a
    cutover the word has to be one that its go gate takes: a ticket, when the gate asks for one.
    """
    intended = intend(project, wave_name, Purpose(purpose.value))
    if intended.run is None:
        check_approved(project, intended)
    wave = intended.wave
    at = read_time(when, zone, wave)
    settings = settings_store.load(project)
    against = check_time(wave, settings, _names(project, wave, settings), purpose, at, now)
    if against and not reason.strip():
        raise Blocked(f"{wave.name} at {show(at)}: {against}", "choose another time, or add --reason TEXT")
    pattern = wave.conduct.gates.go.ticket
    if purpose is Appointed.CUTOVER and pattern and not matches(pattern, ticket.strip()):
        raise BadInput(
            f"the go gate of {wave.name} takes a ticket like {visible(pattern)}", "add --ticket NUMBER"
        )
    return Proposed(wave, purpose, at, against)


def from_plan(project: Project, now: datetime) -> tuple[list[Proposed], list[str]]:
    """Return a cutover at the start of each window to come, and why other waves get none."""
    proposed: list[Proposed] = []
    left: list[str] = []
    standing = {(item.wave, item.purpose) for item in calendar.standing(project)}
    for row in plans.waves(project, plans.head(project).version):
        if row.window is None:
            left.append(f"{row.name} has no window")
        elif (row.name, Appointed.CUTOVER) in standing:
            left.append(f"{row.name} has an appointment")
        else:
            try:
                proposed.append(propose(project, row.name, "window", Appointed.CUTOVER, now))
            except (BadInput, Blocked) as error:
                left.append(error.message)
    return proposed, left


def make(project: Project, proposed: Proposed, ticket: str = "", reason: str = "") -> Appointment:
    """Write it, as the word of whoever runs this."""
    said = f"{reason.strip()} (against: {proposed.against})" if proposed.against else reason.strip()
    return calendar.add(project, proposed.wave, proposed.purpose, proposed.at, ticket.strip(), said)


def _names(project: Project, wave: Wave, settings: Settings) -> frozenset[str]:
    """Return what a freeze may call the wave's VMs by; the inventory is read only when one does."""
    if not any(freeze.only for freeze in settings.freezes):
        return frozenset()
    members = {vm.id for vm in wave.vms}
    found = {group.name for group in wave.groups} | members | {vm.name for vm in wave.vms}
    for vm in inventories.latest(project).inventory.vms:
        if vm.id in members:
            found |= {vm.application, vm.owner or settings.owners.get(vm.application, "")}
    return frozenset(found - {""})
