"""wherry in the wire's figures: a receiver process, and a sender process that is timed from its start."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.wire.ends import SITE
from benchmarks.wire.timed import Server, Took, timed

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class How:
    """One pass; ``changed`` are the (offset, length) runs of a delta, which stands on pass ``base``.

    ``congestion`` is set on each of ``streams`` connections in place of what wherry chooses.
    """

    mode: str = "seed"
    level: int = 1
    adapts: bool = False
    changed: Sequence[tuple[int, int]] = ()
    base: str = ""
    dedupe: bool = True
    streams: int = 1
    congestion: str = ""


def make_keys(folder: Path) -> Path:
    """Make an authority and a bundle for each end, and return their folder."""
    from migrate.keys import authority
    from migrate.keys.names import Holder, Role

    keys = folder / "keys"
    if not keys.exists():
        authority.create(keys, "bench")
        authority.issue(keys, Holder("bench", "here", Role.SENDER), 30, keys / "sender.pem")
        authority.issue(keys, Holder("bench", SITE, Role.RECEIVER), 30, keys / "receiver.pem")
    return keys


class Target:
    """A receiver process for named disks, over a Unix socket, or over TLS when there are ``keys``.

    ``near`` and ``far`` are prefixes of the commands of sender and receiver, ``host`` its address.
    """

    def __init__(
        self,
        folder: Path,
        disks: dict[str, Path],
        keys: Path | None = None,
        host: str = "127.0.0.1",
        near: Sequence[str] = (),
        far: Sequence[str] = (),
    ) -> None:
        self._folder, self._keys, self._near, self._host = folder, keys, near, host
        self._at = folder / "receiver.at"
        self._at.unlink(missing_ok=True)
        shutil.rmtree(folder / "store", ignore_errors=True)
        said = {"folder": str(folder), "disks": {name: str(path) for name, path in disks.items()}}
        process = _child("receive", said | {"keys": str(keys or ""), "host": host}, far)
        self._server = Server(process)
        while not self._at.exists():
            if process.poll() is not None:
                raise RuntimeError("the receiver did not start")
            time.sleep(0.01)

    @property
    def address(self) -> str:
        """The path of its Unix socket, or its port."""
        return self._at.read_text("utf-8")

    def take(
        self, source: Path, disk: str, target: Path, how: How, pass_id: str = "1", through: str = ""
    ) -> Took:
        """Send ``source`` to the disk of that name and say what it took, start of the sender included.

        ``through`` is the address of a relay to send to instead.
        """
        result = self._folder / "result.json"
        said = {
            **asdict(how), "source": str(source), "disk": disk, "at": through or self.address,
            "pass_id": pass_id, "host": self._host, "keys": str(self._keys or ""), "result": str(result),
        }  # fmt: skip
        # Long lists of changes are no arguments; a file is.
        asked = self._folder / "asked.json"
        asked.write_text(json.dumps(said), "utf-8")
        took = timed(lambda: [_child("send", {"file": str(asked)}, self._near)], target, [self._server])
        return replace(took, wire_bytes=json.loads(result.read_text("utf-8"))["wire_bytes"])

    def stop(self) -> None:
        """End the receiver."""
        self._server.stop()


def _child(what: str, said: dict[str, Any], prefix: Sequence[str]) -> subprocess.Popen[bytes]:
    command = [*prefix, sys.executable, "-m", "benchmarks.wire.ends", what, json.dumps(said)]
    return subprocess.Popen(command, cwd=_ROOT)
