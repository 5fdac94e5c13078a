"""Calls of a run at its sites: who is asked to change what, in which step, in order.

    Call ── where (source, target, transfers), call, subject, step

A snapshot is named by the step that took it, for its id is known only when it is there. What a run
really asked for is read from the sites' own logs, so that it can be held against what was predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrate.rehearsals.faults import CHANGING, TRANSFERS
from migrate.sites.ports import NewDisk, NewVM, Snapshot
from migrate.sites.rules import NewRule
from migrate.transfers.ports import Compared, Copied, Moving, Wanted

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.run.history import History
    from migrate.transfers.ports import Transfers


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``step`` is the id of the step that makes it, ``effect`` how much it may change."""

    where: str
    call: str
    subject: str
    step: str


def step_of(op: str) -> str:
    """Return the step in the key of an attempt: ``run/g0/v1/stop/do1`` is of ``g0/v1/stop``."""
    return "/".join(op.split("/")[1:-1])


@dataclass(slots=True)
class Recorded:
    """A site whose changing calls are noted, one that failed with the others, before they are made."""

    site: Any
    where: str
    calls: list[Call]
    snapshots: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.site, name)
        if name not in CHANGING:
            return found

        def call(*args: Any) -> Any:
            op = next(item for item in reversed(args) if isinstance(item, str) and item.count("/") > 1)
            step = step_of(op)
            self.calls.append(Call(self.where, name, _subject(args[0], self.snapshots), step))
            result = found(*args)
            if isinstance(result, Snapshot):
                self.snapshots[result.id] = step
            return result

        return call


def _subject(first: object, snapshots: Mapping[str, str]) -> str:
    match first:
        case NewDisk(volume=volume):
            return volume
        case NewVM(id=vm):
            return vm
        case NewRule(name=name):
            return name
        case tuple():
            return " ".join(first)
        case _:
            return snapshots.get(str(first), str(first))


@dataclass(slots=True)
class RecordedTransfers:
    """Transfers that are noted. ``step`` says which step acts now."""

    transfers: Transfers
    calls: list[Call]
    step: Callable[[], str]

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        """Note a pass and make it."""
        self.calls.append(Call(TRANSFERS, "copy", wanted.volume, self.step()))
        return self.transfers.copy(wanted, report)

    def compare(
        self,
        volume: str,
        size_bytes: int,
        snapshot: str | None,
        report: Callable[[Moving], None],
        *,
        larger: bool = False,
    ) -> Compared:
        """Note a comparison and make it."""
        self.calls.append(Call(TRANSFERS, "compare", volume, self.step()))
        return self.transfers.compare(volume, size_bytes, snapshot, report, larger=larger)


def logged(logs: Mapping[str, Path], run: str, history: History) -> tuple[Call, ...]:
    """Return the calls that a run made going forward at lab sites, by their logs; ``run`` begins its keys.

    A call that came again under its key counts once. ``history`` says which step took which snapshot.
    """
    from migrate.sites.lab.oplog import read_ops

    taken = {
        str(result["id"]): step
        for step, result in history.results.items()
        if history.runbook.step(step).kind == "snapshot"
    }
    found: dict[tuple[str, str, str, str], Call] = {}
    for where, log in logs.items():
        for entry in read_ops(log):
            op, call, subject = (str(entry[key]) for key in ("op", "call", "subject"))
            forward = op.rpartition("/")[2].startswith("do")
            if op.startswith(f"{run}/") and forward and "done" not in entry:
                made = Call(where, call, taken.get(subject, subject), step_of(op))
                found.setdefault((where, op, call, subject), made)
    return tuple(found.values())


def differences(predicted: Iterable[Call], made: Iterable[Call]) -> tuple[tuple[str, str], ...]:
    """Return (step, what differs) for each step whose calls at the sites differ in kind, subject or order."""
    expected, real = _by_step(predicted), _by_step(made)
    return tuple(
        (step, f"predicted {words_of(expected.get(step, ()))}, made {words_of(real.get(step, ()))}")
        for step in dict.fromkeys((*expected, *real))
        if expected.get(step) != real.get(step)
    )


def _by_step(calls: Iterable[Call]) -> dict[str, list[Call]]:
    steps: dict[str, list[Call]] = {}
    for call in calls:
        if call.where != TRANSFERS:
            steps.setdefault(call.step, []).append(call)
    return steps


def words_of(calls: Iterable[Call]) -> str:
    """Return calls in words, in order."""
    return ", ".join(f"{call.call} at the {call.where} of {call.subject}" for call in calls) or "nothing"
