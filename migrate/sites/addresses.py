"""Which addresses are in use at a site: what is asked before a wave lands there.

No runbook needs it and not every site can tell, so it is no part of ``ports``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Holder:
    """A VM with the addresses that it holds: MAC in small letters, IP without prefixes. Names are untrusted.

    ``ips`` is None for one that runs and does not say which it has.
    """

    vm: str
    name: str
    macs: tuple[str, ...]
    ips: tuple[str, ...] | None


@runtime_checkable
class TellsAddresses(Protocol):
    """A site that knows which addresses its VMs hold."""

    def address_holders(self) -> tuple[Holder, ...]:
        """Return every registered VM; raises Unreachable."""
        ...
