"""Power states that outlive the hypervisor: which VM is on, and who said so.

A state "on" counts only for the process that wrote it. When that process is gone the VM has
crashed with it, and is off until somebody powers it on.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from migrate.disks.durable import replace_file


@dataclass(frozen=True, slots=True)
class PowerState:
    """``clean`` says that the guest itself stopped; ``op`` is the last power op."""

    on: bool = False
    clean: bool = True
    crashed: bool = False
    op: str = ""


class PowerBook:
    """``power.json``: replaced durably at every change. The caller serialises calls."""

    def __init__(self, path: Path, machine_boot: str) -> None:
        """Read the book; what was on is crashed and off now. Raises Corrupt for an unreadable book."""
        self._path, self._boot = path, machine_boot
        self._states: dict[str, PowerState] = {}
        self.was_clean = True  # the last process ended as it should
        self.same_boot = True  # the machine did not restart since
        if path.exists():
            self._read()
        self._write(stopped=False)

    def _read(self) -> None:
        from planner.errors import Corrupt

        try:
            body = json.loads(self._path.read_text("utf-8"))
            self.was_clean = bool(body["stopped"])
            self.same_boot = body["machine_boot"] == self._boot
            for vm, fields in body["vms"].items():
                state = PowerState(**fields)
                self._states[vm] = PowerState(False, False, True, state.op) if state.on else state
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Corrupt(
                f"the lab's power states cannot be read: {error}", f"remove {self._path.name}"
            ) from error

    def _write(self, stopped: bool) -> None:
        body = {
            "machine_boot": self._boot,
            "stopped": stopped,
            "vms": {vm: asdict(state) for vm, state in self._states.items()},
        }
        replace_file(self._path, json.dumps(body).encode())

    def get(self, vm: str) -> PowerState:
        """Return the state of a VM; one never powered on is off."""
        return self._states.get(vm, PowerState())

    def put(self, vm: str, state: PowerState) -> None:
        """Remember a state durably."""
        self._states[vm] = state
        self._write(stopped=False)

    def forget(self, vm: str) -> None:
        """Forget a VM that was unregistered."""
        if self._states.pop(vm, None) is not None:
            self._write(stopped=False)

    def stop(self) -> None:
        """Note that the process ends in order."""
        self._write(stopped=True)
