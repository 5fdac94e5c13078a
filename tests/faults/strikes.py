"""What may befall a wave between two vCenters: one fault at one call of one verb, by what a wave calls.

The calls are those of a wave that nothing befell, as its vCenters counted them: none is forgotten here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SIDES = ("source", "target")
BACK = ("replicate", "cutover", "rollback")
OUT = ("replicate", "cutover", "commit")
WAYS = (BACK, OUT)
# Calls, by verb, side and method.
Record = Mapping[str, Mapping[str, Mapping[str, int]]]

_PLAIN = ("drop", "expire", "half", "restart")
_READS = ("drop", "fault", "expire", "half", "restart")
_CALLS = (*_READS, "dropAfter", "restartAfter")
_TASKS = (*_CALLS, "taskFault")
_OF_NO_SESSION = ("drop", "half", "restart")
_CHANGING = frozenset(
    {
        *("AddCustomFieldDef", "CreateFolder", "LogUserEvent", "MakeDirectory", "SetField"),
        *("ShutdownGuest", "UnregisterVM"),
    }
)
_PLAINLY = frozenset(  # to which a vCenter has no fault to give
    {"RetrievePropertiesEx", "CreateContainerView", "DestroyView", "CurrentTime", "Fetch"}
)
_BEFORE_A_SESSION = frozenset({"RetrieveServiceContent", "Login", "folder:GET"})
_LEFT_OUT = frozenset({"Logout"})  # whose answer nobody waits for
_AWAY_MS = 700


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault at one call of a verb, after ``skip`` calls of its kind. ``value`` is what the rule says."""

    verb: str
    side: str
    method: str
    effect: str
    skip: int = 0
    value: object = True

    @property
    def rule(self) -> dict[str, object]:
        """What the simulator is told."""
        return {"method": self.method, "skip": self.skip, "count": 1, self.effect: self.value}

    @property
    def way(self) -> tuple[str, ...]:
        """The verbs of the wave that it befalls."""
        return OUT if self.verb == "commit" else BACK

    def __str__(self) -> str:
        said = "" if self.value is True else f" {self.value}"
        return f"{self.verb}: {self.side} {self.method} {self.effect}{said} after {self.skip}"


def effects(method: str) -> tuple[str, ...]:
    """Return what may befall a call of a method."""
    if method in _BEFORE_A_SESSION:
        return _OF_NO_SESSION
    if method.endswith("_Task"):
        return _TASKS
    if method in _CHANGING:
        return _CALLS
    return _PLAIN if method in _PLAINLY else _READS


def _value(effect: str, rng: random.Random) -> object:
    if effect.startswith("restart"):
        restart: dict[str, object] = {"awayMs": _AWAY_MS}
        if rng.random() < 0.5:
            restart["close"] = True
        if rng.random() < 0.5:
            restart |= {"loginMs": 300, "restMs": 500}
        return restart
    return "SystemError" if "ault" in effect else True


def every_strike(record: Record, rng: random.Random) -> Iterator[Strike]:
    """Yield each effect at each method that a verb calls at a side, at any one of its calls."""
    for verb, sides in record.items():
        for side, methods in sides.items():
            for method, times in methods.items():
                for effect in effects(method) if method not in _LEFT_OUT else ():
                    yield Strike(verb, side, method, effect, rng.randrange(times), _value(effect, rng))


def pair(strikes: list[Strike], rng: random.Random) -> tuple[Strike, Strike]:
    """Return two different ones that may befall one wave."""
    while True:
        first, second = rng.sample(strikes, 2)
        if {first.verb, second.verb} <= set(OUT) or {first.verb, second.verb} <= set(BACK):
            return first, second
