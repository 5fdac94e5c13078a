"""The ways to a wave's disks that a dry rehearsal tells, and what is in the way of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from migrate.rehearsals.finding import Finding
from migrate.rehearsals.ways import DiskWay, parted, ways_to_disks
from migrate.sites.ports import FullSite, NewDisk
from planner.errors import NotFound, SiteRefused
from planner.model import Backing, Sending
from tests.migrate.estate import disk, wave


@dataclass
class Way:
    way: str
    reason: str


@dataclass
class Several:
    refused: str = ""
    gone: str = ""
    asked: list[Any] = field(default_factory=list)

    def reads_by(self, volume: str) -> Way:
        self.asked.append(volume)
        if volume == self.refused:
            raise SiteRefused(f"disk {volume} cannot be read", "set up a way")
        if volume == self.gone:
            raise NotFound(f"volume {volume} does not exist")
        return Way("nbd", "nbd: VDDK")

    def writes_by(self, disk: NewDisk) -> Way:
        self.asked.append(disk)
        return Way("hot-add", "hot-add: the mover")


def told(source: object, target: object) -> tuple[tuple[DiskWay, ...], list[Finding]]:
    planned = wave(
        {"a": ["a"]},
        [disk("a"), disk("a", number=1, send=Sending.NEVER), disk("a", number=2, target=Backing.RDM_VIRTUAL,
                                                                    target_lun="naa.6")],
        [["a"]],
    )  # fmt: skip
    return parted(ways_to_disks(planned, cast("FullSite", source), cast("FullSite", target)))


def test_each_disk_that_is_copied_at_each_site() -> None:
    source, target = Several(), Several()
    ways, findings = told(source, target)
    assert findings == []
    assert [(one.volume, one.where, one.way) for one in ways] == [
        ("id-a/2000", "source", "nbd"),
        ("id-a/2000", "target", "hot-add"),
        ("id-a/2002", "source", "nbd"),
        ("id-a/2002", "target", "hot-add"),
    ]
    assert ways[0].disk == "a Hard disk 1"
    assert {one.lun for one in target.asked} == {"", "naa.6"}


def test_one_that_no_way_leads_to_is_a_finding_and_one_that_is_gone_is_told_elsewhere() -> None:
    ways, (finding,) = told(Several(refused="id-a/2000", gone="id-a/2002"), object())
    assert ways == ()
    assert (finding.what, finding.hint) == ("ways", "set up a way")
    assert "id-a/2000" in finding.message


def test_a_site_with_one_way_has_none_to_tell() -> None:
    assert told(object(), object()) == ((), [])
