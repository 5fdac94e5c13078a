"""Remapping: what each disk becomes at the target, and the sentence that says why.

    a person's word  ──▶  the rule  ──▶  a LUN that exists, is large enough and is used once

A physical RDM becomes a VMDK unless the policy keeps it, no VMDK is large enough, or nodes of a
cluster reserve it and a LUN is free; a virtual RDM stays one while a LUN is free for it; a VMDK stays
a VMDK. LUNs are given out over the whole plan at once: named ones first, then smallest fitting, so
that the same input gives the same map. No LUN that the source uses is ever written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from planner.errors import BadInput, Blocked
from planner.model import Backing, Volume
from planner.names import visible
from planner.remapping import mind, proof, reserved, sectors, way_back
from planner.units import SECTOR, TIB, show_bytes

if TYPE_CHECKING:
    from planner.settings import Lun, Remap, Send, Settings

Word = TypeVar("Word", "Remap", "Send")
VMDK_LIMIT = 62 * TIB  # the largest VMDK that vSphere makes


@dataclass(frozen=True, slots=True)
class RemapDecision:
    """What a volume becomes. ``lun`` is empty for a VMDK; ``rule`` is the sentence that explains.

    ``proof``, ``mind`` and ``way_back`` are those of ``PlannedDisk``.
    """

    target: Backing
    lun: str
    rule: str
    proof: str = ""
    mind: tuple[str, ...] = ()
    way_back: str = ""


@dataclass(frozen=True, slots=True)
class LunRequest:
    """A volume that is, or would be, an RDM at the target. ``lun`` is None while none is free.

    ``must`` says that without a LUN there is no plan; otherwise the disk becomes a VMDK.
    """

    volume: Volume
    target: Backing
    lun: Lun | None
    must: bool
    rule: str


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a volume shall become before a LUN is found.

    ``otherwise`` is the rule by which it becomes a VMDK without one; empty = it must have one.
    """

    target: Backing
    rule: str
    lun: str = ""
    otherwise: str = ""


def called(volume: Volume) -> str:
    """Return ``VM/disk`` of the volume's first user, made visible."""
    first = volume.attachments[0]
    return f"{visible(first.vm.name)}/{visible(first.disk.label or first.disk.key)}"


def _fits(volume: Volume, lun: Lun) -> bool:
    return lun.size_bytes // SECTOR >= sectors(volume)


def _words_for(volume: Volume) -> set[str]:
    return {
        f"{vm}/{disk}"
        for item in volume.attachments
        for vm in (item.vm.name, item.vm.id)
        for disk in (item.disk.label, item.disk.key)
    }


def words(volumes: Iterable[Volume], said: Sequence[Word], noun: str = "remap") -> dict[str, Word]:
    """Return volume id → the person's word on it, each of which is called a ``noun``.

    Raises BadInput when a word matches no disk, several disks, or a disk that has a word already.
    """
    wanted = {one.disk for one in said}
    by_word: dict[str, dict[str, Volume]] = {}
    for volume in volumes if said else ():  # most estates have none, and many disks
        for word in _words_for(volume) & wanted:
            by_word.setdefault(word, {})[volume.id] = volume
    found: dict[str, Word] = {}
    for one in said:
        shown = visible(one.disk)
        matches = by_word.get(one.disk, {})
        if not matches:
            raise BadInput(
                f"the {noun} of {shown} matches no disk of the inventory",
                "write it as VM name or id, a slash, then the disk's label or key",
            )
        if len(matches) > 1:
            raise BadInput(
                f"the {noun} of {shown} matches {len(matches)} disks",
                "name the VM by its id and the disk by its key",
            )
        (volume_id,) = matches
        if volume_id in found:
            raise BadInput(
                f"the disk {shown} has two {noun}s, the other one as {visible(found[volume_id].disk)}",
                "keep one of them; a shared disk needs one word for all its VMs",
            )
        found[volume_id] = one
    return found


def words_on(volume: Volume, said: Iterable[Word]) -> list[Word]:
    """Return the words that name a volume; what other disks are told is left aside."""
    names = _words_for(volume)
    return [one for one in said if one.disk in names]


def _spoken(volume: Volume, remap: Remap) -> _Wish:
    target = volume.backing if remap.to == "keep" else Backing(remap.to)
    if target is Backing.VMDK:
        if remap.lun:
            raise BadInput(
                f"the remap of {called(volume)} names LUN {visible(remap.lun)} for a VMDK",
                "leave the LUN out, or remap to rdm-physical or rdm-virtual",
            )
        if volume.backing.is_rdm and volume.size_bytes > VMDK_LIMIT:
            raise BadInput(
                f"{called(volume)} has {show_bytes(volume.size_bytes)}, a VMDK ends at 62 TiB",
                "keep it as an RDM",
            )
    if target is Backing.RDM_VIRTUAL:
        if volume.size_bytes > VMDK_LIMIT:
            raise BadInput(
                f"{called(volume)} has {show_bytes(volume.size_bytes)}, a virtual RDM ends at 62 TiB",
                "keep it as a physical RDM",
            )
        if reserved(volume):
            raise BadInput(
                f"{called(volume)} is reserved by nodes on several hosts, a virtual RDM cannot be",
                "remap it to rdm-physical or vmdk",
            )
    return _Wish(target, f"a person's word in the settings: {remap.to}", remap.lun)


def _ruled(volume: Volume, settings: Settings) -> _Wish:
    if volume.backing is Backing.VMDK:
        return _Wish(Backing.VMDK, "a VMDK stays a VMDK")
    if volume.size_bytes > VMDK_LIMIT:
        return _Wish(volume.backing, "larger than 62 TiB, the most a VMDK holds: stays an RDM")
    if volume.backing is Backing.RDM_VIRTUAL:
        return _Wish(
            Backing.RDM_VIRTUAL,
            "a virtual RDM stays one: a LUN of its size is free",
            otherwise="a virtual RDM becomes a VMDK: no LUN of its size is free",
        )
    if settings.policies.physical_rdm == "keep":
        return _Wish(Backing.RDM_PHYSICAL, "policy physical_rdm = keep")
    rule = "policy physical_rdm = vmdk: a VMDK has snapshots and change tracking, a physical RDM has none"
    if not reserved(volume):
        return _Wish(Backing.VMDK, rule)
    return _Wish(
        Backing.RDM_PHYSICAL,
        "nodes of a cluster reserve it with SCSI commands: stays a physical RDM, a LUN of its size is free",
        otherwise=f"{rule}; its bus is shared across hosts, the target datastore must support "
        "clustered VMDKs",
    )


def _wish(volume: Volume, settings: Settings, remap: Remap | None) -> _Wish:
    return _spoken(volume, remap) if remap else _ruled(volume, settings)


def _luns(settings: Settings, volumes: Iterable[Volume]) -> dict[str, Lun]:
    twice = [name for name, count in Counter(lun.name for lun in settings.luns).items() if count > 1]
    if twice:
        raise BadInput(f"LUN {visible(twice[0])} stands twice in the settings", "keep one entry for each LUN")
    known = {lun.name: lun for lun in settings.luns}
    listed = {name.strip().casefold(): name for name in known}
    for volume in volumes:
        for item in volume.attachments:
            if item.disk.backing.is_rdm and item.disk.lun.strip().casefold() in listed:
                raise BadInput(
                    f"LUN {visible(item.disk.lun)} is listed as free, {called(volume)} is on it",
                    "take it off the list of luns, or a copy would overwrite the source",
                )
    return known


def _take_named(volume: Volume, name: str, free: dict[str, Lun], known: Mapping[str, Lun]) -> Lun:
    if name not in known:
        raise BadInput(
            f"LUN {visible(name)}, wanted for {called(volume)}, is not in the settings",
            "add it under luns with its size, or leave the LUN of the remap out",
        )
    if name not in free:
        raise BadInput(
            f"LUN {visible(name)}, wanted for {called(volume)}, is used by another disk already",
            "give each disk a LUN of its own",
        )
    if not _fits(volume, known[name]):
        raise BadInput(
            f"LUN {visible(name)} has {known[name].size_bytes // SECTOR} sectors, "
            f"{called(volume)} needs {sectors(volume)}",
            "name a LUN at least as large as the disk",
        )
    return free.pop(name)


def _take_fitting(volume: Volume, free: dict[str, Lun]) -> Lun | None:
    fitting = [lun for lun in free.values() if _fits(volume, lun)]
    if not fitting:
        return None
    return free.pop(min(fitting, key=lambda lun: (lun.size_bytes, lun.name)).name)


def _settled(volume: Volume, wish: _Wish, lun: Lun | None) -> RemapDecision:
    if wish.target.is_rdm and lun is None and not wish.otherwise:
        raise Blocked(
            f"{called(volume)} needs a LUN of {sectors(volume)} sectors and none is free ({wish.rule})",
            "add a LUN to the settings, or remap the disk to vmdk",
        )
    if wish.target.is_rdm and lun:
        held = f"{lun.size_bytes // SECTOR} sectors hold {sectors(volume)}"
        target, name, rule = wish.target, lun.name, f"{wish.rule} (LUN {visible(lun.name)}: {held})"
    else:
        target, name, rule = Backing.VMDK, "", wish.otherwise or wish.rule
    lun_bytes = lun.size_bytes if lun else 0
    return RemapDecision(
        target,
        name,
        rule,
        proof(volume, target, name, lun_bytes),
        mind(volume, target, lun_bytes),
        way_back(volume, target, name),
    )


def _given_out(
    volumes: Sequence[Volume], settings: Settings, spoken: Mapping[str, Remap]
) -> tuple[dict[str, _Wish], dict[str, Lun | None]]:
    """Return volume id → wish and → LUN, None where none is free."""
    wishes = {volume.id: _wish(volume, settings, spoken.get(volume.id)) for volume in volumes}
    known = _luns(settings, volumes)
    free = dict(known)
    found: dict[str, Lun | None] = {}
    for volume in volumes:
        if name := wishes[volume.id].lun:
            found[volume.id] = _take_named(volume, name, free, known)
    waiting = [volume for volume in volumes if wishes[volume.id].target.is_rdm and volume.id not in found]
    # Who cannot do without comes first, then clusters; small disks first leave the fewest without.
    for volume in sorted(waiting, key=lambda item: (bool(wishes[item.id].otherwise), not reserved(item))):
        found[volume.id] = _take_fitting(volume, free)
    return wishes, found


def decide_all(
    volumes: Iterable[Volume], settings: Settings, spoken: Mapping[str, Remap] | None = None
) -> dict[str, RemapDecision]:
    """Return volume id → decision for all volumes of a plan, each LUN used at most once.

    ``spoken`` is what ``words`` found; without it, it is looked up among ``volumes``. Raises
    BadInput for a word or LUN that cannot be, Blocked when a disk that must be an RDM gets no LUN.
    """
    decided, waiting = decide_each(volumes, settings, spoken)
    for error in waiting.values():
        raise error
    return decided


def decide_each(
    volumes: Iterable[Volume], settings: Settings, spoken: Mapping[str, Remap] | None = None
) -> tuple[dict[str, RemapDecision], dict[str, Blocked]]:
    """Return what ``decide_all`` does as far as it goes, and why not of each disk that waits for a LUN.

    Both are by volume id, in its order. Raises BadInput like it.
    """
    ordered = sorted(volumes, key=lambda volume: (volume.size_bytes, volume.id))
    if spoken is None:
        spoken = words(ordered, settings.remaps)
    wishes, found = _given_out(ordered, settings, spoken)
    decided: dict[str, RemapDecision] = {}
    waiting: dict[str, Blocked] = {}
    for volume in sorted(ordered, key=lambda volume: volume.id):
        try:
            decided[volume.id] = _settled(volume, wishes[volume.id], found.get(volume.id))
        except Blocked as error:
            waiting[volume.id] = error
    return decided, waiting


def lun_requests(volumes: Iterable[Volume], settings: Settings) -> tuple[LunRequest, ...]:
    """Return what the storage team is asked for: every volume that wants a LUN, largest first.

    Works where ``decide_all`` is blocked for want of LUNs; raises BadInput like it.
    """
    ordered = sorted(volumes, key=lambda volume: (volume.size_bytes, volume.id))
    wishes, found = _given_out(ordered, settings, words(ordered, settings.remaps))
    return tuple(
        LunRequest(volume, wish.target, found[volume.id], not wish.otherwise, wish.rule)
        for volume in reversed(ordered)
        if (wish := wishes[volume.id]).target.is_rdm
    )


def decide(volume: Volume, settings: Settings) -> RemapDecision:
    """Return the decision for one volume as if it were alone in the plan; raises as ``decide_all``.

    Words of a person on other disks are left aside.
    """
    mine = words_on(volume, settings.remaps)
    return decide_all((volume,), settings, words((volume,), mine))[volume.id]
