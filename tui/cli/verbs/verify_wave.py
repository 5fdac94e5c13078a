"""Verify a wave: hash its replicas again and compare with the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tui.cli.options import open_project
from tui.cli.output import data, say, table

if TYPE_CHECKING:
    from migrate.papers.certificate import Signer
    from migrate.verification import Verified
    from planner.identity import Excluded
    from planner.settings import Settings
    from planner.store.project import Project

_KEY = Path("keys", "authority.pem")


def again(wave: str, certificates: Path | None, project_dir: Path, as_json: bool) -> int:
    """Read every replica of a wave at the target again; 1 when one differs from the record."""
    from dataclasses import asdict

    from migrate.papers.certificate import Signer, must_be_folder
    from migrate.run.waves import find_wave
    from migrate.sites.opening import open_site
    from migrate.verification import Verdict, verify_wave
    from planner.errors import NotFound
    from planner.names import visible
    from planner.store import settings as settings_store
    from tui.cli.progress import Bar

    with open_project(project_dir) as project, Bar() as bar:
        planned = find_wave(project, wave).wave
        signer = None
        if certificates is not None:
            if not (project.root / _KEY).exists():  # said before an hour of reading, not after it
                raise NotFound("the project has no keys to sign with", "make them with 'wherry keys init'")
            signer = Signer(project.root / _KEY)
            must_be_folder(certificates)
        settings = settings_store.load(project)
        target = open_site(settings, "target", project.root)
        found = verify_wave(project, planned, target, bar.report_on)
        written = _certify(project, settings, found, certificates, signer) if certificates and signer else {}
    wrong = sum(item.verdict in (Verdict.DIFFERS, Verdict.MISSING) for item in found)
    looked = sum(item.verdict in (Verdict.DIFFERS, Verdict.EQUAL, Verdict.SEEDED) for item in found)
    if as_json:
        more = [{"certificate": written.get(item.volume)} if certificates else {} for item in found]
        data([{**asdict(item), **extra} for item, extra in zip(found, more, strict=True)])
    else:
        table(
            ("disk", "verdict", "blake3", "proved by"),
            ((item.disk, item.verdict.value, item.recorded[:32], item.recorded_by) for item in found),
        )
        say(f"{looked} of {len(found)} replicas hashed again, {wrong} of them differ from the record")
        for item in found:
            if item.left_out:
                say(f"{visible(item.disk)}: {_said(item)}")
        if certificates:
            say(f"{len(written)} of them have a certificate in {visible(str(certificates), 200)}")
        if wrong:
            say(f"next: do not cut over; wherry abort {planned.name} --live, then replicate again")
    return 1 if wrong else 0


def _excluded(item: Verified) -> Excluded | None:
    """Return what a certificate says of a disk that is left out."""
    from planner.identity import Excluded
    from planner.model import Sending

    out = item.left_out
    if out is None:
        return None
    how: Literal["once", "never"] = "once" if out.send is Sending.ONCE else "never"
    return Excluded(send=how, why=out.why[:512], who=out.who[:512], seeded_at=item.seeded_at)


def _said(item: Verified) -> str:
    """Return what was decided on a disk that is left out, and what its replica stands for."""
    from planner.names import visible
    from planner.sending import spoken

    assert item.left_out is not None
    since = f"; as its source was at {item.seeded_at}, not as it is now" if item.seeded_at else ""
    return visible(f"{spoken(item.left_out)}{since}")


def _certify(
    project: Project, settings: Settings, found: tuple[Verified, ...], folder: Path, signer: Signer
) -> dict[str, str]:
    """Write a certificate for every disk that is equal or left out, and return the file of each volume."""
    from migrate.papers.certificate import keep_in
    from migrate.papers.identities import recorded
    from migrate.verification import Verdict

    named = {site.role: name for name, site in settings.sites.items()}
    written = {}
    for item in found:
        if item.verdict in (Verdict.EQUAL, Verdict.SEEDED, Verdict.LEFT_OUT):
            identity = recorded(
                project.id,
                item.volume,
                item.size_bytes,
                (named.get("source", ""), named.get("target", "")),
                (item.recorded, item.found),
                signer,
                _excluded(item),
            )
            written[item.volume] = str(keep_in(folder, identity))
    return written
