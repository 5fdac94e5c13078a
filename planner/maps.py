"""Where all of a VM lands, by the maps of the settings: networks, datastores, folders, pools, policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.destinations import FolderMaps, folder_maps
from planner.pools import PoolMaps, pool_maps

if TYPE_CHECKING:
    from planner.settings import Settings


@dataclass(frozen=True, slots=True)
class Maps:
    """The maps, ready to be asked; of networks, datastores and policies by name."""

    networks: Mapping[str, str]
    datastores: Mapping[str, str]
    folders: FolderMaps
    pools: PoolMaps
    policies: Mapping[str, str]

    @classmethod
    def of(cls, settings: Settings) -> Maps:
        """Return the maps of some settings."""
        return cls(
            networks=settings.networks,
            datastores=settings.datastores,
            folders=folder_maps(settings.folders),
            pools=pool_maps(settings.pools),
            policies=settings.storage_policies,
        )
