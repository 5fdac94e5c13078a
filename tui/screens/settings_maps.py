"""Mapping networks, datastores and what else has a place: one or the marked ones, many by a pattern.

What the target has is picked from a list; another name may always be written. A pattern is previewed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.sized import show_size, size_of
from planner.units import plural_of, show_bytes
from tui.dialogs.confirm import Confirm
from tui.dialogs.form import Ask, Values
from tui.dialogs.pick import Choice, Pick
from tui.screens.settings_form import Kept, Refused
from tui.text import line, plural, stack

if TYPE_CHECKING:
    from tui.screens.settings_edits import SettingsEdits

_OTHER = "\0other"  # nothing is called that
_SHOWN = 40  # maps of a preview
Said = Mapping[str, Any]


def _by_vlan(there: Sequence[Said], marked: Sequence[Said]) -> list[Choice]:
    vlans = {one["vlan"] for one in marked}
    near = sorted(
        there, key=lambda one: (one["vlan"] not in vlans or not one["vlan"], one["name"].casefold())
    )
    return [
        Choice(one["name"], one["name"], f"VLAN {one['vlan'] or 'unknown'}  {one['place']}") for one in near
    ]


def _by_room(there: Sequence[Said], marked: Sequence[Said]) -> list[Choice]:
    """Return datastores, those with the most room first; where the marked ones may not fit it is said."""
    sized = all(one["sized"] for one in marked)
    needed = size_of(sum(one["size_bytes"] for one in marked), sized)
    choices = []
    for one in sorted(there, key=lambda one: (-(one["free"] or 0), one["name"].casefold())):
        if one["free"] is None:
            room = "room unknown"
        else:
            size = f" of {show_bytes(one['size'])}" if one["size"] else ""
            short = f", {show_size(needed)} needed" if needed > one["free"] or not sized else ""
            room = f"{show_bytes(one['free'])} free{size}{short}"
        choices.append(Choice(one["name"], one["name"], f"{room}  {one['place']}"))
    return choices


def _by_path(there: Sequence[Said], marked: Sequence[Said]) -> list[Choice]:
    same = {one["name"] for one in marked}
    near = sorted(there, key=lambda one: (one["name"] not in same, one["name"].casefold()))
    return [Choice(one["name"], one["name"], one["place"]) for one in near]


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be mapped: its table of the settings, the op that lists it, the words of its dialogs."""

    table: str
    op: str
    noun: str
    choices: Callable[[Sequence[Said], Sequence[Said]], list[Choice]]
    pattern: str
    target: str
    other: str = "one that the target does not have yet"


KINDS: Mapping[str, Kind] = {
    kind.table: kind
    for kind in (
        Kind("networks", "maps", "network", _by_vlan, "vlan-*", "prod-*"),
        Kind("datastores", "maps.datastores", "datastore", _by_room, "vmfs-*", "gold-*",
             "one that is not listed, or a storage class"),
        Kind("folders", "maps.folders", "folder", _by_path, "Prod/*", "Moved/*"),
        Kind("pools", "maps.pools", "pool", _by_path, "gold/*", "prod-gold"),
        Kind("storage_policies", "maps.policies", "storage policy", _by_path, "Gold*", "Mirrored"),
    )
}  # fmt: skip


def ask_place(place: SettingsEdits, kind: Kind, marked: Sequence[Said], there: Sequence[Said] | None) -> None:
    """Ask where something leads: to one of the target's, or by name where those are not known."""
    names = [one["name"] for one in marked]
    called = f"{visible(names[0], 40)} leads" if len(names) == 1 else f"{plural(len(names), kind.noun)} lead"
    if there is None:
        _ask_name(place, kind, names, called, marked[0]["to"])
        return
    choices = [*kind.choices(there, marked), Choice(_OTHER, "another name …", kind.other)]

    def picked(key: str | None) -> None:
        if key == _OTHER:
            _ask_name(place, kind, names, called, marked[0]["to"])
        elif key is not None:
            _map(place, kind, dict.fromkeys(names, key))

    place.app.push_screen(Pick(f"Where {called}", choices), picked)


def _ask_name(place: SettingsEdits, kind: Kind, names: Sequence[str], called: str, to: str) -> None:
    ask = Ask("to", f"{kind.noun.capitalize()} of the target", to, needed=True)

    def send(said: Values, ok: Callable[[], None], failed: Refused) -> None:
        _map(place, kind, dict.fromkeys(names, said["to"]), ok, failed)

    place.app.push_screen(Kept(f"Where {called}", [ask], send, "Map"))


def _map(
    place: SettingsEdits,
    kind: Kind,
    values: Mapping[str, str],
    ok: Callable[[], None] | None = None,
    failed: Refused | None = None,
) -> None:
    args = {"values": values, "table": kind.table}
    place.store("maps.set", args, f"{plural(len(values), kind.noun)} mapped", ok, failed)


def ask_pattern(place: SettingsEdits, kind: Kind) -> None:
    """Ask for a pattern and its target, show what it would map, then map."""
    many = f"{plural_of(kind.noun).capitalize()} of the source · * stands for any characters"
    one = f"{kind.noun.capitalize()} of the target · each * is what that * stood for"
    asks = [
        Ask("pattern", many, "", kind.pattern, needed=True),
        Ask("target", one, "", kind.target, needed=True),
    ]

    def send(said: Values, ok: Callable[[], None], failed: Refused) -> None:
        def matched(found: Said) -> None:
            ok()
            _preview(place, kind, found)

        args = {**said, "table": kind.table}
        place.wherry.ask("maps.match", args, matched, busy="matching", failed=failed)

    place.app.push_screen(Kept(f"Map {plural_of(kind.noun)} by a pattern", asks, send, "Preview"))


def _preview(place: SettingsEdits, kind: Kind, found: Said) -> None:
    maps, missing, before = found["maps"], set(found["missing"]), found["before"]
    lines = []
    for name, to in list(maps.items())[:_SHOWN]:
        notes = []
        if to in missing:
            notes.append(f"the target has no such {kind.noun}")
        if before.get(name, to) != to:
            notes.append(f"until now {visible(before[name], 40)}")
        lines.append(line(f"{visible(name)} → {visible(to)}", (f"  {'; '.join(notes)}", "warn")))
    if len(maps) > _SHOWN:
        lines.append(line((f"and {len(maps) - _SHOWN} more", "dim")))
    box = Confirm(f"Map {plural(len(maps), kind.noun)}?", stack(lines), "Map")
    place.app.push_screen(box, lambda yes: _map(place, kind, maps) if yes else None)
