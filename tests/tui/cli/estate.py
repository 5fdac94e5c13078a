"""Three VMs with disks of a few MiB, as an inventory document: a pair with a physical RDM, and one alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MIB = 1024**2


def disk(vm: str, unit: int, size_mib: int, **more: Any) -> dict[str, Any]:
    return {
        "key": str(2000 + unit),
        "label": f"Hard disk {unit + 1}",
        "size_bytes": size_mib * MIB,
        "path": f"[ds] {vm}/{unit}.vmdk",
        "bus": 0,
        "unit": unit,
        **more,
    }


def vm(key: str, name: str, application: str, disks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "id": key,
        "name": name,
        "vcenter": "vc",
        "power": "poweredOn",
        "cpus": 1,
        "memory_bytes": 512 * MIB,
        "tools": "toolsOk",
        "application": application,
        "disks": disks,
        "nics": [{"label": "Network adapter 1", "network": "lan", "mac": "00:50:56:00:00:01"}],
        **more,
    }


def document(**more: Any) -> dict[str, Any]:
    """Return the inventory: W01 is going to be ``solo``, W02 ``db-1`` and ``app-1``."""
    rdm = disk("db-1", 1, 2, backing="rdm-physical", lun="naa.1")
    return {
        "schema": "wherry.inventory/1",
        "source": "tiny",
        "taken_at": "2026-11-02T08:00:00Z",
        "vms": [
            vm("vm-1", "db-1", "shop", [disk("db-1", 0, 4), rdm], tier="database"),
            vm("vm-2", "app-1", "shop", [disk("app-1", 0, 3)], tier="application"),
            vm("vm-3", "solo", "other", [disk("solo", 0, 2)]),
        ],
        "dependencies": [{"source": "vm-2", "target": "vm-1", "tie": "hard", "reason": "calls its database"}],
        **more,
    }


def write(path: Path, **more: Any) -> Path:
    """Write the document, changed as asked."""
    path.write_text(json.dumps(document(**more)), "utf-8")
    return path


SETTINGS = """
[caps]
vms = 2

[policies]
delta_cycles = 1
stop_timeout_s = 20.0
probe_timeout_s = 20.0
commit_window_h = 4.0
"""
