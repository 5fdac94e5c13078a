"""How a run uses the line at this moment: calendar, weights, patience, as the settings in force say.

Asked twice a second while disks travel; the settings are read anew only when there is another version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from migrate.replication.line import HOURS, Line, Policy, line_of
from migrate.run.beside import Known, Limits, Source
from migrate.run.patience import Patience
from planner.store import inventories
from planner.store import settings as settings_store
from planner.store.project import Project
from planner.volumes import datastore_of, volumes

if TYPE_CHECKING:
    from planner.plan import Plan, Wave
    from planner.settings import Link, Settings


class LinePolicy:
    """The policy for a wave's transfers, whenever it is called."""

    def __init__(self, project: Project, wave: Wave) -> None:
        self._project = project
        self._wave = wave
        self._version = -1
        self._policy = Policy()
        self._limits = Limits()
        self._patience = Patience()
        self._floor = 0.0

    def __call__(self) -> Policy:
        """Return the policy as of now."""
        self._look()
        return self._policy

    def limits(self) -> Limits:
        """Return how many disks may be copied at once, as of now."""
        self._look()
        return self._limits

    def patience(self) -> Patience:
        """Return how long what crosses the line is tried again, as of now."""
        self._look()
        return self._patience

    def floor(self) -> float:
        """Return which part of a datastore is to stay free of snapshots, as of now; 0 for none."""
        self._look()
        return self._floor

    def _look(self) -> None:
        version = settings_store.versions(self._project)[0].number
        if version != self._version:
            settings = settings_store.load(self._project)
            said = settings.transfers
            self._policy = policy_of(settings, self._wave)
            self._limits = Limits(said.disks, said.disks_per_host, said.disks_per_datastore)
            self._patience = Patience(transfers_s=said.patience_s)
            self._floor = said.snapshot_floor / 100
            self._version = version


def known_of(project: Project, plan: Plan, line: LinePolicy, site: str) -> Known:
    """Return where a wave's disks, which leave ``site``, are by the inventory of its plan."""
    weights = line().weights
    found = inventories.find_fingerprint(project, plan.inventory)
    inventory = inventories.get(project, found.id).inventory if found else None
    sources: dict[str, Source] = {}
    datastores: dict[str, frozenset[str]] = {}
    for volume in volumes(inventory) if inventory else ():
        if volume.id in weights:
            host = volume.attachments[0].vm.host
            datastore = datastore_of(volume.attachments[0].disk.path) or ""
            sources[volume.id] = Source(host, datastore, weights[volume.id])
            for one in volume.attachments:
                on = datastore_of(one.disk.path) or ""
                datastores[one.vm.id] = datastores.get(one.vm.id, frozenset()) | {on}
    return Known(site, sources, datastores)


def policy_of(settings: Settings, wave: Wave) -> Policy:
    """Return how settings share the line among the volumes of a wave."""
    return Policy(line_now(settings), _weights(settings, wave))


def line_now(settings: Settings) -> Line | None:
    """Return what all transfers together may take of the line, None when nothing holds them back."""
    line = line_of(settings.link) if is_held(settings) else None
    if (limit := settings.transfers.limit_mbit) is None:
        return line
    most = limit * 1e6 / 8
    every = line.bytes_s if line is not None else (most,) * HOURS
    return Line(tuple(min(rate, most) for rate in every), ZoneInfo(settings.link.zone))


def is_held(settings: Settings) -> bool:
    """Return whether transfers are held to their share of the line."""
    said = settings.transfers.throttle
    return _is_said(settings.link) if said is None else said


def _is_said(link: Link) -> bool:
    """Return whether somebody described the line: a default says nothing about it."""
    return link.model_copy(update={"zone": type(link)().zone}) != type(link)()


def _weights(settings: Settings, wave: Wave) -> Mapping[str, float]:
    """Return the weights by volume: its group's, else the wave's; of two groups the greater."""
    said = {one.what: one.weight for one in settings.transfers.priorities}
    of_wave = said.get(wave.name, 1.0)
    by_vm = {vm: said.get(group.name, of_wave) for group in wave.groups for vm in group.vms}
    return {disk.volume: max(by_vm.get(held.vm, of_wave) for held in disk.attachments) for disk in wave.disks}
