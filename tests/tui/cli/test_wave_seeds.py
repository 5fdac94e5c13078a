"""wherry replicate --seed-from on a lab: images at hand are brought in, and only what differs is sent."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrate.run.execute import Onlooker, Purpose, carry_out
from planner.store import plans
from planner.store.project import Project
from planner.units import KIB, MIB
from tests.tui.cli.command import Wherry, refused, wherry
from tests.tui.cli.estate import SETTINGS, disk, document, vm
from tests.tui.cli.landed import flat, results

HOSTILE = "so[bold]\x1b[2Jlo"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Wherry]]:
    made: list[Wherry] = []

    def make() -> Wherry:
        root = tmp_path_factory.mktemp("seeds") / "move"
        assert wherry("init", str(root)).code == 0
        cli = Wherry(root)
        made.append(cli)
        settings, inventory = root.parent / "settings.toml", root.parent / "inventory.json"
        settings.write_text(SETTINGS.replace("vms = 2", "vms = 1"), "utf-8")
        solo = vm("vm-3", HOSTILE, "other", [disk("solo", 0, 32), disk("solo", 1, 6)])
        late = vm("vm-4", "late", "more", [disk("late", 0, 3)])
        inventory.write_text(json.dumps(document(vms=[solo, late], dependencies=[])), "utf-8")
        cli.done("settings", "import", str(settings))
        cli.done("discover", str(inventory))
        cli.done("plan")
        cli.done("plan", "approve")
        cli.done("lab", "build")
        return cli

    yield make
    for cli in made:
        cli("lab", "stop")


def drive_of(cli: Wherry) -> Path:
    """Return a folder with an image of each disk of the VM, as somebody copied them before."""
    drive = cli.root.parent / "drive"
    drive.mkdir(exist_ok=True)
    for size, name in ((32, "big.img"), (6, "small.img")):
        shutil.copyfile(flat(cli, "dc1", size), drive / name)
    return drive


def written(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    lines = [",".join(("vm", "disk", "path")), *(",".join(f'"{cell}"' for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


class Died(BaseException):
    """Stands for the death of the process at a boundary."""


@pytest.fixture(scope="module")
def seeded(fresh: Callable[[], Wherry]) -> Wherry:
    return fresh()


def wave(cli: Wherry) -> str:
    """Return the wave that moves the VM with two disks."""
    with Project.open(cli.root) as project:
        every = plans.latest(project).plan.waves
    return next(one.name for one in every if any(machine.id == "vm-3" for machine in one.vms))


def test_maps_that_name_nothing_or_no_such_image_are_refused_with_their_rows(seeded: Wherry) -> None:
    drive, mine, before = drive_of(seeded), wave(seeded), seeded.stored()
    table = written(
        drive / "map.csv",
        [
            ("nobody", "Hard disk 1", "big.img"),
            ("vm-3", "Hard disk 1", "small.img"),
            ("vm-3", "", "big.img"),
            ("vm-3", "Hard disk 2", "gone.img"),
            ("vm-3", "Hard disk 2", "small.img"),
        ],
    )
    ran = seeded.live("replicate", mine, "--seed-from", str(table))
    refused(ran, 2)
    for said in (
        "row 2: no VM of the plan is called 'nobody'",
        "row 3: ",
        "holds a disk of 6.0 MiB",
        "row 4: vm-3 has no disk that is its only one",
        "row 5: ",
        "gone.img is no file",
        "has a seed already, by row 5",
    ):
        assert said in ran.err, (said, ran.err)
    assert "\x1b[2J" not in ran.err
    for path, why in (
        (drive, "no VM of the plan is called 'big'"),
        (drive / "big.img", "neither a folder nor a csv or toml file"),
        (written(drive / "late.csv", [("late", "", "big.img")]), f"names no disk of {mine}"),
        (drive / "gone.csv", "no such file"),
    ):
        ran = seeded.live("replicate", mine, "--seed-from", str(path))
        refused(ran, 2)
        assert why in ran.err
    (drive / "gone.toml").write_text('[[seed]]\nvm = "vm-3"\n', "utf-8")
    ran = seeded("replicate", mine, "--seed-from", str(drive / "gone.toml"))
    refused(ran, 2)
    assert "seed 1 is not vm, disk and path" in ran.err
    assert seeded.stored() == before
    assert not (seeded.root / "seeds").exists()


def test_only_what_differs_is_sent_and_a_changed_block_is_mended(seeded: Wherry) -> None:
    drive, mine = drive_of(seeded), wave(seeded)
    with (drive / "big.img").open("r+b") as image:
        image.seek(4 * MIB)
        wrong = bytes(byte ^ 255 for byte in image.read(4096))
        image.seek(4 * MIB)
        image.write(wrong)
    images = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in drive.glob("*.img")}
    (drive / "map.toml").write_text(
        '[[seed]]\nvm = "vm-3"\ndisk = "Hard disk 1"\npath = "big.img"\n'
        '[[seed]]\nvm = "vm-3"\ndisk = "Hard disk 2"\npath = "small.img"\n',
        "utf-8",
    )
    wanted = ("--seed-from", str(drive / "map.toml"))
    dry = seeded.done("replicate", mine, *wanted)
    assert "bring in" in dry.out
    assert "big.img" in dry.out
    assert "\x1b[2J" not in dry.text
    assert not (seeded.root / "seeds").exists()

    def dies(point: str) -> None:
        if point == "g0/d0/place after act":
            raise Died

    onlooker = Onlooker(boundary=dies)
    with Project.open(seeded.root) as project, pytest.raises(Died):
        carry_out(project, mine, Purpose.REPLICATE, onlooker, seed_from=drive / "map.toml")
    ran = seeded.live("replicate", mine, *wanted)
    assert ran.code == 3, ran.text
    assert "has begun" in ran.err
    ran = seeded.live("replicate", mine)
    assert ran.code == 0, ran.text
    assert "of a seed of" in ran.err
    left = results(seeded)
    assert left["g0/d0/place"]["resumed_bytes"] or left["g0/d0/place"]["cloned"]
    assert (left["g0/d0/seed"]["mode"], left["g0/d1/seed"]["mode"]) == ("compare", "compare")
    first = left["g0/d0/seed"]
    assert first["data_bytes"] >= 4 * KIB, "the changed block was not found"
    assert first["spared_bytes"] == first["seeded_bytes"] - first["data_bytes"]
    assert first["spared_bytes"] > 0.9 * first["seeded_bytes"]
    source, target = flat(seeded, "dc1", 32), flat(seeded, "dc2", 32)
    assert target.read_bytes()[: 8 * MIB] == source.read_bytes()[: 8 * MIB]
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in drive.glob("*.img")} == images
    # Without its seed the same disk costs more than ten times that.
    assert seeded.live("abort", mine).code == 0
    ran = seeded.live("replicate", mine)
    assert ran.code == 0, ran.text
    whole = results(seeded)["g0/d0/seed"]
    assert (whole["mode"], "spared_bytes" in whole) == ("seed", False)
    assert first["wire_bytes"] < 0.1 * whole["wire_bytes"]


def test_a_folder_of_images_serves_all_waves(seeded: Wherry, tmp_path: Path) -> None:
    drive, mine = drive_of(seeded), wave(seeded)
    (drive / "big.img").rename(tmp_path / "vm-3 Hard disk 1.img")
    (drive / "small.img").rename(tmp_path / "vm-3 Hard disk 2-flat.vmdk")
    shutil.copyfile(flat(seeded, "dc1", 3), tmp_path / "late.raw")
    (tmp_path / "notes.txt").write_text("not an image", "utf-8")
    assert seeded.live("abort", mine).code == 0
    told = seeded.done("replicate", mine, "--seed-from", str(tmp_path), "--json").document
    placed = [step["what"] for step in told["steps"] if step["kind"] == "place-seed"]
    assert len(placed) == 2
    assert not any("late" in what for what in placed)
    (tmp_path / "late.img").write_bytes(b"")
    ran = seeded("replicate", mine, "--seed-from", str(tmp_path))
    refused(ran, 2)
    assert "file late.raw: late Hard disk 1 has a seed already, by file late.img" in ran.err
    # An image of another disk, of the right size: everything is sent, nothing wrong is kept.
    (tmp_path / "late.img").unlink()
    (tmp_path / "vm-3 Hard disk 2-flat.vmdk").write_bytes(random.Random(5).randbytes(6 * MIB))
    ran = seeded.live("replicate", mine, "--seed-from", str(tmp_path))
    assert ran.code == 0, ran.text
    other = results(seeded)["g0/d1/seed"]
    assert (other["mode"], other["seeded_bytes"]) == ("compare", 6 * MIB)
    source, target = flat(seeded, "dc1", 6), flat(seeded, "dc2", 6)
    assert target.read_bytes()[: 2 * MIB] == source.read_bytes()[: 2 * MIB]
