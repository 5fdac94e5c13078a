"""A target disk that fails, once and for ever, under a real receiver: calls are failed by strace on its path.

Skipped where processes may not be traced.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from planner.units import MIB
from tests.faults.receiving import Site
from tests.migrate.replication.served import until

SIZE = 40 * MIB
SYNC, WRITE = "fsync,fdatasync", "pwrite64,pwritev,pwritev2"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"), SIZE)
    yield made
    made.close()


@pytest.fixture
def site(place: Site) -> Site:
    place.renew()
    return place


@contextmanager
def failing(site: Site, calls: str, how: str) -> Iterator[Path]:
    """Fail calls of the receiver on its target; the file returned has a line for each call."""
    told = site.root / "calls.txt"
    tool = shutil.which("strace")
    if tool is None:
        pytest.skip("not run: there is no strace here")
    pid = site.receiver.pid
    with subprocess.Popen(
        [tool, "-f", "-qq", "-o", str(told), "-p", str(pid), "-P", str(site.target),
         "-e", f"trace={calls}", "-e", f"inject={calls}:{how}"],
        stderr=subprocess.PIPE,
    ) as tracer:  # fmt: skip
        try:
            until(lambda: tracer.poll() is not None or is_traced(pid))
            if tracer.poll() is not None:
                pytest.skip("not run: a process may not be traced here")
            yield told
        finally:
            tracer.send_signal(signal.SIGINT)  # lets the receiver go, unharmed
            tracer.wait(30)


def is_traced(pid: int) -> bool:
    """Tell whether every thread of a process is traced."""
    states = [(task / "status").read_text("ascii") for task in Path(f"/proc/{pid}/task").iterdir()]
    return all("TracerPid:\t0\n" not in state for state in states)


def injected(told: Path) -> list[bool]:
    """Return for each call whether it was failed."""
    return ["INJECTED" in line for line in told.read_text("utf-8").splitlines() if "= " in line]


@pytest.mark.parametrize("when", ["1", "1+"], ids=["once", "for ever"])
def test_a_failed_flush_is_never_tried_again(site: Site, when: str) -> None:
    name = f"flush {when}"
    with failing(site, SYNC, f"error=EIO:when={when}") as told:
        for _ in range(2 if when == "1+" else 1):
            ran = site.send(name)
            assert ran.code == 1, ran.text
            assert "failed" in ran.document["message"]
        calls = injected(told)
    # the first failed, and that conversation flushed no more
    assert calls == [True] * (2 if when == "1+" else 1)
    ran = site.send(name, "--verify")
    assert ran.code == 0, ran.text
    assert ran.document["mode"] == "compare"  # what the kernel shows of it is not believed
    assert site.is_equal()


@pytest.mark.parametrize("when", ["7", "3+"], ids=["once", "for ever"])
def test_a_failed_write_is_told_and_the_pass_resumes(site: Site, when: str) -> None:
    name = f"write {when}"
    with failing(site, WRITE, f"error=EIO:when={when}") as told:
        ran = site.send(name)
        assert ran.code == 1, ran.text
        assert "the target disk failed: Input/output error" in ran.document["message"]
        assert any(injected(told))
    assert site.send(name, "--verify").code == 0
    assert site.is_equal()


def test_a_write_that_lies_is_found_by_verify_and_repaired_by_compare(site: Site) -> None:
    """The call says that it wrote and did not; no receiver can know, so verify has to."""
    with failing(site, WRITE, "retval=65536:when=5") as told:
        assert site.send("lie").code == 0
        assert injected(told).count(True) == 1
    assert not site.is_equal()
    ran = site.send("lie", "--verify")
    assert ran.code == 1
    assert "differs from its source" in ran.document["message"]
    ran = site.send("repair", "--compare", "--verify")
    assert ran.code == 0, ran.text
    assert 0 < ran.document["data_bytes"] <= MIB
    assert site.is_equal()
