"""The pages on one VM: facts, disks, adapters, findings with remedies, ties with traffic, the plan.

What the study knows of it comes later than the rest: until then a page says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from planner.model import VM
from planner.names import visible
from planner.units import show_bytes, show_duration
from tui.screens import vm_detail as words
from tui.session import Session, View
from tui.text import fit, line, plural, spread_minutes, stack

PAGES = ("facts", "disks", "adapters", "findings", "ties", "plan")
_MOST = 500  # ties drawn: more are said


def describe_page(
    page: str,
    vm: VM,
    view: View,
    session: Session,
    told: Mapping[str, Any] | None,
    wrong: str,
    width: int,
) -> Content:
    """Return a page; ties are cut to ``width`` cells.

    ``told`` is what the study says of the VM, ``wrong`` why it says nothing.
    """
    match page:
        case "facts":
            return stack([*words.head(vm, view), words.place(vm, view), *words.rest(vm), *_more(vm)])
        case "disks":
            return stack(words.disks(vm, view))
        case "adapters":
            return stack(words.nics(vm, view))
        case "findings":
            return stack(words.findings(vm, view, session))
    if told is None:
        return line((f"✖ {visible(wrong)}", "bad") if wrong else ("being worked out …", "dim"))
    return stack(_ties(told, view, width) if page == "ties" else [*_takes(told), *_why(vm, told, view)])


def _more(vm: VM) -> list[Content]:
    """Return what else the source says of a VM, a fact a line."""
    facts: list[tuple[str, object]] = [
        ("DNS name", vm.dns_name), ("folder", vm.folder), ("pool", vm.resource_pool), ("vApp", vm.vapp),
        ("files", vm.vmx_path), ("hardware", vm.hw_version), ("EVC", vm.compute.evc_mode),
        ("vCenter", vm.vcenter), ("moref", vm.moref), ("instance", vm.instance_uuid), ("BIOS", vm.bios_uuid),
        ("critical", vm.criticality), ("window", vm.window),
    ]  # fmt: skip
    facts += [("tag", f"{category}/{tag}") for category, tag in vm.tags or ()]
    facts += [(name, value) for name, value in vm.attributes]
    facts += [("rule", name) for name in vm.rules]
    facts += [("snapshot", item.name) for item in vm.snapshots]
    facts += [(f"{name} by", where) for name, where in vm.sayings]
    return [
        line(""),
        *(line((fit(visible(word), 16), "dim"), " ", visible(str(value))) for word, value in facts if value),
    ]


def _ties(told: Mapping[str, Any], view: View, width: int) -> list[Content]:
    ties = sorted(told["ties"], key=lambda tie: (not tie["needs"], -(tie["traffic_bytes"] or 0), tie["name"]))
    lines: list[Content] = []
    if told["hub"]:
        lines.append(line(("◆ a shared service: it ties nobody together and moves last", "accent")))
    for heading, needs in (("needs", True), ("used by", False)):
        mine = [tie for tie in ties if bool(tie["needs"]) == needs]
        if not mine:
            continue
        lines.append(line((f"{heading} {plural(len(mine), 'VM')}", "accent")))
        lines += [_tie(tie, view, width) for tie in mine[:_MOST]]
        if len(mine) > _MOST:
            lines.append(line((f"  and {plural(len(mine) - _MOST, 'more')[:-1]}: 3 shows them", "dim")))
    return lines or [line(("nobody said or saw that it is tied to another VM", "dim"))]


def _tie(tie: Mapping[str, Any], view: View, width: int) -> Content:
    wave = view.placed.get(str(tie["vm"]), ("", ""))[0]
    traffic = "? traffic" if tie["traffic_bytes"] is None else show_bytes(tie["traffic_bytes"])
    port = f":{tie['port']}" if tie["port"] is not None else ""
    said = {"accept": "✔ accepted", "refuse": "✖ refused"}.get(str(tie["decision"]), "")
    return line(
        "  ", fit(visible(str(tie["name"])) + port, 30), " ",
        (fit(str(tie["tie"]), 6), "warn" if tie["tie"] == "hard" else ""),
        fit(traffic, 11, right=True), (f"  {tie['confidence']:>4.0%} sure  ", "dim"),
        fit(visible(wave) or "–", 5),
        (f" {said}  " if said else " ", "accent"), (visible(str(tie["reason"])), "dim"),
    ).truncate(max(width, 40), ellipsis=True)  # fmt: skip


def _takes(told: Mapping[str, Any]) -> list[Content]:
    took = told["estimate"]

    def hours(spread: Mapping[str, float]) -> str:
        return " / ".join(show_duration(spread[name] * 3600) for name in ("p50", "p95"))

    def minutes(spread: Mapping[str, float]) -> str:
        return spread_minutes(spread["p50"], spread["p95"])

    source = (
        "as runs of this project measured"
        if took["measured"]
        else "by rules of thumb, before anything was measured"
    )
    lines = [
        line(("moved alone, P50 / P95 ", "accent"), (source, "dim")),
        line(("  first copy  ", "dim"), hours(took["seed_h"])),
        line(("  final sync  ", "dim"), minutes(took["final_min"])),
        line(("  downtime    ", "dim"), minutes(took["downtime_min"])),
        line(("  changes     ", "dim"), f"{show_bytes(round(took['churn_bytes_day']))} a day"),
    ]
    if not took["converges"]:
        lines.append(line(("  ✖ it writes faster than the line carries: move it while it is off", "bad")))
    return [*lines, line("")]


def _why(vm: VM, told: Mapping[str, Any], view: View) -> list[Content]:
    lines = [words.place(vm, view)]
    if not told["group"]:
        return [*lines, line(("it is in no move group", "dim"))]
    many = int(told["members"])
    if many == 1:
        return [*lines, line(f"it moves alone, as {visible(str(told['group']))}")]
    lines.append(line(f"it moves with {plural(many - 1, 'other VM')} of {visible(str(told['group']))}"))
    chain: Sequence[Mapping[str, str]] = told["chain"]
    lines += [
        line((f"  {number}  ", "dim"), f"{visible(step['a'])} ═ {visible(step['b'])}: ", visible(step["why"]))
        for number, step in enumerate(chain, 1)
    ]
    if not chain:
        lines.append(line(("  the others are tied to it: it is the first of its group", "dim")))
    return lines
