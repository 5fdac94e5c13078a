"""What to do before the night about a fault that a rehearsal met."""

from __future__ import annotations

from migrate.rehearsals.faults import TRANSFERS, Cell, Fault

_ALWAYS = {
    "take_snapshot": "take and remove a snapshot of every VM by hand, and look for backup jobs in the window",
    "drop_snapshot": "remove old snapshots and see that the source datastores have room to consolidate",
    "quiesce": "test the guest tools and pre-freeze scripts on every VM",
    "shut_down": "test a shutdown from within the guest, or lower the limit after which it is forced",
    "create_disk": "look at space and permissions of the target datastores, or replicate the day before",
    "create_vm": "rehearse with --depth dry: names, networks and privileges at the target",
    "power_on": "boot a copy beforehand with --depth boot, and look at licences and reservations there",
    "customise": "see that the tools run in the guest, and have somebody at hand who sets addresses by hand",
    "probe": "boot a copy beforehand with --depth boot, and see whether the probe asks for the right thing",
    "rename": "give the account the right to rename at the source: without it the fence is a person's work",
    "connect_nics": "give the account the right to change VMs at the source: without it the fence is manual",
    "compare": "see that both sites can read every disk at full speed, and check the storage for errors",
    "copy": "replicate once before the night, so that only what changed is left to copy",
}
_PASSING = {
    Fault.ONCE: "somebody has to be awake who may say 'again': name them in the plan of the night",
    Fault.LOST: "nothing: the site is asked whether it was done",
    Fault.SLOW: "measure how long it takes on a quiet evening, and leave room in the window",
    Fault.STALLS: "agree after how long a call that hangs is ended at the site, and by whom",
    Fault.OUTAGE: "have somebody at hand who can reach the site another way, and run the engine near it",
    Fault.MOVER: "nothing: the pass goes on where it was",
    Fault.RECEIVER: "run the receiver as a service that starts again by itself",
    Fault.LINK: "have the line watched in the window; the passes resume while transfers.patience_s lasts",
    Fault.BEFORE: "run the engine as a service that starts again by itself",
    Fault.AFTER: "run the engine as a service that starts again by itself",
}


def remedy(cell: Cell, stuck: bool, back: bool, too_late: bool) -> str:
    """Return what to do about a cell that ended so, one sentence in the imperative."""
    if stuck and cell.where != TRANSFERS:
        return _ALWAYS.get(
            cell.call, f"find out who can do by hand what {cell.call} does, and have them ready"
        )
    if too_late:
        return (
            f"plan a longer window or a smaller wave; {_PASSING.get(cell.fault, _ALWAYS.get(cell.call, ''))}"
        )
    if cell.fault is Fault.ALWAYS or back:
        return _ALWAYS.get(cell.call, f"try {cell.call} at the site by hand before the night")
    return _PASSING[cell.fault]
