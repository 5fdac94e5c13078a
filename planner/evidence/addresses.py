"""IP addresses as text in one spelling, and which of them can name a VM at all."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address


@lru_cache(65_536)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def address_of(text: str) -> str:
    """Return an address in canonical text, "" when ``text`` is none; zones and brackets are dropped."""
    # Most texts are names; only what looks like an address is worth an exception.
    if not text or not (text[0] in "0123456789[" or ":" in text):
        return ""
    found = _parsed(text)
    return str(found) if found is not None else ""


def names_nobody(address: str) -> bool:
    """Return whether a canonical address is one that no single other machine can have.

    Those are loopback, multicast, unspecified, link-local and the broadcast address of everyone.
    """
    found = _parsed(address)
    if found is None:
        return False
    return (
        found.is_loopback
        or found.is_multicast
        or found.is_unspecified
        or found.is_link_local
        or address == "255.255.255.255"
    )


class Subnets:
    """The subnets of an estate, asked for one address at a time."""

    def __init__(self, subnets: frozenset[str]) -> None:
        from ipaddress import ip_network

        self._known: dict[tuple[int, int], set[int]] = {}  # by (version, host bits): network >> host bits
        for text in subnets:
            try:
                network = ip_network(text, strict=False)
            except ValueError:
                continue
            bits = network.max_prefixlen - network.prefixlen
            if network.prefixlen:
                key = (network.version, bits)
                self._known.setdefault(key, set()).add(int(network.network_address) >> bits)

    def hold(self, address: str) -> bool:
        """Return whether a canonical address lies in one of them."""
        found = _parsed(address)
        return found is not None and any(
            version == found.version and int(found) >> bits in networks
            for (version, bits), networks in self._known.items()
        )
