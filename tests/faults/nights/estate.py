"""The wave of a night: every kind of step that a wave's runbook has, over disks of a few blocks."""

from __future__ import annotations

from planner.conduct_planned import PlannedConduct
from planner.model import Backing, Sending
from planner.plan import Wave
from tests.faults.nights.rack import GRAIN
from tests.migrate.estate import disk, wave

DB, WEB = "id-db", "id-web"
# What may not be missing: each kind of step of the way out, of the way home, and of each way back.
KINDS = {
    "check", "create-disk", "place-seed", "journal", "snapshot", "transfer", "drop-snapshot", "checkpoint",
    "hook", "fold", "quiesce", "stop", "promote", "verify", "build", "mark", "readdress", "start", "probe",
    "note", "landed", "fence", "unfence", "gate", "human",
    "undo create-disk", "undo journal", "undo snapshot", "undo quiesce", "undo stop", "undo build",
    "undo mark", "undo start", "undo hook", "undo unfence",
}  # fmt: skip
_CONDUCT = {
    "nics": [
        {
            "vm": WEB,
            "nic": "eth0",
            "live": {"addresses": ["10.20.0.7/24"]},
            "home": {"addresses": ["10.1.0.7/24"]},
        },
        {"vm": DB, "nic": "eth0", "live": {"addresses": ["10.20.0.8/24"]}, "by_hand": "no tools"},
    ],
    "addresses": {WEB: "10.20.0.7"},
    "home_addresses": {WEB: "10.1.0.7"},
    "probes": [{"name": "port", "kind": "tcp", "port": 1, "vms": [WEB]}],
    "hooks": [
        {"name": "tell", "place": "before-cutover", "argv": ["tell"], "takes_s": 4.0},
        {"name": "untell", "place": "on-rollback", "argv": ["untell"], "takes_s": 4.0},
        {"name": "look", "place": "after-start", "says": "look at it", "takes_s": 30.0},
    ],
}


def night_wave() -> Wave:
    """Two VMs: a disk of eight blocks, a physical RDM, one brought in, one that is left out."""
    made = wave(
        {"shop": ["db", "web"]},
        [
            disk("db", number=0, size_bytes=8 * GRAIN),
            disk(
                "db",
                number=1,
                size_bytes=2 * GRAIN,
                source=Backing.RDM_PHYSICAL,
                source_lun="naa.6000000000000001",
            ),
            disk("web", number=0, size_bytes=3 * GRAIN),
            disk("web", number=1, size_bytes=GRAIN, send=Sending.NEVER),
        ],
        [["db"], ["web"]],
        stop_timeout_s=35.0,
    )
    return made.model_copy(update={"conduct": PlannedConduct.model_validate(_CONDUCT)})


def images() -> dict[str, str]:
    """Return which disk is brought in."""
    return {f"{WEB}/2000": "image"}
