"""A person's word on disks: what may be said of them with what would become of them, then which LUN.

What of them travels is asked in the same list: always, once or never, with the reason why not.
"""

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
Options = Sequence[Mapping[str, Any]]

_RULE, _ANY = "rule", ""
_SENDS = {
    "always": ("send it always", "what changes travels too, as of any disk"),
    "once": ("send it once, with the seed", "for temporary files: what is written later stays behind"),
    "never": ("never send it", "for swap: it arrives empty, in its full size"),
}


def ask_word(place: SettingsEdits, disks: Disks) -> None:
    """Ask the study what may be said of disks, then the person."""
    args = {"volumes": [disk["volume"] for disk in disks]}

    def tried(options: Options) -> None:
        place.wherry.ask(
            "remaps.sending", args, lambda sends: _pick(place, disks, options, sends), busy="trying"
        )

    place.wherry.ask("remaps.options", args, tried, busy="trying")


def find_disk(place: SettingsEdits) -> None:
    """Ask for a part of a name, then which of the disks that have it, then the word.

    Without a name it is a disk that looks like swap or temporary files.
    """
    ask = Ask("text", "A part of the name of a VM or disk · empty = what looks like swap", "", "crm-db")

    def found(disks: Sequence[Mapping[str, Any]]) -> None:
        by_key = {one["volume"]: one for one in disks}
        choices = [
            Choice(
                one["volume"],
                one["name"],
                f"{backing_words(one['source'])}, {show_bytes(one['size_bytes'])}"
                + (f"; {visible(one['looks'])}" if one["looks"] else ""),
            )
            for one in disks
        ]
        box = Pick("A word on which disk", choices, "no disk of a VM that moves is called like that")
        place.app.push_screen(box, lambda key: ask_word(place, [by_key[key]]) if key is not None else None)

    def written(said: Values | None) -> None:
        if said is None:
            return
        if said["text"].strip():
            place.wherry.ask("remaps.find", said, found, busy="looking")
        else:
            place.wherry.ask("remaps.suggested", None, found, busy="looking")

    place.app.push_screen(Form("A word on a disk", [ask], "Look"), written)


def _called(disks: Disks) -> str:
    return visible(disks[0]["name"], 50) if len(disks) == 1 else plural(len(disks), "disk")


def _title(to: str | None, source: str) -> str:
    """Return a word on disks that all are ``source``; empty = they differ."""
    if to is None:
        return "as the rule says"
    if to == "keep":
        if source.startswith("rdm"):
            return f"{backing_words(source)} on another LUN"
        return f"keep it {backing_words(source)}" if source else "keep each as it is"
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


def _pick(place: SettingsEdits, disks: Disks, options: Options, sends: Options) -> None:
    sources = {disk["source"] for disk in disks}
    source = sources.pop() if len(sources) == 1 else ""
    choices = [
        Choice(option["to"] or _RULE, _title(option["to"], source),
               "" if option["why_not"] else _note(option, len(disks)), option["why_not"])
        for option in options
        if option["to"] != source  # which is what keeping it says
    ]  # fmt: skip
    choices += [Choice(one["send"], *_SENDS[one["send"]], one["why_not"]) for one in sends]
    by_key = {option["to"] or _RULE: option for option in options}

    def picked(key: str | None) -> None:
        if key is None:
            return
        if key in _SENDS:
            _ask_why(place, disks, key)
        elif key == _RULE:
            args = {"volumes": [disk["volume"] for disk in disks], "to": None}
            place.store("remaps.set", args, f"{_called(disks)}: the rule decides")
        elif by_key[key]["luns"]:
            _pick_lun(place, disks, key, by_key[key]["luns"])
        else:
            _say(place, disks, key, "")

    place.app.push_screen(Pick(f"What becomes of {_called(disks)}", choices), picked)


def _ask_why(place: SettingsEdits, disks: Disks, send: str) -> None:
    """Ask why disks are sent once or never; sending them always again needs no reason."""
    args = {"volumes": [disk["volume"] for disk in disks], "how": send}
    said = f"{_called(disks)}: sent {send}"
    if send == "always":
        place.store("remaps.send", args, said)
        return
    ask = Ask("why", "What is on it that may stay behind", "", "page file only", needed=True)
    place.form(f"Why {_called(disks)} is sent {send}", [ask], "remaps.send", lambda v: {**args, **v}, said)


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
    """Take back all that was said on disks: what they become, and what of them travels."""
    args = {"volumes": [disk["volume"] for disk in disks]}
    place.store("remaps.take_back", args, f"{_called(disks)}: the rule decides")
