"""Addresses that keep their neighbourhood: equal prefixes stay equal, bit by bit.

Private networks stay private, what means the same everywhere (loopback, link-local, multicast, masks)
stays as it is, and a public address stays public. MAC addresses keep VMware's prefixes and no other.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from planner.anonymise.cipher import Cipher

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
_SAME = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")))
_SAME_6 = tuple(map(IPv6Network, ("::/127", "ff00::/8")))
# Network and how many of its first bits stay.
_FIRST_6 = (
    (IPv6Network("::ffff:0:0/96"), 96),
    (IPv6Network("fe80::/10"), 64),
    (IPv6Network("fd00::/8"), 8),
    (IPv6Network("fc00::/7"), 7),
    (IPv6Network("2000::/3"), 3),
)
_VMWARE = ("005056", "000c29", "000569", "001c14")


class Addresses:
    """IPv4, IPv6 and MAC addresses under one cipher. What was met is remembered."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher
        self._bits: dict[tuple[str, str], int] = {}

    def _walk(self, kind: str, bits: str, kept: int) -> str:
        """Return bits with all behind ``kept`` flipped or not, as the bits before them decide."""
        out = list(bits)
        for at in range(kept, len(bits)):
            prefix = (kind, bits[:at])
            flip = self._bits.get(prefix)
            if flip is None:
                flip = self._bits[prefix] = self._cipher.bit(*prefix)
            if flip:
                out[at] = "1" if bits[at] == "0" else "0"
        return "".join(out)

    def v4(self, address: IPv4Address) -> IPv4Address:
        """Return the pseudonym of an IPv4 address."""
        if any(address in network for network in _SAME):
            return address
        for network in _PRIVATE:
            if address in network:
                return IPv4Address(int(self._walk("ip4", f"{int(address):032b}", network.prefixlen), 2))
        # A public address must not become one that means something else: the walk goes on until then.
        found = address
        while True:
            found = IPv4Address(int(self._walk("ip4", f"{int(found):032b}", 0), 2))
            if not any(found in network for network in (*_PRIVATE, *_SAME)):
                return found

    def v6(self, address: IPv6Address) -> IPv6Address:
        """Return the pseudonym of an IPv6 address."""
        if any(address in network for network in _SAME_6):
            return address
        kept = next((first for network, first in _FIRST_6 if address in network), 0)
        return IPv6Address(int(self._walk("ip6", f"{int(address):0128b}", kept), 2))

    def any(self, text: str) -> str | None:
        """Return the pseudonym of an address or a subnet in CIDR notation, None when it is neither."""
        plain, slash, length = text.partition("/")
        try:
            address = ip_address(plain)
            found = self.v4(address) if isinstance(address, IPv4Address) else self.v6(address)
            if not slash:
                return str(found)
            bare = ip_network(text, strict=False).network_address == address
            network = ip_network(f"{found}/{length}", strict=False)
        except ValueError:
            return None
        # A network's own address has no bits of a host, neither before nor after.
        return f"{network.network_address if bare else found}/{length}"

    def mac(self, text: str) -> str:
        """Return the pseudonym of a MAC address, written as it was."""
        digits = re.sub(r"[^0-9a-fA-F]", "", text)
        plain = digits.casefold()
        if plain.startswith(_VMWARE):
            image = f"{plain[:6]}{self._cipher.permute('mac', int(plain[6:], 16), 1 << 24):06x}"
        else:
            # Another maker's prefix tells who: the image is a locally administered address.
            number = int(plain, 16)
            number = (number >> 42) << 40 | number & (1 << 40) - 1
            found = self._cipher.permute("mac of others", number, 1 << 46)
            image = f"{found >> 40 << 42 | 2 << 40 | found & (1 << 40) - 1:012x}"
        return as_written(image, text)


def as_written(digits: str, text: str) -> str:
    """Return hexadecimal digits in the places, and in the case, that those of a text had."""
    upper = any(char in "ABCDEF" for char in text) and not any(char in "abcdef" for char in text)
    left = iter(digits.upper() if upper else digits)
    return "".join(next(left) if char in "0123456789abcdefABCDEF" else char for char in text)
