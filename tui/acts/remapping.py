"""What becomes of disks at the target: decisions with rule, proof, way back, and a person's word on one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.model import Inventory, Volume
    from planner.remap import RemapDecision
    from planner.settings import Remap, Settings
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Decisions:
    """The volumes of the VMs that move which are, or would be, an RDM, or have a person's word.

    ``decided`` is by volume, and empty while ``blocked`` says why there are none.
    """

    volumes: tuple[Volume, ...]
    spoken: dict[str, Remap]
    decided: dict[str, RemapDecision]
    blocked: str = ""
    hint: str = ""


def _moving(inventory: Inventory, settings: Settings) -> tuple[Volume, ...]:
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
    from planner.errors import Blocked
    from planner.remap import decide_all, words

    every = _moving(inventory, settings)
    spoken = words(every, settings.remaps)
    try:
        found = decide_all(every, settings, spoken)
    except Blocked as error:
        shown = tuple(one for one in every if one.backing.is_rdm or one.id in spoken)
        return Decisions(shown, spoken, {}, error.message, error.hint)
    shown = tuple(
        one for one in every if one.backing.is_rdm or found[one.id].target.is_rdm or one.id in spoken
    )
    return Decisions(shown, spoken, found)


@dataclass(frozen=True, slots=True)
class Option:
    """A word a person may say on a disk, with what would become of it; ``why_not`` says why it cannot be.

    ``to`` is None for the rule's own word. ``waits`` says that a LUN is still missing, which keeps nobody
    from saying it. ``luns`` are those that hold the disk and nothing else names.
    """

    to: str | None
    decision: RemapDecision | None
    why_not: str = ""
    waits: str = ""
    luns: tuple[str, ...] = ()


_WORDS = (None, "keep", "vmdk", "rdm-physical", "rdm-virtual")


def options(inventory: Inventory, settings: Settings, volume: str) -> tuple[Option, ...]:
    """Return what may be said of a volume by id: each word tried beside those said already.

    Raises NotFound for no such volume.
    """
    from planner.errors import Blocked, WherryError
    from planner.remap import decide_all, words
    from planner.remapping import sectors
    from planner.settings import Remap
    from planner.units import SECTOR

    every = _moving(inventory, settings)
    found = _named(every, volume)
    said = {key: word for key, word in words(every, settings.remaps).items() if key != volume}
    named = {word.lun for word in said.values()}
    holding = tuple(
        lun.name
        for lun in settings.luns
        if lun.name not in named and lun.size_bytes // SECTOR >= sectors(found)
    )
    made = []
    for to in _WORDS:
        spoken = dict(said)
        if to is not None:
            spoken[volume] = Remap.model_validate({"disk": volume, "to": to})
        try:
            decision = decide_all(every, settings, spoken)[volume]
        except Blocked as error:
            made.append(Option(to, None, waits=f"{error.message}: {error.hint}"))
        except WherryError as error:
            made.append(Option(to, None, f"{error.message}: {error.hint}"))
        else:
            made.append(Option(to, decision, luns=holding if decision.target.is_rdm else ()))
    return tuple(made)


def disks_called(inventory: Inventory, settings: Settings, text: str, most: int = 200) -> tuple[Volume, ...]:
    """Return volumes of VMs that move with ``text`` in the name of a VM or disk, at most so many."""
    wanted = text.casefold()
    found = (
        one
        for one in _moving(inventory, settings)
        if any(wanted in f"{item.vm.name}/{item.disk.label or item.disk.key}".casefold()
               for item in one.attachments)
    )  # fmt: skip
    return tuple(islice(found, most))


def _named(every: tuple[Volume, ...], volume: str) -> Volume:
    from planner.errors import NotFound
    from planner.names import visible

    found = next((one for one in every if one.id == volume), None)
    if found is None:
        raise NotFound(f"{visible(volume, 60)} is no disk of a VM that moves", "look at the list again")
    return found


def set_remap(
    project: Project, inventory: Inventory, settings: Settings, volume: str, to: str | None, lun: str = ""
) -> Settings:
    """Set a person's word on a volume by id, or take it back with None; return the settings then.

    Raises NotFound for no such volume, BadInput for a word that cannot be; nothing is stored then. That a LUN
    is still missing does not keep a word from being said.
    """
    from contextlib import suppress

    from planner.errors import Blocked
    from planner.remap import decide_all, words
    from planner.store import settings as settings_store
    from tui.acts.settling import set_values

    every = _moving(inventory, settings)
    found = _named(every, volume)
    said = words(every, settings.remaps)
    first = found.attachments[0]
    kept: list[dict[str, Any]] = [one.model_dump(mode="json") for key, one in said.items() if key != volume]
    if to is not None:
        kept.append({"disk": f"{first.vm.id}/{first.disk.key}", "to": to, "lun": lun})
    body = {**settings.model_dump(mode="json"), "remaps": kept}
    with suppress(Blocked):
        decide_all(every, settings_store.validate(body, "the remap"))
    return set_values(project, {"remaps": kept})
