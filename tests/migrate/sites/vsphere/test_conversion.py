"""A VMDK onto a mapped LUN and back into a VMDK, with real bytes: a flat file stands in for the LUN."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
from contextlib import closing
from pathlib import Path

from migrate.disks.partitions import read_table, words
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.ports import NewDisk
from migrate.sites.vsphere.reaching import Reaching
from migrate.sites.vsphere.seats import Laying
from migrate.sites.vsphere.transports.attachments import Attachments
from migrate.sites.vsphere.transports.blockdevices import BlockDevices
from migrate.sites.vsphere.transports.choosing import Choice
from migrate.sites.vsphere.transports.datastore_http import DatastoreHttp
from migrate.sites.vsphere.transports.hanging import Hanging
from migrate.sites.vsphere.transports.hotadd import HotAdd
from migrate.sites.vsphere.transports.mover_vm import MoverVM
from migrate.sites.vsphere.transports.ports import Way
from planner.model import Backing
from planner.sources.vcenter.soap import Ref
from tests.migrate.disks.nbd.servers import tool
from tests.migrate.sites.vsphere.conftest import Wire
from tests.migrate.sites.vsphere.disks import MIB, content
from tests.vcenter.collected import named
from tests.vcenter.fixtures import StartVCenter


def _partitioned(folder: Path) -> bytes:
    """Return a disk with a GPT, made by nbdkit, and a partition of random bytes."""
    chance = random.Random(7)
    (folder / "part").write_bytes(chance.randbytes(4 * MIB))
    tool("nbdcopy")
    subprocess.run(
        [
            *(tool("nbdkit"), "-U", "-", "partitioning", folder / "part", "partition-type=gpt"),
            *("--run", f'nbdcopy "$uri" {folder / "disk"}'),
        ],
        check=True,
        capture_output=True,
    )
    body = (folder / "disk").read_bytes()
    return body.ljust(-(-len(body) // 1024) * 1024, b"\0")  # whole KiB, as VMDKs are


def _copy(source: ReadableDisk, target: WritableDisk) -> str:
    body = content(source)
    for at in range(0, len(body), MIB):
        target.write(body[at : at + MIB], at)
    target.flush()
    return hashlib.sha256(body).hexdigest()


def test_a_vmdk_moves_onto_a_lun_and_back(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> None:
    from pyVmomi import vim

    wired = wire(
        vcenter("-vm", "2", "-host", "2", "-standalone-host", "0", "-cluster", "1", "-ds", "1", "-lun", "3")
    )
    host = next(iter(named(wired.peer.connect(), vim.HostSystem, "config.storageDevice").values()))
    lun = [one for one in host["config.storageDevice"].scsiLun if one.canonicalName.startswith("naa.")][1]
    size = lun.capacity.block * lun.capacity.blockSize
    device = tmp_path / "lun"  # 16 GiB, with holes
    device.touch()
    os.truncate(device, size)
    by_id = tmp_path / "dev/disk/by-id"
    by_id.mkdir(parents=True)
    (by_id / f"wwn-0x{lun.canonicalName.removeprefix('naa.')}").symlink_to(device)

    body = _partitioned(tmp_path)
    site = Reaching(*wired.of())
    site.laying = Laying(datastore="LocalDS_0")
    mover = Ref("VirtualMachine", next(iter(wired.machines().values()))[""]._moId)
    devices, record = BlockDevices(tmp_path, wait_s=0.2), Attachments(tmp_path / "record")
    http = DatastoreHttp(wired.connection)
    site.transports = (http, HotAdd(Hanging(MoverVM(wired.connection, wired.tasks, mover), record), devices))
    told: list[tuple[str, Choice]] = []
    site.tell = lambda volume, choice: told.append((volume, choice))

    site.transports = (http,)  # the flat file of the first disk is none of this machine's devices
    site.create_disk(NewDisk("vm-7/2000", len(body), Backing.VMDK), "r/1")
    with closing(site.open_write("vm-7/2000")) as disk:
        disk.write(body, 0)
        disk.flush()
    hot = HotAdd(Hanging(MoverVM(wired.connection, wired.tasks, mover), record), devices)

    # VMDK to RDM
    site.create_disk(NewDisk("mapped", len(body), Backing.RDM_PHYSICAL, lun.canonicalName), "r/2")
    with closing(site.open_read("vm-7/2000")) as source:
        site.transports = (http, hot)
        with closing(site.open_write("mapped")) as target:
            digest = _copy(source, target)
            assert target.size_bytes == size
    assert told[-1][1].way is Way.HOT_ADD
    with closing(site.open_read("mapped")) as disk:
        assert hashlib.sha256(content(disk, 0, len(body))).hexdigest() == digest
        assert not any(content(disk, len(body), MIB))
        said = words(read_table(disk), len(body), size)
    assert said.startswith("GPT, 1 partition up to sector 10240; ")
    assert "move it to the end with 'sgdisk -e'" in said

    # RDM to VMDK: as many bytes as the disk had
    site.transports = (http,)
    site.create_disk(NewDisk("back", len(body), Backing.VMDK), "r/3")
    with closing(site.open_write("back")) as target:
        site.transports = (http, hot)
        with closing(site.open_read("mapped")) as source:
            target.write(content(source, 0, len(body)), 0)
            target.flush()
    site.transports = (http,)
    with closing(site.open_read("back")) as disk:
        assert hashlib.sha256(content(disk)).hexdigest() == digest
        table = read_table(disk)
    assert table is not None
    assert table.second_good

    site.delete_disk("mapped", "r/4")
    with device.open("rb") as raw:
        assert hashlib.sha256(raw.read(len(body))).hexdigest() == digest  # the LUN keeps its content
