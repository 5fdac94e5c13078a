"""Many edits, one plan: acts in the words of the verbs, taken one after the other on a draft."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from planner.compare import PlanDiff
    from planner.edits import Edit
    from planner.store.project import Project
    from planner.waves.desk import Desk
    from planner.waves.draft import Draft
    from planner.waves.verdict import Verdict
    from tui.acts.editing import Opened

_SHOWN = 20  # lines that one refusal names


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the line of an act reads, and who judges it."""

    words: int
    reads: str
    judge: Callable[[Desk, Sequence[str]], Verdict]


_SHAPES = {
    "move": _Shape(2, "move GROUP WAVE", lambda desk, said: desk.move(said[0], said[1])),
    "split": _Shape(2, "split GROUP VM,VM", lambda desk, said: desk.split(said[0], said[1].split(","))),
    "merge": _Shape(2, "merge GROUP GROUP", lambda desk, said: desk.merge(said[0], said[1])),
    "lock": _Shape(1, "lock WAVE", lambda desk, said: desk.lock(said[0])),
    "unlock": _Shape(1, "unlock WAVE", lambda desk, said: desk.unlock(said[0])),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list of edits: its number and its words."""

    number: int
    words: tuple[str, ...]


def draft_of(project: Project, opened: Opened) -> Draft:
    """Return a draft without edits on a plan that is laid out."""
    from planner.store import edits
    from planner.waves.draft import Draft

    groups = opened.inputs["ground"].groups
    return Draft(opened.desk, groups, opened.edits, edits.next_number(project))


def difference(draft: Draft) -> PlanDiff:
    """Return what the edits of a draft change: who moves when and with whom, and the score."""
    from planner.compare import Moved, PlanDiff, Regrouped
    from planner.waves.pins import wave_name
    from planner.waves.rows import figures

    first, last = draft.first, draft.desk
    was, now, names = first.standing({}), last.standing({}), last.ask.names
    gone, added = (sorted(a - b) for a, b in ((set(was.values()), set(now.values())),
                                              (set(now.values()), set(was.values()))))  # fmt: skip
    old, new = ({group.name: frozenset(group.vms) for group in desk.ask.everyone} for desk in (first, last))
    before, after = figures(first), figures(last)
    return PlanDiff(
        waves_added=tuple(map(wave_name, added)),
        waves_gone=tuple(map(wave_name, gone)),
        windows=(),
        moved=tuple(
            Moved(vm, names[vm], wave_name(was[vm]), wave_name(slot))
            for vm, slot in now.items()
            if was[vm] != slot
        ),
        groups=tuple(
            Regrouped(name, len(old.get(name, ())), len(new.get(name, ())))
            for name in dict.fromkeys((*old, *new))
            if old.get(name) != new.get(name)
        ),
        remaps=(),
        tasks=(),
        score={name: (before[name], after[name]) for name in before if before[name] != after[name]},
        notes_added=(),
        notes_gone=(),
    )


def judged(desk: Desk, words: Sequence[str]) -> Verdict:
    """Return what an act in words does; raises BadInput for words that are no act."""
    from planner.errors import BadInput
    from planner.names import visible

    known = "; ".join(shape.reads for shape in _SHAPES.values())
    shape = _SHAPES.get(words[0].casefold()) if words else None
    if shape is None:
        raise BadInput(f"{visible(' '.join(words), 60)!r} is no edit", f"write one of: {known}")
    if len(words) != shape.words + 1:
        raise BadInput(f"{visible(' '.join(words), 60)!r} has too few or too many words",
                       f"write it like: {shape.reads}; put names with blanks in quotes")  # fmt: skip
    return shape.judge(desk, words[1:])


def made_again(draft: Draft, edits: Iterable[Edit]) -> list[str]:
    """Make edits of another draft again as far as they can be; return the ones that cannot, and why."""
    from planner.errors import WherryError

    lost = []
    for edit in edits:
        try:
            verdict = _again(draft.desk, edit)
            if verdict.refused:
                lost.append(f"{edit.did}: {'; '.join(verdict.refused)}")
            else:
                draft.take(verdict)
        except WherryError as error:
            lost.append(f"{edit.did}: {error.message}")
    return lost


def _again(desk: Desk, edit: Edit) -> Verdict:
    """Return what an edit does on another desk; VMs are found by their ids, waves by their names."""
    from planner.edits import Act

    ids = [end.id for end in edit.vms]
    match edit.act:
        case Act.MOVE:
            groups = {group.name: group for vm in ids for group in desk.named(vm)}
            slot = desk.wave(edit.wave, edit.what)
            return desk.shift([(group, slot) for group in groups.values()])
        case Act.SPLIT:
            return desk.split(edit.what, ids)
        case Act.MERGE:
            return desk.merge(ids[0], edit.partners[0].id)
        case Act.LOCK:
            return desk.lock(edit.wave)
        case Act.UNLOCK:
            return desk.unlock(edit.wave)


def read_lines(text: str) -> tuple[Line, ...]:
    """Return the edits of a text, one a line; empty lines and those that begin with # are none."""
    from planner.errors import BadInput

    found, wrong = [], []
    for number, said in enumerate(text.splitlines(), 1):
        if not said.strip() or said.lstrip().startswith("#"):
            continue
        try:
            found.append(Line(number, tuple(shlex.split(said))))
        except ValueError as error:
            wrong.append(f"line {number}: {str(error).lower()}")
    if wrong:
        raise BadInput("; ".join(wrong[:_SHOWN]), "close every quote")
    if not found:
        raise BadInput("there is no edit in it", "write one a line, like: move crm W03")
    return tuple(found)


def take_all(draft: Draft, lines: Iterable[Line]) -> None:
    """Take all edits on a draft, each on the plan as those before it left it.

    Raises BadInput or Blocked that names every line which cannot be; the draft is of no use then.
    """
    from planner.errors import BadInput, Blocked, WherryError

    wrong: list[str] = []
    hints: dict[str, None] = {}
    blocked = True
    for line in lines:
        try:
            verdict = judged(draft.desk, line.words)
            if not verdict.refused:
                draft.take(verdict)
                continue
            wrong.append(f"line {line.number}: {verdict.edit.did} breaks what must hold: "
                         f"{'; '.join(verdict.refused)}")  # fmt: skip
        except WherryError as error:
            blocked = False
            wrong.append(f"line {line.number}: {error.message}")
            hints[error.hint] = None
    if wrong:
        more = len(wrong) - _SHOWN
        said = "; ".join(wrong[:_SHOWN]) + (f"; and {more} lines more" if more > 0 else "")
        hint = next(iter(hints), "") or "choose other waves"
        raise (Blocked if blocked else BadInput)(said, f"{hint}; nothing was changed")
