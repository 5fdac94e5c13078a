"""Planning by hand: the newest plan laid out on a desk that stays here, each edit answered with what changed.

    hand.open ─▶ hand.move, split, merge, lock, unlock, undo, redo, discard ─▶ hand.save

Every answer has the verdict, the score now and against the saved plan, and the rows of the waves that
changed. Nothing is stored before ``hand.save``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planner.waves.desk import Desk
    from planner.waves.draft import Draft
    from planner.waves.verdict import Verdict
    from tui.acts.editing import Opened
    from tui.study.room import Room

_KEPT = "hand"
_FIXES = 3


@dataclass(slots=True)
class _Hand:
    """The plan that is edited, and the edits so far."""

    opened: Opened
    draft: Draft


def _hand(room: Room) -> _Hand:
    """Return what is edited, laid out now when nothing is; raises BadInput for why it cannot be."""
    found = room.kept.get(_KEPT)
    if not isinstance(found, _Hand):
        from tui.acts.drafting import draft_of
        from tui.acts.editing import lay_out

        opened = lay_out(room.project, room.situation, lambda done, total: room.report("checks", done, total))
        found = room.kept[_KEPT] = _Hand(opened, draft_of(room.project, opened))
    return found


def open_(room: Room) -> dict[str, Any]:
    """Lay the newest plan out, unless one with unsaved edits lies there; return all of it."""
    found = room.kept.get(_KEPT)
    if isinstance(found, _Hand) and not found.draft.edits:
        del room.kept[_KEPT]  # there may be a newer plan
    return state(room)


def state(room: Room) -> dict[str, Any]:
    """Return unsaved edits, score and every wave."""
    from planner.waves.rows import rows

    hand = _hand(room)
    return {**_standing(room, hand), "rows": rows(hand.draft.desk)}


def _standing(room: Room, hand: _Hand) -> dict[str, Any]:
    from planner.waves.rows import figures

    now, saved = figures(hand.draft.desk), figures(hand.draft.first)
    newest = room.project.rows("SELECT max(version) AS version FROM plan")[0]["version"]
    return {
        "plan": hand.opened.stored.version,
        "outdated": newest != hand.opened.stored.version,
        "score": now,
        "saved_score": saved,
        "difference": {name: round(now[name] - saved[name], 6) for name in now},
        "unsaved": [
            {"did": edit.did, "act": edit.act.value, "number": edit.number} for edit in hand.draft.edits
        ],
        "can_undo": bool(hand.draft.steps),
        "can_redo": bool(hand.draft.undone),
    }


def _changes(room: Room, hand: _Hand, before: Desk) -> dict[str, Any]:
    from planner.waves.pins import wave_name
    from planner.waves.rows import changed_slots, rows

    slots = changed_slots(before, hand.draft.desk)
    found = rows(hand.draft.desk, slots)
    return {
        **_standing(room, hand),
        "rows": found,
        "gone": [wave_name(slot) for slot in sorted(slots - {row.slot for row in found})],
    }


def _said(verdict: Verdict, taken: bool) -> dict[str, Any]:
    from tui.acts.editing import figures, spoken

    return {
        "did": [edit.did for edit in verdict.edits],
        "taken": taken,
        "refused": verdict.refused,
        "told": verdict.told,
        "delta": figures(verdict.delta),
        "spoken": spoken(verdict.delta),
    }


def _judge(room: Room, judge: Callable[[Desk], Verdict], check: bool) -> dict[str, Any]:
    """Judge an act, and take it unless it is refused or only looked at."""
    hand = _hand(room)
    before = hand.draft.desk
    verdict = judge(before)
    taken = not verdict.refused and not check
    if taken:
        hand.draft.take(verdict)
    return {"verdict": _said(verdict, taken), **_changes(room, hand, before)}


def move(
    room: Room, groups: list[str], wave: str | None = None, by: int | None = None, check: bool = False
) -> dict[str, Any]:
    """Move groups (names, VM ids, applications) into a wave, or each by so many waves."""
    if (wave is None) == (by is None) or not groups:
        raise BadInput("a move needs groups, and either a wave or how far", "name one of the two")

    def judge(desk: Desk) -> Verdict:
        if wave is not None and len(groups) == 1:
            return desk.move(groups[0], wave)
        found = {group.name: group for what in groups for group in desk.named(what)}
        if wave is not None:
            slot = desk.wave(wave, groups[0])
            return desk.shift([(group, slot) for group in found.values()])
        return desk.shift([(group, desk.slot(group) + (by or 0)) for group in found.values()])

    return _judge(room, judge, check)


def split(room: Room, group: str, vms: list[str], check: bool = False) -> dict[str, Any]:
    """Split VMs off a group or an application."""
    return _judge(room, lambda desk: desk.split(group, vms), check)


def merge(room: Room, group: str, other: str, check: bool = False) -> dict[str, Any]:
    """Merge another group into one."""
    return _judge(room, lambda desk: desk.merge(group, other), check)


def lock(room: Room, wave: str) -> dict[str, Any]:
    """Keep a wave as it is."""
    return _judge(room, lambda desk: desk.lock(wave), False)


def unlock(room: Room, wave: str) -> dict[str, Any]:
    """Let a locked wave be changed again."""
    return _judge(room, lambda desk: desk.unlock(wave), False)


def undo(room: Room) -> dict[str, Any]:
    """Take the newest unsaved step back."""
    return _walk(room, "undo")


def redo(room: Room) -> dict[str, Any]:
    """Do again what was taken back last."""
    return _walk(room, "redo")


def _walk(room: Room, way: str) -> dict[str, Any]:
    hand = _hand(room)
    before = hand.draft.desk
    step = hand.draft.undo() if way == "undo" else hand.draft.redo()
    return {way: [edit.did for edit in step.edits], **_changes(room, hand, before)}


def discard(room: Room) -> dict[str, Any]:
    """Drop all unsaved edits; return the saved plan as it is now."""
    room.kept.pop(_KEPT, None)
    return state(room)


def save(room: Room) -> dict[str, Any]:
    """Store all unsaved edits and the one plan they lead to, all or nothing."""
    from tui.acts.editing import save as store

    hand = _hand(room)
    if not hand.draft.edits:
        raise BadInput("there is no edit to save", "edit the plan first")
    standing: Mapping[str, int] = hand.draft.desk.ask.standing or {}
    room.report("plan", 0, 0)
    saved = store(room.project, hand.opened, hand.draft.edits, standing)
    room.kept.pop(_KEPT, None)
    return {
        "plan": saved.stored.version,
        "edits": [{"number": edit.number, "did": edit.did} for edit in saved.edits],
        "approvals_void": saved.voided,
    }


def why(room: Room, what: str) -> Any:
    """Return why a VM or group moves in its wave as it stands now, and what other waves would cost."""
    return _hand(room).draft.desk.why(what)


def fixes(room: Room, groups: list[str], wave: str) -> list[dict[str, Any]]:
    """Return at most three waves, the nearest to a wanted one first, that would take all of these groups."""
    desk = _hand(room).draft.desk
    found = {group.name: group for what in groups for group in desk.named(what)}
    wanted = desk.wave(wave, groups[0])
    most = min(len(track.built.problem.slots) for track in desk.tracks)
    good: list[dict[str, Any]] = []
    for slot in sorted(range(most), key=lambda slot: (abs(slot - wanted), slot)):
        if slot == wanted or all(desk.slot(group) == slot for group in found.values()):
            continue
        verdict = desk.shift([(group, slot) for group in found.values()])
        if not verdict.refused:
            good.append({"wave": verdict.edit.wave, "start": verdict.edit.start, **_said(verdict, False)})
        if len(good) == _FIXES:
            break
    return good


WRITES = frozenset({"hand.save"})
OPS = {
    "hand.open": open_,
    "hand.state": state,
    "hand.move": move,
    "hand.split": split,
    "hand.merge": merge,
    "hand.lock": lock,
    "hand.unlock": unlock,
    "hand.undo": undo,
    "hand.redo": redo,
    "hand.discard": discard,
    "hand.save": save,
    "hand.why": why,
    "hand.fixes": fixes,
}
