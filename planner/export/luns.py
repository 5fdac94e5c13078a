"""The LUN request for the storage team: what the target needs, in sectors, and who is to see it.

It is made from inventory and settings alone, so that it is there before a plan is: a plan waits for
LUNs, not the other way round.
"""

from __future__ import annotations

from datetime import datetime

from planner.errors import BadInput
from planner.export.printout import Cell, Printout, Table, gib
from planner.export.runbook import day_of
from planner.export.xlsx import created, workbook_of
from planner.model import Inventory
from planner.names import visible
from planner.remap import LunRequest, called, lun_requests
from planner.remapping import remapping, reserved, sectors
from planner.settings import Settings
from planner.units import SECTOR
from planner.volumes import volumes

_COLUMNS = (
    "No", "State", "LUN", "Sectors at least", "Bytes at least", "GiB", "LUN has sectors", "Sectors more",
    "Mode", "Remap", "For disk", "Used by", "Zone to", "Wave", "Needed by", "Without it", "Why",
)  # fmt: skip


def _state(asked: LunRequest) -> str:
    if asked.lun:
        return "listed"
    return "to be made" if asked.must else "wanted"


def _rows(
    inventory: Inventory, settings: Settings, needed: dict[str, tuple[str, str]]
) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    staying = set(settings.exclude)
    movable = [
        volume
        for volume in volumes(inventory)
        if any(
            item.vm.movable and item.vm.name not in staying and item.vm.id not in staying
            for item in volume.attachments
        )
    ]
    for number, asked in enumerate(lun_requests(movable, settings), 1):
        volume = asked.volume
        has = asked.lun.size_bytes // SECTOR if asked.lun else ""
        users = dict.fromkeys(visible(item.vm.name) for item in volume.attachments)
        shared = len(users) > 1 or reserved(volume)
        wave, by = needed.get(volume.id, ("", ""))
        rows.append(
            (
                number,
                _state(asked),
                visible(asked.lun.name) if asked.lun else "",
                sectors(volume),
                sectors(volume) * SECTOR,
                gib(volume.size_bytes),
                has,
                has - sectors(volume) if isinstance(has, int) else "",
                "physical" if asked.target.value.endswith("physical") else "virtual",
                remapping(volume.backing, asked.target).value,
                called(volume),
                ", ".join(users),
                "all hosts that may run one of them" if shared else "all hosts of the target cluster",
                wave,
                by,
                "no plan" if asked.must else "the disk becomes a VMDK",
                visible(asked.rule),
            )
        )
    return rows


def _of_plan(printout: Printout) -> tuple[tuple[Cell, ...], ...]:
    needed = {
        disk.volume: (wave.name, day_of(wave, -21)) for wave in printout.plan.waves for disk in wave.disks
    }
    return tuple(_rows(printout.inventory, printout.settings or Settings(), needed))


def lun_table(printout: Printout) -> Table:
    """Return one row for each LUN that a disk wants at the target, the largest first."""
    try:
        rows = _of_plan(printout)
    except BadInput as error:
        # The settings changed after the plan was made: that must not keep its other sheets from people.
        rows = ((0, "not known", visible(error.message), *[""] * (len(_COLUMNS) - 3)),)
    return Table("LUN request", _COLUMNS, rows)


def notes() -> Table:
    """Return what the storage team has to know to make them."""
    rows = (
        "A sector is 512 bytes. A LUN of exactly the sectors asked for is best; a larger one works, and the "
        "guest then sees a larger disk.",
        "A smaller LUN is refused: not one sector may be missing. Round up, never down, to the array's unit.",
        "No LUN here may be one that the source uses: a copy would overwrite it.",
        "Give every host of the target cluster the same LUN number. LUNs that nodes of a cluster reserve are "
        "to be marked perennially reserved on each host, or its next start takes long.",
        "Tell us the canonical name (naa. or eui.) and the size in bytes of each: they are listed under luns "
        "in the settings.",
        "The source LUNs stay mapped and untouched until the wave is committed and its keeping time is over.",
    )
    return Table("Read this first", ("No", "Rule"), tuple(enumerate(rows, 1)))


def request_workbook(inventory: Inventory, settings: Settings) -> bytes:
    """Return the request of an inventory that has no plan yet; raises BadInput as ``lun_requests``."""
    table = Table("LUN request", _COLUMNS, tuple(_rows(inventory, settings, {})))
    return workbook_of("LUN request", datetime(2000, 1, 1), (table, notes()))  # noqa: DTZ001 - no zone in a workbook


def render(printout: Printout) -> bytes:
    """Return the request's workbook, with wave and day of need; raises BadInput as ``lun_requests``."""
    return workbook_of(
        "LUN request", created(printout), (Table("LUN request", _COLUMNS, _of_plan(printout)), notes())
    )
