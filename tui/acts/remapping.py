"""What becomes of disks at the target: decisions with rule, proof, way back, and a person's word on one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.model import Inventory, Volume
    from planner.remap import RemapDecision
    from planner.settings import Remap, Send, Settings
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Decisions:
    """The volumes of the VMs that move which are, or would be, an RDM, or have a person's word.

    ``decided`` is by volume id; ``waiting`` says of those that need a LUN why they have none, with a hint.
    ``sends`` are decisions that a disk travels once or never; ``refused`` says why one cannot be.
    """

    volumes: tuple[Volume, ...]
    spoken: dict[str, Remap]
    decided: dict[str, RemapDecision]
    waiting: dict[str, tuple[str, str]]
    sends: dict[str, Send]
    refused: dict[str, tuple[str, str]]

    def on(self, volume: str) -> tuple[RemapDecision | None, Remap | None, Send | None]:
        """Return what a volume becomes, and what people said of that and of sending it."""
        return self.decided.get(volume), self.spoken.get(volume), self.sends.get(volume)


def moving(inventory: Inventory, settings: Settings) -> tuple[Volume, ...]:
    """Return the volumes of the VMs that move."""
    from planner.groups import left_out
    from planner.volumes import volumes

    stays = left_out(inventory, settings)
    return tuple(
        one
        for one in volumes(inventory)
        if any(item.vm.movable and item.vm.id not in stays for item in one.attachments)
    )


def decisions(inventory: Inventory, settings: Settings) -> Decisions:
    """Return what becomes of disks; raises BadInput for a word in the settings that cannot be."""
    from planner.remap import decide_each, words
    from planner.sending import as_decided, refusal
    from planner.sending import decisions as sendings

    every = moving(inventory, settings)
    spoken = words(every, settings.remaps)
    found, waiting = decide_each(every, settings, spoken)
    sends = sendings(every, settings)
    refused = {
        one.id: wrong for one in every if one.id in sends and (wrong := refusal(one, found.get(one.id)))
    }
    shown = tuple(
        one
        for one in every
        if one.backing.is_rdm
        or one.id in spoken
        or one.id in sends
        or one.id in waiting
        or found[one.id].target.is_rdm
    )
    why = {volume: (error.message, error.hint) for volume, error in waiting.items()}
    return Decisions(as_decided(shown, settings), spoken, found, why, sends, refused)


@dataclass(frozen=True, slots=True)
class Option:
    """A word a person may say on disks, with what would become of them; ``why_not`` says why it cannot be.

    ``to`` is None for the rule's own word, ``decisions`` are those that have one. ``waits`` says that a LUN
    is still missing, which keeps nobody from saying it. ``luns`` are those that hold a disk which is asked
    about alone, and nothing else names.
    """

    to: str | None
    decisions: tuple[RemapDecision, ...]
    why_not: str = ""
    waits: str = ""
    luns: tuple[str, ...] = ()


_WORDS = (None, "keep", "vmdk", "rdm-physical", "rdm-virtual")


def options(inventory: Inventory, settings: Settings, volumes: Sequence[str]) -> tuple[Option, ...]:
    """Return what may be said of volumes by id: each word, on all of them, tried beside those said already.

    Raises NotFound for no such volume.
    """
    from planner.errors import WherryError
    from planner.remap import decide_each, words
    from planner.sending import decided as may_be_left_out
    from planner.sending import decisions as sendings
    from planner.settings import Remap

    every = moving(inventory, settings)
    sends = sendings(every, settings)
    found = [named(every, volume) for volume in volumes]
    said = {key: word for key, word in words(every, settings.remaps).items() if key not in set(volumes)}
    holding = _holding(found[0], settings, said.values()) if len(found) == 1 else ()
    made = []
    for to in _WORDS:
        spoken = dict(said)
        if to is not None:
            spoken.update({volume: Remap.model_validate({"disk": volume, "to": to}) for volume in volumes})
        try:
            decided, waiting = decide_each(every, settings, spoken)
            may_be_left_out(found, sends, decided)
        except WherryError as error:
            made.append(Option(to, (), f"{error.message}: {error.hint}"))
            continue
        mine = tuple(decided[volume] for volume in volumes if volume in decided)
        late = [
            f"{waiting[volume].message}: {waiting[volume].hint}" for volume in volumes if volume in waiting
        ]
        luns = holding if any(one.target.is_rdm for one in mine) else ()
        made.append(Option(to, mine, waits=late[0] if late else "", luns=luns))
    return tuple(made)


def _holding(volume: Volume, settings: Settings, said: Iterable[Remap]) -> tuple[str, ...]:
    """Return the LUNs that hold a volume and no word names."""
    from planner.remapping import sectors
    from planner.units import SECTOR

    named = {word.lun for word in said}
    return tuple(
        lun.name
        for lun in settings.luns
        if lun.name not in named and lun.size_bytes // SECTOR >= sectors(volume)
    )


def disks_called(inventory: Inventory, settings: Settings, text: str, most: int = 200) -> tuple[Volume, ...]:
    """Return volumes of VMs that move with ``text`` in the name of a VM or disk, at most so many."""
    wanted = text.casefold()
    found = (
        one
        for one in moving(inventory, settings)
        if any(wanted in f"{item.vm.name}/{item.disk.label or item.disk.key}".casefold()
               for item in one.attachments)
    )  # fmt: skip
    return tuple(islice(found, most))


def named(every: tuple[Volume, ...], volume: str) -> Volume:
    """Return the volume of that id; raises NotFound."""
    from planner.errors import NotFound
    from planner.names import visible

    found = next((one for one in every if one.id == volume), None)
    if found is None:
        raise NotFound(f"{visible(volume, 60)} is no disk of a VM that moves", "look at the list again")
    return found


def set_remap(
    project: Project,
    inventory: Inventory,
    settings: Settings,
    volumes: Sequence[str],
    to: str | None,
    lun: str = "",
) -> Settings:
    """Set a person's word on volumes by id, or take it back with None; return the settings then.

    Raises NotFound for no such volume, BadInput for a word that cannot be; nothing is stored then. That a LUN
    is still missing does not keep a word from being said.
    """
    from contextlib import suppress

    from planner.errors import Blocked
    from planner.remap import decide_all, words
    from planner.sending import decided
    from planner.sending import decisions as sendings
    from planner.store import settings as settings_store
    from tui.acts.settling import set_values

    every = moving(inventory, settings)
    firsts = [named(every, volume).attachments[0] for volume in volumes]
    said = words(every, settings.remaps)
    kept: list[dict[str, Any]] = [
        one.model_dump(mode="json") for key, one in said.items() if key not in set(volumes)
    ]
    if to is not None:
        kept += [{"disk": f"{first.vm.id}/{first.disk.key}", "to": to, "lun": lun} for first in firsts]
    body = {**settings.model_dump(mode="json"), "remaps": kept}
    with suppress(Blocked):
        becomes = decide_all(every, settings_store.validate(body, "the remap"))
        decided((one for one in every if one.id in set(volumes)), sendings(every, settings), becomes)
    return set_values(project, {"remaps": kept})


def take_back(project: Project, inventory: Inventory, settings: Settings, volumes: Sequence[str]) -> Settings:
    """Take back all that people said on volumes by id; return the settings then."""
    from planner.remap import words
    from tui.acts.sending import without
    from tui.acts.settling import set_values

    every = moving(inventory, settings)
    said = words(every, settings.remaps)
    remaps = [one.model_dump(mode="json") for key, one in said.items() if key not in set(volumes)]
    return set_values(project, {"remaps": remaps, "sends": without(every, settings, volumes)})


def volumes_called(inventory: Inventory, settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of volumes by what people write: VM/disk; raises BadInput for none or several."""
    from planner.remap import words
    from planner.settings import Remap

    every = moving(inventory, settings)
    asked = [Remap(disk=name, to="keep") for name in dict.fromkeys(names)]
    return tuple(words(every, asked, "word"))
