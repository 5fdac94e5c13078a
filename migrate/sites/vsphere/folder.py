"""A project's folder of one vCenter: what any process of its owner needs to log in there, unattended.

    PROJECT/sites/<content id of the site's name>/   0700, nobody else can enter
        site.json      name, url, thumbprint, whether the keyring has the password
        password       0600; not there when the keyring has it
        authority.pem  where an authority is trusted instead of the system's
        run/  state/   of the site's receiver, and the log of what was asked for

An engine that runs detached asks nobody, so a password that is not in a keyring lies here and nowhere else:
on no command line, in no environment, in no database, log or backup (docs/adr/0028-logins.md).
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.daemons.sockets import private_directory
from migrate.disks.durable import remove_file, replace_file
from migrate.keys.bundle import read_private
from planner.errors import Blocked, NotFound
from planner.names import content_id, visible

if TYPE_CHECKING:
    from planner.sources.vcenter.address import Login

SCHEME = "vcenter:"
SETTINGS = "site.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """What ``site.json`` says of a site. ``trust`` is the thumbprint of the only certificate to accept."""

    name: str
    url: str
    trust: str | None = None
    keyring: bool = False


@dataclass(frozen=True, slots=True)
class VCenterFolder:
    """The paths of one vCenter of a project."""

    root: Path

    @classmethod
    def of(cls, project: Path, name: str) -> VCenterFolder:
        """Return the folder of the site that the settings call ``name``; it need not exist."""
        return cls(project.resolve() / "sites" / content_id(name))

    @property
    def where(self) -> str:
        """What another process opens the site by."""
        return f"{SCHEME}{self.root}"

    @property
    def project(self) -> Path:
        """The project that it is of."""
        return self.root.parent.parent

    @property
    def state(self) -> Path:
        """What is remembered about the site."""
        return self.root / "state"

    @property
    def password(self) -> Path:
        """The file that holds the password, where the keyring does not."""
        return self.root / "password"

    @property
    def authority(self) -> Path:
        """The authority's certificates, where others than the system's are trusted."""
        return self.root / "authority.pem"

    def keep(self, name: str, url: str, login: Login, *, keyring: bool) -> None:
        """Keep a login that was tried; with ``keyring`` its password stays there. Raises BadInput."""
        private_directory(self.root)
        self.state.mkdir(exist_ok=True)
        self.forget()
        if login.ca_file is not None:
            replace_file(self.authority, login.ca_file.read_bytes())
        if not keyring:
            replace_file(self.password, login.password.encode())
        kept = Kept(name, url, login.trust, keyring)
        replace_file(self.root / SETTINGS, (json.dumps(asdict(kept), indent=2) + "\n").encode())

    def forget(self) -> bool:
        """Remove what is kept of a login; return whether there was any. What a keyring holds stays there."""
        there = (self.root / SETTINGS).exists()
        if self.root.is_dir():
            for part in (self.password, self.authority, self.root / SETTINGS):
                remove_file(part)
        return there

    def find_kept(self) -> Kept | None:
        """Return what is kept, None when there is nothing; raises BadInput when it is not ours alone."""
        with contextlib.suppress(NotFound):
            return Kept(**json.loads(read_private(self.root / SETTINGS)))
        return None

    def need_kept(self) -> Kept:
        """Return what is kept; raises Blocked when there is nothing, BadInput."""
        kept = self.find_kept()
        if kept is None:
            raise Blocked(f"{visible(str(self.root), 200)} keeps no login", "run 'wherry site login NAME'")
        return kept

    def login(self) -> Login:
        """Return the login that is kept; raises Blocked when none is, BadInput."""
        from planner.sources.vcenter.address import Login, parse_address
        from planner.sources.vcenter.credentials import find_password

        kept = self.need_kept()
        address = parse_address(kept.url)
        if kept.keyring:
            password = find_password(address, keyring=True)
        else:
            password = read_private(self.password).decode()
        return Login(address, password, kept.trust, self.authority if self.authority.exists() else None)
