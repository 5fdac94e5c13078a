"""The guest's first file system: a cpio archive of BusyBox, the guest agent, a few kernel modules, ``init``.

Only the standard library is used, see ``system``.
"""

from __future__ import annotations

import lzma
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.guest.packages import run

HERE = Path(__file__).resolve().parent
# crc32c is found by the file system under an alias, so no module names it.
MODULES: Final = ("virtio_pci", "virtio_blk", "virtio_console", "crc32c_generic", "ext4")
APPLETS: Final = ("cat", "dd", "insmod", "mkdir", "mount", "mv", "rm", "sh", "sleep", "stat", "sync")
_FOLDERS: Final = (
    *("dev", "proc", "sys", "run", "bin", "lib64", "lib", "lib/x86_64-linux-gnu", "modules"),
    *("a", "b"),  # where the disks go
)
_LOADER: Final = "ld-linux-x86-64.so.2"


@dataclass(frozen=True, slots=True)
class Node:
    """A file of the archive: its mode with its kind, its bytes, and a device's two numbers."""

    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def initramfs(root: Path) -> bytes:
    """Return the archive made of the packages unpacked in ``root``; raises RuntimeError."""
    nodes = [Node(name, stat.S_IFDIR | 0o755) for name in _FOLDERS]
    nodes.append(Node("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)))
    nodes.append(_program("init", HERE / "init"))
    nodes.append(_program("bin/hook", HERE / "hook"))
    nodes.append(_program("bin/busybox", _only(root, "busybox")))
    nodes += [Node(f"bin/{name}", stat.S_IFLNK | 0o777, b"busybox") for name in APPLETS]
    nodes += _agent(root)
    for order, path in enumerate(modules(root, MODULES)):
        nodes.append(Node(f"modules/{order:02d}-{_module(path)}.ko", stat.S_IFREG | 0o600, _plain(path)))
    return archive(nodes)


def archive(nodes: Sequence[Node]) -> bytes:
    """Return a cpio archive in the "newc" format; a folder comes before what is in it."""
    parts = []
    for number, node in enumerate((*nodes, Node("TRAILER!!!", 0)), 1):
        name = node.name.encode() + b"\0"
        fields = (number, node.mode, 0, 0, 1, 0, len(node.data), 0, 0, *node.device, len(name), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
        parts += [head, bytes(-len(head) % 4), node.data, bytes(-len(node.data) % 4)]
    return b"".join(parts)


def modules(root: Path, wanted: Sequence[str]) -> list[Path]:
    """Return the modules that are wanted and those they need, in the order to load them in.

    What is built into the kernel is left out; raises RuntimeError for one that is nowhere.
    """
    there = {_module(path): path for path in root.glob("lib/modules/**/*.ko*")}
    there |= {_module(path): path for path in root.glob("usr/lib/modules/**/*.ko*")}
    built_in = {
        _module(Path(line)) for path in root.rglob("modules.builtin") for line in path.read_text().split()
    }
    found: dict[str, Path] = {}

    def add(name: str) -> None:
        if name in found or name in built_in:
            return
        if name not in there:
            raise RuntimeError(f"the kernel has no module {name}")
        for needed in _needed(there[name]):
            add(needed)
        found[name] = there[name]

    for name in wanted:
        add(name)
    return list(found.values())


def _needed(path: Path) -> list[str]:
    found = re.search(rb"(?<![a-z])depends=([\w,-]*)\0", _plain(path))
    names = found[1].decode().split(",") if found else []
    return [name.replace("-", "_") for name in names if name]


def _module(path: Path) -> str:
    return path.name.partition(".ko")[0].replace("-", "_")


def _plain(path: Path) -> bytes:
    raw = path.read_bytes()
    return lzma.decompress(raw) if path.suffix == ".xz" else raw


def _agent(root: Path) -> Iterator[Node]:
    """Yield the guest agent with the libraries that it really loads."""
    agent, loader = _only(root, "qemu-ga"), _only(root, _LOADER)
    yield _program("bin/qemu-ga", agent)
    yield _program(f"lib64/{_LOADER}", loader)
    places = {str(path.parent): None for path in sorted(root.rglob("*.so.*"))}
    told = run([str(loader), "--library-path", ":".join(places), "--list", str(agent)])
    for name, path in loaded(told).items():
        yield _program(f"lib/x86_64-linux-gnu/{name}", path)


def loaded(told: str) -> Mapping[str, Path]:
    """Return the libraries of a loader's list by the name they are asked for; raises RuntimeError."""
    found = {}
    for line in told.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow and rest.startswith("not found"):
            raise RuntimeError(f"the guest agent needs {name}, which no package brought")
        if arrow and not name.endswith(_LOADER):
            found[name] = Path(rest.rpartition(" (")[0])
    return found


def _program(name: str, path: Path) -> Node:
    return Node(name, stat.S_IFREG | 0o755, path.read_bytes())


def _only(root: Path, name: str) -> Path:
    """Return the one program of that name."""
    plain = (path for path in root.rglob(name) if path.is_file() and not path.is_symlink())
    found = [path for path in plain if path.read_bytes().startswith(b"\x7fELF")]
    if len(found) != 1:
        raise RuntimeError(f"the packages hold {len(found)} programs called {name}")
    return found[0]
