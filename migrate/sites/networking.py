"""What an adapter of a guest is set to: its addresses with prefix, gateways, DNS servers, search domains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_interface
from typing import Any


@dataclass(frozen=True, slots=True)
class GuestNic:
    """One adapter, by its label, as the guest is set or shall be set."""

    label: str
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    search: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @property
    def plain_addresses(self) -> tuple[str, ...]:
        """Its addresses without their prefixes."""
        return tuple(address.partition("/")[0] for address in self.addresses)


def load_nic(body: Mapping[str, Any]) -> GuestNic:
    """Return the adapter that ``as_json`` wrote; raises KeyError, TypeError, ValueError."""
    lists = {name: tuple(map(str, body[name])) for name in ("addresses", "gateways", "dns", "search")}
    for address in lists["addresses"]:
        ip_interface(address)
    return GuestNic(str(body["label"]), **lists)


def merged(before: Iterable[GuestNic], said: Iterable[GuestNic]) -> tuple[GuestNic, ...]:
    """Return the adapters with those of ``said`` as they are there; all others stay."""
    new = {nic.label: nic for nic in said}
    kept = [new.pop(nic.label, nic) for nic in before]
    return (*kept, *new.values())
