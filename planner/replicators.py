"""Products that replicate VMs, and the keys under which they register with a vCenter.

A product may leave nothing on the VMs it replicates (arrays do not, Zerto need not): that its
extension is registered is then the only trace of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Replicator:
    """A product. ``extension`` is how its extension keys begin, in lower case; ``word`` is for fields."""

    extension: str
    word: str
    name: str


REPLICATORS = (
    Replicator("com.vmware.vcdr", "srm", "Site Recovery Manager"),
    Replicator("com.vmware.vchms", "vsphere-replication", "vSphere Replication"),
    Replicator("com.vmware.hcx", "hcx", "HCX"),
    Replicator("com.zerto", "zerto", "Zerto"),
    Replicator("com.emc.recoverpoint", "recoverpoint", "RecoverPoint"),
)


def replicators(extensions: Iterable[str]) -> tuple[Replicator, ...]:
    """Return the products that these extension keys belong to."""
    keys = [key.casefold() for key in extensions]
    return tuple(one for one in REPLICATORS if any(key.startswith(one.extension) for key in keys))
