"""What a port tells of a tie and of the VM behind it: databases are mostly their application's own.

Weights are a judgement: how much likelier two VMs of one application talk on such a port than two others.
"""

from __future__ import annotations

from collections.abc import Iterable

_CLASSES: dict[str, tuple[float, tuple[int, ...]]] = {
    "cluster": (8.0, (694, 2224, 3343, 5405, 7789, 7946)),
    "database": (6.0, (1433, 1521, 3306, 5432, 5984, 6379, 9042, 27017, 50000)),
    "queue": (3.0, (1414, 5671, 5672, 9092, 61616)),
    "application": (1.5, (8009, 8080, 8081, 8443, 9080, 9443)),
    "file": (1.0, (445, 2049)),
    "web": (1.0, (80, 443)),
    "people": (0.1, (22, 135, 139, 3389, 5900, 5985, 5986)),
}
_CLASS = {port: name for name, (_, ports) in _CLASSES.items() for port in ports}
_SERVED = ("cluster", "database", "queue", "application", "file", "web")


def weight(port: int | None) -> float:
    """Return how much a tie on a port speaks for one application; 1 where the port tells nothing."""
    return _CLASSES[name][0] if port is not None and (name := _CLASS.get(port)) else 1.0


def profile(ports: Iterable[int]) -> tuple[str, ...]:
    """Return what a VM is by the ports others use on it: its roles, the most telling first."""
    found = {_CLASS[port] for port in ports if port in _CLASS}
    return tuple(name for name in _SERVED if name in found)
