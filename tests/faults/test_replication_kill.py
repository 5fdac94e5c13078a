"""Real processes, killed with SIGKILL at random times: the pass resumes and the bytes are equal."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.seed import make_disk
from migrate.replication.logfile import LogFile
from migrate.replication.progress import ProgressLog, VolumeState
from planner.units import MIB

SIZE = 256 * MIB
ROUNDS = 6


class Peers:
    """A receiver and senders that come and go in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.receiver = self.start_receiver()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.plain_peer", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def _await(self, name: str, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 120
        while not (self.directory / name).exists():
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.002)

    def start_receiver(self) -> subprocess.Popen[bytes]:
        (self.directory / "ready").unlink(missing_ok=True)
        process = self._start("receive", str(self.directory))
        self._await("ready", process)
        return process

    def start_sender(self, pass_id: str, mode: str) -> subprocess.Popen[bytes]:
        (self.directory / "sending").unlink(missing_ok=True)
        process = self._start("send", str(self.directory), pass_id, mode)
        self._await("sending", process)
        return process

    def progress(self) -> VolumeState:
        return ProgressLog(_ReadOnly(self.directory / "store", "v"), "v").state

    def await_held(self, sender: subprocess.Popen[bytes]) -> None:
        """Wait until the receiver keeps some of the pass: a slow machine was killed too early so far."""
        deadline = time.monotonic() + 120
        while (current := self.progress().current) is None or not current.held:
            assert time.monotonic() < deadline
            assert sender.poll() is None, sender.communicate()
            time.sleep(0.02)

    def stop(self) -> None:
        self.receiver.kill()
        self.receiver.communicate()


class _ReadOnly(LogFile):
    def replace(self, data: bytes) -> None:
        """The receiver may be writing; looking must not repair."""


def same(a: Path, b: Path) -> bool:
    with a.open("rb") as left, b.open("rb") as right:
        while chunk := left.read(MIB):
            if right.read(MIB) != chunk:
                return False
    return True


@pytest.mark.parametrize("mode", [pytest.param("seed", marks=pytest.mark.soak), "compare"])
def test_kill_either_side_at_random_times(tmp_path: Path, mode: str) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print("SEED", seed)
    rng = random.Random(seed)
    make_disk(tmp_path / "source.img", SIZE, seed=3)
    with (tmp_path / "target.img").open("wb") as target:
        target.truncate(SIZE)
    peers = Peers(tmp_path)
    kills = 0
    held = [0]
    try:
        while kills < ROUNDS:
            sender = peers.start_sender("p1", mode)
            patience_s = 0.5 if held[-1] else 0.5 + 0.3 * kills  # a busy machine gets somewhere, too
            time.sleep(rng.uniform(0.05, patience_s))
            last = kills == ROUNDS - 1
            if last and not held[-1]:
                peers.await_held(sender)
            victim = sender if last else rng.choice([sender, peers.receiver])
            victim.kill()
            if victim is peers.receiver:
                victim.communicate()
                peers.receiver = peers.start_receiver()
            sender.communicate(timeout=120)
            kills += 1
            time.sleep(0.3 if victim is sender else 0.0)  # the receiver keeps what came before
            state = peers.progress()
            if state.done is not None:
                break
            assert not state.unknown
            if state.current is not None:
                held.append(sum(extent.length for extent in state.current.held))
        sender = peers.start_sender("p1", mode)
        out, err = sender.communicate(timeout=120)
        assert sender.returncode == 0, err
        assert out.split()[1] == b"True"
        assert held == sorted(held)  # what was acknowledged stays
        assert held[-1] > 0
        print(f"{kills} kills, held after each: {[size // MIB for size in held]} MiB")
    finally:
        peers.stop()
    assert same(tmp_path / "source.img", tmp_path / "target.img")
