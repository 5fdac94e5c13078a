"""The reference page of all checks: ``python -m planner.checks.reference`` writes docs/checks.md anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from planner.checks.check import About, Check
from planner.checks.lifecycle import AS_OF
from planner.checks.registry import all_checks
from planner.fields import FAMILIES, FIELDS, TABLE_FIELDS
from planner.model import Method
from planner.scores import FACTORS, Level
from planner.units import show_count
from planner.vocabulary import Choice, Field, Number

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checks.md"
_TITLES = {
    "disks": "Disks",
    "snapshots": "Snapshots",
    "storage": "Datastores and paths",
    "replication": "Other products that replicate",
    "compute": "The VM as a machine",
    "devices": "Devices",
    "security": "Keys and hardware ties",
    "hosts": "Hosts",
    "network": "Networks and addresses",
    "names": "Names and identities",
    "guest": "Guests",
    "platform": "What VMs stand on, and the target",
}

_ABOUT = {
    About.VM: "every VM",
    About.HOST: "every host",
    About.CLUSTER: "every cluster",
    About.DATASTORE: "every datastore",
    About.NETWORK: "every network",
    About.VCENTER: "every vCenter",
    About.ESTATE: "the estate as a whole",
}
_OWN = """\
## Own rules and waivers

A file `rules.yaml` in the project's directory adds checks; `wherry check --rules FILE` takes another one.
Its form is published as `planner/schemas/rules.schema.json`:

```yaml
- id: site.windows-2008
  title: Windows 2008 still runs
  when: os~"Windows 2008" and power:on
  unknown_when: connection:orphaned      # optional
  severity: {warm: blocker, cold: warning}   # or one word
  why: The new datacenter does not take it.
  remedy: replace it before the move
  work: {effort_min: 480, outage: true, lead_days: 30}   # optional: makes it a task of the plan
  tests:
    - vm: {guest_os: Windows 2008 R2, power: poweredOn, connection_state: connected}
      expect: finding
    - {vm: {guest_os: Windows 2008 R2}, expect: unknown}
```

Own rules are three-valued too: where `when` hangs on a field the source does not say, the rule is unknown.
`wherry check --test` runs the tests and names rules without one.

`wherry waive CHECK VM --reason ... --owner ... --until DATE` accepts findings until a day. A waived finding
is shown and counts for nothing; after its last day it counts again, and `wherry check` says so. Waivers are
withdrawn, never deleted.
"""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def _severity(check: Check) -> str:
    said = [check.severity(method).value for method in Method]
    if len(set(said)) == 1:
        return said[0]
    return ", ".join(f"{method.value}: {word}" for method, word in zip(Method, said, strict=True))


def _work(check: Check) -> str:
    if check.work is None:
        return ""
    parts = [check.work.takes()]
    parts.append("with the VM off" if check.work.outage else "while it runs")
    parts.append(f"done {show_count(check.work.lead_days, 'day')} before the seed")
    if check.work.fix:
        parts.append(f"wherry can do it (`{check.work.fix}`)")
    return ", ".join(parts)


def _check(check: Check) -> Iterator[str]:
    yield f"### {check.id}"
    yield ""
    yield f"**{_escaped(check.title)}** · {_severity(check)} · asked about {_ABOUT[check.about]}"
    yield ""
    rows = (
        ("Found when", check.condition),
        ("Why", check.why),
        ("Remedy", check.remedy),
        ("Work", _work(check)),
        ("Reference", check.reference),
    )
    for title, text in rows:
        if text:
            yield f"- {title}: {_escaped(text) if title != 'Work' else text}"
    if check.properties:
        yield f"- Looks at: {', '.join(f'`{path}`' for path in check.properties)}"
    yield ""


def _kind(field: Field) -> str:
    if isinstance(field, Number):
        return "size" if field.is_size else "number"
    return ", ".join((*field.words, "unknown")) if isinstance(field, Choice) else "text"


def _fields() -> Iterator[str]:
    yield "## Fields of filters and own rules"
    yield ""
    yield "`wherry inventory`, `wherry check`, waivers and own rules choose VMs by the same filters."
    yield ""
    yield "| field | values | meaning |"
    yield "| --- | --- | --- |"
    for name, field in FIELDS.items():
        yield f"| `{name}` | {_kind(field)} | {_escaped(field.meaning)} |"
    for name, family in FAMILIES.items():
        yield f"| `{name}.NAME` | text | {_escaped(family.meaning)} |"
    for name, field in TABLE_FIELDS.items():
        yield f"| `{name}` | {_kind(field)} | {_escaped(field.meaning)}; in lists of VMs, not in own rules |"
    yield ""


def _scores() -> Iterator[str]:
    yield "## Points of complexity"
    yield ""
    yield (
        "`wherry assess` adds these up; it is judgement that orders the work. "
        f"The words are {', '.join(level.value for level in Level)}: under 10 points, under 25, under 50, "
        "more."
    )
    yield ""
    yield "| factor | points |"
    yield "| --- | --- |"
    for name, said in FACTORS:
        yield f"| {name} | {_escaped(said)} |"


def lines() -> Iterator[str]:
    """Yield the page, line by line."""
    checks = all_checks()
    yield "# Readiness checks"
    yield ""
    yield (
        "Written by `python -m planner.checks.reference`; do not edit it by hand. Every check answers in one "
        "of three ways: it finds something, it is fine, or the source does not say enough and it is "
        "*unknown*. Unknown is never fine."
    )
    yield ""
    yield (
        f"{show_count(len(checks), 'check')}. A severity stands for both ways of moving unless two are "
        "given: *warm* copies while the VM runs, *cold* while it is off. A blocker is what wherry cannot "
        f"move as it is. The ends of support of operating systems are as of {AS_OF.isoformat()}."
    )
    yield ""
    families = {family: list(found) for family, found in groupby(checks, lambda check: check.family)}
    for family, found in families.items():
        yield f"- [{_TITLES.get(family, family)}](#{_anchor(family)}): {len(found)}"
    yield ""
    for family, found in families.items():
        yield f"## {_TITLES.get(family, family)}"
        yield ""
        for check in found:
            yield from _check(check)
    yield from _OWN.splitlines()
    yield ""
    yield from _fields()
    yield from _scores()


def _anchor(family: str) -> str:
    return _TITLES.get(family, family).casefold().replace(",", "").replace(" ", "-")


def page() -> str:
    """Return the page as it is published."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stderr.write(f"{PAGE.name}: {len(all_checks())} checks\n")
