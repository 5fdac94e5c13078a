"""A person's word on disks: what may be said of them with what would become of them, then which LUN."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.units import show_bytes
from tui.dialogs.form import Ask, Form, Values
from tui.dialogs.pick import Choice, Pick
from tui.screens.settings_rows import backing_words
from tui.text import plural

if TYPE_CHECKING:
    from tui.screens.settings_edits import SettingsEdits

Disks = Sequence[Mapping[str, Any]]

_RULE, _ANY = "rule", ""


def ask_word(place: SettingsEdits, disks: Disks) -> None:
    """Ask the study what may be said of disks, then the person."""
    args = {"volumes": [disk["volume"] for disk in disks]}
    place.wherry.ask("remaps.options", args, lambda found: _pick(place, disks, found), busy="trying")


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
        place.app.push_screen(box, lambda key: ask_word(place, [by_key[key]]) if key is not None else None)

    def written(said: Values | None) -> None:
        if said is not None:
            place.wherry.ask("remaps.find", said, found, busy="looking")

    place.app.push_screen(Form("A word on a disk", [ask], "Look"), written)


def _called(disks: Disks) -> str:
    return visible(disks[0]["name"], 50) if len(disks) == 1 else plural(len(disks), "disk")


def _title(to: str | None, source: str) -> str:
    """Return a word on disks that all are ``source``; empty = they differ."""
    if to is None:
        return "as the rule says"
    if to == "keep":
        where = ", on another LUN" if source.startswith("rdm") else ""
        return f"keep it {backing_words(source)}{where}" if source else "keep each as it is"
    way = backing_words(to)
    if not source:
        return f"→ {way}"
    if source.startswith("rdm") and to.startswith("rdm"):
        return f"{way} on another LUN"
    return f"{backing_words(source)} → {way}"


def _note(option: Mapping[str, Any], asked: int) -> str:
    decisions = option["decisions"]
    late = asked - len(decisions)
    if asked > 1:
        found = Counter(backing_words(one["target"]) for one in decisions)
        words = [f"{many} {way}" for way, many in found.most_common()]
        return ", ".join(
            words + ([f"{plural(late, 'disk')} without a LUN: {option['waits']}"] if late else [])
        )
    if late:
        return f"waits: {option['waits']}"
    (decision,) = decisions
    lun = f" on LUN {decision['lun']}" if decision["lun"] else ""
    return f"{backing_words(decision['target'])}{lun}. {decision['proof'] or decision['rule']}"


def _pick(place: SettingsEdits, disks: Disks, options: Sequence[Mapping[str, Any]]) -> None:
    sources = {disk["source"] for disk in disks}
    source = sources.pop() if len(sources) == 1 else ""
    choices = [
        Choice(option["to"] or _RULE, _title(option["to"], source),
               "" if option["why_not"] else _note(option, len(disks)), option["why_not"])
        for option in options
        if option["to"] != source  # which is what keeping it says
    ]  # fmt: skip
    by_key = {option["to"] or _RULE: option for option in options}

    def picked(key: str | None) -> None:
        if key is None:
            return
        if key == _RULE:
            take_back(place, disks)
        elif by_key[key]["luns"]:
            _pick_lun(place, disks, key, by_key[key]["luns"])
        else:
            _say(place, disks, key, "")

    place.app.push_screen(Pick(f"What becomes of {_called(disks)}", choices), picked)


def _pick_lun(place: SettingsEdits, disks: Disks, to: str, luns: Sequence[str]) -> None:
    choices = [Choice(_ANY, "the smallest that holds it", "wherry chooses among those that are free")]
    choices += [Choice(name, name, "holds it") for name in luns]

    def picked(lun: str | None) -> None:
        if lun is not None:
            _say(place, disks, to, lun)

    place.app.push_screen(Pick("On which LUN", choices), picked)


def _say(place: SettingsEdits, disks: Disks, to: str, lun: str) -> None:
    args = {"volumes": [disk["volume"] for disk in disks], "to": to, "lun": lun}
    place.store("remaps.set", args, f"{_called(disks)}: a person's word is {to}")


def take_back(place: SettingsEdits, disks: Disks) -> None:
    """Take the words on disks back."""
    args = {"volumes": [disk["volume"] for disk in disks], "to": None}
    place.store("remaps.set", args, f"{_called(disks)}: the rule decides")
