"""VMs that have moved away, put aside into a folder of their own. Not every site has folders."""

from __future__ import annotations

from typing import Protocol


class PutsAside(Protocol):
    """A site with folders of VMs. Asking for what is so already is not an error."""

    def put_aside(self, vm: str, folder: str, op: str) -> str:
        """Move a VM into a folder below its datacenter, made where it is missing; its own is remembered.

        Return why it stays where it is, empty when it does not.
        """
        ...

    def put_back(self, vm: str, op: str) -> str:
        """Move a VM back to where it was put aside from; return why it stays, empty when it does not."""
        ...
