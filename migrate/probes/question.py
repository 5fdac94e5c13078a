"""One question to one VM, filled with its names: made once, with the runbook, and signed for.

As plain data it stands in a step's ``params``, so that a run asks what was approved. What cannot be asked
(nobody knows an address) says so in ``refused`` and fails when it is its turn, not before.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from migrate.programs.fill import CannotFill, Filling
from planner.conduct import ProbeKind, ProbeRule
from planner.names import visible


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. ``kind`` decides which of the other entries count; see ``planner.conduct``."""

    kind: str
    host: str = ""
    port: int = 0
    url: str = ""
    status: int = 200
    holds: str = ""
    days: int = 0
    trust: str = ""
    argv: tuple[str, ...] = ()
    every_s: float = 1.0
    refused: str = ""
    hint: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words, harmless to print."""
        match self.kind:
            case ProbeKind.POWER:
                return "does it run"
            case ProbeKind.TOOLS:
                return "do the tools in it answer"
            case ProbeKind.TCP:
                return f"connect to {visible(self.host)} port {self.port}"
            case ProbeKind.HTTP:
                holds = f" and {visible(self.holds, 40)!r}" if self.holds else ""
                return f"get {visible(self.url)} with {self.status}{holds}"
            case ProbeKind.TLS:
                more = f", valid {self.days} days more" if self.days else ""
                return f"certificate of {visible(self.host)} port {self.port}{more}"
            case _:
                return f"run {visible(' '.join(self.argv), 80)}"

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def question(rule: ProbeRule, filling: Filling) -> Question:
    """Return what a rule asks of the VM of a filling."""
    unfilled = Question(
        kind=rule.kind.value,
        host=rule.host,
        port=rule.port,
        url=rule.url,
        status=rule.status,
        holds=rule.holds,
        days=rule.days,
        trust=rule.trust,
        argv=rule.argv,
        every_s=rule.every_s,
    )
    try:
        match rule.kind:
            case ProbeKind.TCP | ProbeKind.TLS:
                return replace(unfilled, host=filling.text(rule.host))
            case ProbeKind.HTTP:
                return replace(unfilled, host="", url=filling.url(rule.url))
            case ProbeKind.COMMAND:
                return replace(unfilled, host="", argv=tuple(filling.argv(rule.argv)))
            case _:
                return replace(unfilled, host="")
    except CannotFill as error:
        return replace(unfilled, refused=str(error), hint=error.hint)


def load_question(raw: dict[str, Any]) -> Question:
    """Return the question that ``as_json`` wrote."""
    return Question(**{**raw, "argv": tuple(raw["argv"])})
