"""What waits for a person, and with which command it goes on: sentences about where a wave stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from planner.units import show_duration

if TYPE_CHECKING:
    from migrate.wave_status import WaveStatus

HOME = ("failing back", "failed back")  # of a wave that has been committed


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person; ``wave`` is the one it is about, empty for none."""

    severity: str  # blocker, warning, gate or info
    text: str
    hint: str
    wave: str = ""


def needs_of(wave: WaveStatus, running: bool, now: datetime) -> list[Need]:
    """Return what a wave needs from people at ``now``; ``running`` says that a process drives it."""
    return [*_waits(wave), *_needs(wave, running, now), *_held(wave), *_snapshots(wave), *_overlooked(wave)]


def _waits(wave: WaveStatus) -> list[Need]:
    """Return what is waited for: people may help it, and need not."""
    if not wave.waits:
        return []
    hint = f"wherry run retry {wave.name} tries at once, wherry pause {wave.name} ends the wait"
    return [Need("warning", f"{wave.name} waits at {wave.waits}", hint, wave.name)]


def _needs(wave: WaveStatus, running: bool, now: datetime) -> list[Need]:
    if wave.state == "failed":
        said = f": {wave.why}" if wave.why else ""
        hint = wave.hint or "see 'wherry log'"
        if wave.again_at:
            text = f"{wave.name} failed at {wave.current}{said}; {_again(wave, now)}"
            return [Need("warning", text, f"{hint}; wherry pause {wave.name} ends that", wave.name)]
        return [
            Need(
                "blocker",
                f"{wave.name} failed at {wave.current}{said}",
                f"{hint}; then run the verb again",
                wave.name,
            )
        ]
    if wave.state == "before commit":
        left, over = _left(wave.commit_by, now)
        hint = f"wherry commit {wave.name} --live, or wherry rollback {wave.name} --live"
        text = f"{wave.name} runs at the target and waits for commit, {left}"
        return [Need("warning" if over else "gate", text, hint, wave.name)]
    if wave.state in ("committed", "reverse protected", *HOME):
        return _needs_after_commit(wave, running, now)
    if wave.state == "in sync":
        gate = Need("gate", f"{wave.name} is in sync and waits for its cutover",
                    f"wherry cutover {wave.name} --live", wave.name)  # fmt: skip
        return [gate, *_late(wave, now), *_short(wave)]
    if wave.state in ("cutting over", "committing") and wave.gate:
        hint = f"do it, and say so: see 'wherry gate list {wave.name}'"
        return [Need("gate", f"{wave.name} waits for a person: {wave.gate}", hint, wave.name)]
    if (
        wave.state in ("replicating", "cutting over", "rolling back", "committing", "aborting")
        and not running
    ):
        if wave.why:
            hint = f"{wave.hint}; then {_resume(wave)}" if wave.hint else _resume(wave)
            return [Need("blocker", f"{wave.name} failed while {wave.state}: {wave.why}", hint, wave.name)]
        return [Need("warning", f"{wave.name} was interrupted while {wave.state}", _resume(wave), wave.name)]
    if wave.state == "planned":
        return [Need("info", f"{wave.name} is not approved", f"wherry plan approve {wave.name}", wave.name)]
    if wave.state in ("rolled back", "aborted"):
        return [Need("info", f"{wave.name} was {wave.state}", f"wherry replicate {wave.name} begins again",
                     wave.name)]  # fmt: skip
    return []


def _needs_after_commit(wave: WaveStatus, running: bool, now: datetime) -> list[Need]:
    """Return what a committed wave needs: its way home, or the word that its sources may go."""
    name, needs = wave.name, []
    if wave.state == "failing back" and wave.gate:
        hint = f"wherry commit {name} --live, or wherry rollback {name} --live"
        needs.append(Need("gate", f"{name} runs at the source again and waits for commit", hint, name))
    elif wave.state == "reverse protected" and wave.gate:
        age_s = (now - datetime.fromisoformat(wave.protected_at)).total_seconds()
        text = f"{name} can come back: its source is as the target was {show_duration(max(age_s, 0))} ago"
        hint = f"wherry replicate {name} --reverse --live brings it up to date; wherry failback {name} --live"
        needs += [Need("info", text, hint, name), *_late(wave, now, " --reverse"), *_short(wave)]
    elif wave.current and not running:
        verb = f"failback {name}" if wave.state == "failing back" else f"replicate {name} --reverse"
        text = f"the way home of {name} was interrupted"
        needs.append(Need("warning", text, f"wherry {verb} --live goes on where it was", name))
    if wave.unprotected:
        text = f"{name} is committed, and nobody protects it at its source"
        text += f": {wave.why}" if wave.why else ""
        text += f"; {_again(wave, now)}" if wave.again_at else ""
        needs.append(Need("info", text, f"wherry replicate {name} --reverse --live begins that", name))
    kept = wave.state in ("committed", "reverse protected") and wave.keep_until
    if kept and wave.keep_until < now.date().isoformat():
        text = f"the fenced sources of {name} were to be kept until {wave.keep_until}"
        hint = "they may be removed now, by hand: wherry never deletes a source"
        if wave.state == "reverse protected":
            hint += f"; before that wherry abort {name} --live ends its protection"
        needs.append(Need("info", text, hint, name))
    return needs


def _again(wave: WaveStatus, now: datetime) -> str:
    """Return when the engine tries its first reverse round again."""
    left_s = max((datetime.fromisoformat(wave.again_at) - now).total_seconds(), 0.0)
    return f"the engine tries again {f'in {show_duration(round(left_s))}' if left_s >= 1 else 'now'}"


def _late(wave: WaveStatus, now: datetime, way: str = "") -> list[Need]:
    """Return that the copies of a wave are too old, and why."""
    if not wave.late:
        return []
    age = show_duration((now - datetime.fromisoformat(wave.copied_at)).total_seconds())
    text = f"the copies of {wave.name} are {age} old, {show_duration(wave.rpo_s)} is allowed: {wave.late}"
    hint = f"wherry replicate {wave.name}{way} --live brings them up to date"
    return [Need("warning", text, hint, wave.name)]


def _short(wave: WaveStatus) -> list[Need]:
    """Return that the checkpoints of a wave reach back less far than is wanted."""
    if not wave.short_history:
        return []
    text = f"the history of {wave.name} reaches back {wave.short_history} wanted"
    return [Need("warning", text, f"see 'wherry checkpoints {wave.name}'", wave.name)]


def _held(wave: WaveStatus) -> list[Need]:
    """Return that a step waits for something that is neither the run's nor a person's word."""
    if not wave.held:
        return []
    hint = "it goes on by itself when there is room; docs/transports.md says what there is of which places"
    if wave.held.startswith("waits for a foreign snapshot "):
        hint = (
            "it goes on when that is gone: let the backup job end, or remove the snapshot at the site; "
            f"one that is to stay: wherry run overlook {wave.name}"
        )
    elif wave.held.startswith("waits for room on "):
        hint = f"free space there and it goes on by itself; wherry pause {wave.name} ends the wait"
    return [Need("warning", f"{wave.name} {wave.held}", hint, wave.name)]


def _snapshots(wave: WaveStatus) -> list[Need]:
    """Return what is told of snapshots that passes read from."""
    hint = f"free space there, or end it: wherry pause {wave.name}, then wherry abort {wave.name} --live"
    return [Need("warning", f"{wave.name}: {said}", hint, wave.name) for said in wave.snapshots]


def _overlooked(wave: WaveStatus) -> list[Need]:
    """Return beside what it goes on because a person said so: whoever cuts it over has to know."""
    hint = f"see 'wherry run overlook {wave.name}'; another snapshot is waited for"
    return [Need("info", f"{wave.name} goes on beside {said}", hint, wave.name) for said in wave.overlooked]


def _resume(wave: WaveStatus) -> str:
    verbs = {
        "replicating": "replicate",
        "cutting over": "cutover",
        "rolling back": "rollback",
        "committing": "commit",
        "aborting": "abort",
    }
    return f"wherry {verbs[wave.state]} {wave.name} --live goes on where it was"


def _left(commit_by: str, now: datetime) -> tuple[str, bool]:
    """Return the rest of a commit window in words, and whether it is over: nothing ends by itself."""
    left_s = (datetime.fromisoformat(commit_by) - now).total_seconds()
    at = f"{commit_by[:16].replace('T', ' ')} UTC"
    if left_s < 0:
        return f"its commit window has been over for {show_duration(-left_s)} (since {at})", True
    return f"{show_duration(left_s)} of its commit window left (until {at})", False
