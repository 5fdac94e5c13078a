"""What the roles hold, and which privilege is missing on which object, before the night."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.sites.ports import NewNic, NewVM
from migrate.sites.vsphere.roles import Authorised, Lack, On, Side, role
from planner.errors import SiteRefused
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.estates import APP, ODD, document
from tests.vcenter.fixtures import StartVCenter

DOCS = Path(__file__).parents[4] / "docs" / "vsphere.md"
NEW = NewVM("vm-8", "app", 1, 1 << 30, "", "", (), (NewNic("a", "net"),), datastore="ds2")


@pytest.fixture
def wired(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> Wired:
    return wire(vcenter("-estate", str(document(tmp_path, APP, ODD))))


@pytest.mark.parametrize("side", Side)
def test_a_vcenter_knows_every_privilege_and_takes_the_role(wired: Wired, side: Side) -> None:
    ids = [privilege.id for privilege in role(side)]
    assert len(ids) == len(set(ids))
    manager = wired.peer.connect().content.authorizationManager
    everything = next(one.privilege for one in manager.roleList if one.name == "Admin")
    unknown = ("InventoryService.", "StorageProfile.")  # which this vCenter has none of
    known = [one for one in ids if not one.startswith(unknown)]
    assert set(known) - set(everything) == set()
    manager.AddAuthorizationRole(f"wherry-{side.value}", known)


def test_none_may_destroy_or_administer() -> None:
    """Both roles leave out what wherry never does; that for DRS rules is apart, for it is one of clusters."""
    ids = {privilege.id for side in (Side.SOURCE, Side.TARGET) for privilege in role(side)}
    never = (
        "Authorization.",
        "Host.",
        "VirtualMachine.Inventory.Delete",
        "Datastore.Delete",
        "Folder.Delete",
    )
    assert not [one for one in ids if one.startswith(never)]
    assert "VirtualMachine.Inventory.Unregister" not in {one.id for one in role(Side.SOURCE)}


def test_an_account_that_may_all_lacks_nothing(wired: Wired) -> None:
    site = Authorised(*wired.of("vm-7", "vm-8"))
    assert site.lacking_at_source(["vm-7", "vm-8"]) == ()
    assert site.lacking_at_target([NEW]) == ()


def test_what_is_missing_is_named_with_its_object(wired: Wired) -> None:
    wired.peer.rules(
        [
            {"deny": "VirtualMachine.State.CreateSnapshot", "object": "vm-8"},
            {"deny": "Global.LogEvent"},
            {"deny": "Datastore.Browse", "object": "ds2"},
        ]
    )
    site = Authorised(*wired.of("vm-7", "vm-8"))
    lacks = site.lacking_at_source(["vm-7", "vm-8"])
    assert [(one.privilege, one.kind, one.object) for one in lacks] == [
        ("Global.LogEvent", On.ROOT, "Datacenters"),
        ("VirtualMachine.State.CreateSnapshot", On.VM, "app/one"),
    ]
    assert lacks[1].says == (
        "the account lacks VirtualMachine.State.CreateSnapshot on vm app/one: "
        "it is for a snapshot to read from"
    )


@pytest.mark.parametrize(
    ("privilege", "on", "name"),
    [
        ("Network.Assign", On.NETWORK, "net"),
        ("Datastore.AllocateSpace", On.DATASTORE, "ds2"),
        ("Resource.AssignVMToPool", On.POOL, "Resources"),
        ("VirtualMachine.Inventory.Create", On.FOLDER, "vm"),
    ],
)
def test_every_kind_of_place_is_asked_for(wired: Wired, privilege: str, on: On, name: str) -> None:
    wired.peer.rules([{"deny": privilege}])
    (lack,) = Authorised(*wired.of()).lacking_at_target([NEW])
    assert (lack.privilege, lack.kind, lack.object) == (privilege, on, name)


def test_the_folder_of_vms_that_moved_away_is_asked_for_where_it_is_made(wired: Wired) -> None:
    wired.peer.rules([{"deny": "Folder.Create"}, {"deny": "VirtualMachine.Inventory.Move"}])
    lacks = Authorised(*wired.of("vm-7", "vm-8")).lacking_at_source(["vm-7", "vm-8"])
    assert [(one.privilege, one.kind, one.object) for one in lacks] == [
        *(("VirtualMachine.Inventory.Move", On.VM, name) for name in ("odd", "app/one")),
        ("Folder.Create", On.FOLDER, "vm"),
    ]


def test_rules_of_clusters_are_asked_for_only_where_they_are_built(wired: Wired) -> None:
    wired.peer.rules([{"deny": "Host.Inventory.EditCluster"}])
    site = Authorised(*wired.of())
    assert site.lacking_at_target([NEW]) == ()
    (lack,) = site.lacking_at_target([NEW], rules=True)
    assert (lack.privilege, lack.kind, lack.object) == ("Host.Inventory.EditCluster", On.CLUSTER, "prod")


def test_an_account_that_may_not_ask_is_told(wired: Wired) -> None:
    wired.peer.rules([{"method": "HasPrivilegeOnEntities", "fault": "NoPermission"}])
    with pytest.raises(SiteRefused, match="cannot be asked for"):
        Authorised(*wired.of("vm-8")).lacking_at_source(["vm-8"])


def test_a_hostile_name_is_harmless() -> None:
    lack = Lack("Network.Assign", On.NETWORK, "net\x1b[31m", "plugging")
    assert "\x1b" not in lack.says


@pytest.mark.parametrize("side", Side)
def test_the_guide_lists_every_privilege(side: Side) -> None:
    text = DOCS.read_text("utf-8")
    section = text.partition(f"### {side.value.capitalize()}\n")[2].partition("\n### ")[0]
    listed = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert listed == [privilege.id for privilege in role(side)]
