"""Remaps for the screens: what becomes of each disk that is or would be an RDM, and a person's word on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.study.room import Room


def listed(room: Room) -> dict[str, Any]:
    """Return the decisions with rule, proof in sectors and way back.

    ``decision`` is None of a disk that waits for a LUN; ``waits`` says so, with a hint. ``send`` is a
    decision that it travels once or never; ``refused`` says why that cannot be.
    """
    from planner.remap import called
    from planner.remapping import sectors
    from planner.sending import notes
    from tui.acts.remapping import decisions

    found = decisions(room.inventory, room.settings)
    return {
        "luns": room.settings.model_dump(mode="json").get("luns", []),
        "disks": [
            {
                "volume": one.id,
                "name": called(one),
                "vms": [{"id": item.vm.id, "name": item.vm.name} for item in one.attachments],
                "size_bytes": one.size_bytes,
                "sectors": sectors(one),
                "source": one.backing,
                "word": found.spoken.get(one.id),
                "decision": found.decided.get(one.id),
                "waits": found.waiting.get(one.id),
                "send": found.sends.get(one.id),
                "refused": found.refused.get(one.id),
                "notes": notes(one),
            }
            for one in found.volumes
        ],
    }


def words(room: Room, volumes: list[str]) -> Any:
    """Return what may be said of disks, with what would become of them, or why it cannot be."""
    from tui.acts.remapping import options

    return options(room.inventory, room.settings, volumes)


def find(room: Room, text: str) -> list[dict[str, Any]]:
    """Return disks whose VM or disk has a text in its name, with why one looks like swap."""
    from planner.remap import called
    from planner.sending import suggestion
    from tui.acts.remapping import disks_called

    return [
        {
            "volume": one.id,
            "name": called(one),
            "source": one.backing,
            "size_bytes": one.size_bytes,
            "looks": suggestion(one),
        }
        for one in disks_called(room.inventory, room.settings, text)
    ]


def put(room: Room, volumes: list[str], to: str | None, lun: str = "") -> dict[str, Any]:
    """Set a word on disks (keep, vmdk, rdm-physical, rdm-virtual), or take it back; return the list then."""
    from tui.acts.remapping import set_remap

    set_remap(room.project, room.inventory, room.settings, volumes, to, lun)
    return listed(room)


def sending(room: Room, volumes: list[str]) -> Any:
    """Return how often disks may travel: always, once, never, or why it cannot be."""
    from tui.acts.sending import sending_options

    return sending_options(room.inventory, room.settings, volumes)


def suggested(room: Room) -> list[dict[str, Any]]:
    """Return disks that look like swap or temporary files and nobody decided on, with why they do."""
    from planner.remap import called
    from tui.acts.sending import suggestions

    return [
        {"volume": one.volume.id, "name": called(one.volume), "source": one.volume.backing,
         "size_bytes": one.volume.size_bytes, "looks": one.why}
        for one in suggestions(room.inventory, room.settings)
    ]  # fmt: skip


def send(room: Room, volumes: list[str], how: str, why: str = "") -> dict[str, Any]:
    """Decide that disks travel once or never, for a reason, or always again; return the list then."""
    from planner.model import Sending
    from tui.acts.sending import set_sending

    set_sending(room.project, room.inventory, room.settings, volumes, Sending(how), why)
    return listed(room)


def back(room: Room, volumes: list[str]) -> dict[str, Any]:
    """Take back all that people said on disks; return the list then."""
    from tui.acts.remapping import take_back

    take_back(room.project, room.inventory, room.settings, volumes)
    return listed(room)


WRITES = frozenset({"remaps.set", "remaps.send", "remaps.take_back"})
OPS = {
    "remaps": listed,
    "remaps.options": words,
    "remaps.find": find,
    "remaps.set": put,
    "remaps.sending": sending,
    "remaps.suggested": suggested,
    "remaps.send": send,
    "remaps.take_back": back,
}
