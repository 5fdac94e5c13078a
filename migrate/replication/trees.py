"""The tree of digests over a disk: grains of 64 KiB, nodes of 16 MiB, one root over an area.

    root ── node ── node ── node         blake3 all the way; each level in a domain of its own,
             │                           so that no grain can pass for a node
             └─ grain ... grain

Holes have the digests of zeros without being read, so a thin copy has the tree of a thick one. What a
failed flush made doubtful has a digest that nothing equals. Memory is two numbers a run of data.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import lru_cache

from blake3 import blake3

from migrate.disks.extent import Extent
from migrate.disks.ports import ReadableDisk
from migrate.replication.extents import aligned
from migrate.replication.zeros import GRAIN, ZERO_MIB, is_zero
from planner.errors import BadInput
from planner.units import MIB

NODE = 16 * MIB
DIGEST_BYTES = 32
UNKNOWN = bytes(DIGEST_BYTES)


def node_digest(grains: bytes | bytearray) -> bytes:
    """Return the digest of a node from those of its grains, put one after the other."""
    return bytes(blake3(grains, derive_key_context="wherry identity 1 node").digest())


class Root:
    """The digest of an area, fed with its nodes in ascending order."""

    def __init__(self, area: Extent) -> None:
        self._state = blake3(derive_key_context="wherry identity 1 root")
        self._state.update(area.offset.to_bytes(8, "little") + area.length.to_bytes(8, "little"))

    def add(self, node: bytes) -> None:
        """Take the next node."""
        self._state.update(node)

    def hexdigest(self) -> str:
        """Return the root over what was fed."""
        return str(self._state.hexdigest())


class SampleRoot:
    """The digest of chosen grains, fed with their numbers and digests in ascending order."""

    def __init__(self, size_bytes: int) -> None:
        self._state = blake3(derive_key_context="wherry identity 1 sample")
        self._state.update(size_bytes.to_bytes(8, "little"))

    def add(self, grain: int, digest: bytes) -> None:
        """Take the next grain."""
        self._state.update(grain.to_bytes(8, "little") + digest)

    def hexdigest(self) -> str:
        """Return the digest over what was fed."""
        return str(self._state.hexdigest())


class DiskTree:
    """The tree over the first ``size_bytes`` of a disk, made as far as it is asked for."""

    def __init__(self, disk: ReadableDisk, size_bytes: int, suspects: Iterable[Extent] = ()) -> None:
        """Look at what is allocated; raises BadInput when the disk is smaller, OSError."""
        if disk.size_bytes < size_bytes:
            raise BadInput(
                f"a disk of {disk.size_bytes} bytes cannot equal one of {size_bytes}", "check its size"
            )
        self._disk = disk
        self.size_bytes = size_bytes
        self._suspects = tuple(suspects)
        self._starts, self._ends = array("Q"), array("Q")
        for run in aligned(disk.allocated(), MIB, disk.size_bytes):
            self._starts.append(run.offset)
            self._ends.append(run.end)
        self._bytes = bytearray(MIB)
        self._buffer = memoryview(self._bytes)

    def holds_data(self, offset: int, end: int) -> bool:
        """True when something in the run may be other than zeros."""
        at = bisect_right(self._ends, offset)
        return at < len(self._starts) and self._starts[at] < end

    def runs(self) -> list[tuple[int, int]]:
        """Return (offset, end) of each run that may hold data, in whole MiB."""
        return [
            (start, min(end, self.size_bytes))
            for start, end in zip(self._starts, self._ends, strict=True)
            if start < self.size_bytes
        ]

    def grains(self, offset: int, length: int) -> bytes:
        """Return the digests of the grains of a run that starts on one; raises OSError."""
        digests = bytearray()
        for start in range(offset, offset + length, MIB):
            end = min(start + MIB, offset + length)
            data = self.holds_data(start, end)
            if data:
                self._disk.read_into(self._buffer[: end - start], start)
            for at in range(start, end, GRAIN):
                stop = min(at + GRAIN, end)
                if self._is_suspect(at, stop):
                    digests += UNKNOWN
                elif data:
                    digests += blake3(self._buffer[at - start : stop - start]).digest()
                else:
                    digests += _zero_grain(stop - at)
        return bytes(digests)

    def node(self, offset: int) -> bytes:
        """Return the digest of the node that starts at ``offset``; raises OSError."""
        length = min(NODE, self.size_bytes - offset)
        if not self.holds_data(offset, offset + length) and not self._is_suspect(offset, offset + length):
            return _zero_node(length)
        return node_digest(self.grains(offset, length))

    def tail_is_zero(self, progress: Callable[[int], None] | None = None) -> bool:
        """Read what lies behind the first ``size_bytes``; True when it is all zeros.

        ``progress`` gets the bytes of it that were read.
        """
        for start in range(self.size_bytes, self._disk.size_bytes, MIB):
            length = min(MIB, self._disk.size_bytes - start)
            if self.holds_data(start, start + length):
                self._disk.read_into(self._buffer[:length], start)
                if not is_zero(self._bytes, 0, length):
                    return False
                if progress is not None:
                    progress(start + length - self.size_bytes)
        return True

    def _is_suspect(self, start: int, end: int) -> bool:
        return any(run.offset < end and run.end > start for run in self._suspects)


def is_root_of(
    tree: DiskTree, area: Extent, digest: str, *, progress: Callable[[int, int], None] | None = None
) -> bool:
    """Read an area again; True when its root is ``digest``. Raises OSError."""
    root = Root(area)
    for offset in range(area.offset, area.end, NODE):
        root.add(tree.node(offset))
        if progress is not None:
            progress(min(offset + NODE, area.end) - area.offset, area.length)
    return root.hexdigest() == digest


def is_sample_of(tree: DiskTree, grains: Iterable[int], digest: str) -> bool:
    """Read chosen grains again; True when their digest is ``digest``. Raises OSError."""
    root = SampleRoot(tree.size_bytes)
    for grain in grains:
        at = grain * GRAIN
        root.add(grain, tree.grains(at, min(GRAIN, tree.size_bytes - at)))
    return root.hexdigest() == digest


@lru_cache(maxsize=16)
def _zero_grain(length: int) -> bytes:
    return bytes(blake3(ZERO_MIB[:length]).digest())


@lru_cache(maxsize=16)
def _zero_node(length: int) -> bytes:
    whole, rest = divmod(length, GRAIN)
    return node_digest(_zero_grain(GRAIN) * whole + (_zero_grain(rest) if rest else b""))
