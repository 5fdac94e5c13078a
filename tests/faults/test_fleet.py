"""Three movers on a real PostgreSQL: one killed, one frozen over a take-over, the database crashed."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from migrate.daemons import receiver
from migrate.engine import leases, where
from migrate.engine.fleet import holders
from migrate.engine.private_postgres import PrivatePostgres
from migrate.run.execute import Purpose
from planner.errors import NotFound
from planner.own_code import child_environment
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.endstate import committed, world
from tests.faults.enginelab import await_result, engine_of, kill_engine, order
from tests.faults.labrun import Lab
from tests.faults.test_engine_kill import UNSEEN
from tests.serving import serving
from tests.tui.cli.command import Wherry, wherry

_FORWARD = (Purpose.REPLICATE, Purpose.CUTOVER, Purpose.COMMIT)
_SITE = "dc1"


@pytest.fixture(scope="module")
def postgres() -> Iterator[PrivatePostgres]:
    try:
        server = PrivatePostgres()
    except NotFound as missing:
        pytest.skip(f"not run: {missing.message}")
    with server:
        yield server


class Fleet:
    """Mover processes of a test, each of which can be killed, frozen and thawed."""

    def __init__(self, url: str, log: Path) -> None:
        self._url = url
        self._log = log
        self.children: list[subprocess.Popen[bytes]] = []

    def start(self, many: int) -> None:
        leases.prepare(self._url)
        for _ in range(many):
            number = len(self.children)
            with (self._log / f"mover-{number}.log").open("wb") as out:
                self.children.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "tui.cli.entry", "mover", "--engine-url", self._url,
                         "--site", _SITE, "--name", f"m{number}", "--slots", "1"],
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=out,
                        env=child_environment(),
                    )
                )  # fmt: skip
        deadline = time.monotonic() + 60
        while len(leases.alive(self._url)) < many:
            assert time.monotonic() < deadline, "the movers do not come up"
            time.sleep(0.05)

    def close(self) -> None:
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGCONT)
                child.kill()
            child.wait()


@contextlib.contextmanager
def receiver_elsewhere(lab: Lab, folder: Path) -> Iterator[None]:
    """Have the target's receiver be that of another project, reached by TLS, for the block."""
    ours, theirs = Wherry(lab.root), Wherry(folder / "theirs")
    assert wherry("init", str(theirs.root)).code == 0
    theirs.done("site", "add", "dc2", f"lab:{lab.folder('dc2')}", "--role", "target")
    ours.done("keys", "init")
    for name, role in (("dc2", "receiver"), ("dc1", "sender")):
        ours.done("keys", "issue", str(folder / f"{name}.pem"), "--site", name, "--role", role)
    lab.kill_process("dc2", receiver.NAME)
    with serving(theirs.root, "dc2", folder / "dc2.pem") as (address, _pid):
        ours.done("site", "receiver", "dc2", "--at", address, "--keys", str(folder / "dc1.pem"))
        yield
    talks = (lab.folder("dc2") / "state" / "receiver" / "conversations.jsonl").read_text("ascii")
    assert '"purpose": "pass"' in talks, "what movers sent came by TLS"


@contextlib.contextmanager
def fleet_of(lab: Lab, postgres: PrivatePostgres, many: int) -> Iterator[tuple[Fleet, Project]]:
    movers = Fleet(postgres.url, lab.root)
    with lab.project() as project:
        where.use(project, postgres.url)
    try:
        movers.start(many)
        with engine_of(lab) as project:
            yield movers, project
    finally:
        movers.close()


def carried(project: Project, trouble: Callable[[], None]) -> None:
    """Carry the wave to its end; what makes trouble runs in a thread beside the first verb."""
    for purpose in _FORWARD:
        beside = threading.Thread(target=trouble if purpose is Purpose.REPLICATE else lambda: None)
        beside.start()
        for _ in range(6):  # a person gives the verb again when it was refused by what is gone
            result = await_result(project, order(project, purpose))
            if "error" not in result and not result["stopped"]["decide"]:
                break
        beside.join()
        assert "error" not in result, result


def holder(url: str) -> int:
    """Return the number of a mover that has a task, once one has."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.Error):
            if found := holders(url):
                return int(found[0].removeprefix("m"))
        time.sleep(0.002)
    raise AssertionError("no mover was given a task")


def test_a_mover_is_killed_one_is_frozen_and_the_database_and_the_engine_crash(
    stage: Stage, postgres: PrivatePostgres, tmp_path: Path
) -> None:
    with Lab.copy(stage.template, stage.scratch / "fleet") as lab:
        with receiver_elsewhere(lab, tmp_path), fleet_of(lab, postgres, 3) as (movers, project):
            frozen: list[int] = []

            def trouble() -> None:
                first = movers.children[holder(postgres.url)]
                first.kill()
                first.wait()
                while movers.children[found := holder(postgres.url)].poll() is not None:
                    time.sleep(0.01)  # the dead one is not known as dead yet
                movers.children[found].send_signal(signal.SIGSTOP)
                frozen.append(found)
                postgres.stop("immediate")
                time.sleep(1.0)
                postgres.start()
                kill_engine(lab)

            carried(project, trouble)
            movers.children[frozen[0]].send_signal(signal.SIGCONT)
            assert movers.children[frozen[0]].wait(60) == 0, "who was fenced leaves"
        assert [said for said in committed(lab) if said != UNSEEN] == []
        assert world(lab) == stage.end


def test_a_lease_that_is_not_renewed_ends_before_others_believe_it(postgres: PrivatePostgres) -> None:
    leases.prepare(postgres.url)
    lost = threading.Event()
    lease = leases.Lease(postgres.url, "mine", _SITE, 1, lost.set)
    try:
        deadline = time.monotonic() + 30
        while not lease.left_s:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert ("mine", _SITE, 1) in leases.alive(postgres.url)
        with leases.connect(postgres.url) as connection:
            connection.execute("UPDATE wherry.mover_lease SET expires = now() - interval '1 hour'")
        assert "mine" in leases.fence(postgres.url)
        assert lost.wait(30), "it is told"
        assert lease.left_s == 0.0
        assert "mine" not in [mover for mover, _, _ in leases.alive(postgres.url)]
    finally:
        lease.close()


def test_rows_that_claim_to_be_pickles_are_not_read(postgres: PrivatePostgres) -> None:
    """A row of the shared database is not ours alone: it must never run anything here."""
    script = (
        "import sys, dbos._serialization as s\n"
        "from migrate.engine.library import refuse_pickles\n"
        "row = s.DBOSDefaultSerializer.serialize({'a': 1})\n"
        "assert s.deserialize_value(row, s.DBOSDefaultSerializer.name(), s.DBOSPortableJSON) == {'a': 1}\n"
        "refuse_pickles()\n"
        "try:\n"
        "    s.deserialize_value(row, s.DBOSDefaultSerializer.name(), s.DBOSPortableJSON)\n"
        "except TypeError as error:\n"
        "    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], env=child_environment(), capture_output=True, text=True, check=True
    )
    assert "is never read" in ended.stdout
