"""Waivers: a person's word that a finding is known and accepted, until a day, with a reason and an owner.

A waiver names a check and objects as they were found when it was given; a VM that joins later is not
in it. It ends by itself after its last day or is withdrawn; either way it is kept, and counts no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from planner.checks.registry import Readiness
from planner.errors import BadInput, NotFound
from planner.model import Finding
from planner.names import visible


@dataclass(frozen=True, slots=True)
class Subject:
    """An object that a waiver is about: vm, host, ... by id; the name is what it was called then."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Who took a waiver back, when and why."""

    who: str
    at: str
    why: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """Findings of one check on these objects are accepted through the day ``until``."""

    id: int
    check: str
    subjects: tuple[Subject, ...]
    reason: str
    owner: str
    until: date
    who: str
    at: str
    where: str = ""  # the filter the VMs were chosen by, empty = they were named
    withdrawn: Withdrawal | None = None

    def expired(self, today: date) -> bool:
        """Return whether its last day is over; a withdrawn one ended otherwise."""
        return self.withdrawn is None and today > self.until

    def holds(self, today: date) -> bool:
        """Return whether it counts on a day."""
        return self.withdrawn is None and today <= self.until

    def state(self, today: date) -> str:
        """Return in force, expired or withdrawn."""
        return "withdrawn" if self.withdrawn else "expired" if self.expired(today) else "in force"

    @property
    def sentence(self) -> str:
        """What a finding carries that it covers."""
        return f"{visible(self.owner)} accepts it until {self.until.isoformat()}: {visible(self.reason)}"


def _covered(waivers: Iterable[Waiver]) -> dict[tuple[str, str, str], Waiver]:
    """Return the waiver that lasts longest for each (check, kind, id)."""
    found: dict[tuple[str, str, str], Waiver] = {}
    for waiver in waivers:
        for subject in waiver.subjects:
            key = (waiver.check, subject.kind, subject.id)
            if key not in found or found[key].until < waiver.until:
                found[key] = waiver
    return found


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.check, finding.subject_kind, finding.subject


def waived(readiness: Readiness, waivers: Iterable[Waiver], today: date) -> Readiness:
    """Return the readiness with the sentence of a waiver on every finding that one in force covers."""
    covered = _covered(waiver for waiver in waivers if waiver.holds(today))
    if not covered:
        return readiness
    findings = tuple(
        replace(finding, waiver=covered[_key(finding)].sentence) if _key(finding) in covered else finding
        for finding in readiness.findings
    )
    return replace(readiness, findings=findings)


def expired(readiness: Readiness, waivers: Iterable[Waiver], today: date) -> tuple[Waiver, ...]:
    """Return the expired waivers that findings still hang on and no other waiver covers."""
    open_keys = {_key(finding) for finding in readiness.findings if not finding.waiver}
    return tuple(
        waiver
        for waiver in waivers
        if waiver.expired(today)
        and any((waiver.check, item.kind, item.id) in open_keys for item in waiver.subjects)
    )


def chosen(
    check: str,
    findings: Sequence[Finding],
    names: Sequence[str],
    is_wanted: Callable[[Finding], bool] | None = None,
) -> tuple[Subject, ...]:
    """Return the objects to waive a check for: by name or id, or all whose finding is wanted.

    Raises BadInput when a name is that of several, NotFound when nothing of the kind was found.
    """
    mine = [finding for finding in findings if finding.check == check]
    if is_wanted is not None:
        wanted = [finding for finding in mine if is_wanted(finding)]
        if not wanted:
            raise NotFound(f"no VM that the filter matches has a finding of {check}", _hint(check))
    else:
        by_id = _by(mine, lambda finding: finding.subject)
        by_name = _by(mine, lambda finding: finding.subject_name.casefold())
        wanted = [finding for name in names for finding in _named(check, by_id, by_name, name)]
    subjects = (Subject(item.subject_kind, item.subject, item.subject_name) for item in wanted)
    return tuple(dict.fromkeys(subjects))


def _hint(check: str) -> str:
    return f"see what it finds: wherry check --family {check.partition('.')[0]}"


def _by(findings: Sequence[Finding], key: Callable[[Finding], str]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(key(finding), []).append(finding)
    return found


def _named(
    check: str, by_id: Mapping[str, list[Finding]], by_name: Mapping[str, list[Finding]], name: str
) -> list[Finding]:
    found = by_id.get(name) or by_name.get(name.casefold(), [])
    if not found:
        raise NotFound(f"{visible(name, 60)} has no finding of {check} to waive", _hint(check))
    if len(ids := {item.subject for item in found}) > 1:
        shown = ", ".join(visible(one, 60) for one in sorted(ids)[:5])
        raise BadInput(
            f"{visible(name, 60)} is the name of {len(ids)} objects", f"name one by its id: {shown}"
        )
    return found
