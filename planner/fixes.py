"""The fixes of findings that wherry can make itself: names of step kinds, spoken by checks and runs."""

from __future__ import annotations

# In the order in which one VM takes them.
FIXES = ("consolidate", "disconnect-media", "enable-cbt", "upgrade-hardware", "disk-mode")
# vSphere changes these only while the VM is off.
NEED_OFF = frozenset({"upgrade-hardware", "disk-mode"})
