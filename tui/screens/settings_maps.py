"""Mapping networks: one or the marked ones to a network of the target, many by a pattern with a preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.names import visible
from tui.dialogs.confirm import Confirm
from tui.dialogs.form import Ask, Form, Values
from tui.dialogs.pick import Choice, Pick
from tui.text import line, plural, stack

if TYPE_CHECKING:
    from tui.screens.settings_edits import SettingsEdits

_OTHER = "\0other"  # no network is called that
_SHOWN = 40  # maps of a preview


def ask_network(
    place: SettingsEdits, marked: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]] | None
) -> None:
    """Ask where networks lead: to one of the target's, or by name where those are not known."""
    names = [one["name"] for one in marked]
    called = visible(names[0], 40) if len(names) == 1 else plural(len(names), "network")
    if there is None:
        _ask_name(place, names, called, marked[0]["to"])
        return
    vlans = {one["vlan"] for one in marked}
    near = sorted(
        there, key=lambda one: (one["vlan"] not in vlans or not one["vlan"], one["name"].casefold())
    )
    choices = [
        Choice(one["name"], one["name"], f"VLAN {one['vlan'] or 'unknown'}  {one['place']}") for one in near
    ]
    choices.append(Choice(_OTHER, "another name …", "one that the target does not have yet"))

    def picked(key: str | None) -> None:
        if key == _OTHER:
            _ask_name(place, names, called, marked[0]["to"])
        elif key is not None:
            _map(place, dict.fromkeys(names, key))

    place.app.push_screen(Pick(f"Where {called} leads", choices), picked)


def _ask_name(place: SettingsEdits, names: Sequence[str], called: str, to: str) -> None:
    ask = Ask("to", "Network of the target", to, needed=True)

    def named(said: Values | None) -> None:
        if said is not None:
            _map(place, dict.fromkeys(names, said["to"]))

    place.app.push_screen(Form(f"Where {called} leads", [ask], "Map"), named)


def _map(place: SettingsEdits, values: Mapping[str, str]) -> None:
    place.store("maps.set", {"values": values}, f"{plural(len(values), 'network')} mapped")


def ask_pattern(place: SettingsEdits) -> None:
    """Ask for a pattern and its target, show what it would map, then map."""
    asks = [
        Ask("pattern", "Networks of the source · * stands for any characters", "", "vlan-*", needed=True),
        Ask("target", "Network of the target · each * is what that * stood for", "", "prod-*", needed=True),
    ]

    def written(said: Values | None) -> None:
        if said is not None:
            place.wherry.ask("maps.match", said, lambda found: _preview(place, found), busy="matching")

    place.app.push_screen(Form("Map networks by a pattern", asks, "Preview"), written)


def _preview(place: SettingsEdits, found: Mapping[str, Any]) -> None:
    maps, missing, before = found["maps"], set(found["missing"]), found["before"]
    lines = []
    for name, to in list(maps.items())[:_SHOWN]:
        notes = []
        if to in missing:
            notes.append("the target has no such network")
        if before.get(name, to) != to:
            notes.append(f"until now {visible(before[name], 40)}")
        lines.append(line(f"{visible(name)} → {visible(to)}", (f"  {'; '.join(notes)}", "warn")))
    if len(maps) > _SHOWN:
        lines.append(line((f"and {len(maps) - _SHOWN} more", "dim")))
    box = Confirm(f"Map {plural(len(maps), 'network')}?", stack(lines), "Map")
    place.app.push_screen(box, lambda yes: _map(place, maps) if yes else None)
