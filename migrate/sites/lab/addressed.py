"""The network settings of a lab guest: a page of its first disk, so that they travel with it as real ones do.

    4 KiB pages from byte 4096 on, before the first partition: "WHNET01" | length | JSON | digest

A page names the VM that it is of, for several may share a disk. Whoever starts a guest with settings that
were asked for meanwhile writes them there first, through the change map, like any write of the guest.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator

from migrate.sites.lab.records import PAGE, Readable
from migrate.sites.networking import GuestNic, load_nic
from planner.errors import SiteRefused

_HEAD = struct.Struct("<8sI")
_MAGIC = b"WHNET01\0"
_DIGEST = 32
_SLOTS = 15  # of the 64 KiB before the first partition of the smallest disk


def read_networking(disk: Readable, owner: str) -> tuple[GuestNic, ...] | None:
    """Return the settings of the guest ``owner`` (a content id), None where its disk holds none."""
    return next((nics for _, found, nics in _pages(disk) if found == owner), None)


def write_networking(
    disk: Readable, write: Callable[[bytes, int], None], owner: str, nics: Iterable[GuestNic]
) -> None:
    """Write the settings of a guest through ``write``; raises SiteRefused when they do not fit."""
    body = json.dumps({"owner": owner, "nics": [nic.as_json() for nic in nics]}).encode("ascii")
    page = _HEAD.pack(_MAGIC, len(body)) + body
    taken = {offset: found for offset, found, _ in _pages(disk)}
    mine = (offset for offset, found in taken.items() if found == owner)
    free = (offset for offset in _offsets(disk) if offset not in taken)
    place = next(mine, None) or next(free, None)
    if place is None or len(page) + _DIGEST > PAGE:
        raise SiteRefused("the guest has no room for these network settings", "give it fewer addresses")
    write((page + hashlib.sha256(page).digest()).ljust(PAGE, b"\0"), place)


def _offsets(disk: Readable) -> range:
    return range(PAGE, min((_SLOTS + 1) * PAGE, disk.size_bytes), PAGE)


def _pages(disk: Readable) -> Iterator[tuple[int, str, tuple[GuestNic, ...]]]:
    buffer = bytearray(PAGE)
    for offset in _offsets(disk):
        disk.read_into(memoryview(buffer), offset)
        magic, length = _HEAD.unpack_from(buffer)
        end = _HEAD.size + length
        if magic != _MAGIC or end + _DIGEST > PAGE:
            continue
        if hashlib.sha256(buffer[:end]).digest() != bytes(buffer[end : end + _DIGEST]):
            continue
        try:
            body = json.loads(bytes(buffer[_HEAD.size : end]))
            yield offset, str(body["owner"]), tuple(map(load_nic, body["nics"]))
        except (KeyError, TypeError, ValueError):
            continue
