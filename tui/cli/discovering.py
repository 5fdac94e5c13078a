"""What ``wherry discover`` does: read every source, store one snapshot, say what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from planner.model import Inventory
    from planner.sources.vcenter.address import Login
    from planner.store.inventories import Role, StoredInventory
    from planner.store.project import Project
    from tui.cli.progress import Bar

_NOTES = 12  # shown at once; a merge of old exports has dozens


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    sources: tuple[str, ...]
    is_target: bool = False
    add: bool = False
    cap: str = ""
    check: bool = False
    watch: bool = False
    every: str = "5m"
    long: str = ""
    password_fd: int | None = None
    trust: str | None = None
    ca_file: Path | None = None


def discover(project: Project, wish: Wish) -> StoredInventory:
    """Read all sources and store one snapshot; raises BadInput, Unreachable, nothing half-stored."""
    from planner.errors import BadInput
    from planner.sources.capped import capped
    from planner.sources.merging import merged
    from planner.sources.vcenter.address import is_address
    from planner.units import parse_bytes

    cap_bytes = parse_bytes(wish.cap) if wish.cap else None
    if wish.password_fd is not None and sum(map(is_address, wish.sources)) > 1:
        raise BadInput(
            "--password-fd gives the password of one vCenter, and several are named",
            "read them one after the other with --add, or keep their passwords in the keyring",
        )
    plain = len(wish.sources) == 1 and not wish.add and cap_bytes is None
    if plain and not is_address(wish.sources[0]):
        return _take_over(project, wish)
    parts = [_read(project, spec, wish) for spec in wish.sources]
    inventory = merged(parts) if len(parts) > 1 else parts[0]
    if cap_bytes is not None:
        inventory = capped(inventory, cap_bytes)
    return keep(project, inventory, wish)


def _take_over(project: Project, wish: Wish) -> StoredInventory:
    """Store one file as its child staged it."""
    from planner.discovery import take_in_staged
    from planner.sources.opening import staged_source

    with _reading(wish.sources[0]) as bar, staged_source(wish.sources[0], bar.report) as staged:
        bar.begin("storing the snapshot")
        stored = take_in_staged(project, staged, _role(wish))
    _note(project, stored, wish)
    return stored


@contextmanager
def _reading(spec: str) -> Iterator[Bar]:
    from planner.names import visible
    from tui.cli.progress import Bar

    say(f"reading {visible(spec)} …")
    with Bar() as bar:
        bar.begin(f"reading {visible(spec, 50)}")
        yield bar


def keep(project: Project, inventory: Inventory, wish: Wish) -> StoredInventory:
    """Store what was read as the wish says, and note who did; raises BadInput."""
    from planner.discovery import take_in

    stored = take_in(project, inventory, _role(wish), keep_others=wish.add)
    _note(project, stored, wish)
    return stored


def _role(wish: Wish) -> Role:
    from planner.store.inventories import Role

    return Role.TARGET if wish.is_target else Role.SOURCE


def _note(project: Project, stored: StoredInventory, wish: Wish) -> None:
    from migrate import audit
    from planner.effects import Effect

    detail = {"fingerprint": stored.fingerprint, "role": _role(wish).value}
    audit.note(project, Effect.EDIT_PLAN, "discover", stored.inventory.source, detail)


def _read(project: Project, spec: str, wish: Wish) -> Inventory:
    from planner.sources.opening import read_source
    from planner.sources.vcenter.address import is_address

    if is_address(spec):
        return _read_vcenter(project, spec, wish)
    with _reading(spec) as bar:
        return read_source(spec, report=bar.report)


def _read_vcenter(project: Project, spec: str, wish: Wish) -> Inventory:
    from planner.sources.vcenter.reading import read_vcenter
    from tui.cli.login import log_in, with_trust
    from tui.cli.progress import Bar

    login = log_in(project, spec, wish.password_fd, wish.trust, wish.ca_file)

    def read(login: Login) -> Inventory:
        say(f"reading {login.address.shown} …")
        with Bar(in_bytes=False) as bar:
            return read_vcenter(login, report=bar.count)

    return with_trust(project, login, read)[1]


def show(project: Project, stored: StoredInventory, as_json: bool) -> None:
    """Say what was discovered: counts, sizes and every note."""
    from planner.names import visible
    from planner.store import inventories
    from planner.units import show_bytes, show_count
    from planner.volumes import volumes

    inventory = stored.inventory
    found = volumes(inventory)
    has_disks = "disks" not in inventory.gaps
    shared, size = sum(volume.shared for volume in found), sum(volume.size_bytes for volume in found)
    rdms = sum(disk.backing.is_rdm for vm in inventory.vms for disk in vm.disks)
    summary = {
        "inventory": stored.id,
        "fingerprint": stored.fingerprint,
        "role": inventories.head(project, stored.id).role.value,
        "source": inventory.source,
        "vcenters": [vcenter.id for vcenter in inventory.vcenters],
        "vms": len(inventory.vms),
        "disks": sum(len(vm.disks) for vm in inventory.vms) if has_disks else None,
        "rdm_disks": rdms if has_disks else None,
        "shared_volumes": shared if has_disks else None,
        "size_bytes": size if has_disks else None,
        "dependencies": len(inventory.dependencies),
        "notes": list(inventory.notes),
    }
    if as_json:
        data(summary)
        return
    edges = len(inventory.dependencies)
    count = show_count(sum(len(vm.disks) for vm in inventory.vms), "disk")
    disks = f"{count} ({rdms} RDM, {shared} shared), {show_bytes(size)}"
    line(
        f"{show_count(len(inventory.vms), 'VM')}, {disks if has_disks else 'disks unknown'}, "
        f"{edges} {'dependency' if edges == 1 else 'dependencies'}"
    )
    for note in inventory.notes[:_NOTES]:
        line(f"  note: {visible(note)}")
    if (more := len(inventory.notes) - _NOTES) > 0:
        line(f"  and {more} more: wherry inventory notes")
    say("next: wherry check, then wherry plan")
