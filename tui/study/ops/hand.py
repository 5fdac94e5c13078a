"""Planning by hand: the newest plan laid out on a desk that stays here, each edit answered with what changed.

    hand.open ─▶ hand.move, split, merge, lock, unlock, undo, redo, discard ─▶ hand.save

Every answer has the verdict, the score now and against the saved plan, and the rows of the waves that
changed. Nothing is stored before ``hand.save``, after which the desk stays as it lies. What is dear (other
waves tried) comes a slice at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput
from tui.acts.offering import called, elsewhere, empty_slots, mending, places, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planner.waves.desk import Desk
    from planner.waves.draft import Draft
    from planner.waves.group_rows import Takes
    from planner.waves.verdict import Verdict
    from tui.acts.editing import Opened
    from tui.study.room import Room

_KEPT = "hand"
_NEW = 4  # empty waves that are tried for a new one
_CHOICES = 24  # waves that are tried for a list of them


@dataclass(slots=True)
class _Hand:
    """The plan that is edited, the edits so far, and what waves they changed take, each worked out once."""

    opened: Opened
    draft: Draft
    takes: dict[int, Takes | None] = field(default_factory=dict)  # by slot, as of the desk below
    taken_of: Desk | None = None


def _hand(room: Room) -> _Hand:
    """Return what is edited, laid out now when nothing is; raises BadInput for why it cannot be."""
    found = room.kept.get(_KEPT)
    if not isinstance(found, _Hand):
        from planner.store import judged
        from tui.acts.drafting import draft_of
        from tui.acts.editing import lay_out

        opened = lay_out(
            room.project,
            room.situation,
            lambda done, total: room.report("checks", done, total),
            judged.readiness(room.project),
        )
        found = room.kept[_KEPT] = _Hand(opened, draft_of(room.project, opened))
    return found


def open_(room: Room) -> dict[str, Any]:
    """Lay the newest plan out, unless it or one with unsaved edits lies there; return all of it."""
    found = room.kept.get(_KEPT)
    if isinstance(found, _Hand) and not found.draft.edits:
        _clear(room, found)
    return state(room)


def _clear(room: Room, hand: _Hand) -> None:
    """Drop the edits; the desk is kept where it would be laid out likewise again."""
    from tui.acts.drafting import draft_of
    from tui.acts.editing import is_newest

    if is_newest(room.project, room.situation, hand.opened):
        hand.draft = draft_of(room.project, hand.opened)
    else:
        del room.kept[_KEPT]


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
        "edited": _edited(hand),
        "score": now,
        "saved_score": saved,
        "difference": {name: round(now[name] - saved[name], 6) for name in now},
        "unsaved": [
            {"did": edit.did, "act": edit.act.value, "number": edit.number} for edit in hand.draft.edits
        ],
        "can_undo": bool(hand.draft.steps),
        "can_redo": bool(hand.draft.undone),
    }


def _edited(hand: _Hand) -> dict[str, Any]:
    """Return the waves that are not as they were saved, and what each takes now; an emptied one None."""
    from planner.waves.group_rows import members, takes
    from planner.waves.pins import wave_name
    from planner.waves.rows import changed_slots

    desk, before = hand.draft.desk, hand.taken_of
    slots = sorted(changed_slots(hand.draft.first, desk)) if hand.draft.steps else ()
    moved = changed_slots(before, desk) if before is not None and before is not desk else set()
    kept = {slot: said for slot, said in hand.takes.items() if slot not in moved}
    for slot in slots:
        if slot not in kept:
            kept[slot] = takes(desk, slot) if members(desk, slot) else None
    hand.takes, hand.taken_of = kept, desk
    return {wave_name(slot): kept[slot] for slot in slots}


def _changes(room: Room, hand: _Hand, before: Desk) -> dict[str, Any]:
    from planner.waves.pins import wave_name
    from planner.waves.rows import changed_slots, otherwise_broken, rows

    slots = changed_slots(before, hand.draft.desk) | otherwise_broken(before, hand.draft.desk)
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

    return _judge(room, lambda desk: desk.shift(places(desk, groups, wave, by or 0)), check)


def new(room: Room, groups: list[str], check: bool = False) -> dict[str, Any]:
    """Move groups into a wave of their own: the next empty one that would take them, else the next empty."""

    def judge(desk: Desk) -> Verdict:
        empty = empty_slots(desk, groups)
        if not empty:
            raise BadInput("there is no empty wave", "add a window in 0 Settings, then plan anew")
        first: Verdict | None = None
        for slot in empty[:_NEW]:
            verdict = desk.shift([(group, slot) for group in whole(desk, groups)])
            if not verdict.refused:
                return verdict
            first = first or verdict
        assert first is not None
        return first

    return _judge(room, judge, check)


def split(room: Room, group: str, vms: list[str], check: bool = False) -> dict[str, Any]:
    """Split VMs off a group or an application."""
    return _judge(room, lambda desk: desk.split(called(desk, group), vms), check)


def merge(room: Room, group: str, other: str, check: bool = False) -> dict[str, Any]:
    """Merge another group into one."""
    return _judge(room, lambda desk: desk.merge(called(desk, group), called(desk, other)), check)


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
    _clear(room, _hand(room))
    return state(room)


def renew(room: Room) -> dict[str, Any]:
    """Lay the newest plan out and make the unsaved edits again; ``lost`` says which cannot be, and why."""
    from tui.acts.drafting import made_again

    before = _hand(room)
    del room.kept[_KEPT]
    try:
        lost = made_again(_hand(room).draft, before.draft.edits)
    except BaseException:
        room.kept[_KEPT] = before  # what cannot be laid out anew takes no edit along
        raise
    return {**state(room), "lost": lost}


def saved_edits(room: Room) -> list[dict[str, Any]]:
    """Return the saved edits that every plan keeps, the newest first."""
    from planner.store import edits

    return [
        {"number": edit.number, "did": edit.did, "who": edit.who, "at": edit.at}
        for edit in reversed(edits.in_force(room.project))
    ]


def take_back(room: Room, number: int | None = None) -> dict[str, Any]:
    """Take a saved edit back, the newest by default, once nothing is unsaved."""
    from tui.acts.undoing import take_back as undo_saved

    found = room.kept.get(_KEPT)
    if isinstance(found, _Hand) and found.draft.edits:
        raise BadInput("there are unsaved edits", "undo or save them first")
    taken = undo_saved(room.project, number)
    room.kept.pop(_KEPT, None)
    return {"did": taken.kept.edit.did, "plan": taken.plan, "before": taken.kept.before}


def save(room: Room) -> dict[str, Any]:
    """Store all unsaved edits and the one plan they lead to, all or nothing; return it as it lies."""
    from tui.acts.drafting import draft_of
    from tui.acts.editing import save as store

    hand = _hand(room)
    if not hand.draft.edits:
        raise BadInput("there is no edit to save", "edit the plan first")
    standing: Mapping[str, int] = hand.draft.desk.ask.standing or {}
    room.report("plan", 0, 0)
    saved = store(room.project, hand.opened, hand.draft.edits, standing)
    hand.opened = replace(
        hand.opened,
        stored=saved.stored,
        desk=hand.draft.stored(saved.edits),
        edits=(*hand.opened.edits, *saved.edits),
    )
    hand.draft = draft_of(room.project, hand.opened)
    return {
        **state(room),
        "edits": [{"number": edit.number, "did": edit.did} for edit in saved.edits],
        "approvals_void": saved.voided,
    }


def diff(room: Room) -> dict[str, Any]:
    """Return what the unsaved edits change of the plan they were made on, as ``plans.diff`` does."""
    from tui.acts.drafting import difference

    hand = _hand(room)
    found = difference(hand.draft)
    return {"before": hand.opened.stored.version, "same": found.same, **found.as_dict(), "names": {}}


def why(room: Room, what: str) -> Any:
    """Return why a VM or group moves in its wave as it stands now, and what other waves would cost."""
    from tui.acts.explaining import explained

    return explained(_hand(room).draft.desk.why(what))


def groups(room: Room, waves: list[str]) -> dict[str, Any]:
    """Return wave → its groups as they stand now."""
    from planner.waves.group_rows import group_rows
    from planner.waves.pins import slot_named

    desk = _hand(room).draft.desk
    return {wave: group_rows(desk, slot) for wave in waves if (slot := slot_named(wave)) is not None}


def fixes(
    room: Room, groups: list[str], wave: str | None = None, by: int | None = None, begin: int = 0
) -> dict[str, Any]:
    """Return a slice of the waves that would take groups which a wave refused, the nearest first.

    ``begin`` is where to go on, ``next`` the number to go on from; None once there is no more.
    """
    desk = _hand(room).draft.desk
    wanted = places(desk, groups, wave, by or 0)
    found, then = elsewhere(desk, wanted, begin)
    return {"fixes": [{**fix, **_said(verdict, False)} for fix, verdict in found], "next": then}


def mend(room: Room, wave: str, begin: int = 0) -> dict[str, Any]:
    """Return a slice of the moves that leave less broken in a wave than there is; ``next`` as of fixes."""
    found, then = mending(_hand(room).draft.desk, wave, begin)
    return {"fixes": [{**fix, **_said(verdict, False)} for fix, verdict in found], "next": then}


def choices(room: Room, groups: list[str]) -> list[dict[str, Any]]:
    """Return every wave with what moving groups there does; far ones are not tried: ``tried`` is False."""
    from planner.waves.pins import wave_name

    desk = _hand(room).draft.desk
    mine = whole(desk, groups)
    here = desk.slot(mine[0])
    slots = range(min(len(track.built.problem.slots) for track in desk.tracks))
    near = set(sorted(slots, key=lambda slot: (abs(slot - here), slot))[: _CHOICES + 1])
    found: list[dict[str, Any]] = []
    for slot in slots:
        said: dict[str, Any] = {"wave": wave_name(slot), "tried": slot in near, "here": False}
        if all(desk.slot(group) == slot for group in mine):
            said["here"] = True
        elif slot in near:
            room.report("waves", len(found), len(slots))
            said |= _said(desk.shift([(group, slot) for group in mine]), False)
        found.append(said)
    return found


WRITES = frozenset({"hand.save", "hand.take_back"})
OPS = {
    "hand.open": open_,
    "hand.state": state,
    "hand.move": move,
    "hand.new": new,
    "hand.split": split,
    "hand.merge": merge,
    "hand.lock": lock,
    "hand.unlock": unlock,
    "hand.undo": undo,
    "hand.redo": redo,
    "hand.discard": discard,
    "hand.renew": renew,
    "hand.saved_edits": saved_edits,
    "hand.take_back": take_back,
    "hand.save": save,
    "hand.diff": diff,
    "hand.why": why,
    "hand.groups": groups,
    "hand.fixes": fixes,
    "hand.mend": mend,
    "hand.choices": choices,
}
