"""Kept writes: what a target wrote between power-on and rollback, saved as a checkpoint.

One directory a checkpoint under ``<project>/checkpoints/``: ``manifest.json`` names the wave, the
volumes and the digest of each part; a part is a zstd stream of (offset, length, bytes) records.
The manifest is written last, atomically: a checkpoint without one does not exist. One process at a time
keeps a checkpoint, under a lock on its directory that death releases.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from migrate.clock import Clock, SystemClock
from migrate.disks.durable import replace_file, sync_directory
from migrate.disks.ports import ReadableDisk
from migrate.sites.ports import Extent
from planner.errors import Corrupt, NotFound, ProjectBusy
from planner.names import content_id, visible
from planner.store.project import utc_now

_RECORD = struct.Struct("<QI")
_PIECE = 1 << 20
_LOOK_S = 0.2
_PATIENCE_S = 20.0  # for a mover whose engine died to come to an edge


@dataclass(frozen=True, slots=True)
class KeptVolume:
    """One volume's part of a checkpoint; ``extents`` are asked for once, while they are written down."""

    volume: str
    disk: ReadableDisk
    extents: Iterable[Extent]


class Checkpoints:
    """The checkpoints kept by a project."""

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self._root = root
        self._clock = clock or SystemClock()

    def keep(self, name: str, wave: str, volumes: Iterable[KeptVolume]) -> dict[str, object]:
        """Save the areas of each volume under ``name``; keeping the same name again replaces it.

        Raises ProjectBusy when another process keeps it for longer than a mover takes to stop.
        """
        folder = self._root / content_id(name)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._alone(folder, name):
            return self._keep(folder, name, wave, volumes)

    def _keep(self, folder: Path, name: str, wave: str, volumes: Iterable[KeptVolume]) -> dict[str, object]:
        import blake3
        import zstandard

        parts = []
        kept_bytes = 0
        for number, item in enumerate(volumes):
            digest = blake3.blake3()
            path = folder / f"{number}.zst"
            size_bytes = 0
            with open(path.with_suffix(".new"), "wb", opener=_private) as raw:
                writer = zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False)
                for offset, data in _pieces(item):
                    record = _RECORD.pack(offset, len(data)) + data
                    digest.update(record)
                    writer.write(record)
                    size_bytes += len(data)
                writer.flush(zstandard.FLUSH_FRAME)
                raw.flush()
                os.fsync(raw.fileno())
            kept_bytes += size_bytes
            parts.append(
                {
                    "volume": item.volume,
                    "file": path.name,
                    "bytes": size_bytes,
                    "digest": digest.hexdigest(),
                }
            )
        for part in parts:  # only now, so that one kept before stays whole until all of this one is there
            (folder / str(part["file"])).with_suffix(".new").rename(folder / str(part["file"]))
        manifest = {"name": name, "wave": wave, "at": utc_now(), "parts": parts}
        replace_file(folder / "manifest.json", json.dumps(manifest, indent=2).encode())
        sync_directory(self._root)
        sync_directory(self._root.parent)
        return {
            "name": name,
            "path": str(folder),
            "bytes": kept_bytes,
        }

    @contextmanager
    def _alone(self, folder: Path, name: str) -> Iterator[None]:
        """Hold a checkpoint for this process; whoever has it is waited for a while."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            until = self._clock.now_s() + _PATIENCE_S
            while not _locked(handle):
                if self._clock.now_s() >= until:
                    raise ProjectBusy(
                        f"checkpoint {visible(name)} is being kept by another process",
                        "wait until it is done or end it, then retry",
                    )
                self._clock.sleep(_LOOK_S)
            yield
        finally:
            os.close(handle)

    def names(self) -> list[dict[str, object]]:
        """Return the manifests of all checkpoints, oldest first."""
        found = [json.loads(path.read_text("utf-8")) for path in self._root.glob("*/manifest.json")]
        return sorted(found, key=lambda manifest: str(manifest["at"]))

    def read(self, name: str, volume: str) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, bytes) of a kept volume after checking its digest; raises Corrupt, NotFound."""
        import blake3

        folder = self._root / content_id(name)
        try:
            manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
            part = next((item for item in manifest["parts"] if item["volume"] == volume), None)
        except FileNotFoundError as error:
            raise NotFound(f"checkpoint {name!r} does not exist", "see 'wherry status --json'") from error
        except (ValueError, KeyError, TypeError) as error:
            raise _corrupt(name) from error
        if part is None:
            raise NotFound(f"checkpoint {name!r} holds nothing of that volume", "check the volume's id")
        path = folder / Path(part["file"]).name
        digest = blake3.blake3()
        for offset, data in _records(path, name):
            digest.update(_RECORD.pack(offset, len(data)) + data)
        if digest.hexdigest() != part["digest"]:
            raise _corrupt(name)
        yield from _records(path, name)  # read twice rather than held in memory


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _corrupt(name: str) -> Corrupt:
    return Corrupt(f"checkpoint {name!r} does not match its digest", "do not restore from it")


def _records(path: Path, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield a part's records, a piece in memory at a time; raises Corrupt where it cannot be read."""
    import zstandard

    try:
        with (
            path.open("rb") as raw,
            zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as stream,
        ):
            while head := _exactly(stream, _RECORD.size):
                offset, length = _RECORD.unpack(head)
                if length > _PIECE:
                    raise ValueError("a record is longer than any that is written")
                yield offset, _exactly(stream, length)
    except (FileNotFoundError, ValueError, struct.error, zstandard.ZstdError) as error:
        raise _corrupt(name) from error


def _exactly(stream: IO[bytes], length: int) -> bytes:
    """Read up to ``length`` bytes, fewer only at the end; a decompressor may return them in parts."""
    parts = []
    while length and (data := stream.read(length)):
        parts.append(data)
        length -= len(data)
    return b"".join(parts)


def _pieces(item: KeptVolume) -> Iterator[tuple[int, bytes]]:
    for extent in item.extents:
        for offset in range(extent.offset, extent.end, _PIECE):
            data = bytearray(min(_PIECE, extent.end - offset))
            item.disk.read_into(memoryview(data), offset)
            yield offset, bytes(data)
