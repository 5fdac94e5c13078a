"""A person's word on a disk: what may be said of it with what would become of it, then which LUN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.units import show_bytes
from tui.dialogs.form import Ask, Form, Values
from tui.dialogs.pick import Choice, Pick
from tui.screens.settings_rows import backing_words

if TYPE_CHECKING:
    from tui.screens.settings_edits import SettingsEdits

_RULE, _ANY = "rule", ""


def ask_word(place: SettingsEdits, disk: Mapping[str, Any]) -> None:
    """Ask the study what may be said of a disk, then the person."""
    volume = disk["volume"]
    place.wherry.ask(
        "remaps.options", {"volume": volume}, lambda found: _pick(place, disk, found), busy="trying"
    )


def find_disk(place: SettingsEdits) -> None:
    """Ask for a part of a name, then which of the disks that have it, then the word."""
    ask = Ask("text", "A part of the name of a VM or disk", "", "crm-db", needed=True)

    def found(disks: Sequence[Mapping[str, Any]]) -> None:
        by_key = {one["volume"]: one for one in disks}
        choices = [
            Choice(
                one["volume"], one["name"], f"{backing_words(one['source'])}, {show_bytes(one['size_bytes'])}"
            )
            for one in disks
        ]
        box = Pick("A word on which disk", choices, "no disk of a VM that moves has that in its name")
        place.app.push_screen(box, lambda key: ask_word(place, by_key[key]) if key is not None else None)

    def written(said: Values | None) -> None:
        if said is not None:
            place.wherry.ask("remaps.find", said, found, busy="looking")

    place.app.push_screen(Form("A word on a disk", [ask], "Look"), written)


def _title(to: str | None, source: str) -> str:
    if to is None:
        return "as the rule says"
    if to == "keep":
        where = ", on another LUN" if source.startswith("rdm") else ""
        return f"keep it {backing_words(source)}{where}"
    way = backing_words(to)
    if source.startswith("rdm") and to.startswith("rdm"):
        return f"{way} on another LUN"
    return f"{backing_words(source)} → {way}"


def _note(option: Mapping[str, Any]) -> str:
    decision = option["decision"]
    if decision is None:
        return f"waits: {option['waits']}"
    lun = f" on LUN {decision['lun']}" if decision["lun"] else ""
    return f"{backing_words(decision['target'])}{lun}. {decision['proof'] or decision['rule']}"


def _pick(place: SettingsEdits, disk: Mapping[str, Any], options: Sequence[Mapping[str, Any]]) -> None:
    choices = [
        Choice(option["to"] or _RULE, _title(option["to"], disk["source"]),
               "" if option["why_not"] else _note(option), option["why_not"])
        for option in options
        if option["to"] != disk["source"]  # which is what keeping it says
    ]  # fmt: skip
    by_key = {option["to"] or _RULE: option for option in options}

    def picked(key: str | None) -> None:
        if key is None:
            return
        if key == _RULE:
            place.store("remaps.set", {"volume": disk["volume"], "to": None}, "the rule decides")
        elif by_key[key]["luns"]:
            _pick_lun(place, disk, key, by_key[key]["luns"])
        else:
            _say(place, disk, key, "")

    place.app.push_screen(Pick(f"What becomes of {visible(disk['name'], 50)}", choices), picked)


def _pick_lun(place: SettingsEdits, disk: Mapping[str, Any], to: str, luns: Sequence[str]) -> None:
    choices = [Choice(_ANY, "the smallest that holds it", "wherry chooses among those that are free")]
    choices += [Choice(name, name, "holds it") for name in luns]

    def picked(lun: str | None) -> None:
        if lun is not None:
            _say(place, disk, to, lun)

    place.app.push_screen(Pick("On which LUN", choices), picked)


def _say(place: SettingsEdits, disk: Mapping[str, Any], to: str, lun: str) -> None:
    args = {"volume": disk["volume"], "to": to, "lun": lun}
    place.store("remaps.set", args, f"{visible(disk['name'], 50)}: a person's word is {to}")
