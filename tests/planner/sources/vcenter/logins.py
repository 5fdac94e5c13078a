"""Logins of test vCenters, and inventories without what differs between two readings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.model import Inventory
from planner.sources.vcenter.address import Address, Login
from tests.vcenter.peer import VCenterPeer

NO_WAIT = {"sleep": lambda seconds: None}


def login_of(peer: VCenterPeer, **other: Any) -> Login:
    """Return the login of a test vCenter whose authority is trusted."""
    address = Address(other.pop("user", peer.user), peer.host, peer.port)
    said = {"password": peer.password, "ca_file": peer.certificate, "timeout_s": 20.0, **other}
    return Login(address, **said)


def timeless(inventory: Inventory) -> Inventory:
    """Return an inventory without its time and without rates, which a single reading has none of."""
    vms = tuple(replace(vm, churn_bytes_day=None) for vm in inventory.vms)
    return replace(inventory, taken_at="", vms=vms)
