"""A wave between two vCenters whose target has its receiver in another project, as on another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.daemons.reaching import asks_of
from migrate.sites.vsphere.folder import VCenterFolder
from migrate.sites.vsphere.known import landing_folder
from planner.errors import SiteRefused, WherryError
from tests.serving import serving
from tests.tui.cli.command import Wherry, wherry
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer
from tests.vcenter.staged import Plant, content, machines, mounts, snapshots, spec, staged, with_password


def elsewhere(root: Path, peer: VCenterPeer) -> Wherry:
    """Return a project that knows one vCenter and nothing else: no inventory, no plan."""
    assert wherry("init", str(root)).code == 0
    cli = Wherry(root)
    cli.done("site", "add", "dc2", spec(peer), "--role", "target")
    said = ", ".join(f'"{store}" = "{path}"' for store, path in mounts(peer).items())
    cli.done("settings", "set", "sites.dc2.mounts", f"{{{said}}}")
    ran = with_password(cli, peer, "site", "login", "dc2")
    assert ran.code == 0, ran.text
    return cli


def test_volumes_are_found_by_a_receiver_that_was_told_of_them(tmp_path: Path, vcenter: StartVCenter) -> None:
    plant, target = Plant(vcenter("-vm", "1")), vcenter("-vm", "0")
    name = min(plant.machines)
    stage = staged(tmp_path / "here", plant.peer, target).planned(name)
    there = elsewhere(tmp_path / "there", target)
    cli, ours = stage.cli, tmp_path / "dc1.pem"
    cli.done("settings", "set", "sites.dc2.mounts", "{}")  # only the other machine reaches the disks
    cli.done("keys", "init")
    cli.done("keys", "issue", str(ours), "--site", "dc1", "--role", "sender")
    cli.done("keys", "issue", str(tmp_path / "dc2.pem"), "--site", "dc2", "--role", "receiver")
    with serving(there.root, "dc2", tmp_path / "dc2.pem") as (address, _pid):
        cli.done("site", "receiver", "dc2", "--at", address, "--keys", str(ours))
        assert cli.live("replicate", "W01").code == 0
        plant.write(name, b"later" * 1000, 300_000)
        assert cli.live("cutover", "W01").code == 0
        assert content(machines(target)[name]) == plant.written[name]
        assert cli.live("rollback", "W01").code == 0
        assert not machines(target)
        assert snapshots(plant.peer) == []
        asks = asks_of(VCenterFolder.of(cli.root, "dc2").where)
        for place in (
            f"[LocalDS_0] {name}/{name}.vmdk",
            "naa.600a098000000000",
            f"[LocalDS_0] {landing_folder('v')}/../{name}/disk.vmdk",
        ):
            with pytest.raises(SiteRefused, match="was not made for volume v by a run"):
                asks.ask("places", {"places": {"v": [place]}})
        with pytest.raises(WherryError, match="does not say where"):
            asks.ask("places", {"places": {"v": "[LocalDS_0] x"}})
        with pytest.raises(WherryError, match="does not know"):
            asks.ask("rm", {})
