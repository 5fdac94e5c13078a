"""A target without room: refused before anything is made, and survived when it fills up in between."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrate.run.execute import Onlooker, Purpose, carry_out
from planner.store.project import Project
from tests.tui.cli.command import Wherry

_TMPFS_BYTES = 16 * 1024**2


@pytest.fixture
def small(with_lab: Callable[[], Wherry]) -> Wherry:
    """Return a lab whose target site takes 6 MiB: enough for W01, too little for W02."""
    cli = with_lab()
    cli.done("lab", "stop")
    path = cli.root / "lab" / "dc2" / "site.json"
    path.write_text(
        json.dumps({**json.loads(path.read_text("utf-8")), "capacity_bytes": 6 * 1024**2}), "utf-8"
    )
    cli.done("lab", "start")
    return cli


def test_too_little_room_is_seen_before_anything_is_made(small: Wherry) -> None:
    ran = small.live("replicate", "W02")
    assert ran.code == 3, ran.text
    assert "why:  site dc2 has 6.0 MiB free, W02 needs 9.0 MiB" in ran.err
    assert "next: free space there, or plan smaller waves" in ran.err
    assert list((small.root / "lab" / "dc2" / "vms").iterdir()) == []
    said = small("status").out
    assert "✖ W02 failed at W02: sites, VMs," in said
    assert "site dc2 has 6.0 MiB free, W02 needs 9.0 MiB" in said
    assert "free space there" in said
    assert small.live("replicate", "W01").code == 0, "the smaller wave fits"
    assert small.live("abort", "W02").code == 0


@pytest.fixture
def tmpfs(template: Path, tmp_path: Path) -> Iterator[Wherry]:
    """Return a lab whose target site is a file system of its own, of 16 MiB."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("not run: mounting a small file system needs root")
    cli = Wherry(shutil.copytree(template, tmp_path / "move"))
    mount = cli.root / "lab" / "dc2"
    mount.mkdir(parents=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_TMPFS_BYTES},mode=700", "tmpfs", str(mount)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"not run: this machine lets nobody mount: {made.stderr.strip()}")
    try:
        cli.done("plan", "approve")
        cli.done("lab", "build")
        yield cli
    finally:
        cli("lab", "stop")
        _unmount(mount)


def _unmount(mount: Path) -> None:
    for _ in range(50):
        if subprocess.run(["umount", str(mount)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"{mount} stays mounted")


def test_a_disk_that_fills_up_in_the_transfer(tmpfs: Wherry) -> None:
    ballast = tmpfs.root / "lab" / "dc2" / "ballast"

    def fill(point: str) -> None:
        if point == "g0/d0/seed before intent" and not ballast.exists():
            free = os.statvfs(ballast.parent)
            room = free.f_bavail * free.f_frsize - 256 * 1024
            ballast.write_bytes(b"\1" * room)

    with Project.open(tmpfs.root) as project:
        carried = carry_out(project, "W01", Purpose.REPLICATE, Onlooker(boundary=fill))
    assert carried.stopped.decide is not None
    assert carried.history.failures["g0/d0/seed"]["error"] == "no-space"

    ran = tmpfs.live("replicate", "W01")  # still full
    assert ran.code == 4, ran.text
    assert ran.out == "W01: stopped at solo Hard disk 1: seed\n"
    assert "why:  the target is full: No space left on device" in ran.err
    assert "next: free space there" in ran.err
    assert "✖ W01 failed at solo Hard disk 1: seed: the target is full" in tmpfs("status").out

    ballast.unlink()
    ran = tmpfs.live("cutover", "W01")
    assert ran.code == 0, ran.text
    disks = tmpfs.report("W01")["disks"]
    assert len(disks) == 1
    assert all(disk["equal"] for disk in disks)


def test_a_project_on_a_full_disk_is_not_called_broken(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("not run: mounting a small file system needs root")
    mount = tmp_path / "full"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(mount)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"not run: this machine lets nobody mount: {made.stderr.strip()}")
    try:
        Project.create(mount / "move").close()
        ballast = mount / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(b"\1" * 4096):
                pass
        ran = Wherry(mount / "move")("inventory", "snapshots")
        assert ran.code != 0, "there is room left, so this shows nothing"
        assert "free space on its disk" in ran.err
        assert "backup" not in ran.text
        ballast.unlink()
        Wherry(mount / "move").done("inventory", "snapshots")
    finally:
        _unmount(mount)
