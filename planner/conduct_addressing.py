"""Addresses that guests get, as the settings say them: for one adapter, or for a whole subnet by rule.

    live   at the target, from the cutover on
    test   of copies that are booted in isolation
    home   at the source, when a wave comes back; where nobody said so, what the guest had before

``nics`` say it for an adapter of one VM and come before ``subnets``, which keep the host part of an address.
"""

from __future__ import annotations

import re
from ipaddress import (
    IPv4Interface,
    IPv4Network,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Interface = IPv4Interface | IPv6Interface
Subnet = IPv4Network | IPv6Network
Way = Literal["live", "test", "home"]
WAYS: tuple[Way, ...] = ("live", "test", "home")
ENDS = ("first", "last")  # of a subnet's hosts, where gateways use to be
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def _interface(said: str) -> str:
    if "/" not in said:
        raise ValueError(f"{said!r} has no prefix: write it like 10.20.0.15/24")
    try:
        found = ip_interface(said)
    except ValueError as error:
        raise ValueError(f"{said!r} is no address with a prefix, like 10.20.0.15/24") from error
    if found.is_multicast or found.is_unspecified:
        raise ValueError(f"{said!r} is no address that a guest can have")
    return str(found)


def _address(said: str) -> str:
    try:
        return str(ip_address(said))
    except ValueError as error:
        raise ValueError(f"{said!r} is no IP address") from error


def _gateway(said: str) -> str:
    return said if said in ("", *ENDS) else _address(said)


def _subnet(said: str) -> str:
    try:
        return str(ip_network(said))
    except ValueError as error:
        raise ValueError(f"{said!r} is no subnet, like 10.1.0.0/16: {error}") from error


def _domain(said: str) -> str:
    if len(said) > 253 or not all(map(_LABEL.fullmatch, said.rstrip(".").split("."))):
        raise ValueError(f"{said!r} is no domain to search in")
    return said


Addressed = Annotated[str, AfterValidator(_interface)]
Address = Annotated[str, AfterValidator(_address)]
Domain = Annotated[str, AfterValidator(_domain)]
Network = Annotated[str, AfterValidator(_subnet)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NicAddresses(_Part):
    """What one adapter of a guest has: addresses with prefix, gateways, DNS servers, search domains."""

    addresses: tuple[Addressed, ...] = Field((), description="of either version, with prefix: 10.20.0.15/24")
    gateways: tuple[Address, ...] = ()
    dns: tuple[Address, ...] = ()
    search: tuple[Domain, ...] = ()

    @property
    def words(self) -> str:
        """What it is, in words."""
        said = [", ".join(self.addresses)]
        for word, items in (("gateway", self.gateways), ("DNS", self.dns), ("search", self.search)):
            said += [f"{word} {', '.join(items)}"] if items else []
        return "; ".join(said)


class AddressedNic(NicAddresses):
    """The addresses of one adapter of one VM."""

    vm: str = Field(min_length=1, description="the VM's name")
    nic: str = Field("", description="the adapter's label; empty = its first one")
    way: Way = Field("live", description="live: at the target; test: of booted copies; home: coming back")

    @model_validator(mode="after")
    def _has_some(self) -> AddressedNic:
        if not self.addresses:
            raise ValueError(f"an adapter of {self.vm!r} gets no address")
        return self


class SubnetMap(_Part):
    """Addresses of one subnet become those of another, the host part kept."""

    source: Network = Field(description="a subnet that guests have addresses in today")
    target: Network = Field(description="the subnet they get instead, as large")
    vms: str = Field("", description="which VMs, in the filter language; empty = all")
    way: Way = Field("live", description="live: at the target; test: of booted copies; home: coming back")
    gateway: Annotated[str, AfterValidator(_gateway)] = Field(
        "", description="an address, or 'first' or 'last' of the guest's own subnet; empty = none"
    )
    dns: tuple[Address, ...] = ()
    search: tuple[Domain, ...] = ()

    @model_validator(mode="after")
    def _alike(self) -> SubnetMap:
        source, target = ip_network(self.source), ip_network(self.target)
        if (source.version, source.prefixlen) != (target.version, target.prefixlen):
            raise ValueError(f"{self.source} and {self.target} are not subnets of one size and version")
        return self

    @property
    def words(self) -> str:
        """What the rule is called."""
        return f"{self.source} to {self.target}, {self.way}"
