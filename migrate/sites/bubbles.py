"""Networks without a way out, for the copies of a rehearsal: what is asked of a site that can make such.

No runbook needs them, and not every site has something to make: so they are no part of ``ports``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from migrate.sites.ports import NewVM


@dataclass(frozen=True, slots=True)
class NewBubble:
    """Networks without a way out to make for a rehearsal: one for each of ``networks``.

    ``key`` names the rehearsal. The VMs that are plugged there land as ``vms`` say, with their disks on
    ``datastores``; some of their adapters may be on the networks ``others``, which are there.
    """

    key: str
    networks: tuple[str, ...]
    vms: tuple[NewVM, ...]
    datastores: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@runtime_checkable
class Bubbles(Protocol):
    """Bubbles of a site, each known by the key of its rehearsal."""

    def bubble_host(self, bubble: NewBubble) -> str:
        """Return who would carry a bubble; raises SiteRefused when nobody can. Changes nothing."""
        ...

    def make_bubble(self, bubble: NewBubble, op: str) -> dict[str, str]:
        """Make a bubble, or find the one of its key; return the name of each of its networks."""
        ...

    def remove_bubble(self, key: str, op: str) -> None:
        """Remove all that is there of the bubble of a key; one that is gone already is not an error."""
        ...
