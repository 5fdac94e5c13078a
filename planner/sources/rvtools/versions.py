"""Which RVTools wrote a workbook, and what follows from that.

The version stands in vMetaData since 3.10; before that, and where the sheet was taken out, columns
tell it roughly. Where nothing tells it, what depends on it stays unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from planner.sources.rvtools.headers import Sheet

# The first version that wrote a column of vInfo (RVTools manual, version information).
_SINCE = (
    (("smbiosuuid", "ftrole", "totaldiskcapacitymb", "folderid", "efisecureboot"), (4, 4, 1)),
    (("network5",), (4, 1, 2)),
    (("minrequiredevcmodekey",), (4, 0, 4)),
    (("creationdate", "primaryipaddress"), (3, 11, 6)),
    (("cbt", "enableuuid", "latencysensitivity"), (3, 10)),
    (("visdkuuid", "osaccordingtothevmwaretools"), (3, 9)),
    (("vmid", "vcenteruuid"), (3, 8)),
)
_COMPLETE = (4, 1, 2)  # from here on RVTools warns of what it could not read
_SILENT = (
    "RVTools before 4.1.2 wrote this export: it left out without a word what it could not read, "
    "so compare the number of VMs with the vCenter's"
)
_INSTANCE = (4, 3, 1)  # VM UUID is the vCenter's instance UUID from here on, before the SMBIOS UUID


@dataclass(frozen=True, slots=True)
class Release:
    """The version that wrote a workbook. ``said`` is empty when it had to be told by its columns.

    ``uuid_of_instance`` says what VM UUID means: True the instance's, False the BIOS's, None unknown.
    """

    said: str
    at_least: tuple[int, ...]
    uuid_of_instance: bool | None
    notes: tuple[str, ...] = ()


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,6}", version)[:4])


def release(metadata: Sheet | None, info: Sheet, with_source: bool) -> Release:
    """Return the release of a workbook; ``with_source`` is whether it has the sheet vSource."""
    stated = [word for word in metadata.texts("rvtoolsversion", "version") if word] if metadata else []
    versions = {word: _parts(word) for word in stated if _parts(word)}
    if versions:
        meanings = {parts >= _INSTANCE for parts in versions.values()}
        lowest = min(versions.values())
        notes = [_SILENT] if lowest < _COMPLETE else []
        if len(metadata or ()) > 1:
            notes.append(
                f"the workbook was merged from {len(metadata or ())} exports: "
                "columns that the first of them did not have were lost then, and are unknown"
            )
        return Release(
            ", ".join(versions), lowest, meanings.pop() if len(meanings) == 1 else None, tuple(notes)
        )
    at_least = next((since for keys, since in _SINCE if info.has(*keys)), ())
    if with_source:
        at_least = max(at_least, _INSTANCE)
    # MB for MiB was written up to 4.1.1; with what came later it is the work of another program.
    old = any(header.rstrip().endswith(" MB") for header in info.headers)
    if at_least >= _INSTANCE:
        return Release("", at_least, None if old else True)
    return Release("", at_least, False, (_SILENT,)) if old else Release("", at_least, None)
