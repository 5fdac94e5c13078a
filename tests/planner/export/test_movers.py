"""Files for other movers, read back by a library that is not ours."""

from __future__ import annotations

import csv
import ipaddress
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from planner.export import ansible, aws, forklift, hcx
from planner.export.formats import of_waves
from planner.export.printout import Printout
from planner.export.slugs import slugs
from planner.model import VCenter
from tests.planner.export.paper import NASTY, nasty, paper
from tests.planner.sketch import disk, estate, plan, settings, vm

_DNS = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def _objects(printout: Printout) -> dict[str, list[dict[str, Any]]]:
    data = forklift.render(printout)
    assert data.isascii()
    found: dict[str, list[dict[str, Any]]] = {}
    for item in yaml.safe_load_all(data):
        found.setdefault(item["kind"], []).append(item)
    return found


def test_forklift_gets_two_maps_and_a_plan_for_each_wave() -> None:
    printout = paper()
    objects = _objects(printout)
    (networks,), (storage,) = objects["NetworkMap"], objects["StorageMap"]
    assert networks["spec"]["map"] == [
        {
            "source": {"id": "network-9", "name": "VM Network"},
            "destination": {"type": "multus", "namespace": "test", "name": "prod-net"},
        }
    ]
    assert storage["spec"]["map"] == [
        {
            "source": {"id": "datastore-7", "name": "fast"},
            "destination": {"storageClass": "edit-this-storage-class"},
        }
    ]
    assert len(objects["Plan"]) == len(printout.plan.waves)
    for wave, made in zip(printout.plan.waves, objects["Plan"], strict=True):
        assert made["metadata"]["annotations"]["wherry-wave-fingerprint"] == wave.fingerprint
        assert made["spec"]["warm"] is True
        assert made["spec"]["map"]["network"]["name"] == networks["metadata"]["name"]
        assert made["spec"]["map"]["storage"]["name"] == storage["metadata"]["name"]
        known = printout.vms
        assert made["spec"]["vms"] == [{"id": known[item.id].moref, "name": item.name} for item in wave.vms]
    assert "1 raw device mappings" in objects["Plan"][1]["spec"]["description"]
    assert _objects(paper(method="cold"))["Plan"][0]["spec"]["warm"] is False


def test_forklift_has_one_provider_for_each_vcenter() -> None:
    inventory = estate(
        vm("a", vcenter="u1"),
        vm("b", vcenter="u2"),
        vcenters=(VCenter("u1", "vc1.example"), VCenter("u2", "vc2")),
    )
    objects = _objects(Printout(plan(inventory), inventory, settings=settings()))
    sources = {item["spec"]["provider"]["source"]["name"] for item in objects["Plan"]}
    assert sources == {"vc1-example", "vc2"}
    assert len(objects["NetworkMap"]) == 2
    assert sorted(item["name"] for made in objects["Plan"] for item in made["spec"]["vms"]) == ["a", "b"]


def test_forklift_names_are_names_of_kubernetes_and_refer_to_what_there_is() -> None:
    objects = _objects(nasty())
    named = [(item["kind"], item["metadata"]["name"]) for items in objects.values() for item in items]
    assert len(set(named)) == len(named)
    assert all(_DNS.fullmatch(name) for _, name in named)
    targets = [item["destination"]["name"] for item in objects["NetworkMap"][0]["spec"]["map"]]
    assert all(_DNS.fullmatch(name) for name in targets)
    assert len(set(targets)) == len(targets)  # two networks never become one
    seen = {item["name"] for made in objects["Plan"] for item in made["spec"]["vms"]}
    assert seen == set(NASTY)


def _rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(data.decode("utf-8"))))


def test_hcx_gets_a_mobility_group_for_each_move_group() -> None:
    rows = _rows(hcx.render(paper()))
    assert {(row["MobilityGroup"], row["VM"], row["VMId"]) for row in rows} == {
        ("W01 site", "web1", "vm-12"), ("W01 site", "web2", "vm-13"),
        ("W02 shop", "db1", "vm-10"), ("W02 shop", "db2", "vm-11"),
    }  # fmt: skip
    first = next(row for row in rows if row["VM"] == "db1")
    assert first["MigrationType"] == "Bulk"
    assert (first["ScheduleStartTime"], first["ScheduleEndTime"]) == (
        "2027-03-27T22:00:00Z",
        "2027-03-28T04:00:00Z",
    )
    assert first["NetworkMapping"] == "VM Network=>Prod Net"
    assert first["Attention"] == "raw device mapping; shares a disk"
    assert next(row for row in rows if row["VM"] == "web1")["Attention"] == ""
    assert {row["MigrationType"] for row in _rows(hcx.render(paper(method="cold")))} == {"Cold"}
    assert {row["ScheduleStartTime"] for row in _rows(hcx.render(paper(windows=())))} == {""}


def test_aws_gets_its_intake_form() -> None:
    data = aws.render(paper())
    assert data.decode().splitlines()[0] == (
        "wave_name,app_name,aws_region,aws_accountid,server_name,server_os_family,server_os_version,server_fqdn,"
        "server_tier,server_environment,r_type,subnet_IDs,securitygroup_IDs,subnet_IDs_test,"
        "securitygroup_IDs_test,instanceType,tenancy,tags"
    )
    rows = {row["server_name"]: row for row in _rows(data)}
    assert rows["db1"] | {"tags": ""} == {
        **dict.fromkeys(aws.COLUMNS, ""),
        "wave_name": "W02", "app_name": "shop", "server_name": "db1", "server_os_family": "windows",
        "server_os_version": "Microsoft Windows Server 2022 (64-bit)", "server_fqdn": "db1.example.org",
        "server_tier": "database", "server_environment": "prod", "r_type": "Rehost",
    }  # fmt: skip
    assert rows["web1"]["server_os_family"] == "linux"
    assert dict(part.split("=") for part in rows["db1"]["tags"].split(";")) == {
        "Group": "shop", "Owner": "shop-team", "VMId": "vm-10",
    }  # fmt: skip


def test_what_the_inventory_does_not_say_is_not_guessed_for_aws() -> None:
    inventory = estate(vm("a", guest_os="FreeBSD 14"), vm("b"))
    rows = _rows(aws.render(Printout(plan(inventory), inventory)))
    assert [row["server_os_family"] for row in rows] == ["", ""]


@pytest.mark.parametrize("render", [hcx.render, aws.render], ids=["hcx", "aws"])
def test_tables_have_a_row_for_each_vm_and_no_formula(render: Any) -> None:
    rows = _rows(render(nasty()))
    assert len(rows) == len(NASTY)
    for row in rows:
        assert None not in row
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
            assert not any(ord(char) < 0x20 for char in cell)
    for row in _rows(aws.render(nasty())):
        assert all(part.count("=") == 1 for part in row["tags"].split(";"))


class _Loader(yaml.SafeLoader):
    """YAML with Ansible's own tag, which keeps text from being taken for a template."""


class _Unsafe(str):
    __slots__ = ()


_Loader.add_constructor("!unsafe", lambda loader, node: _Unsafe(loader.construct_scalar(node)))


def _inventory(printout: Printout) -> dict[str, Any]:
    data = ansible.render(printout)
    assert data.isascii()
    return dict(yaml.load(data, _Loader)["all"]["children"])


def test_ansible_of_no_waves_has_no_groups_and_of_one_the_same_text_as_among_others() -> None:
    whole = paper()
    assert _inventory(replace(whole, plan=of_waves(whole.plan, ()))) == {}
    one, other = (
        ansible.render(replace(whole, plan=of_waves(whole.plan, (name,)))) for name in ("W01", "W02")
    )
    head = b"all:\n  children:\n"
    assert ansible.render(whole) == one + other.removeprefix(head)
    assert one.startswith(head)


def test_ansible_groups_are_waves_and_move_groups() -> None:
    printout = paper()
    waves = _inventory(printout)
    assert list(waves) == ["wave_w01", "wave_w02"]
    shop = waves["wave_w02"]["children"]["wave_w02_shop"]
    assert list(shop["hosts"]) == ["db1", "db2"]
    host = shop["hosts"]["db1"]
    assert host["ansible_host"] == "db1.example.org"
    assert (host["wherry_moref"], host["wherry_owner"], host["wherry_runs"]) == ("vm-10", "shop-team", True)
    assert host["wherry_networks"][0]["target"] == "Prod Net"
    assert waves["wave_w01"]["vars"]["wherry_window_start"] == "2027-01-09T21:00:00Z"
    assert waves["wave_w01"]["vars"]["wherry_wave_approved"] is True
    assert waves["wave_w02"]["vars"]["wherry_wave_approved"] is False


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def test_no_name_is_a_template_a_pattern_or_the_controller() -> None:
    waves = _inventory(nasty())
    names: list[str] = []
    shown: set[str] = set()
    for wave in waves.values():
        assert re.fullmatch(r"[a-z_][a-z0-9_]*", " ".join(wave["children"]).split()[0])
        for group in wave["children"].values():
            names += group["hosts"]
            shown |= {host.get("wherry_vm_name", "") for host in group["hosts"].values()}
            for text in _texts(group):
                assert isinstance(text, _Unsafe) or re.fullmatch(r"[\w.:-]*", text), text
    assert len({name.casefold() for name in names}) == len(names) == len(NASTY)
    for name in names:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", name)
        assert name.lower() not in {"localhost", "all", "ungrouped"}
        with pytest.raises(ValueError):
            ipaddress.ip_address(name)
    assert shown == set(NASTY)


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("web1.example.org", True), ("WEB1.Example.org", True), ("localhost.localdomain", False),
        ("web1", False), ("10.0.0.1", False), ("web1.example.org; id", False), ("-oProxyCommand=x.y", False),
    ],
)  # fmt: skip
def test_a_guest_does_not_say_where_ansible_connects_unless_it_is_a_full_name(said: str, taken: bool) -> None:
    inventory = estate(vm("a", dns_name=said))
    waves = _inventory(Printout(plan(inventory), inventory))
    (group,) = waves["wave_w01"]["children"].values()
    assert group["hosts"]["a"].get("ansible_host") == (said.lower() if taken else None)


def test_ansible_reads_it_and_runs_no_name(tmp_path: Path) -> None:
    program = shutil.which("ansible-inventory")
    if not program:
        pytest.skip("not run: Ansible is not on this machine")
    path = tmp_path / "plan-ansible.yaml"
    path.write_bytes(ansible.render(nasty()))
    ran = subprocess.run([program, "-i", str(path), "--list"], capture_output=True, check=True, timeout=120,
                         env={**os.environ, "HOME": str(tmp_path)})  # fmt: skip
    assert b"WARNING" not in ran.stderr
    hosts = json.loads(ran.stdout)["_meta"]["hostvars"]
    names = [host.get("wherry_vm_name", {}) for host in hosts.values()]
    assert {"__ansible_unsafe": "{{ lookup('pipe', 'id') }}"} in names
    assert len(hosts) == len(NASTY)


def test_slugs_keep_what_is_allowed_and_part_what_is_not() -> None:
    made = slugs(
        {"1": "web-01", "2": "Web 01", "3": "web 01", "4": "Ünï", "5": "日本", "6": "all"}, _DNS, "-", {"all"}
    )
    assert (made["1"], made["4"]) == ("web-01", "uni")
    assert len(set(made.values())) == len(made)
    assert all(_DNS.fullmatch(name) for name in made.values())
    long = slugs({"1": "x" * 80, "2": "x" * 81}, _DNS, "-")
    assert len(set(long.values())) == 2
    assert max(map(len, long.values())) <= 63


def test_other_movers_are_told_that_they_copy_what_was_left_out() -> None:
    swap = {"disk": "a/2001", "send": "never", "why": "swap"}
    inventory = estate(vm("a", disk(bus=0, unit=0), disk("2001", bus=0, unit=1)), vm("b"))
    printout = Printout(plan(inventory, sends=[swap]), inventory, (), settings=settings(sends=[swap]))
    (made,) = _objects(printout)["Plan"]
    assert "1 disk left out by decision, which Forklift copies" in made["spec"]["description"]
    assert {row["VM"]: row["Attention"] for row in _rows(hcx.render(printout))} == {
        "a": "1 disk left out by decision, which HCX copies",
        "b": "",
    }
