"""What a simulated site does about where VMs are, by rules and in folders: it takes time, nothing else."""

from __future__ import annotations

from abc import abstractmethod

from migrate.sites.rules import NewRule


class SimulatedPlaces:
    """Rules and folders that nothing stands against."""

    __slots__ = ()

    @abstractmethod
    def _takes(self, call: str) -> None:
        """Take the time of a call, or fail in it."""

    def build_rule(self, rule: NewRule, op: str) -> str:
        """Build a rule."""
        self._takes("build_rule")
        return ""

    def drop_rule(self, rule: NewRule, op: str) -> None:
        """Remove a rule."""
        self._takes("drop_rule")

    def put_aside(self, vm: str, folder: str, op: str) -> str:
        """Put a VM aside."""
        self._takes("put_aside")
        return ""

    def put_back(self, vm: str, op: str) -> str:
        """Put a VM back."""
        self._takes("put_back")
        return ""
