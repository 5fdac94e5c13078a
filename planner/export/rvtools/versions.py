"""The versions that can be written: their sheets with columns, and what they spell in their own way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from planner.export.rvtools import devices, machines, platform
from planner.export.rvtools.facts import Cell, Fact, Owned, SheetFacts, Source, moment
from planner.export.rvtools.headers_3_10 import HEADERS as HEADERS_3_10
from planner.export.rvtools.headers_4_7 import HEADERS as HEADERS_4_7
from planner.model import BusSharing

_NOTHING = SheetFacts(lambda source: (), {})
_FACTS: dict[str, SheetFacts] = {
    "vInfo": machines.INFO,
    "vCPU": machines.CPU,
    "vMemory": machines.MEMORY,
    "vDisk": devices.DISK,
    "vPartition": devices.PARTITION,
    "vNetwork": devices.NETWORK,
    "vFloppy": devices.FLOPPY,
    "vCD": devices.CD,
    "vUSB": devices.USB,
    "vSnapshot": devices.SNAPSHOT,
    "vTools": machines.TOOLS,
    "vSource": platform.SOURCE,
    "vRP": platform.POOL,
    "vCluster": platform.CLUSTER,
    "vHost": platform.HOST,
    "vHBA": platform.HBA,
    "vSwitch": platform.SWITCH,
    "vPort": platform.PORT,
    "dvSwitch": platform.DV_SWITCH,
    "dvPort": platform.DV_PORT,
    "vSC_VMK": platform.VMKERNEL,
    "vDatastore": platform.DATASTORE,
    "vMultiPath": platform.MULTIPATH,
    "vLicense": platform.LICENCE,
}
_LATENCY = {"low": 0, "normal": 1, "medium": 2, "high": 3}
_BUS = {BusSharing.NONE: 0, BusSharing.VIRTUAL: 1, BusSharing.PHYSICAL: 2}
_DRS = {"manual": 0, "partiallyAutomated": 1, "fullyAutomated": 2}


@dataclass(frozen=True, slots=True)
class Version:
    """A version of RVTools. ``changed`` are facts that it says otherwise, by (sheet, column)."""

    name: str
    headers: Mapping[str, tuple[str, ...]]
    changed: Mapping[tuple[str, str], Fact] = field(default_factory=dict)
    text_times: bool = False  # times are text, not dates


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A sheet to write: its columns, and its rows as they come."""

    name: str
    headers: tuple[str, ...]
    rows: Iterator[list[Cell]]


def _bus(source: Source, row: Owned) -> Cell:
    return None if row.item.bus_sharing is None else _BUS[row.item.bus_sharing]


def _latency(source: Source, row: Owned) -> Cell:
    said = row.vm.compute.latency_sensitivity
    return _LATENCY.get(said, said or None)


def _all_addresses(source: Source, row: Owned) -> Cell:
    return ", ".join(row.item.addresses) or None


V4_7 = Version("4.7.1.4", HEADERS_4_7)
V3_10 = Version(
    "3.10.0",
    HEADERS_3_10,
    {
        # Numbers of enumerations, and the UUID of the BIOS: names and instance UUID came later.
        ("vDisk", "Shared Bus"): _bus,
        ("vInfo", "Latency Sensitivity"): _latency,
        ("vCluster", "DRS default VM behavior"): lambda source, row: _DRS.get(
            row.drs_mode, row.drs_mode or None
        ),
        ("vNetwork", "IP Address"): _all_addresses,
        **{
            (sheet, "VM UUID"): lambda source, row: row.vm.bios_uuid or None
            for sheet, headers in HEADERS_3_10.items()
            if "VM UUID" in headers
        },
    },
    text_times=True,
)


def _newest(header: str) -> str:
    return re.sub(r"\b([MK])B\b", r"\1iB", header)


def _attributes(source: Source) -> tuple[str, ...]:
    return tuple(sorted({name for vm in source.inventory.vms for name, _ in vm.attributes}))


def _attribute(name: str) -> Fact:
    return lambda source, row: next((value for key, value in row.vm.attributes if key == name), None)


def _metadata(version: Version, source: Source) -> SheetFacts:
    return SheetFacts(
        lambda _: [source.inventory],
        {
            "RVTools major version": lambda _, row: ".".join(version.name.split(".")[:2]),
            "RVTools version": lambda _, row: version.name,
            "xlsx creation datetime": lambda _, row: moment(row.taken_at),
            "Server": lambda _, row: source.server.name or None,
        },
    )


def _rows(source: Source, facts: SheetFacts, columns: list[Fact | None]) -> Iterator[list[Cell]]:
    for row in facts.rows(source):
        yield [None if fact is None else fact(source, row) for fact in columns]


def tables_of(source: Source, version: Version) -> Iterator[SheetTable]:
    """Yield the sheets of an export in a version's order; one about an unknown kind is left out."""
    for sheet, written in version.headers.items():
        facts = _metadata(version, source) if sheet == "vMetaData" else _FACTS.get(sheet, _NOTHING)
        if facts.kind and source.lacks(facts.kind):
            continue
        # vUSB spells the tools with a small letter.
        known = {header.casefold(): fact for header, fact in facts.facts.items()}
        columns: list[Fact | None] = [
            version.changed.get((sheet, header)) or known.get(_newest(header).casefold())
            for header in written
        ]
        headers = written
        if sheet == "vInfo":
            # Custom attributes stand behind the annotation, in the order of the alphabet.
            at = written.index("Annotation") + 1
            own = _attributes(source)
            headers = (*written[:at], *own, *written[at:])
            columns[at:at] = [_attribute(name) for name in own]
        yield SheetTable(sheet, headers, _rows(source, facts, columns))
