"""What the tools report of a guest's adapters: addresses with prefix, gateways, name servers, by label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_interface
from typing import Any

from migrate.sites.networking import GuestNic
from planner.sources.vcenter.values import at, many, text

_DEFAULTS = ("0.0.0.0", "::")  # noqa: S104  (the network of a default route)


def reported(nets: Iterable[Any], stacks: Iterable[Any], labels: Mapping[str, str]) -> tuple[GuestNic, ...]:
    """Return the adapters with addresses; ``labels`` are by device key, what has none is left out.

    ``nets`` is ``guest.net``, ``stacks`` is ``guest.ipStack`` as the property collector sends them. Routes
    name an adapter by its place in the list.
    """
    routes = [route for stack in stacks for route in many(stack, "ipRouteConfig", "ipRoute")]
    servers = next((at(stack, "dnsConfig") for stack in stacks), None)
    found = []
    for number, net in enumerate(nets):
        label = labels.get(text(net, "deviceConfigId"), "")
        addresses = tuple(_addresses(net))
        if label and addresses:
            dns = servers if at(net, "dnsConfig", "ipAddress") is None else at(net, "dnsConfig")
            gateways = tuple(_gateways(routes, str(number)))
            found.append(
                GuestNic(
                    label,
                    addresses,
                    gateways,
                    tuple(many(dns, "ipAddress")),
                    tuple(many(dns, "searchDomain")),
                )
            )
    return tuple(found)


def _addresses(net: Any) -> Iterable[str]:
    for one in many(net, "ipConfig", "ipAddress"):
        try:
            said = ip_interface(f"{text(one, 'ipAddress')}/{text(one, 'prefixLength')}")
        except ValueError:
            continue
        if not said.is_link_local:
            yield str(said)


def _gateways(routes: Iterable[Any], adapter: str) -> Iterable[str]:
    for route in routes:
        gateway = text(route, "gateway", "ipAddress")
        if text(route, "network") in _DEFAULTS and gateway and text(route, "gateway", "device") == adapter:
            yield gateway
