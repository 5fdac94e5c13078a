"""What Settings says of the entry under the cursor: its meaning, its origin, what is odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from planner.names import visible
from planner.sized import show_size
from planner.units import show_bytes, show_count
from tui.screens.settings_rows import backing_words, data_of
from tui.text import fit, line, plural, stack

_HELD = {"datastores": "on it", "storage_policies": "has it"}
_WIDTH = 12  # of the words at the left


def _fact(word: str, text: str, tone: str = "") -> Content:
    return line((fit(visible(word), _WIDTH), "dim"), " ", (visible(text), tone) if tone else visible(text))


def describe_block(block: Mapping[str, Any]) -> Content:
    """Return what a block is for, where none of its entries is looked at."""
    empty = not block["rows"] and block["shape"] in ("lists", "names", "windows")
    return stack(
        [
            line(visible(block["about"])),
            line(("entries  ", "dim"), ", ".join(visible(name) for name in block["names"])),
            *([line(("nothing is said yet: a adds", "dim"))] if empty else []),
        ]
    )


def describe_entry(row: Mapping[str, Any], uses: str) -> Content:
    """Return an entry of the settings, or an item of a list."""
    lines = [_fact(word, text) for word, text in row["facts"]]
    if uses:
        lines.append(_fact("plan uses", f"at most {uses}"))
    if row["wrong"]:
        lines.insert(0, _fact("▲ odd", row["wrong"], "warn"))
    return stack(lines) if lines else line("")


def describe_network(one: Mapping[str, Any], there: Sequence[Mapping[str, Any]] | None) -> Content:
    """Return a network: who is on it, where it leads, what does not fit."""
    lines = [
        _fact("on it", f"{plural(one['vms'], 'VM')}, {show_size(data_of(one))} on their disks"),
        _fact("VLAN here", one["vlan"] or "unknown"),
        _fact("goes to", one["to"] or f"{one['name']}, since nobody mapped it"),
        _fact("VLAN there", one["to_vlan"] or "unknown"),
    ]
    if there is None:
        lines.append(_fact("target", "its networks are not known: i reads a target's inventory"))
    for wrong in filter(None, one["wrong"].split("; ")):
        lines.append(_fact("▲", f"{wrong}  → enter maps it", "warn"))
    return stack(lines)


def describe_landing(
    shape: str, one: Mapping[str, Any], there: Sequence[Mapping[str, Any]] | None
) -> Content:
    """Return what is mapped besides networks: who has it, where it leads, what is free, what is odd."""
    held = f"{plural(one['vms'], 'VM')}, {show_size(data_of(one))}"
    lines = [_fact(_HELD.get(shape, "in it"), held)]
    if one["to"] or not one["goes"]:
        lines.append(_fact("goes to", one["to"] or "nobody mapped it"))
    else:
        lines.append(_fact("goes to", f"{one['goes']}, since {one['by']} is mapped"))
    if one["room"]:
        lines.append(_fact("room there", one["room"]))
    if there is None:
        lines.append(
            _fact("target", f"its {shape.replace('_', ' ')} are not known: i reads a target's inventory")
        )
    for wrong in filter(None, one["wrong"].split("; ")):
        lines.append(_fact("▲", f"{wrong}  → enter maps it", "warn"))
    return stack(lines)


def describe_disk(one: Mapping[str, Any]) -> Content:
    """Return a disk: what it is, what becomes of it and why, the proof in sectors, the way back."""
    decision, word = one["decision"], one["word"]
    users = ", ".join(visible(vm["name"]) for vm in one["vms"])
    lines = [
        _fact("used by", users),
        _fact("is", f"{backing_words(one['source'])}, {show_bytes(one['size_bytes'])}, "
                    f"{show_count(one['sectors'], 'sector')} of 512 bytes"),
    ]  # fmt: skip
    if word:
        lines.append(_fact("a word", f"{word['to']}" + (f" on LUN {word['lun']}" if word["lun"] else "")))
    lines += [_fact("▲ travels", said, "warn") for said in one["notes"]]
    if one["refused"]:
        why, hint = one["refused"]
        lines += [_fact("✖ no plan", why, "bad"), _fact("hint", hint)]
    if decision is None:
        why, hint = one["waits"]
        lines.append(_fact("✖ undecided", why, "bad"))
        lines.append(_fact("hint", hint))
        return stack(lines)
    lun = f" on LUN {decision['lun']}" if decision["lun"] else ""
    lines += [_fact("becomes", f"{backing_words(decision['target'])}{lun}"), _fact("rule", decision["rule"])]
    if decision["proof"]:
        lines.append(_fact("proof", decision["proof"]))
    lines += [_fact("▲ mind", said, "warn") for said in decision["mind"]]
    if decision["way_back"]:
        lines.append(_fact("way back", decision["way_back"]))
    return stack(lines)
