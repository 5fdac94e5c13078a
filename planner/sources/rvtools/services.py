"""The vCenters a workbook was exported from, and their licences with keys masked."""

from __future__ import annotations

from planner.model import Licence, VCenter
from planner.sources.naming import Naming
from planner.sources.rvtools.headers import Sheet
from planner.sources.rvtools.hosts import build_of, placed, version_of, without_keys
from planner.sources.rvtools.identity import Roster
from planner.sources.vcenter.services import masked


def source_ids(sheet: Sheet) -> list[str]:
    """Return the id of the vCenter of each row of vSource."""
    own = sheet.folded("instanceuuid")
    return [said or mine for said, mine in zip(sheet.vcenters(), own, strict=True)]


def read_vcenters(source: Sheet | None, roster: Roster) -> tuple[VCenter, ...]:
    """Return the vCenters of vSource, else those that vInfo names; one without an id is left out."""
    found: dict[str, VCenter] = {}
    if source is not None:
        names, versions = source.texts("visdkserver", "server", "name"), source.texts("version")
        builds, apis = source.texts("build"), source.texts("apiversion")
        for row, vcenter in enumerate(source_ids(source)):
            if vcenter:
                build = build_of(builds[row]) or builds[row]
                found.setdefault(vcenter, VCenter(vcenter, names[row], versions[row], build, apis[row]))
    info = roster.sheet
    servers, kinds = info.texts("visdkserver"), info.texts("visdkservertype")
    apis = info.texts("visdkapiversion")
    for at, row in enumerate(roster.rows):
        vcenter = roster.identities[at].vcenter
        if vcenter and vcenter not in found:
            found[vcenter] = VCenter(
                vcenter, servers[row], version_of(kinds[row]), build_of(kinds[row]), apis[row]
            )
    return tuple(found.values())


def read_licences(sheet: Sheet | None, naming: Naming) -> tuple[Licence, ...]:
    """Return the licences of vLicense; a date of "Never" is no date."""
    if sheet is None:
        return ()
    names, keys, expiry = sheet.texts("name"), sheet.texts("key"), sheet.moments("expirationdate")
    totals, used = sheet.wholes("total"), sheet.wholes("used")
    return tuple(
        Licence(
            without_keys(names[row]), masked(keys[row]), totals[row], used[row], expiry[row], vcenter=vcenter
        )
        for row, vcenter in enumerate(placed(sheet, naming))
        if names[row] or keys[row]
    )
