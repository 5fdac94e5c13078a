"""Kept writes come back byte for byte, or not at all."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migrate.clock import SimulatedClock
from migrate.kept import Checkpoints, KeptVolume
from migrate.sites.ports import Extent
from planner.errors import Corrupt, NotFound, ProjectBusy

MIB = 1024 * 1024
HOSTILE = "../../etc/[red]x\x1b[2J"


class Memory:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size_bytes = len(content)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        buffer[:] = self.content[offset : offset + len(buffer)]

    def allocated(self) -> object:
        return iter([(0, self.size_bytes)])

    def close(self) -> None:
        return


CONTENT = random.Random(1).randbytes(3 * MIB + 512)
AREAS = (Extent(0, 512), Extent(4096, 2 * MIB + 1), Extent(3 * MIB, 512))


def keep(root: Path, name: str = "W01 rolled back", content: bytes = CONTENT) -> Path:
    volumes = [KeptVolume("v/1", Memory(content), AREAS), KeptVolume("v/2", Memory(content), ())]  # type: ignore[arg-type]
    kept = Checkpoints(root).keep(name, "W01", volumes)
    assert kept["bytes"] == sum(area.length for area in AREAS)
    return Path(str(kept["path"]))


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    keep(tmp_path / "checkpoints")
    found = bytearray(len(CONTENT))
    for offset, data in Checkpoints(tmp_path / "checkpoints").read("W01 rolled back", "v/1"):
        found[offset : offset + len(data)] = data
    wanted = bytearray(len(CONTENT))
    for area in AREAS:
        wanted[area.offset : area.end] = CONTENT[area.offset : area.end]
    assert found == wanted
    assert list(Checkpoints(tmp_path / "checkpoints").read("W01 rolled back", "v/2")) == []


def test_nobody_else_can_read_what_is_kept(tmp_path: Path) -> None:
    folder = keep(tmp_path / "checkpoints")
    assert [path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())] == [0, 0, 0, 0]


def test_names_are_never_paths(tmp_path: Path) -> None:
    folder = keep(tmp_path / "checkpoints", HOSTILE)
    assert folder.parent == tmp_path / "checkpoints"
    assert [item["name"] for item in Checkpoints(tmp_path / "checkpoints").names()] == [HOSTILE]


def test_keeping_again_replaces(tmp_path: Path) -> None:
    keep(tmp_path / "checkpoints")
    keep(tmp_path / "checkpoints", content=bytes(len(CONTENT)))
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    assert len(checkpoints.names()) == 1
    assert all(not any(data) for _, data in checkpoints.read("W01 rolled back", "v/1"))


@pytest.mark.parametrize("place", [0, 5, 0.3, 0.9, -1])
def test_any_changed_byte_is_noticed_before_a_byte_is_given_out(tmp_path: Path, place: float) -> None:
    folder = keep(tmp_path / "checkpoints")
    part = folder / "0.zst"
    raw = bytearray(part.read_bytes())
    raw[int(place * len(raw)) if isinstance(place, float) else place] ^= 0x41
    part.write_bytes(raw)
    with pytest.raises(Corrupt):
        next(Checkpoints(tmp_path / "checkpoints").read("W01 rolled back", "v/1"))


@pytest.mark.parametrize("damage", ["cut", "gone", "empty", "swapped", "manifest"])
def test_damage_of_any_kind_is_corrupt(tmp_path: Path, damage: str) -> None:
    folder = keep(tmp_path / "checkpoints")
    part = folder / "0.zst"
    if damage == "cut":
        part.write_bytes(part.read_bytes()[:-100])
    elif damage == "gone":
        part.unlink()
    elif damage == "empty":
        part.write_bytes(b"")
    elif damage == "swapped":
        part.write_bytes((folder / "1.zst").read_bytes())
    else:
        (folder / "manifest.json").write_text('{"parts": [')
    with pytest.raises(Corrupt):
        list(Checkpoints(tmp_path / "checkpoints").read("W01 rolled back", "v/1"))


def test_a_manifest_cannot_point_outside_its_folder(tmp_path: Path) -> None:
    folder = keep(tmp_path / "checkpoints")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "0.zst").rename(tmp_path / "0.zst")
    manifest["parts"][0]["file"] = "../../0.zst"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Corrupt):
        list(Checkpoints(tmp_path / "checkpoints").read("W01 rolled back", "v/1"))


def test_a_checkpoint_without_a_manifest_does_not_exist(tmp_path: Path) -> None:
    folder = keep(tmp_path / "checkpoints")
    (folder / "manifest.json").unlink()
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    assert checkpoints.names() == []
    with pytest.raises(NotFound):
        list(checkpoints.read("W01 rolled back", "v/1"))
    keep(tmp_path / "checkpoints")
    with pytest.raises(NotFound):
        list(checkpoints.read("W01 rolled back", "v/3"))


def test_keeping_again_in_vain_leaves_what_was_kept_before(tmp_path: Path) -> None:
    class Broken(Memory):
        def read_into(self, buffer: memoryview, offset: int) -> None:
            if offset:
                raise OSError("the disk cannot be read")
            super().read_into(buffer, offset)

    checkpoints = Checkpoints(tmp_path / "checkpoints")
    keep(tmp_path / "checkpoints")
    before = list(checkpoints.read("W01 rolled back", "v/1"))
    with pytest.raises(OSError, match="cannot be read"):
        checkpoints.keep("W01 rolled back", "W01", [KeptVolume("v/1", Broken(CONTENT), AREAS)])  # type: ignore[arg-type]
    assert list(checkpoints.read("W01 rolled back", "v/1")) == before


def beside(checkpoints: Checkpoints, meanwhile: Callable[[], None]) -> KeptVolume:
    """Return a volume in the middle of whose areas something happens."""

    def areas() -> Iterator[Extent]:
        yield AREAS[0]
        meanwhile()
        yield from AREAS[1:]

    return KeptVolume("v/1", Memory(CONTENT), areas())  # type: ignore[arg-type]


def test_while_one_keeps_it_nobody_else_does(tmp_path: Path) -> None:
    clock = SimulatedClock()
    mine = Checkpoints(tmp_path / "checkpoints")

    def another() -> None:
        other = Checkpoints(tmp_path / "checkpoints", clock)
        with pytest.raises(ProjectBusy, match="being kept by another process"):
            other.keep("W01 rolled back", "W01", [])

    mine.keep("W01 rolled back", "W01", [beside(mine, another)])
    assert clock.at_s >= 20.0, "a mover whose engine died takes that long to stop"
    assert sum(len(data) for _, data in mine.read("W01 rolled back", "v/1")) == sum(a.length for a in AREAS)


def test_control_two_at_once_spoil_it(tmp_path: Path) -> None:
    class Unlocked(Checkpoints):
        @contextmanager
        def _alone(self, folder: Path, name: str) -> Iterator[None]:
            yield

    mine = Unlocked(tmp_path / "checkpoints")

    def another() -> None:
        Unlocked(tmp_path / "checkpoints").keep(
            "W01 rolled back",
            "W01",
            [KeptVolume("v/1", Memory(CONTENT), AREAS[:1])],  # type: ignore[arg-type]
        )

    with pytest.raises(FileNotFoundError):  # what the first one has written is gone
        mine.keep("W01 rolled back", "W01", [beside(mine, another)])
