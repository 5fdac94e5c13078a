"""A runbook: the steps and gates of one wave, in an order that every need comes before its user.

    Runbook ── Step ── kind (what), subject (whom), needs (after which), effect, phase
                 └── a gate is a step of kind "gate" or "human": nothing goes on until somebody says so

It is plain data, made once from an approved wave and stored with the run, so that a run executes
what was approved even when wherry is upgraded in between.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple

from migrate.run.params import Later, Sheet
from planner.effects import Effect
from planner.errors import NotFound

GATE = "gate"
HUMAN = "human"  # a gate at which a person does something first
GO = "go"  # the ids of the gates that every wave has
COMMIT = "commit"
DROP = "drop-snapshot"
_NO_PARAMS: Mapping[str, Any] = {}  # of all steps without any


class Phase(StrEnum):
    """Where a step belongs; going back undoes whole phases."""

    REPLICATE = "replicate"
    CUTOVER = "cutover"
    COMMIT = "commit"
    REMEDY = "remedy"  # of a run of its own, before the wave's


class Step(NamedTuple):  # a status reads thousands of them; a dataclass takes three times as long to make
    """One recorded act. ``id`` is unique in its runbook and holds no names from the estate.

    ``params`` is plain JSON data for the step's kind. ``undoable`` says whether going back has
    something to do here. ``retried`` says whether it is tried again by itself as long as patience lasts;
    then a person is asked, or, when ``optional``, it is passed over.
    """

    id: str
    kind: str
    title: str
    subject: str
    phase: Phase
    effect: Effect
    needs: tuple[str, ...] = ()
    params: Mapping[str, Any] = _NO_PARAMS
    undoable: bool = False
    retried: bool = True
    optional: bool = False

    @property
    def is_gate(self) -> bool:
        """True when the step waits for somebody's word."""
        return self.kind in (GATE, HUMAN)


@dataclass(frozen=True)
class Runbook:
    """The steps of one wave. Raises ValueError when a need is unknown or comes later."""

    wave: str
    fingerprint: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        places = self.index
        for position, step in enumerate(self.steps):
            if places[step.id] != position:
                raise ValueError(f"step {step.id} stands twice in the runbook")
            for need in step.needs:
                if places.get(need, position) >= position:
                    raise ValueError(f"step {step.id} needs {need}, which does not come before it")

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each step by id."""
        return {step.id: position for position, step in enumerate(self.steps)}

    @cached_property
    def dependents(self) -> Mapping[str, Sequence[str]]:
        """For each step, the steps that need it."""
        users: dict[str, list[str]] = {one: [] for one in self.index}
        for step in self.steps:
            for need in step.needs:
                users[need].append(step.id)
        return users

    @cached_property
    def users(self) -> Mapping[str, Sequence[Step]]:
        """For each snapshot, by the id of the step that takes it, the steps that are about it, in order."""
        users: dict[str, list[Step]] = {}
        for step in self.steps:
            if snapshot := step.params.get("snapshot"):
                users.setdefault(snapshot, []).append(step)
        return users

    @cached_property
    def of_disks(self) -> Mapping[str, Sequence[str]]:
        """For each disk, ``g0/d1``, the ids of the steps that are about it, in order."""
        found: dict[str, list[str]] = {}
        for step in self.steps:
            found.setdefault(disk_of(step.id), []).append(step.id)
        return found

    @cached_property
    def namesakes(self) -> Mapping[tuple[str, str], Collection[str]]:
        """For each kind of step and name of a VM, the ids of the steps."""
        found: dict[tuple[str, str], set[str]] = {}
        for step in self.steps:
            if "name" in step.params:
                found.setdefault((step.kind, step.params["name"]), set()).add(step.id)
        return found

    def step(self, step_id: str) -> Step:
        """Return a step by id; raises NotFound."""
        try:
            return self.steps[self.index[step_id]]
        except KeyError:
            raise NotFound(
                f"step {step_id!r} is not in the runbook of {self.wave}", f"see 'wherry run show {self.wave}'"
            ) from None

    def with_cycle(self, gate: str, steps: tuple[Step, ...]) -> Runbook:
        """Return the runbook with another round of ``steps`` before ``gate``.

        The round's first steps (those without needs) wait for what the gate waited for; the gate
        waits for the round's last steps.
        """
        position = self.index[gate]
        before = self.steps[position].needs
        placed = tuple(step if step.needs else step._replace(needs=before) for step in steps)
        used = {need for step in placed for need in step.needs}
        last = tuple(step.id for step in placed if step.id not in used)
        waiting = self.steps[position]._replace(needs=before + last)
        return Runbook(
            self.wave,
            self.fingerprint,
            (*self.steps[:position], *placed, waiting, *self.steps[position + 1 :]),
        )


def disk_of(step_id: str) -> str:
    """Return the part of a step's id that names its disk: ``g0/d1``."""
    return "/".join(step_id.split("/", 2)[:2])


def part_of(step_id: str) -> str:
    """Return the part of a step's id that names its group: ``g0``."""
    return step_id.partition("/")[0]


def users_of(runbook: Runbook, snapshot: str) -> tuple[list[Step], Step | None]:
    """Return the steps that read a snapshot, in order, and the one that removes it, if there is one."""
    users = runbook.users.get(snapshot, ())
    removal = next((step for step in users if step.kind == DROP), None)
    return [step for step in users if step is not removal], removal


_PHASES = {phase.value: phase for phase in Phase}
_EFFECTS = {effect.value: effect for effect in Effect}
_ORDER = list(Step._fields)
_FIELDS = set(_ORDER)
_in_order = itemgetter(*_ORDER)
_EMPTY = Sheet("[]")


def dump_step(step: Step) -> dict[str, Any]:
    """Return a step as plain JSON data."""
    return {**step._asdict(), "params": dict(step.params)}


def load_step(raw: dict[str, Any], sheet: Sheet = _EMPTY, position: int = 0) -> Step:
    """Return the step that ``dump_step`` wrote, also when steps had other fields.

    Raises TypeError for a field that steps never had: passed over, it might have mattered.
    """
    if raw.keys() != _FIELDS:
        raw = _with_all_fields(raw)
    return _loaded(_in_order(raw), sheet, position)


def _loaded(raw: Sequence[Any], sheet: Sheet, position: int) -> Step:
    """Return the step of its fields in order, as JSON has them; params that it has not are in the sheet."""
    one, kind, title, subject, phase, effect, needs, params, undoable, retried, optional = raw
    if params is None:
        params = Later(sheet, position)
    return Step(one, kind, title, subject, _PHASES[phase], _EFFECTS[effect], tuple(needs), params,
                undoable, retried, optional)  # fmt: skip


def _with_all_fields(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a step as it is dumped now, of one from when steps had a number of attempts."""
    told = {"needs": (), "params": {}, "undoable": False, "optional": False, **raw}
    attempts = told.pop("attempts", 2)
    told.setdefault("retried", attempts > 1)
    if told.keys() != _FIELDS:
        raise TypeError(f"a step has not just its fields: {', '.join(sorted(told.keys() ^ _FIELDS))}")
    return told


def dump_runbook(runbook: Runbook) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a runbook as plain JSON data: where steps stand, and apart from that the params of each.

    There the fields are named once, for a third of what is read would be names, and only gates have their
    params, for whoever looks how far a run is asks for those.
    """
    told = {
        "wave": runbook.wave,
        "fingerprint": runbook.fingerprint,
        "fields": _ORDER,
        "steps": [
            list((dump_step(step) | ({} if step.is_gate else {"params": None})).values())
            for step in runbook.steps
        ],
    }
    return told, [dict(step.params) for step in runbook.steps]


def load_runbook(raw: dict[str, Any], params: str = "") -> Runbook:
    """Return the runbook that ``dump_runbook`` wrote, its ``params`` as JSON text, decoded when asked for.

    Older ones are read too: those whose steps name their fields, and have their params with them.
    """
    sheet = Sheet(params)
    if raw.get("fields") == _ORDER:
        steps = [_loaded(step, sheet, position) for position, step in enumerate(raw["steps"])]
    else:
        steps = [load_step(step, sheet, position) for position, step in enumerate(steps_in(raw))]
    return Runbook(raw["wave"], raw["fingerprint"], tuple(steps))


def steps_in(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of what ``dump_runbook`` wrote, each by the names of its fields."""
    if (names := raw.get("fields")) is None:
        return list(raw["steps"])
    return [dict(zip(names, step, strict=True)) for step in raw["steps"]]
