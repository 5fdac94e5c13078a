"""A site that this process reached: everything a site does, and where another process finds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from migrate.sites.ports import FullSite, NewVM


class Reached(FullSite, Protocol):
    """A site that is open until it is closed. Its capabilities say what of it may be used."""

    @property
    def where(self) -> str:
        """What ``migrate.sites.opening.open_at`` opens the same site by, in any process of this user."""
        ...

    @property
    def holds_disks(self) -> bool:
        """Whether disks that were opened through it are gone when it is closed."""
        ...

    def vms(self) -> tuple[str, ...]:
        """Return the ids of all registered VMs that a run may have touched."""
        ...

    def names(self) -> dict[str, str]:
        """Return the names of all registered VMs, by id."""
        ...

    def datastores(self) -> dict[str, int] | None:
        """Return the free bytes of each datastore a disk can be put on, None where nobody has to say."""
        ...

    def lacking(
        self, leaving: Iterable[str] = (), arriving: Iterable[NewVM] = (), *, rules: bool = False
    ) -> tuple[str, ...]:
        """Return what the account may not do of what moving these VMs takes, each a sentence.

        ``rules``: placement rules are built where they arrive.
        """
        ...

    def close(self) -> None:
        """Let go of connections; what was asked for goes on."""
        ...
