"""What an import brought, as the verb's document says it: counts, notes, refused rows, drift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textual.content import Content

from planner.names import visible
from planner.units import show_bytes
from tui.text import count, line, plural

_NOTES = 60  # that are shown


def _known(number: Any, noun: str) -> str:
    return f"{noun}s unknown" if number is None else plural(int(number), noun)


def _ties(number: int) -> str:
    return f"{count(number)} {'dependency' if number == 1 else 'dependencies'}"


def _notes(notes: Sequence[str]) -> Iterator[Content]:
    for note in notes[:_NOTES]:
        yield line(("  note  ", "warn"), visible(note))
    if len(notes) > _NOTES:
        yield line((f"  and {len(notes) - _NOTES} more: wherry inventory notes", "dim"))


def describe_estate(found: Mapping[str, Any]) -> list[Content]:
    """Return what ``wherry discover`` read."""
    size = found.get("size_bytes")
    raw, shared = found.get("rdm_disks"), found.get("shared_volumes")
    role = "the target" if found.get("role") == "target" else "the source"
    source = visible(str(found.get("source")))
    return [
        line(("✔ ", "good"), f"inventory {found.get('inventory')} of {role}: {source}"),
        line("  ", plural(int(found.get("vms") or 0), "VM"), ", ", _known(found.get("disks"), "disk"),
             f" ({raw} RDM, {shared} shared), {show_bytes(size)}" if size is not None else "",
             ", ", _ties(int(found.get("dependencies") or 0))),
        *_notes(found.get("notes") or ()),
    ]  # fmt: skip


def describe_drift(found: Any) -> list[Content]:
    """Return how it differs from the snapshot before, and what is next."""
    lines = [line("")]
    if found.get("before") is None:
        lines.append(line(("the first snapshot of it: nothing to compare with", "dim")))
    else:
        said = visible(str(found["said"])) or "nothing changed"
        lines.append(line((f"since inventory {found['before']}: ", "accent"), said))
        lines += [line("  ", visible(str(name))) for name in found["named"]]
        if (more := found["objects"] - len(found["named"])) > 0:
            lines.append(line((f"  and {count(more)} more: wherry inventory diff {found['before']}", "dim")))
    return [
        *lines,
        line(""),
        line(("next  ", "dim"), "9 what stands in the way, 0 maps and windows, 4 then p plans"),
    ]


def describe_flows(found: Mapping[str, Any]) -> list[Content]:
    """Return what ``wherry flows import`` read, row by row what it refused."""
    lines: list[Content] = []
    for name in found.get("known_already") or ():
        lines.append(line(("· ", "dim"), visible(name), " is known already: nothing was read again"))
    for one in found.get("imports") or ():
        what = [plural(one["rows"], "row"), plural(one["conversations"], "conversation")]
        what.append(plural(one["facts"], "fact"))
        lines.append(
            line(("✔ ", "good"), f"{visible(one['name'])}, {visible(one['kind'])}: {', '.join(what)}")
        )
        lines += [line(("  left out  ", "dim"), f"{plural(number, 'row')} {visible(why)}")
                  for why, number in sorted(one["ignored"].items())]  # fmt: skip
        if one["refused"]:
            lines.append(line((f"  ▲ {plural(one['refused'], 'row')} refused", "warn")))
            lines += [line("    ", visible(said)) for said in one["refused_rows"]]
            if (more := one["refused"] - len(one["refused_rows"])) > 0:
                lines.append(line((f"    and {count(more)} more", "dim")))
        lines += _notes(one["notes"])
    if found.get("inventory") is not None:
        lines.append(line(f"inventory {found['inventory']} follows: {_ties(int(found['dependencies']))}"))
    elif found.get("imports"):
        lines.append(line(("names are matched once an estate was read: i, then the inventory", "warn")))
    lines += _notes(found.get("notes") or ())
    return [*lines, line(""), line(("next  ", "dim"), "3 what must go together; N there settles names")]


def changes(found: Mapping[str, Any]) -> bool:
    """Return whether an edited table of the plan says anything that the plan does not."""
    return any(found.get(key) for key in ("moved", "dated", "lifted", "pins"))


def describe_table(found: Mapping[str, Any]) -> list[Content]:
    """Return what an edited table of the plan changes."""
    applied = bool(found.get("applied"))
    head = "taken into the settings" if applied else "nothing was changed: this is what it would do"
    mark = ("✔ ", "good") if applied else ("· ", "dim")
    rows = plural(int(found.get("rows") or 0), "row")
    lines = [line(mark, f"{rows} of {visible(str(found.get('table')))}, {head}")]
    lines += [
        line("  ", f"{visible(one['group'])}: {visible(str(one['before']))} → {visible(str(one['after']))}, ",
             plural(len(one["vms"]), "VM"))
        for one in found.get("moved") or ()
    ]  # fmt: skip
    lines += [
        line("  ", f"{visible(one['wave'])}: begins {visible(str(one['after']['start']))}")
        for one in found.get("dated") or ()
    ]
    lines += [
        line("  ", f"no longer pinned: {visible(one['what'])} to {visible(one['wave'])}")
        for one in found.get("lifted") or ()
    ]
    if not changes(found):
        lines.append(line(("  it says what the plan says", "dim")))
    if ignored := found.get("ignored"):
        lines.append(line(("  not looked at: ", "dim"), ", ".join(visible(name, 40) for name in ignored)))
    return [*lines, line(""), line(("next  ", "dim"), "p in 4 Waves plans with it")] if applied else lines


def describe_access(found: Sequence[Mapping[str, Any]]) -> list[Content]:
    """Return what an account may not see of a vCenter."""
    lines: list[Content] = []
    for one in found:
        lines.append(line(f"{visible(str(one['name']))} at {visible(str(one['endpoint']))}"))
        lines.append(line(("  certificate  ", "dim"), visible(str(one["certificate_sha256"]))))
        if one["lacking"] is None:
            lines.append(line(("  the vCenter does not say which privileges the account has", "warn")))
        elif not one["lacking"]:
            lines.append(line(("  ✔ the account may read everything", "good")))
        for item in one["lacking"] or ():
            lines.append(
                line(("  ▲ lacks ", "warn"), f"{visible(item['privilege'])}: {visible(item['for'])}")
            )
    return [*lines, line(""), line(("nothing was read; docs/vcenter.md lists the role", "dim"))]
