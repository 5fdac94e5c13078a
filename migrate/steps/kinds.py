"""The table of step kinds by name."""

from __future__ import annotations

from migrate.steps.check import Check
from migrate.steps.create_disk import CreateDisk
from migrate.steps.fencing import Fence, Unfence
from migrate.steps.history import Fold, KeepHistory, Promote
from migrate.steps.hook import Hook
from migrate.steps.kind import StepKind
from migrate.steps.landed import Landed
from migrate.steps.landing import Build, Mark
from migrate.steps.look import Look
from migrate.steps.note import Note
from migrate.steps.outage import Halt, Resume
from migrate.steps.place_seed import PlaceSeed
from migrate.steps.power import Quiesce, Start, Stop
from migrate.steps.probe import Probe
from migrate.steps.proof import Checkpoint, Verify
from migrate.steps.readdress import Readdress
from migrate.steps.reconfigure import Consolidate, DisconnectMedia, DiskMode, UpgradeHardware
from migrate.steps.rules import BuildRules
from migrate.steps.snapshots import DropSnapshot, TakeSnapshot
from migrate.steps.track import EnableTracking
from migrate.steps.transfer import Transfer

KINDS: dict[str, StepKind] = {
    "check": Check(),
    "create-disk": CreateDisk(),
    "place-seed": PlaceSeed(),
    "snapshot": TakeSnapshot(),
    "drop-snapshot": DropSnapshot(),
    "transfer": Transfer(),
    "checkpoint": Checkpoint(),
    "quiesce": Quiesce(),
    "stop": Stop(),
    "verify": Verify(),
    "build": Build(),
    "mark": Mark(),
    "readdress": Readdress(),
    "rules": BuildRules(),
    "start": Start(),
    "probe": Probe(),
    "hook": Hook(),
    "landed": Landed(),
    "fence": Fence(),
    "unfence": Unfence(),
    "look": Look(),
    "consolidate": Consolidate(),
    "disconnect-media": DisconnectMedia(),
    "enable-cbt": EnableTracking(),
    "halt": Halt(),
    "upgrade-hardware": UpgradeHardware(),
    "disk-mode": DiskMode(),
    "resume": Resume(),
    "note": Note(),
    "journal": KeepHistory(),
    "fold": Fold(),
    "promote": Promote(),
}
