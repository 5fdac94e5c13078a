"""The lab as a site: leases, operations, machines, volumes, and what a folder holds."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.daemons.lock import is_running
from migrate.sites.lab.client import LabSite
from migrate.sites.lab.folder import SiteFolder
from migrate.sites.lab.oplog import read_ops
from migrate.sites.ports import Capability, FullSite, NewAttachment, NewDisk, NewNic, NewVM
from planner.errors import BadInput, NoSpace, NotFound, SiteRefused, Unreachable
from planner.model import Backing, BusSharing, Disk, Inventory, Power
from planner.names import content_id
from tests.migrate.sites.estate import HOSTILE, MIB, build, content, inventory, running, wait_for


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("lab")
    build(directory, capacity=8 * MIB)
    return directory


@pytest.fixture
def lab(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "lab", symlinks=True)
    return tmp_path / "lab"


@pytest.fixture
def source(lab: Path) -> Iterator[LabSite]:
    with running(lab / "source") as site:
        yield site


@pytest.fixture
def target(lab: Path) -> Iterator[LabSite]:
    with running(lab / "target") as site:
        yield site


def full(site: LabSite) -> FullSite:
    return site  # the type checker's proof that LabSite is one


def test_the_source_is_the_inventory(source: LabSite) -> None:
    of_vcenters = {Capability.FOLDERS, Capability.RULES}
    assert full(source).capabilities == frozenset(Capability) - of_vcenters
    assert set(source.vms()) == {"db", "pair-1", "pair-2", "diskless"}
    state = source.observe("db")
    assert state is not None
    assert (state.name, state.power, state.connected) == (HOSTILE, Power.OFF, True)
    assert [(disk.key, disk.volume, disk.backing, disk.size_bytes) for disk in state.disks] == [
        ("2000", "db/2000", Backing.VMDK, 2 * MIB),
        ("2001", "db/2001", Backing.VMDK, MIB),
        ("2002", "db/2002", Backing.RDM_PHYSICAL, MIB),
    ]
    assert state.disks[2].lun == "naa.../p"
    one, two = source.observe("pair-1"), source.observe("pair-2")
    assert one is not None
    assert two is not None
    assert one.disks[1].volume == two.disks[1].volume == "pair-1/2001"
    assert two.disks[1].multi_writer
    assert two.disks[2].bus_sharing is BusSharing.VIRTUAL
    assert len({(disk.bus, disk.unit) for disk in two.disks}) == 3
    assert source.observe("tpl") is None
    assert source.observe("nobody") is None


def test_names_never_become_paths(lab: Path) -> None:
    names = {path.name for path in (lab / "source").rglob("*")}
    assert not any("passwd" in name or "red" in name or "naa" in name for name in names)
    home = lab / "source/vms" / content_id("db")
    vmx = (home / f"{content_id('db')}.vmx").read_text()
    assert len([line for line in vmx.splitlines() if line.startswith("displayName")]) == 1
    assert 'displayName = "../../etc/passwd|22|0A|7C22[red]=1+1 |1B[31m|E2|80|AE ü"' in vmx
    assert 'scsi0:0.fileName = "disk-0.vmdk"' in vmx


def test_power_and_direct_writers_exclude_each_other(source: LabSite) -> None:
    source.power_on("pair-1", "on-1")
    for volume in ("pair-1/2000", "pair-1/2001"):
        with pytest.raises(SiteRefused):
            source.open_write(volume)
    source.power_off("pair-1", "off-1")
    writer = source.open_write("pair-1/2001")
    with pytest.raises(SiteRefused, match="another writer"):
        source.open_write("pair-1/2001")
    for vm in ("pair-1", "pair-2"):
        with pytest.raises(SiteRefused, match="in use"):
            source.power_on(vm, f"on-{vm}")
        state = source.observe(vm)
        assert state is not None
        assert state.power is Power.OFF
    source.power_on("db", "on-db")
    writer.close()
    source.power_on("pair-2", "on-2")
    assert source.probe("pair-2").ok


def test_a_dead_writer_frees_its_disk(source: LabSite) -> None:
    code = (
        "import sys, os; from pathlib import Path; from migrate.sites.lab.client import LabSite\n"
        "disk = LabSite.connect(Path(sys.argv[1]), start=False).open_write('db/2000')\n"
        "print('open', flush=True); sys.stdin.read()"
    )
    import sys

    child = subprocess.Popen(
        [sys.executable, "-c", code, str(source.directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == b"open\n"
    with pytest.raises(SiteRefused):
        source.power_on("db", "on")
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
    source.power_on("db", "on")  # it was refused before, so the same op may come again
    assert source.probe("db").ok


def test_operations_are_logged_and_happen_once_per_op(lab: Path) -> None:
    log = lab / "source/state/ops.log"
    with running(lab / "source") as site:
        for _ in range(3):
            site.power_on("db", "op-on")
        state = site.observe("db")
        assert state is not None
        assert state.last_power_op == "op-on"
        assert site.shut_down("db", "op-off", 5)
        assert site.shut_down("db", "op-off", 5)
        site.power_on("db", "op-on")  # late and repeated: already done, the VM stays off
        state = site.observe("db")
        assert state is not None
        assert state.power is Power.OFF
        site.rename("db", "new \u202e name", "op-name")
        state = site.observe("db")
        assert state is not None
        assert state.name == "new \u202e name"
    entries = read_ops(log)
    received = Counter((entry["call"], entry["op"]) for entry in entries if "done" not in entry)
    assert received["power_on", "op-on"] == 4
    acted = [entry for entry in entries if entry.get("done") and not entry.get("repeated")]
    assert Counter((entry["call"], entry["op"]) for entry in acted) == {
        ("power_on", "op-on"): 1,
        ("shut_down", "op-off"): 1,
        ("rename", "op-name"): 1,
    }
    numbers = [int(str(entry["n"])) for entry in entries if "done" not in entry]
    assert numbers == sorted(set(numbers))
    with log.open("ab") as file:
        file.write(b'{"n": 99, "op": "torn')
    with running(lab / "source") as site:
        site.rename("db", "other", "op-name")  # done before the restart: not again
        state = site.observe("db")
        assert state is not None
        assert state.name == "new \u202e name"
        site.power_on("db", "op-on")  # the machine it powered on is gone: really done again
        assert site.probe("db").ok
    last = read_ops(log)[-1]
    assert last["call"] == "power_on"
    assert last["done"]


def target_vm(**changes: object) -> NewVM:
    vm = NewVM(
        "db",
        HOSTILE,
        4,
        1000 * MIB + 1,
        "efi",
        "other|guest",
        (NewAttachment("2000", "db/2000"), NewAttachment("2001", "db/2001", 0, 0)),
        (NewNic("n", "net", "00:50:56:00:00:09"),),
    )
    return replace(vm, **changes)  # type: ignore[arg-type]


def test_machines_come_and_go_and_their_volumes_stay(lab: Path) -> None:
    with running(lab / "target") as site:
        with pytest.raises(NotFound):
            site.create_vm(target_vm(), "c0")
        for volume in ("db/2000", "db/2001"):
            site.create_disk(NewDisk(volume, MIB, Backing.VMDK), f"d-{volume}")
            site.create_disk(NewDisk(volume, MIB, Backing.VMDK), f"d-{volume}-again")
        site.create_vm(target_vm(), "c1")
        site.create_vm(target_vm(), "c1")
        with pytest.raises(SiteRefused, match="registered already"):
            site.create_vm(target_vm(), "c2")
        with pytest.raises(SiteRefused, match="used by"):
            site.delete_disk("db/2000", "x")
        site.connect_nics("db", False, "n")
    with running(lab / "target") as site:
        state = site.observe("db")
        assert state is not None
        assert (state.name, state.connected, state.op) == (HOSTILE, False, "c1")
        assert [(disk.bus, disk.unit) for disk in state.disks] == [(0, 0), (0, 1)]
        site.power_on("db", "on")
        assert not site.probe("db").ok  # blank disks: nothing of the application is there
        with pytest.raises(SiteRefused, match="powered on"):
            site.delete_vm("db", "del-1")
        site.power_off("db", "off")
        site.delete_vm("db", "del-2")
        site.delete_vm("db", "del-3")
        assert site.observe("db") is None
        assert site.volume("db/2000") == NewDisk("db/2000", MIB, Backing.VMDK)
        site.delete_disk("db/2000", "x1")
        site.delete_disk("db/2000", "x2")
        assert site.volume("db/2000") is None
    assert content_id("db/2000") not in {path.name for path in (lab / "target/vms").iterdir()}


def test_a_copied_disk_boots_at_the_target_with_everything(source: LabSite, target: LabSite) -> None:
    source.power_on("db", "on")
    time.sleep(0.3)
    assert source.shut_down("db", "off", 5)
    acknowledged = source.guest("db").last_acknowledged
    state = source.observe("db")
    assert state is not None
    for disk in state.disks:
        # the physical RDM becomes a VMDK, one VMDK goes to a larger LUN
        lun = "naa.t" if disk.key == "2001" else ""
        backing = Backing.RDM_VIRTUAL if lun else Backing.VMDK
        target.create_disk(NewDisk(disk.volume, disk.size_bytes, backing, lun), disk.volume)
        writer = target.open_write(disk.volume)
        writer.write(content(source, disk.volume), 0)
        writer.flush()
        writer.close()
    target.create_vm(target_vm(disks=tuple(NewAttachment(d.key, d.volume) for d in state.disks)), "c")
    assert target.guest("db").last_written == acknowledged
    target.power_on("db", "on")
    assert target.probe("db").ok
    assert target.guest("db").missing == 0


def test_a_full_site_says_so(target: LabSite) -> None:
    assert target.free_bytes() == 8 * MIB
    target.create_disk(NewDisk("a", 5 * MIB, Backing.VMDK), "a")
    assert target.free_bytes() == 3 * MIB
    with pytest.raises(NoSpace):
        target.create_disk(NewDisk("b", 4 * MIB, Backing.VMDK), "b")
    assert target.volume("b") is None
    target.create_disk(NewDisk("l", MIB, Backing.RDM_VIRTUAL, "naa.t"), "l")  # a LUN takes none
    assert target.free_bytes() == 3 * MIB
    target.delete_disk("a", "del")
    target.create_disk(NewDisk("b", 4 * MIB, Backing.VMDK), "b")  # refused before, so asked again


def test_luns_are_mapped_once_and_start_as_zeros(target: LabSite) -> None:
    new = NewDisk("v", MIB, Backing.RDM_PHYSICAL, "naa.t")
    target.create_disk(new, "1")
    assert target.volume("v") == replace(new, size_bytes=2 * MIB)  # as large as its LUN
    target.create_disk(new, "2")
    disk = target.open_write("v")
    disk.write(b"old", 0)
    disk.close()
    with pytest.raises(SiteRefused, match="mapped by"):
        target.create_disk(replace(new, volume="w"), "3")
    target.delete_disk("v", "4")
    target.create_disk(replace(new, volume="w"), "5")
    assert content(target, "w") == bytes(2 * MIB)
    for bad, why in (
        (replace(new, volume="x", lun="naa.none"), "does not exist"),
        (replace(new, volume="w", size_bytes=3 * MIB), "the disk needs"),
        (NewDisk("y", 1000, Backing.VMDK), "cannot have"),
        (NewDisk("w", 2 * MIB, Backing.VMDK), "another shape"),
    ):
        with pytest.raises(SiteRefused, match=why):
            target.create_disk(bad, f"bad-{why}")


def test_an_unwilling_guest_ignores_shutdown(lab: Path) -> None:
    folder = SiteFolder(lab / "source")
    folder.write_settings(replace(folder.settings(), stubborn=("db",)))
    with running(lab / "source") as site:
        site.power_on("db", "on")
        assert not site.shut_down("db", "off", 0.1)
        state = site.observe("db")
        assert state is not None
        assert state.power is Power.ON
        site.power_off("db", "plug")
        assert site.shut_down("db", "off", 0.1)


def test_an_idle_site_ends_by_itself_but_not_under_a_client(lab: Path) -> None:
    folder = SiteFolder(lab / "source")
    folder.write_settings(replace(folder.settings(), idle_exit_s=0.1))
    site = LabSite.connect(lab / "source")
    time.sleep(0.8)
    assert site.observe("db") is not None
    site.close()
    wait_for(lambda: is_running(folder.run, "lab") is None)
    with running(lab / "source") as again:
        assert not again.crashed("db")


def test_calls_from_many_threads(source: LabSite) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(20):
                assert source.observe("db") is not None
                source.thaw(("db",), f"t{number}")
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_folders_that_are_no_sites(tmp_path: Path, lab: Path) -> None:
    with pytest.raises(BadInput, match="not a lab site"):
        LabSite.connect(tmp_path)
    with pytest.raises(Unreachable):
        LabSite.connect(lab / "target", start=False)
    (lab / "target/site.json").write_text(json.dumps({"nothing": 1}))
    with pytest.raises(BadInput, match="not a site description"):
        LabSite.connect(lab / "target")
    with pytest.raises(BadInput, match="not empty"):
        build(lab)
    for name in ("", "..", "a/b", "a\nb"):
        with pytest.raises(BadInput, match="cannot name"):
            build(tmp_path / "other", source_name=name)


def hashes(directory: Path) -> dict[str, bytes]:
    import hashlib

    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).digest()
        for path in directory.rglob("*")
        if path.suffix in {".vmdk", ".img", ".vmx"} and path.is_file()
    }


def test_the_same_seed_builds_the_same_bytes(built: Path, tmp_path: Path) -> None:
    if not shutil.which("mke2fs", path="/usr/sbin:/sbin:/usr/bin"):
        pytest.skip("not run: mke2fs is not installed")
    boot = inventory().vms[0]
    large = Inventory(
        "t", "", (replace(boot, id="big", disks=(Disk("2000", "boot", 24 * MIB),)), *inventory().vms[1:2])
    )
    steps: list[tuple[int, int]] = []
    for name in ("one", "two"):
        time.sleep(1.1)  # file systems count whole seconds: the second build must fall into another one
        made = build(
            tmp_path / name, inventory=large, progress=lambda what, done, total: steps.append((done, total))
        )
        assert made.size_bytes == 27 * MIB
        assert 4 * MIB < made.allocated_bytes < made.size_bytes
        assert made.powered_on == ("big", "pair-1")
    assert steps[: len(steps) // 2] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert hashes(tmp_path / "one/source") == hashes(tmp_path / "two/source")
    build(tmp_path / "other", inventory=large, seed=8)
    assert hashes(tmp_path / "one/source") != hashes(tmp_path / "other/source")
    disk = tmp_path / "one/source/vms" / content_id("big") / "disk-0-flat.vmdk"
    fsck = shutil.which("e2fsck", path="/usr/sbin:/sbin:/usr/bin")
    assert fsck is not None
    part = tmp_path / "part.img"
    part.write_bytes(disk.read_bytes()[MIB : 13 * MIB])
    assert subprocess.run([fsck, "-fn", part], capture_output=True, check=False).returncode == 0
