"""Where a lab site keeps what, and its few settings in ``site.json``.

    site.json   vms/<id>/<id>.vmx, disk-N.vmdk, disk-N-flat.vmdk   luns/<id>.img, <id>.json
    state/      identity, power.json, maps/, snapshots/, acks/, ops.log      run/ (0700) socket, lock, log

Every ``<id>`` is a content id: names of VMs, volumes and LUNs are data and never become paths.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from migrate.daemons.sockets import private_directory
from migrate.disks.durable import replace_file
from planner.errors import BadInput
from planner.names import visible

SETTINGS = "site.json"
NAME = "lab"  # of the site's process
SOCKET = "lab.sock"


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What ``site.json`` may say. Rates are records per second and powered-on VM."""

    name: str
    role: str
    write_rate: float = 40.0
    capacity_bytes: int | None = None
    stubborn: tuple[str, ...] = ()  # ids of VMs whose guests ignore a shutdown request
    networks: tuple[str, ...] | None = None  # where NICs can be plugged; None = anywhere
    answer_port: int = 0  # where guests that run answer at their loopback addresses; 0 = nowhere
    idle_exit_s: float = 900.0  # the process ends when nothing is on and nobody connected for so long


@dataclass(frozen=True, slots=True)
class SiteFolder:
    """The paths of one lab site."""

    root: Path

    @property
    def vms(self) -> Path:
        """One folder a VM, and one for each volume that came before its VM."""
        return self.root / "vms"

    @property
    def luns(self) -> Path:
        """Flat LUN files, each with a JSON that names it."""
        return self.root / "luns"

    @property
    def state(self) -> Path:
        """What the hypervisor remembers."""
        return self.root / "state"

    @property
    def run(self) -> Path:
        """Socket, lock and log of the running processes; nobody else can enter."""
        return self.root / "run"

    def settings(self) -> SiteSettings:
        """Read ``site.json``; raises BadInput."""
        path = self.root / SETTINGS
        try:
            body = json.loads(path.read_text("utf-8"))
            body["stubborn"] = tuple(body.get("stubborn", ()))
            body["networks"] = tuple(body["networks"]) if body.get("networks") is not None else None
            return SiteSettings(**body)
        except FileNotFoundError as error:
            raise BadInput(
                f"{visible(str(self.root))} is not a lab site", "build one with wherry lab build"
            ) from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise BadInput(
                f"{visible(str(path))} is not a site description: {error}", "build the lab again"
            ) from error

    def write_settings(self, settings: SiteSettings) -> None:
        """Write ``site.json``."""
        replace_file(self.root / SETTINGS, (json.dumps(asdict(settings), indent=2) + "\n").encode())

    def check_free(self) -> None:
        """Raise BadInput when the folder holds something already."""
        if self.root.exists() and any(self.root.iterdir()):
            raise BadInput(
                f"{visible(str(self.root))} is not empty", "choose a new folder, or remove this one"
            )

    def create(self, settings: SiteSettings) -> None:
        """Make an empty site; raises BadInput when the folder holds something already."""
        self.check_free()
        self.root.mkdir(parents=True, exist_ok=True)
        for path in (self.vms, self.luns):
            path.mkdir()
        self.make_state()
        self.write_settings(settings)

    def identity(self) -> str:
        """Return what tells this site from every other; made when it is asked for first."""
        path = self.state / "identity"
        if not path.exists():
            replace_file(path, secrets.token_hex(16).encode())
        return path.read_text("ascii")

    def make_state(self) -> None:
        """Make the folders that a running hypervisor needs."""
        private_directory(self.run)
        for part in ("", "maps", "snapshots", "acks"):
            (self.state / part).mkdir(parents=True, exist_ok=True)
