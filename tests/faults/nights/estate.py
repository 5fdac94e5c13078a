"""The waves of nights: every kind of step of a wave and of its remedies, over disks of a few blocks."""

from __future__ import annotations

from migrate.sites.configuration import Configuration, Drive
from planner.conduct_planned import PlannedConduct
from planner.fixes import FIXES
from planner.model import Backing, Sending
from planner.plan import Wave
from tests.faults.nights.rack import GRAIN
from tests.migrate.estate import disk, wave
from tests.migrate.troubled import with_tasks

DB, WEB, SPARE = "id-db", "id-web", "id-spare"
# What may not be missing: each kind of step of the way out, of the way home, of remedies, of each way back.
KINDS = {
    "check", "create-disk", "place-seed", "journal", "snapshot", "transfer", "drop-snapshot", "checkpoint",
    "hook", "fold", "quiesce", "stop", "promote", "verify", "build", "mark", "readdress", "start", "probe",
    "note", "landed", "fence", "unfence", "gate", "human",
    "undo create-disk", "undo journal", "undo snapshot", "undo quiesce", "undo stop", "undo build",
    "undo mark", "undo start", "undo hook", "undo unfence",
    "look", "halt", "resume", *FIXES, "undo halt", "undo resume",
    *(f"undo {fix}" for fix in FIXES if fix != "consolidate"),
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


# How VMs are configured in the evening before their remedies.
ODD = {
    DB: Configuration(
        hw_version=10,
        cbt=False,
        tracking=False,
        modes=(("2000", "independent_persistent"), ("2001", "independent_persistent")),
        drives=(Drive("cdrom", "CD", True, True, "iso"),),
        consolidation_needed=True,
    ),
    WEB: Configuration(cbt=False, tracking=False, modes=(("2000", "independent_nonpersistent"),)),
    SPARE: Configuration(hw_version=9),
}


def remedy_wave() -> Wave:
    """Three VMs with something in the way of each, one of them off."""
    made = wave(
        {"shop": ["db", "web", "spare"]},
        [
            disk("db", number=0, size_bytes=2 * GRAIN),
            disk(
                "db",
                number=1,
                size_bytes=GRAIN,
                source=Backing.RDM_PHYSICAL,
                source_lun="naa.6000000000000001",
            ),
            disk("web", number=0, size_bytes=GRAIN),
            disk("spare", number=0, size_bytes=GRAIN),
        ],
        [["db"], ["web"]],
        off=frozenset({"spare"}),
        stop_timeout_s=3600.0,  # so that it hangs on no chance whether a guest listens
    )
    return with_tasks(made, {DB: FIXES, WEB: ("enable-cbt", "disk-mode"), SPARE: ("upgrade-hardware",)})


def images() -> dict[str, str]:
    """Return which disk is brought in."""
    return {f"{WEB}/2000": "image"}
