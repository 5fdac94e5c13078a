"""What the checks said last, kept: findings, tallies of VMs, unknowns. Writes ``judged``, ``judged_check``
and ``judged_finding``.

    Stamp: all that a judgement hangs on ──equal to what holds now?──▶ fresh, else nothing is said

It is a cache of one judgement and may be dropped. Reading raises NotFound unless it is fresh, so that
what is stale is never taken for current; ``stale=True`` asks for the last one whatever happened since.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

from planner.errors import NoSpace, NotFound, ProjectBusy
from planner.fields import Tally
from planner.made_by import code_digest, code_on_disk
from planner.model import Finding, Severity
from planner.readiness import RULES_FILE, judge, situation, today
from planner.store.column_bodies import little
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from planner.checks.registry import Readiness

_HINT = "run 'wherry check'"


@dataclass(frozen=True, slots=True)
class Stamp:
    """All that a judgement hangs on. Numbers are of what the store never changes; 0 = there is none.

    ``waivers`` are those in force on the day, ``rules`` and ``code`` digests of the project's own rules
    and of the program.
    """

    inventory: int
    target: int
    settings: int
    waivers: tuple[int, ...]
    rules: str
    code: str


@dataclass(frozen=True, slots=True)
class CheckCount:
    """How often a check found something, how much of that is waived, and how often it is undecided.

    ``severity`` is None for a check that found nothing and left something undecided.
    """

    check: str
    severity: Severity | None
    remedy: str
    kind: str
    findings: int
    waived: int
    unknown: int


def stamp(project: Project, day: date | None = None) -> Stamp:
    """Return what a judgement made now would hang on; raises NotFound before anything was discovered."""
    (row,) = project.rows(
        "SELECT (SELECT max(id) FROM inventory WHERE role = 'source') AS inventory,"
        " (SELECT max(id) FROM inventory WHERE role = 'target') AS target,"
        " (SELECT max(version) FROM settings) AS settings"
    )
    if row["inventory"] is None:
        raise NotFound("the project has no inventory yet", "run 'wherry discover FILE' first")
    in_force = project.rows(
        "SELECT id FROM waiver WHERE until >= ? AND id NOT IN (SELECT waiver FROM waiver_end) ORDER BY id",
        (day or today()).isoformat(),
    )
    try:
        rules = hashlib.blake2b((project.root / RULES_FILE).read_bytes(), digest_size=16).hexdigest()
    except FileNotFoundError:
        rules = ""
    return Stamp(
        row["inventory"],
        row["target"] or 0,
        row["settings"] or 0,
        tuple(waiver["id"] for waiver in in_force),
        rules,
        code_digest(),
    )


def fresh(
    project: Project, day: date | None = None, on_disk: Callable[[], str] = code_on_disk
) -> Stamp | None:
    """Return the stamp of what is stored when that still holds, else None.

    What a newer wherry said holds as well: one that took the place of this one on the disk since this
    process began.
    """
    rows = project.rows("SELECT stamp FROM judged ORDER BY id DESC LIMIT 1")
    if not rows:
        return None
    now = stamp(project, day)
    said = rows[0]["stamp"]
    if said == _text(now):
        return now
    newer = replace(now, code=str(json.loads(said)["code"]))
    return newer if said == _text(newer) and newer.code == on_disk() else None


def _text(of: Stamp) -> str:
    return json.dumps(asdict(of), sort_keys=True)


def judge_and_store(
    project: Project, progress: Callable[[int, int], None] | None = None, day: date | None = None
) -> Readiness:
    """Ask every check, keep what they say and return it; ``progress`` hears VMs done and VMs in all.

    What cannot be kept, as on a full disk, is returned all the same.
    """
    when = day or today()
    before = stamp(project, when)
    at = situation(project)
    after = stamp(project, when)
    found = judge(at, when, progress=progress)
    if before == after:  # else somebody changed something while it was read: of what it is, nobody knows
        with suppress(NoSpace, ProjectBusy):
            store(project, after, tuple(vm.id for vm in at.inventory.vms), found)
    return found


def store(project: Project, of: Stamp, vms: Iterable[str], readiness: Readiness) -> None:
    """Keep a judgement in place of the last one; ``vms`` are the ids of the inventory in its order.

    Raises ProjectBusy and NoSpace; the last one stays then.
    """
    numbers: dict[tuple[str, str, str, str], int] = {}
    waived: Counter[int] = Counter()
    many: Counter[int] = Counter()
    rows = []
    for item in readiness.findings:
        number = numbers.setdefault(
            (item.check, item.severity.value, item.remedy, item.subject_kind), len(numbers)
        )
        many[number] += 1
        waived[number] += bool(item.waiver)
        rows.append((number, item.subject, item.subject_name, item.message, item.waiver))
    unknown = dict(readiness.unknown)
    checks = [
        (number, *key, many[number], waived[number], unknown.pop(key[0], 0))
        for key, number in numbers.items()
    ]
    checks += [
        (number, check, "", "", "", 0, 0, count)
        for number, (check, count) in enumerate(unknown.items(), len(numbers))
    ]
    numbers_by_row = array("I", chain.from_iterable(tally(vms, readiness)))
    with project.write() as db:
        for name in ("judged", "judged_check", "judged_finding"):
            db.conn.execute(f"DELETE FROM {name}")  # noqa: S608 - names of our own
        db.conn.execute(
            "INSERT INTO judged (inventory, stamp, at, tallies) VALUES (?, ?, ?, ?)",
            (of.inventory, _text(of), utc_now(), zlib.compress(little(numbers_by_row).tobytes(), 1)),
        )
        db.conn.executemany("INSERT INTO judged_check VALUES (?, ?, ?, ?, ?, ?, ?, ?)", checks)
        db.conn.executemany(
            "INSERT INTO judged_finding (of_check, subject, name, message, waiver) VALUES (?, ?, ?, ?, ?)",
            rows,
        )


def tally(vms: Iterable[str], readiness: Readiness) -> list[Tally]:
    """Return blockers and warnings that nobody waived and undecided checks of VMs by id, in their order."""
    blockers: Counter[str] = Counter()
    warnings: Counter[str] = Counter()
    counted = {Severity.BLOCKER: blockers, Severity.WARNING: warnings}
    for item in readiness.findings:
        if item.subject_kind == "vm" and not item.waiver and item.severity in counted:
            counted[item.severity][item.subject] += 1
    return [(blockers[vm], warnings[vm], readiness.undecided.get(vm, 0)) for vm in vms]


def _checked(project: Project, stale: bool) -> None:
    if not stale and fresh(project) is None:
        raise NotFound("what the checks said is not current", _HINT)
    if stale and not project.rows("SELECT 1 FROM judged"):
        raise NotFound("the project was not checked yet", _HINT)


def tally_rows(project: Project, stale: bool = False) -> list[Tally]:
    """Return blockers, warnings and undecided checks of each VM, in the order of the inventory judged."""
    _checked(project, stale)
    (row,) = project.rows("SELECT tallies FROM judged")
    numbers = array("I")
    numbers.frombytes(zlib.decompress(row["tallies"]))
    each = iter(little(numbers))
    known: dict[Tally, Tally] = {}
    return [known.setdefault(tally, tally) for tally in zip(each, each, each, strict=True)]


def tallies(project: Project, stale: bool = False) -> dict[str, Tally]:
    """Return blockers, warnings and undecided checks by VM id."""
    found = tally_rows(project, stale)
    ids = project.stream(
        "SELECT id FROM inventory_vm WHERE inventory = (SELECT inventory FROM judged) ORDER BY position"
    )
    return dict(zip((vm for (vm,) in ids), found, strict=True))


def counts(project: Project, stale: bool = False) -> tuple[CheckCount, ...]:
    """Return every check that found something or left it undecided, the gravest first."""
    _checked(project, stale)
    return tuple(
        CheckCount(
            row["check_id"],
            Severity(row["severity"]) if row["severity"] else None,
            row["remedy"],
            row["kind"],
            row["findings"],
            row["waived"],
            row["unknown"],
        )
        for row in project.rows("SELECT * FROM judged_check ORDER BY number")
    )


def findings(
    project: Project,
    *,
    vm: str | None = None,
    check: str | None = None,
    severity: Severity | None = None,
    waived: bool | None = None,
    limit: int | None = None,
    offset: int = 0,
    stale: bool = False,
) -> tuple[Finding, ...]:
    """Return findings in the order of ``wherry check``; each condition that is given has to hold."""
    _checked(project, stale)
    conditions: list[tuple[str, object]] = []
    if vm is not None:
        conditions.append(("subject = ? AND kind = 'vm'", vm))
    if check is not None:
        conditions.append(("of_check IN (SELECT number FROM judged_check WHERE check_id = ?)", check))
    if severity is not None:
        conditions.append(("severity = ?", severity.value))
    if waived is not None:
        conditions.append(("(waiver <> '') = ?", waived))
    where = " AND ".join(text for text, _ in conditions) or "1"
    rows = project.rows(
        "SELECT check_id, severity, subject, name, message, remedy, kind, waiver"  # noqa: S608 - our conditions
        " FROM judged_finding AS f JOIN judged_check AS c ON c.number = f.of_check"
        f" WHERE {where} ORDER BY f.number LIMIT ? OFFSET ?",
        *(value for _, value in conditions),
        -1 if limit is None else limit,
        offset,
    )
    return tuple(Finding(row[0], Severity(row[1]), *row[2:]) for row in rows)


def readiness(project: Project, day: date | None = None) -> Readiness | None:
    """Return the whole judgement as the checks gave it, None unless it is fresh."""
    from planner.checks.registry import Readiness

    of = fresh(project, day)
    if of is None:
        return None
    unknown = {count.check: count.unknown for count in counts(project, stale=True) if count.unknown}
    found = Readiness(
        findings(project, stale=True),
        dict(sorted(unknown.items())),
        {vm: undecided for vm, (_, _, undecided) in tallies(project, stale=True).items() if undecided},
    )
    return found if fresh(project, day) == of else None  # another process may have judged in between
