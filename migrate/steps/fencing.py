"""fence and unfence: a VM that moved away is shut off where it was, and kept; coming home takes that back.

A fenced VM has another name, ``NAME-moved-YYYYMMDD`` by the day of the commit, no NIC is plugged, it is put
aside into a folder where its site has any, and its note says who fenced it and until when it is kept. wherry
never deletes one.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import cast

from migrate.run.runbook import COMMIT, Step
from migrate.sites.aside import PutsAside
from migrate.sites.ports import Capability, FullSite, VMState
from migrate.steps.kind import Context, Result
from migrate.steps.standstill import moved
from planner.errors import NameTaken, StepFailed
from planner.model import Power
from planner.names import content_id, visible

_NAME_LIMIT = 80  # vSphere's limit for a VM's name
MARK = "wherry: moved away"  # what the note of a fenced VM begins with
_KEEP_DAYS = 30  # of runs begun before there was a choice


class Fence:
    """Shut the copy that was left behind away, so that nobody starts it by mistake."""

    def plan(self, step: Step) -> str:
        """Describe the fence."""
        days = step.params.get("keep_days", _KEEP_DAYS)
        folder = step.params.get("folder")
        moved_to = f", move it to folder {visible(folder, 80)}" if folder else ""
        return f"rename to ..-moved-.., disconnect its NICs{moved_to}, keep it {days} days"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Rename, unplug, put aside and note, what of it is not done yet."""
        vm = step.params["vm"]
        found = ctx.source.observe(vm)
        if found is not None and found.power is not Power.OFF:
            raise StepFailed(
                f"{step.title}: the VM is not off at site {ctx.source.name}", "stop it there, then retry"
            )
        late = moved(ctx, step)
        name = _rename(ctx, step, found, op)
        if found is None or found.connected:
            ctx.source.connect_nics(vm, False, op)
        aside = _put_aside(ctx.source, step, op)
        if found is None or not _is_noted(ctx, step, found):
            ctx.source.annotate(vm, _note(ctx, step, found.note if found else "", op), op)
        return {**_kept(ctx, step, name), **aside, **({"written_late": True} if late else {})}

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Ask whether all of it is done."""
        found = ctx.source.observe(step.params["vm"])
        if found is None:
            raise StepFailed(f"{step.title}: the VM is gone from the source", "look for it before going on")
        # The note comes last, so it says enough where the record has lost the day of the commit.
        named = found.name in fenced_names(ctx, step) or _committed(ctx) is None
        if not named or found.connected or not _is_noted(ctx, step, found):
            return None
        kept = _kept(ctx, step, found.name)
        return {**kept, "keep_until": kept["keep_until"] or _noted_until(found)}

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Refuse: commit is the point of no return."""
        raise StepFailed(f"{step.title} cannot be undone", "the way back after commit is failback")


class Unfence:
    """Give a VM that comes home its folder, name and NICs back; it is off, and not started by this."""

    def plan(self, step: Step) -> str:
        """Describe what comes back."""
        return "give its old name, its NICs and its folder back"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Put back, rename, plug and take the note off, what of it is not done yet."""
        found = _left_off(ctx.target, step)
        vm, name = step.params["vm"], step.params["name"]
        stays = _putting(ctx.target).put_back(vm, op) if _has_folders(ctx.target) else ""
        if found.name != name:
            ctx.target.rename(vm, name, op)
        if not found.connected:
            ctx.target.connect_nics(vm, True, op)
        if found.note.startswith(MARK):
            ctx.target.annotate(vm, _own_note(found), op)
        return {"name": name, **({"stays": stays} if stays else {})}

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Ask whether all of it is done."""
        found = ctx.target.observe(step.params["vm"])
        if found is None or not found.connected or found.note.startswith(MARK):
            return None
        return {"name": found.name} if found.name == step.params["name"] else None

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Fence it again; raises StepFailed while it runs."""
        if ctx.target.observe(step.params["vm"]) is None:
            return {"fenced": False}
        found = _left_off(ctx.target, step)
        vm, name = step.params["vm"], step.params["fenced"]
        if found.name != name:
            ctx.target.rename(vm, name, op)
        if found.connected:
            ctx.target.connect_nics(vm, False, op)
        _put_aside(ctx.target, step, op)
        if not found.note.startswith(MARK):
            again = f"{MARK} by {visible(ctx.wave)}, its failback was rolled back [{op}]"
            ctx.target.annotate(vm, f"{again}\n{found.note}", op)
        return {"fenced": True, "name": name}


def _has_folders(site: FullSite) -> bool:
    return Capability.FOLDERS in site.capabilities


def _putting(site: FullSite) -> PutsAside:
    return cast(PutsAside, site)


def _put_aside(site: FullSite, step: Step, op: str) -> Result:
    """Put a VM aside where its plan and its site have a folder for that, and return what came of it."""
    folder = step.params.get("folder", "")
    if not folder or not _has_folders(site):
        return {}
    stays = _putting(site).put_aside(step.params["vm"], folder, op)
    return {"stays": stays} if stays else {"folder": folder}


def unfenced(ctx: Context, step: Step) -> bool:
    """Return whether anything of a fence was taken off, as the site that the VM comes home to shows it."""
    found = ctx.target.observe(step.params["vm"])
    if found is None:
        return False
    return found.connected or found.name != step.params["fenced"] or not found.note.startswith(MARK)


def _left_off(site: FullSite, step: Step) -> VMState:
    """Return a VM that is there and certainly off; raises StepFailed."""
    found = site.observe(step.params["vm"])
    if found is None:
        raise StepFailed(f"{step.title}: the VM is gone from site {site.name}", "find out who removed it")
    if found.power is not Power.OFF:
        raise StepFailed(f"{step.title}: the VM is not off at site {site.name}", "stop it there, then retry")
    return found


def fenced_names(ctx: Context, step: Step) -> tuple[str, str]:
    """Return the name of the fenced VM, and the one for a site where that name is taken.

    A name that is too long keeps its start; one that another VM of the wave has too is made unique.
    """
    day = _committed(ctx)
    tail = f"-moved-{day:%Y%m%d}" if day else "-moved"
    name = str(step.params["name"])
    unique = f"-{content_id(step.params['vm'])[:8]}{tail}"
    alone = _cut(name, _NAME_LIMIT - len(unique)) + unique
    namesakes = ctx.history.runbook.namesakes.get((step.kind, step.params["name"]), ())
    twin = any(other != step.id for other in namesakes)
    return (alone if twin or len(name) + len(tail) > _NAME_LIMIT else name + tail), alone


def moved_name(name: str, day: date) -> str:
    """Return the name of a VM that was fenced on a day; one that is too long keeps its start."""
    tail = f"-moved-{day:%Y%m%d}"
    return _cut(name, _NAME_LIMIT - len(tail)) + tail


def _cut(name: str, length: int) -> str:
    """Return the start of a name; vSphere writes a slash as %2f, which is not cut in two."""
    return name if len(name) <= length else re.sub(r"%[0-9a-fA-F]?$", "", name[:length])


def _rename(ctx: Context, step: Step, found: VMState | None, op: str) -> str:
    """Return the name that the VM has now."""
    vm, (name, alone) = step.params["vm"], fenced_names(ctx, step)
    if found is not None and found.name in (name, alone):
        return found.name
    try:
        ctx.source.rename(vm, name, op)
    except NameTaken:
        if name == alone:
            raise
        ctx.source.rename(vm, alone, op)
        return alone
    return name


def _committed(ctx: Context) -> date | None:
    """Return the day of the commit by the record, None when it does not say: no clock is asked twice."""
    try:
        return date.fromisoformat(str(ctx.result(COMMIT).get("at", ""))[:10])
    except ValueError:
        return None


def _kept(ctx: Context, step: Step, name: str) -> Result:
    day = _committed(ctx)
    until = day + timedelta(days=step.params.get("keep_days", _KEEP_DAYS)) if day else None
    return {"name": name, "keep_until": until.isoformat() if until else ""}


def _note(ctx: Context, step: Step, note: str, op: str) -> str:
    until = _kept(ctx, step, "")["keep_until"]
    keep = f", kept until {until}" if until else ""
    return f"{MARK} by {visible(ctx.wave)}{keep} [{op}]\n{note}"


def _noted_until(found: VMState) -> str:
    """Return the day until which the note says that the VM is kept, empty when it does not."""
    said = re.search(r", kept until (\d{4}-\d\d-\d\d) \[", found.note.partition("\n")[0])
    return said[1] if said else ""


def _is_noted(ctx: Context, step: Step, found: VMState) -> bool:
    return found.note.startswith(MARK) and f"[{ctx.run}/{step.id}/" in found.note.partition("\n")[0]


def _own_note(found: VMState) -> str:
    """Return what people had noted there before."""
    return found.note.partition("\n")[2]
