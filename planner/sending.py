"""Sending: which disks travel once or never, by a person's decision; swap and temporary files do.

    name of file, label, datastore ──▶ a suggestion, and no more      a person's decision ──▶ Volume.left_out

A disk that is left out is made at the target in its full size, so that every VM finds its disks. What
cannot be left out is refused: what a VM may boot from, its only disk, what several VMs use, raw devices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.errors import BadInput
from planner.model import Attachment, LeftOut, Sending, Volume
from planner.names import visible
from planner.remap import RemapDecision, called, words, words_on
from planner.remapping import may_boot
from planner.volumes import base_path, datastore_of, folder_of

if TYPE_CHECKING:
    from planner.settings import Send, Settings

NOUN = "sending decision"
# Whole words, so that "template" is no "temp"; a number may follow: swap1, tempdb02.
_SPARE = re.compile(
    r"(?<![a-z])(linux-?swap|swap|page-?file|tempdb|scratch|temp|tmp|paging)(?=\d*(?![a-z0-9]))"
)
_GUEST: Mapping[str, str] = {
    "swap": "Linux: 'mkswap' with the UUID or label that /etc/fstab names, then 'swapon -a'; Windows: "
    "bring the disk online, make its volume anew with the same letter, set the page file again",
    "tempdb": "make the volume anew with its letter or mount point, and the folders that the database "
    "server is told to put tempdb in, with their owner, before the service starts",
    "": "make partition, file system and mount point anew, with the UUID, label or letter that the guest "
    "expects, and the folders that applications expect on it",
}


def decisions(volumes: Sequence[Volume], settings: Settings) -> dict[str, Send]:
    """Return volume id → the person's decision on sending it; raises BadInput as ``words`` does."""
    return words(volumes, settings.sends, NOUN)


def decided(
    volumes: Iterable[Volume], said: Mapping[str, Send], becomes: Mapping[str, RemapDecision]
) -> tuple[Volume, ...]:
    """Return the volumes with what people decided; raises BadInput for one that cannot be left out."""
    found = []
    for volume in volumes:
        if one := said.get(volume.id):
            if why_not := refusal(volume, becomes.get(volume.id)):
                raise BadInput(*why_not)
            volume = _marked(volume, one)
        found.append(volume)
    return tuple(found)


def as_decided(volumes: Iterable[Volume], settings: Settings) -> tuple[Volume, ...]:
    """Return some volumes of an estate with what people decided on them, for an estimate of their bytes.

    Whether it can be is for the plan to say; what cannot is counted as sent.
    """
    if not settings.sends:
        return tuple(volumes)
    found = []
    for volume in volumes:
        mine = words_on(volume, settings.sends)
        found.append(_marked(volume, mine[0]) if mine and not refusal(volume, None) else volume)
    return tuple(found)


def _marked(volume: Volume, said: Send) -> Volume:
    return replace(volume, left_out=LeftOut(Sending(said.send), said.why, said.who))


def refusal(volume: Volume, becomes: RemapDecision | None) -> tuple[str, str] | None:
    """Return why a volume cannot be left out, as a sentence and a hint; None when it can be.

    ``becomes`` is None while that is not decided.
    """
    name, remedy = called(volume), "let it be sent always, as any disk"
    if volume.backing.is_rdm or (becomes and becomes.target.is_rdm):
        return (
            f"{name} cannot be left out: it is a raw device, or becomes one, and nobody wipes a LUN",
            f"{remedy}, or put swap space on a VMDK of its own",
        )
    if volume.shared:
        return f"{name} cannot be left out: several VMs use it", remedy
    for item in volume.attachments:
        if len(item.vm.disks) == 1:
            return f"{name} cannot be left out: it is the only disk of its VM", remedy
        if item.disk.unit is None:
            return (
                f"{name} cannot be left out: its slot is unknown, so its VM may boot from it",
                "discover the VM from a source that tells the slots of disks",
            )
        if may_boot(item):
            return f"{name} cannot be left out: its VM boots from its first disk", remedy
    return None


def suggestion(volume: Volume) -> str:
    """Return why a disk looks like swap or temporary files, empty when it does not.

    A name proves nothing, so nothing is ever left out for it.
    """
    for item in volume.attachments:
        for where, text in _names(item):
            if match := _SPARE.search(text.casefold()):
                return f"its {where} says {match[1]}"
    return ""


def _names(item: Attachment) -> tuple[tuple[str, str], ...]:
    """Return where a disk's purpose may be told, without what only names the VM."""
    path = base_path(item.disk.path)
    stem = path.rpartition("]")[2].rpartition("/")[2].removesuffix(".vmdk")
    for name in sorted((item.vm.name, folder_of(path).rpartition("/")[2]), key=len, reverse=True):
        if name and stem.casefold().startswith(name.casefold()):
            stem = stem[len(name) :]
            break
    return (
        ("label", item.disk.label),
        ("file name", stem),
        ("datastore", datastore_of(path) or ""),
    )


def spoken(decision: LeftOut) -> str:
    """Return who decided to leave a disk out, and why, harmless to print."""
    by = f"by {visible(decision.who)}" if decision.who else "by a person whose name is not known"
    return f"left out by decision, {by}: {visible(decision.why)}"


def notes(volume: Volume) -> tuple[str, ...]:
    """Return what people have to know of a disk that is left out, one sentence each."""
    decision = volume.left_out
    if decision is None:
        return ()
    said = spoken(decision)
    if decision.send is Sending.ONCE:
        return (
            said,
            "it travels once, with the seed: what is written to it later stays behind, and its content at "
            "the target is as old as the seed",
        )
    looks = f"{decision.why} {suggestion(volume)}".casefold()
    kind = next((kind for kind, told in _KINDS.items() if told.search(looks)), "")
    return (
        said,
        "it arrives empty, in its full size, without partition, label and UUID",
        f"in the guest, after its first start there: {_GUEST[kind]}",
    )


_KINDS = {"swap": re.compile(r"swap|pag(e|ing)"), "tempdb": re.compile(r"tempdb")}
