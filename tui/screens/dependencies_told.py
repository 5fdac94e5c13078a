"""What panels of 3 Dependencies say: the price of a tie across waves, its remedy, evidence, cuts, circles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from planner.names import visible
from planner.units import show_bytes
from tui.screens.dependencies_around import wave_words
from tui.text import count, fit, line, plural, stack

Said = Mapping[str, Any]
_MOST = 40
_BOXES = 7
_CROSSING = 8
_HUB_ACTS = (("a", "it is one"), ("r", "it is none"), ("-", "take the word back"))


def leaving(vms: int) -> str:
    """Return ``1 VM leaves`` or ``3 VMs leave``."""
    return f"{plural(vms, 'VM')} {'leaves' if vms == 1 else 'leave'}"


def _day(size: float | None) -> str:
    return "traffic unknown" if size is None else f"{show_bytes(size)} a day"


def describe_side(said: Said, edge: Said | None, can_mend: bool) -> Content:
    """Say what the selected edge costs as the waves lie, what else crosses, and what ties are known from."""
    lines: list[Content] = []
    if edge is not None:
        lines += [*_price(said, edge, can_mend), line("")]
    if crossing := _crossing(said):
        lines += [*crossing, line("")]
    lines.append(line(("known from, how sure, ties", "accent")))
    for one in said["evidence"]:
        full = round(one["sure"] * _BOXES)
        bar = "■" * full + "□" * (_BOXES - full)
        lines.append(line(f"{one['what']:<9}{bar} ", (f"{one['sure']:.0%} {count(one['ties'])}", "dim")))
    if not said["evidence"]:
        lines.append(line(("  no tie is known", "dim")))
    return stack(lines)


def _price(said: Said, edge: Said, can_mend: bool) -> list[Content]:
    ends = [(said["name"], said["waves"]), (edge["group"], edge["waves"])]
    (first, mine), (second, theirs) = reversed(ends) if edge["above"] else ends
    title = [visible(first, 28), f"→ {visible(second, 26)}"]
    if edge["across"] is None:
        why = "no plan yet: press p in 4 Waves" if not said["planned"] else "one of them is in no wave"
        return [*(line((part, "accent")) for part in title), line(("  " + why, "dim"))]
    if not edge["across"]:
        return [*(line((part, "good")) for part in title), line(f"✔ both in {wave_words(mine, True)}")]
    tone = "warn" if edge["hot"] else "accent"
    days = edge["days"]
    apart = "days unknown" if days is None else f"{days:.0f} days apart" if days >= 1 else "on one day"
    lines = [
        *(line((part, tone)) for part in title),
        line((f"{'▲' if edge['hot'] else '◇'} {wave_words(mine, True)} → {wave_words(theirs, True)}", tone),
             f", {apart}"),
        line(f"  {_day(edge['day_bytes'])}"),
        line("  latency unknown"),  # no source tells it yet
    ]  # fmt: skip
    if edge["share"] is not None:
        share = f"{edge['share']:.1%}" if edge["share"] >= 0.001 else "under 0.1 %"
        lines.append(line(f"  {share} of the line"))
    if edge["day_bytes"] is not None and days:
        lines.append(line(f"  {show_bytes(edge['day_bytes'] * days)} in all"))
    if edge["early"]:
        lines.append(line((f"✖ {plural(edge['early'], 'VM tie')} out of order", "bad")))
    if edge["unsure"]:
        lines.append(line((f"  {count(edge['unsure'])} of {plural(edge['ties'], 'VM tie')} not sure", "dim")))
    if edge["shared_services"] or said["shared_services"]:
        lines.append(line(("  services: reached from both", "dim")))
    elif can_mend:
        lines.append(line(("  m ", "accent"), "mend it by a move"))
    return lines


def _crossing(said: Said) -> list[Content]:
    if not said["planned"] or said["shared_services"]:
        return []
    across = [one for one in said["edges"] if one["across"] and not one["shared_services"]]
    if not across:
        return [line(("✔ nothing else crosses waves", "good"))]
    across.sort(key=lambda one: (not one["hot"], -(one["day_bytes"] or 0)))
    lines = [line((f"{plural(len(across), 'tie')} across waves", "accent"))]
    for one in across[:_CROSSING]:
        arrow = "◂" if one["above"] else "▸"
        words = f"{arrow} {fit(visible(one['group']), 11)} {fit(wave_words(one['waves'], True), 6)}"
        size = "?" if one["day_bytes"] is None else show_bytes(one["day_bytes"])
        lines.append(line((words, "warn" if one["hot"] else ""), (fit(size, 8, right=True), "dim")))
    if len(across) > _CROSSING:
        lines.append(line((f"  and {count(len(across) - _CROSSING)} more", "dim")))
    return lines


def describe_tie(row: Sequence[Any], may_act: bool) -> Content:
    """Say everything of one tie of the table of all."""
    _, a, b, tie, kind, port, size, sure, state, crosses, group, other, why, evidence, decided, *_ = row
    words = {"yes": "its ends move in different waves", "no": "its ends move in one wave"}
    return stack([
        line(visible(a), (f"  {tie} → ", "accent"), visible(b), "" if port is None else f"   port {port}"),
        line(f"{visible(why)}"),
        line(("known from  ", "dim"), visible(evidence) or "nobody said", f"   {sure} % sure   {kind}"),
        line(("a day       ", "dim"), "unknown" if size is None else show_bytes(size),
             f"   {words.get(crosses, 'nothing is known of its waves')}"),
        line(("groups      ", "dim"), visible(group) or "stays", " → ", visible(other) or "stays"),
        line(("state       ", "dim"), state, f"  by {visible(decided)}" if decided else "",
             ("   a accepts · r refuses · - takes back" if may_act else "", "dim")),
    ])  # fmt: skip


def _acts(*pairs: tuple[str, str]) -> Content:
    return line(*(part for key, words in pairs for part in ((f"{key} ", "accent"), f"{words}   ")))


def describe_hub(said: Said, may_act: bool) -> Content:
    """Say why a VM is taken for a hub and what follows."""
    verdict = {"yes": ("confirmed: ties to its users close no group", "good"),
               "no": ("denied: it is treated as any other VM", "dim"),
               "": ("nobody confirmed it; it counts as a hub until somebody denies it", "warn")}  # fmt: skip
    return stack([
        line(visible(said["name"]), "  ", verdict[said["verdict"]]),
        *(line(f"· {visible(reason)}") for reason in said["reasons"]),
        _acts(*_HUB_ACTS[: 2 + said["decided"] if may_act else 0], ("enter", "the VM")),
    ])  # fmt: skip


def describe_cut(found: Said | None, may_act: bool) -> Content:
    """Say what parting a group would cost: the cheapest cut, and the cheapest that fits the caps."""
    if found is None:
        return line("no longer above the caps, as far as is known")
    if found["cheapest"] is None:
        if found["vms"] == 1:
            return stack([line(("one VM alone is above the caps: there is nothing to part", "warn")),
                          line("→ raise caps in 0 Settings, or let it stay: x in 2 Inventory")])  # fmt: skip
        return stack([line(("storage holds all of it together: nothing can be refused", "warn")),
                      line("→ raise caps in 0 Settings, or part the storage at the source")])  # fmt: skip
    lines: list[Content] = []
    unsure = found["fitting"] is not None and found["fitting"]["fits"] is None
    title = "cheapest cut" if found["exact"] else "cheapest cut found"
    if found["fitting"] == found["cheapest"]:
        lines += _cut(f"{title}, and both sides {'may ' if unsure else ''}fit the caps", found["cheapest"])
    else:
        lines += _cut(title, found["cheapest"])
        if found["fitting"] is None:
            lines.append(line(("no single cut was found that brings both sides under the caps", "warn")))
        else:
            lines += _cut(f"cheapest found that {'may fit' if unsure else 'fits'} the caps", found["fitting"])
    if unsure:
        lines.append(line(("both may: not all of their disks are known", "warn")))
    if found["joints"]:
        lines.append(line(("held together by  ", "dim"), _names(found["joints"])))
    both = found["fitting"] is not None and found["fitting"] != found["cheapest"]
    does = "refuse the ties of the one that fits …" if both else "refuse these ties …"
    return stack([*lines, _acts(("r", does))] if may_act else lines)


def _names(names: Sequence[str]) -> str:
    more = f" and {count(len(names) - _MOST)} more" if len(names) > _MOST else ""
    return ", ".join(visible(name, 40) for name in names[:_MOST]) + more


def _cut(title: str, cut: Said) -> list[Content]:
    unknown = f", of {plural(cut['unknown'], 'tie')} unknown" if cut["unknown"] else ""
    lines = [
        line((title, "accent")),
        line(f"  {leaving(len(cut['part']))}: {_names(cut['part'])}"),
        line(
            f"  {plural(len(cut['refuse']), 'tie')} refused, {show_bytes(cut['traffic_bytes'])} seen{unknown}"
        ),
    ]
    lines += [_refused(tie) for tie in cut["refuse"][:_MOST]]
    if len(cut["refuse"]) > _MOST:
        lines.append(line((f"    and {count(len(cut['refuse']) - _MOST)} more", "dim")))
    return lines


def _refused(tie: Said) -> Content:
    ends = f"    {visible(tie['source_name'], 40)} and {visible(tie['target_name'], 40)}"
    return line(
        ends, (f"  {visible(tie['reason'])}", "dim"), ("  added by a person", "dim") if tie["said"] else ""
    )


def describe_cycle(said: Said, may_act: bool) -> Content:
    """Say who waits for whom, and the cheapest tie to drop."""
    circle = [*said["circle"], said["circle"][0]]
    lines = [line("each waits for the next: ", (" → ".join(visible(name, 40) for name in circle), "warn"))]
    if len(said["groups"]) > len(said["circle"]):
        lines.append(line(("knotted with it  ", "dim"), _names(said["groups"])))
    opens = "and no circle is left" if said["opens"] else "which leaves others"
    lines.append(line((f"cheapest to drop, {opens}", "accent")))
    lines += [_refused(tie) for tie in said["drop"][:_MOST]]
    does = "take it back" if all(tie["said"] for tie in said["drop"]) else "refuse it …"
    return stack([*lines, _acts(("r", does))] if may_act else lines)


def describe_suggestion(said: Said, names: Mapping[str, str], may_act: bool) -> Content:
    """Say who would belong to an application, how sure each is and why."""
    sure = f"  {said['confidence']:.0%} sure, {plural(said['new'], 'new VM')}"
    lines = [
        line((visible(said["title"]), "accent"), sure),
        *(line(f"· {visible(reason)}") for reason in said["reasons"]),
    ]
    if may_act:
        lines.append(_acts(("a", "take it"), ("n", "take it under another name"), ("r", "dismiss it")))
    for member in said["members"][:_MOST]:
        name = visible(names.get(member["vm"], member["vm"]), 40)
        why = "known" if member["known"] else f"{member['confidence']:.0%}: {visible(member['reason'])}"
        lines.append(line(f"  {name}  ", (why, "dim")))
    if len(said["members"]) > _MOST:
        lines.append(line((f"  and {count(len(said['members']) - _MOST)} more", "dim")))
    return stack(lines)


def describe_name(said: Said, may_act: bool) -> Content:
    """Say what is known of an imported name, and how it is settled."""
    means = _names(said["means"])
    words = {
        "unknown": f"no VM is called so{'; the nearest: ' + means if means else ''}",
        "several": f"it could be each of {means}",
        "settled": f"settled by a person: it is {means}",
        "not ours": "settled by a person: it is none of the VMs here",
    }
    lines = [line((visible(said["label"]), "accent"), f"  {words[said['state']]}")]
    if said["state"] in ("unknown", "several"):
        size = "of unknown size" if said["size_bytes"] is None else f"of {show_bytes(said['size_bytes'])}"
        talks, facts = plural(said["conversations"], "conversation"), plural(said["facts"], "fact")
        lines.append(line(f"{talks} {size} and {facts} of lists count for nobody until it is settled"))
        acts = (("a", "which VM it is …"), ("r", "it is none of ours"))
    else:
        acts = (("a", "another VM …"), ("-", "open again"))
    return stack([*lines, _acts(*acts)] if may_act else lines)


def describe_chain(said: Said, vm: str, names: Mapping[str, str]) -> Content:
    """Say, reason by reason, what ties a VM to the first one of its group."""
    steps = said["chains"].get(vm, ())
    name = visible(names.get(vm, vm))
    if not steps:
        alone = (
            "moves alone: nothing ties it to another VM"
            if not said["reasons"]
            else "is the first of its group"
        )
        lines = [line((name, "accent"), f" {alone}")]
    else:
        lines = [
            line((name, "accent"), " is tied to the first of ", (visible(said["name"]), "accent"), " by")
        ]
        lines += [_reason(step, names) for step in steps]
    others = [reason for reason in said["reasons"] if reason not in steps]
    if others:
        lines += [line(""), line(("the rest of the group", "accent"))]
        lines += [_reason(reason, names) for reason in others[:200]]
    return stack(lines)


def _reason(step: Said, names: Mapping[str, str]) -> Content:
    a, b = (visible(names.get(step[end], step[end]), 40) for end in ("a", "b"))
    return line(f"  {a} and {b}  ", (visible(step["why"]), "dim"))
