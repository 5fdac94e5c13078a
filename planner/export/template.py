"""What is to be done at each milestone and by which role; who decides, who helps, who is told.

The days are those of ``milestones``. ``{wave}`` and ``{hours}`` (to decide after the cutover) are filled
in. Roles are played by people of the project; one person may play several, but nobody approves their
own work.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.export.printout import Table

ROLES = (
    "Migration lead", "Incident commander", "Application owner", "Replication", "Platform", "Network",
    "Storage", "Backup", "Monitoring", "Security", "Service desk", "Change board",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to do and the role that does it."""

    what: str
    who: str


DETAILS: dict[int, tuple[Line, ...]] = {
    -28: (
        Line("Freeze the scope: the VMs of {wave} and nothing else", "Migration lead"),
        Line("Have every owner confirm VMs, window, testers and their leave", "Application owner"),
        Line("Raise the change request with this paper", "Migration lead"),
    ),
    -21: (
        Line("Clear blockers, or have them waived in writing", "Migration lead"),
        Line("Networks at the target: port groups, VLANs, addresses, load balancers", "Network"),
        Line("Storage at the target: datastores with room, LUNs zoned and listed in the settings", "Storage"),
        Line("Approve the plan: wherry plan approve {wave}", "Change board"),
    ),
    -14: (
        Line("Begin seeding: wherry replicate {wave}", "Replication"),
        Line("Rehearse in an isolated network, note what the rehearsal took", "Incident commander"),
        Line(
            "Certificates, licences, service accounts, scheduled jobs that name hosts: list and prepare",
            "Security",
        ),
    ),
    -7: (
        Line("Go or no-go 1: fill in the sheet, sign it", "Incident commander"),
        Line("Lower the DNS times to live, put firewall rules in place", "Network"),
    ),
    -3: (
        Line("Leave the VMs alone: no snapshots, no new disks, no patches, backups moved", "Platform"),
        Line("Tell users when and how long", "Service desk"),
    ),
    -1: (
        Line("Take a fresh backup and read it back", "Backup"),
        Line("Disconnect media, remove snapshots", "Platform"),
        Line("Compare the last delta with the window", "Replication"),
    ),
    1: (
        Line("Backup and monitoring run at the target, first backup read back", "Backup"),
        Line("Decide within {hours} h of the cutover: commit or roll back", "Migration lead"),
    ),
    3: (
        Line("End of the closer watch: hand over to operations", "Incident commander"),
        Line("Raise the DNS times to live again", "Network"),
    ),
    14: (
        Line(
            "Source VMs may go once their owner signed; until here they stay, powered off",
            "Application owner",
        ),
    ),
    28: (
        Line("Delete the source VMs, release source LUNs and addresses", "Storage"),
        Line("Clean up firewall rules, DNS records, licences of the source", "Network"),
    ),
}

# D drives it, A approves it, C contributes, I is informed; roles in the order of ROLES.
_DACI: tuple[tuple[str, str], ...] = (
    ("Scope and waves", "D I A C C C C I I C I C"),
    ("Findings and remedies", "D I A C C C C C I C . I"),
    ("Change request", "D C C I I I I I I C I A"),
    ("Networks, DNS, firewall", "A I C I C D . . I C . I"),
    ("Storage and LUNs", "A I . C C . D I . . . I"),
    ("Seeding and replication", "A I I D C C C . I . . ."),
    ("Rehearsal", "A D C C C C C . I I . ."),
    ("Go or no-go 1", "C D A C C C C C C C I C"),
    ("Go or no-go 2", "C D A C C C C C C I I I"),
    ("Cutover", "A D C C C C C I C I I I"),
    ("Smoke test, owner's test", "I D A C C C . . C . I ."),
    ("Rollback", "A D C C C C C I C I I I"),
    ("Commit", "D C A C I I I I I I I I"),
    ("Telling users", "A C C . . . . . . . D I"),
    ("Closer watch", "A D C C C C C C C I C I"),
    ("Deleting the source", "D I A I C C C C I C . I"),
)


def roles() -> Table:
    """Return who drives (D), approves (A), contributes (C) and is informed (I), with a line to name them."""
    rows = tuple((what, *(mark.replace(".", "") for mark in marks.split())) for what, marks in _DACI)
    named = ("Name", *[""] * len(ROLES))
    return Table("Roles", ("Activity", *ROLES), (named, *rows))
