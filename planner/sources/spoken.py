"""What people call the fields that a VM has of its own: in custom attributes, tag categories, columns."""

from __future__ import annotations

import re

_FIELDS = {
    "application": "application",
    "app": "application",
    "applicationname": "application",
    "owner": "owner",
    "applicationowner": "owner",
    "environment": "environment",
    "env": "environment",
    "tier": "tier",
    "criticality": "criticality",
    "businesscriticality": "criticality",
    "maintenancewindow": "window",
    "window": "window",
    "lastbackup": "last_backup",
}


def spoken_field(name: str) -> str | None:
    """Return the field that a name means, by its letters only; None when it means none.

    ``last_backup`` is a field of ``Management``, the others are the VM's own.
    """
    return _FIELDS.get(re.sub(r"[^a-z]", "", name.casefold()).removeprefix("tags"))
