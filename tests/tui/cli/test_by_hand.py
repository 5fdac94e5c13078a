"""What people do to the sites of a run by hand, on real lab sites: nothing is lost, nothing runs twice."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate.run.execute import Onlooker, Purpose, carry_out
from migrate.sites.lab.client import LabSite
from planner.model import Power
from planner.store.project import Project
from tests.tui.cli.command import Ran, Wherry, refused

SOLO = "vm-3"


class Died(BaseException):
    """The process dies here."""


@contextmanager
def site(cli: Wherry, name: str) -> Iterator[LabSite]:
    found = LabSite.connect(cli.root / "lab" / name)
    try:
        yield found
    finally:
        found.close()


def die_at(cli: Wherry, point: str) -> None:
    """Cut W01 over and let the process die at a boundary."""

    def boundary(reached: str) -> None:
        if reached == point:
            raise Died

    with Project.open(cli.root) as project, pytest.raises(Died):
        carry_out(project, "W01", Purpose.CUTOVER, Onlooker(boundary=boundary))


def run_by_hand(cli: Wherry) -> int:
    """Start the source VM, let it write, stop it; return the last record it acknowledged."""
    with site(cli, "dc1") as source:
        before = source.guest(SOLO).last_acknowledged
        source.power_on(SOLO, "by hand")
        deadline = time.monotonic() + 120
        while source.guest(SOLO).last_acknowledged <= before:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        source.shut_down(SOLO, "by hand", 10.0)
        return source.guest(SOLO).last_acknowledged


def powers(cli: Wherry) -> tuple[Power | None, Power | None]:
    """Return what the VM's power is at the source and at the target."""
    found: list[Power | None] = []
    for name in ("dc1", "dc2"):
        with site(cli, name) as here:
            state = here.observe(SOLO)
            found.append(state.power if state else None)
    return found[0], found[1]


@pytest.mark.parametrize("point", ["g0/d0/verify after outcome", "g0/v0/start before intent"])
def test_records_written_at_the_source_after_the_last_delta_are_not_left_behind(
    with_lab: Any, point: str
) -> None:
    cli = with_lab()
    die_at(cli, point)
    written = run_by_hand(cli)
    ran = cli.live("cutover", "W01")
    assert ran.code == 4, ran.text
    assert "was written at site dc1 after its last delta" in ran.err
    assert powers(cli) == (Power.OFF, Power.OFF)
    assert cli.live("rollback", "W01").code == 0
    with site(cli, "dc1") as source:
        assert source.guest(SOLO).last_acknowledged >= written
        assert source.guest(SOLO).missing == 0


def test_records_written_before_an_interrupted_last_delta_goes_on_travel_with_it(with_lab: Any) -> None:
    cli = with_lab()
    die_at(cli, "g0/d0/final after act")
    written = run_by_hand(cli)
    assert cli.live("cutover", "W01").code == 0
    with site(cli, "dc2") as target:
        assert target.guest(SOLO).last_written >= written
        assert (target.guest(SOLO).missing, target.guest(SOLO).corrupt) == (0, 0)


def _without_the_cost(ran: Ran) -> Ran:
    """Return it without the line that says first what going back costs: the target cannot be asked."""
    said, _, rest = ran.err.partition("\n")
    assert "the target wrote an unknown amount" in said
    return replace(ran, err=rest)


def test_no_verb_goes_on_at_another_site_than_the_run_began_with(with_lab: Any) -> None:
    cli = with_lab()
    assert cli.live("cutover", "W01").code == 0
    other = cli.root / "other" / "dc2"
    (other / "run").mkdir(parents=True, mode=0o700)
    shutil.copy(cli.root / "lab" / "dc2" / "site.json", other)
    for folder in ("vms", "luns"):
        (other / folder).mkdir()
    before = cli.stored()
    cli.done("site", "add", "dc2", "lab:other/dc2", "--role", "target")
    try:
        for verb in ("rollback", "commit", "cutover"):
            ran = cli.live(verb, "W01")
            ran = _without_the_cost(ran) if verb == "rollback" else ran
            refused(ran, 3, "dc2 is not the target site that the run of W01 began with")
        assert powers(cli) == (Power.OFF, Power.ON)
        cli.done("site", "add", "dc2", "lab:lab/dc1", "--role", "target")
        ran = _without_the_cost(cli.live("rollback", "W01"))
        refused(ran, 3, "sites dc1 and dc1 are one and the same")
        assert powers(cli) == (Power.OFF, Power.ON)
    finally:
        LabSite.connect(other).stop()
        cli.done("site", "add", "dc2", "lab:lab/dc2", "--role", "target")
    assert [line for line in cli.stored() if "step_record" in line] == [
        line for line in before if "step_record" in line
    ]
    with site(cli, "dc1") as source:
        source.power_on(SOLO, "by hand")
    refused(cli.live("commit", "W01"), 3, "solo is not off at site dc1", "stop it there")
    with site(cli, "dc1") as source:
        source.shut_down(SOLO, "by hand", 10.0)
    ran = cli.live("commit", "W01")
    assert ran.code == 0, ran.text
    assert "was written after its last delta" in ran.err


def test_a_folder_that_was_moved_is_still_the_same_site(with_lab: Any) -> None:
    cli = with_lab()
    assert cli.live("replicate", "W01").code == 0
    cli.done("lab", "stop")
    (cli.root / "lab").rename(cli.root / "moved")
    for name, role in (("dc1", "source"), ("dc2", "target")):
        cli.done("site", "add", name, f"lab:moved/{name}", "--role", role)
    cli.done("lab", "start")
    ran = cli.live("cutover", "W01")
    assert ran.code == 0, ran.text


def test_a_source_disk_that_grew_is_not_cut_off(with_lab: Any, tmp_path: Path) -> None:
    cli = with_lab()
    assert cli.live("replicate", "W01").code == 0
    with site(cli, "dc1") as source:
        state = source.observe(SOLO)
        assert state is not None
        data, *_ = source._ask("locate", state.disks[0].volume, None)
    with Path(data).open("r+b") as disk:
        disk.truncate(state.disks[0].size_bytes + 1024**2)
        disk.seek(state.disks[0].size_bytes + 4096)
        disk.write(b"grown")
    ran = cli.live("cutover", "W01")
    assert ran.code == 4, ran.text
    assert "the source disk has 3.0 MiB, the plan says 2.0 MiB" in ran.err
    assert cli.live("rollback", "W01").code == 0
    assert powers(cli) == (Power.ON, None)


def test_a_replica_that_another_run_wrote_after_its_proof_is_not_started(with_lab: Any) -> None:
    cli = with_lab()
    die_at(cli, "g0/d0/verify after outcome")
    with site(cli, "dc2") as target:
        disk = target.open_write(f"{SOLO}/2000")
        disk.write(b"older content", 1024**2)
        disk.flush()
        disk.close()
    ran = cli.live("cutover", "W01")
    assert ran.code == 4, ran.text
    assert "a replica was written after it was compared" in ran.err
    assert powers(cli) == (Power.OFF, Power.OFF)
    assert cli.live("rollback", "W01").code == 0
    assert powers(cli) == (Power.ON, None)
