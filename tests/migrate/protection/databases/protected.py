"""A group of disks with file systems behind a real tap that follows a policy, beside a real receiver."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.daemons.control import ControlClient
from migrate.keys.names import Holder, Role
from planner.units import MIB
from tests.migrate.protection.databases.mounted import Exported, FreezingAgent, format_ext4
from tests.migrate.protection.databases.writing import Bounds, Writer
from tests.migrate.protection.scene import eventually
from tests.migrate.replication.served import ALL, FAR, issuer
from tests.tui.cli.command import wherry

_SIZE = 192 * MIB


@dataclass(frozen=True, slots=True)
class Made:
    """A checkpoint under the policy: its label, what the tap said of it, and what it has to hold."""

    name: str
    label: str
    said: str
    bounds: Bounds


class Protected:
    """Disks of a ``group``, called ``names``, mounted at ``places``; ``agent`` freezes them. ``end`` it.

    Hooks without a slash are looked for in the folder ``bin`` first.
    """

    def __init__(self, folder: Path, group: str, names: Sequence[str], policy: Path) -> None:
        self.folder, self.group, self.names, self._policy = folder, group, tuple(names), policy
        self._ending = ExitStack()
        self._control = ControlClient(folder / "tap")
        try:
            self._begin()
        except BaseException:
            self.end()
            raise

    def _begin(self) -> None:
        folder = self.folder
        keys = issuer(folder)
        ours, theirs = keys(ALL), keys(Holder("p1", FAR.site, Role.RECEIVER))
        volumes = []
        for name in self.names:
            for kind in ("source", "target"):
                with (folder / f"{name}.{kind}").open("wb") as file:
                    file.truncate(_SIZE)
            format_ext4(folder / f"{name}.source")
            volumes.append({"id": name, "path": str(folder / f"{name}.target"), "group": self.group})
        (folder / "volumes.json").write_text(json.dumps({"volumes": volumes}))
        self.agent = self._ending.enter_context(FreezingAgent(folder / "agent"))
        heard = self._start(
            "receiver", "--store", str(folder / "store"), "--keys", str(theirs), "--listen", "127.0.0.1:0",
            "--volumes", str(folder / "volumes.json"),
        )  # fmt: skip
        self._start(
            "tap", "--state", str(folder / "tap"), "--group", self.group, "--to", heard.split()[0],
            "--keys", str(ours), "--site", FAR.site, "--listen", f"unix:{folder / 'nbd'}", "--every", "1h",
            "--report", "1h", "--policy", str(self._policy),
            *(f"--disk={name}={folder / f'{name}.source'}" for name in self.names),
        )  # fmt: skip
        # a tap makes one under its policy as soon as it streams; here nobody is there to be held yet
        assert eventually(lambda: self.protection().get("last_at_ms"), 60), self.protection()
        self.places = self._mount(
            folder / "mounts", {name: f"nbd+unix:///{name}?socket={folder / 'nbd'}" for name in self.names}
        )
        self.agent.covers(list(self.places.values()))
        self._ending.callback(self.agent.let_go)  # before anything is unmounted

    def protection(self) -> dict[str, Any]:
        """Return what the tap says of its policy."""
        return dict(self._control.ask("status", {})["protection"])

    def ending(self, end: Any) -> None:
        """Have something called before the disks are unmounted."""
        self._ending.callback(end)

    def checkpoint(self, name: str, writer: Writer) -> Made:
        """Make a checkpoint under the policy while somebody writes."""
        acknowledged = writer.acknowledged(time.monotonic())
        self._control.ask("checkpoint", {"group": self.group, "name": name, "wait": True})
        (label,) = [at["consistency"] for at in self._listed() if at["name"] == name]
        bounds = Bounds(acknowledged, writer.begun(self.agent.frozen_at))
        return Made(name, label, self.protection()["last_why"], bounds)

    @contextmanager
    def image(self, name: str) -> Iterator[dict[str, Exported]]:
        """Serve the disks as they were at a checkpoint, as a person would, to be mounted and written."""
        words = ["image", self.group, name, "--serve", "--writable", "--store", str(self.folder / "store")]
        with ExitStack() as ending:
            process = _process(self.folder / "image.txt", *words)
            ending.callback(_end, process, signal.SIGINT)
            served = [_heard(process, self.folder / "image.txt").split() for _ in self.names]
            folder = self.folder / f"image-{name}"
            ending.callback(shutil.rmtree, folder)
            folder.mkdir()
            disks = {}
            for uri, *_, volume in served:
                disks[volume] = Exported(uri, folder / volume)
                ending.callback(disks[volume].close)
            yield disks

    def end(self) -> None:
        """Thaw and unmount everything, and end the processes."""
        self._ending.close()

    def _listed(self) -> list[dict[str, Any]]:
        ran = wherry("checkpoints", self.group, "--store", str(self.folder / "store"), "--json")
        assert ran.code == 0, ran.text
        return list(ran.document["checkpoints"])

    def _mount(self, folder: Path, uris: dict[str, str]) -> dict[str, Path]:
        folder.mkdir()
        places = {}
        for name, uri in uris.items():
            disk = Exported(uri, folder / name)
            self._ending.callback(disk.close)
            disk.mount()
            places[name] = disk.place
        return places

    def _start(self, *words: str) -> str:
        process = _process(self.folder / f"{words[0]}.txt", *words)
        self._ending.callback(_end, process, signal.SIGTERM)
        return _heard(process, self.folder / f"{words[0]}.txt")


def _process(log: Path, *words: str) -> subprocess.Popen[str]:
    with log.open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "tui.cli.entry", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True,
            env={**os.environ, "PATH": f"{log.parent / 'bin'}:{os.environ['PATH']}"},
        )  # fmt: skip


def _heard(process: subprocess.Popen[str], log: Path) -> str:
    """Return the next line of a process."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, log.read_text("utf-8")
    return line


def _end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)
    try:
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
