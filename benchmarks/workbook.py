"""Writes an RVTools workbook in the shape of version 4.7: all 27 sheets, as many VMs as are asked for.

Headers are those of a real export (``rvtools47.txt``). Every VM has three disks and file systems, one
adapter, one drive; a hundredth has a snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_HEADERS = Path(__file__).with_name("rvtools47.txt")
_VCENTER = "7f1a2b3c-0001-4000-8000-00000000cafe"
_PER_HOST = 20
_PER_STORE = 40
Row = dict[str, Any]


@cache
def headers() -> dict[str, list[str]]:
    """Return the headers of each sheet of version 4.7 but vHost's and vCluster's site-specific ones."""
    lines = (line.partition(": ") for line in _HEADERS.read_text("utf-8").splitlines())
    return {name: names.split(", ") for name, _, names in lines}


def _vm(number: int) -> Row:
    name = f"fra-prd-app{number // 12:05d}-{number % 12:02d}"
    return {
        "VM": name,
        "Powerstate": "poweredOff" if number % 17 == 0 else "poweredOn",
        "Template": "False",
        "SRM Placeholder": "False",
        "Annotation": f"Application {number // 12}, backed up nightly",
        "Datacenter": "Frankfurt",
        "Cluster": f"prod-{number // 400:02d}",
        "Host": f"esx{number // _PER_HOST:04d}.example.com",
        "Folder": f"/Frankfurt/vm/Applications/{number // 12}",
        "OS according to the configuration file": "Microsoft Windows Server 2019 (64-bit)",
        "OS according to the VMware Tools": "Microsoft Windows Server 2019 (64-bit)",
        "VM ID": f"vm-{1000 + number}",
        "VM UUID": f"500b{number:04x}-ef0d-37fb-6897-{number:012x}",
        "VI SDK Server": "vc.example.com",
        "VI SDK UUID": _VCENTER,
        "VMRef": f"vm-{1000 + number}",
    }


def _store(number: int) -> str:
    return f"ds-{number // _PER_STORE:04d}"


def _info(vm: Row, number: int) -> Row:
    return vm | {
        "Config status": "green",
        "DNS Name": f"{vm['VM']}.example.com",
        "Connection state": "connected",
        "Guest state": "running",
        "Heartbeat": "green",
        "Consolidation Needed": "False",
        "PowerOn": "2026/03/01 08:15:00",
        "Creation date": "2021/04/05 10:00:00",
        "Change Version": "2026/02/28 22:00:00",
        "CPUs": 4,
        "Memory": 16384,
        "Active Memory": 2048,
        "NICs": 1,
        "Disks": 3,
        "Total disk capacity MiB": 296960,
        "Fixed Passthru HotPlug": "True",
        "min Required EVC Mode Key": "intel-broadwell",
        "Latency Sensitivity": "normal",
        "EnableUUID": "True" if number % 3 else None,
        "CBT": "True" if number % 4 else None,
        "Primary IP Address": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        "Network #1": f"vlan{number // 200:04d}",
        "Num Monitors": 1,
        "Video Ram KiB": 4096,
        "Resource pool": "/Frankfurt/prod/Resources",
        "Folder ID": f"group-v{number // 12}",
        "DAS protection": "True",
        "FT State": "notConfigured",
        "FT Latency": "gray",
        "FT Bandwidth": -1,
        "FT Sec. Latency": -1,
        "Provisioned MiB": 313344,
        "In Use MiB": 150000 + number % 9999,
        "Unshared MiB": 149000,
        "HA Restart Priority": "medium",
        "HA Isolation Response": "none",
        "HA VM Monitoring": "vmMonitoringDisabled",
        "Cluster rule(s)": "Anti Affinity" if number % 12 < 2 else None,
        "Cluster rule name(s)": f"apart-{number // 12}" if number % 12 < 2 else None,
        "Boot delay": 0,
        "Boot retry delay": 10000,
        "Boot retry enabled": "False",
        "Boot BIOS setup": "False",
        "EFI Secure boot": "True",
        "Firmware": "efi",
        "HW version": 19,
        "HW upgrade status": "none",
        "HW upgrade policy": "never",
        "Path": f"[{_store(number)}] {vm['VM']}/{vm['VM']}.vmx",
        "Log directory": f"[{_store(number)}] {vm['VM']}/",
        "Customization Info": "TOOLSDEPLOYPKG_IDLE",
        "SMBIOS UUID": f"420b{number:04x}-aaaa-37fb-6897-{number:012x}",
        "VI SDK Server type": "VMware vCenter Server 8.0.3 build-24262322",
        "VI SDK API Version": "8.0.3.0",
    }


def _disk(vm: Row, number: int, at: int) -> Row:
    return vm | {
        "Disk": f"Hard disk {at + 1}",
        "Disk Key": 2000 + at,
        "Disk UUID": f"6000C29{at}-{number:04x}-64ea-5152-{number:012x}",
        "Capacity MiB": (102400, 51200, 143360)[at],
        "Raw": "False",
        "Disk Mode": "persistent",
        "Sharing mode": "sharingNone",
        "Thin": "True",
        "Eagerly Scrub": "False",
        "Split": "False",
        "Write Through": "False",
        "Level": "normal",
        "Shares": 1000,
        "Reservation": 0,
        "Limit": -1,
        "Controller": "VMware paravirtual SCSI",
        "Label": f"SCSI controller {at % 2}",
        "SCSI Unit #": 7,
        "Unit #": at,
        "Shared Bus": "noSharing",
        "Path": f"[{_store(number)}] {vm['VM']}/{vm['VM']}{f'_{at}' if at else ''}.vmdk",
        "Internal Sort Column": f"{vm['VM']}{at}",
    }


def _partition(vm: Row, at: int) -> Row:
    return vm | {
        "Disk Key": 2000 + at,
        "Disk": "CDE"[at] + ":\\",
        "Capacity MiB": (102000, 51000, 143000)[at],
        "Consumed MiB": (61000, 20000, 90000)[at],
        "Free MiB": (41000, 31000, 53000)[at],
        "Free %": (40, 60, 37)[at],
    }


_MORE: dict[str, Row] = {
    "vCPU": {"CPUs": 4, "Sockets": 2, "Cores p/s": 2, "Max": 9180, "Overall": 310, "Level": "normal",
             "Shares": 4000, "Reservation": 0, "Entitlement": 900, "DRS Entitlement": 900, "Limit": -1,
             "Hot Add": "True", "Hot Remove": "False", "Numa Hotadd Exposed": "False"},
    "vMemory": {"Size MiB": 16384, "Memory Reservation Locked To Max": "False", "Overhead": 120, "Max": 16384,
                "Consumed": 12000, "Consumed Overhead": 90, "Private": 11000, "Shared": 0, "Swapped": 0,
                "Ballooned": 0, "Active": 2048, "Entitlement": 9000, "DRS Entitlement": 9000,
                "Level": "normal", "Shares": 163840, "Reservation": 0, "Limit": -1, "Hot Add": "True"},
    "vCD": {"Device Node": "CD/DVD drive 1", "Connected": "False", "Starts Connected": "False",
            "Device Type": "Remote device"},
    "vTools": {"VM Version": 19, "Tools": "toolsOk", "Tools Version": 12352, "Required Version": 12352,
               "Upgradeable": "False", "Upgrade Policy": "manual", "Sync time": "False",
               "App status": "none", "Heartbeat status": "green", "Operation Ready": "True"},
}  # fmt: skip


def _rows(vms: int) -> Iterator[tuple[str, Iterator[Row]]]:
    def each() -> Iterator[tuple[Row, int]]:
        return ((_vm(number), number) for number in range(vms))

    def hosts() -> Iterator[Row]:
        for number in range(0, vms, _PER_HOST):
            vm = _vm(number)
            yield {
                name: vm[name] for name in ("Host", "Datacenter", "Cluster", "VI SDK Server", "VI SDK UUID")
            }

    def stores() -> Iterator[Row]:
        for number in range(0, vms, _PER_STORE):
            yield {"Name": _store(number), "Datastore": _store(number), "VI SDK UUID": _VCENTER}

    yield "vInfo", (_info(vm, number) for vm, number in each())
    for name, more in _MORE.items():
        yield name, (vm | more for vm, _ in each())
    yield "vDisk", (_disk(vm, number, at) for vm, number in each() for at in range(3))
    yield "vPartition", (_partition(vm, at) for vm, _ in each() for at in range(3))
    yield (
        "vNetwork",
        (
            vm
            | {"NIC label": "Network adapter 1", "Adapter": "Vmxnet3", "Network": f"vlan{number // 200:04d}",
               "Switch": "dvs-prod", "Connected": "True", "Starts Connected": "True", "Type": "assigned",
               "Mac Address": f"00:50:56:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
               "IPv4 Address": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
               "Direct Path IO": "False"}
            for vm, number in each()
        ),
    )  # fmt: skip
    yield (
        "vSnapshot",
        (
            vm | {"Name": "before update", "Date / time": "2026/01/05 21:00:00", "Size MiB (total)": 900}
            for vm, number in each()
            if number % 100 == 0
        ),
    )
    yield (
        "vHost",
        (
            host
            | {"# CPU": 2, "Cores per CPU": 16, "# Cores": 32, "# Memory": 785000, "Speed": 2800,
               "CPU Model": "Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz", "Current EVC": "intel-icelake",
               "Max EVC": "intel-icelake", "ESX Version": "VMware ESXi 8.0.3 build-24022510",
               "in Maintenance Mode": "False", "VMotion support": "True", "NTPD running": "True",
               "NTP Server(s)": "10.0.0.1, 10.0.0.2", "Vendor": "Dell Inc.", "Model": "PowerEdge R650",
               "Certificate Expiry Date": "2028/01/01 00:00:00", "Object ID": f"host-{at}"}
            for at, host in enumerate(hosts())
        ),
    )  # fmt: skip
    yield (
        "vHBA",
        (
            host
            | {"Device": f"vmhba{at}", "Type": "Fibre Channel", "Status": "online", "WWN": f"20 00 00 {at}"}
            for host in hosts()
            for at in (2, 3)
        ),
    )
    yield "vSC_VMK", (host | {"Port Group": "Management", "Device": "vmk0", "MTU": 1500} for host in hosts())
    yield "vSwitch", (host | {"Switch": "vSwitch0", "# Ports": 128, "MTU": 1500} for host in hosts())
    yield "vPort", (host | {"Port Group": "Management", "Switch": "vSwitch0", "VLAN": 0} for host in hosts())
    yield (
        "dvPort",
        (
            {"Port": f"vlan{at:04d}", "Switch": "dvs-prod", "Type": "earlyBinding", "VLAN": at + 10,
             "Allow Promiscuous": "False", "Mac Changes": "False", "Forged Transmits": "False",
             "Object ID": f"dvportgroup-{at}", "VI SDK UUID": _VCENTER}
            for at in range(vms // 200 + 1)
        ),
    )  # fmt: skip
    yield (
        "vCluster",
        (
            {"Name": f"prod-{at:02d}", "NumHosts": 20, "HA enabled": "True", "DRS enabled": "True",
             "Restart Priority": "medium", "AdmissionControlEnabled": "True", "Object ID": f"domain-c{at}",
             "DRS default VM behavior": "fullyAutomated", "VI SDK UUID": _VCENTER}
            for at in range(vms // 400 + 1)
        ),
    )  # fmt: skip
    yield (
        "vDatastore",
        (
            store
            | {"Type": "VMFS", "Accessible": "True", "Capacity MiB": 16777216, "Provisioned MiB": 15000000,
               "In Use MiB": 9000000, "Free MiB": 7777216, "# Hosts": 20, "Version": "6.82", "MHA": "True",
               "Address": f"naa.60000000{at:08x}", "Object ID": f"datastore-{at}"}
            for at, store in enumerate(stores())
        ),
    )  # fmt: skip
    yield (
        "vMultiPath",
        (
            store
            | {"Disk": f"naa.60000000{at:08x}", "Host": f"esx{at * 2:04d}.example.com", "Vendor": "PURE",
               "Model": "FlashArray", "UUID": f"0200010000{at:040x}", "Policy": "VMW_PSP_RR"}
            for at, store in enumerate(stores())
        ),
    )  # fmt: skip
    yield (
        "vRP",
        iter([{"Resource Pool name": "gold", "Resource Pool path": "/Frankfurt/prod-00/Resources/gold"}]),
    )
    yield "vLicense", iter([{"Name": "vSphere 8 Enterprise Plus", "Key": "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE"}])
    yield "vSource", iter([{"Name": "VMware vCenter Server", "Version": "8.0.3", "VI SDK UUID": _VCENTER}])
    yield (
        "vMetaData",
        iter([{"RVTools version": "4.7.1.4", "xlsx creation datetime": "2026/03/01 09:00:00"}]),
    )


def write_workbook(path: Path, vms: int) -> dict[str, int]:
    """Write the workbook, a sheet at a time; return its counts of rows and cells."""
    import xlsxwriter

    filled = dict(_rows(vms))
    rows = cells = 0
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_urls": False}) as book:
        for name, columns in headers().items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, columns)
            places = {column: at for at, column in enumerate(columns)}
            number = 0
            for number, row in enumerate(filled.get(name, ()), 1):
                for column, value in row.items():
                    at = places.get(column)
                    if at is None or value is None:
                        continue
                    if isinstance(value, str):
                        sheet.write_string(number, at, value)
                    else:
                        sheet.write_number(number, at, value)
            rows, cells = rows + number, cells + number * len(columns)
    return {"rows": rows, "cells": cells}
