"""Stamps: the keys that the acts of runs left at the sites, by which a lost record is rebuilt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.sites.reached import Reached

_KEY = re.compile(r"(?P<run>\d+)-(?P<generation>\d+)/(?P<step>.+)/(?P<way>do|undo)\d+")
_HOMEWARD_AT_THE_TARGET = frozenset({"stop", "fence"})  # on the way out these are done at the source
_HOMEWARD_AT_THE_SOURCE = frozenset({"unfence", "start"})


@dataclass(frozen=True, slots=True)
class Stamp:
    """One key that was found on a VM; ``at_target`` says at which of the plan's two sites."""

    vm: str
    run: int
    generation: int
    step: str
    undone: bool
    at_target: bool

    @property
    def homeward(self) -> bool:
        """True when only a run that brings a committed wave home does such a thing at this site."""
        act = self.step.rpartition("/")[2]
        return act in (_HOMEWARD_AT_THE_TARGET if self.at_target else _HOMEWARD_AT_THE_SOURCE)


def stamps(project: str, source: Reached, target: Reached) -> list[Stamp]:
    """Return the keys of a project's runs on the VMs of both sites of its plan."""
    return [*_at(project, source, at_target=False), *_at(project, target, at_target=True)]


def _at(project: str, site: Reached, *, at_target: bool) -> Iterator[Stamp]:
    for vm in site.vms():
        state = site.observe(vm)
        for op in (state.op, state.last_power_op) if state else ():
            if (match := _match(project, op)) is not None:
                yield Stamp(
                    vm,
                    int(match["run"]),
                    int(match["generation"]),
                    match["step"],
                    match["way"] == "undo",
                    at_target,
                )


def run_of(project: str, op: str) -> int | None:
    """Return the number of the project's run that a key is of, None when it is of none."""
    match = _match(project, op)
    return int(match["run"]) if match is not None else None


def _match(project: str, op: str) -> re.Match[str] | None:
    return _KEY.fullmatch(op[len(project) + 1 :]) if op.startswith(f"{project}-") else None
