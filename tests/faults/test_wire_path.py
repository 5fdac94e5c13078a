"""wherry send and wherry receiver over a line that breaks: what arrives in the end is equal by digest.

Every fault happens at a byte of the stream, drawn from a seed that is printed.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from planner.units import MIB
from tests.faults.path import Event
from tests.faults.receiving import Site

SIZE = 48 * MIB
GRAIN = 64 * 1024
SAID = 8 * 1024  # by then the sender is past its handshake and HELLO


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"), SIZE)
    yield made
    made.close()


@pytest.fixture
def site(place: Site) -> Site:
    """Return the site with other disks and an honest line."""
    if place.receiver.poll() is not None:
        place.start()
    place.line.drop()
    place.line.events.clear()
    place.line.happened = 0
    place.renew()
    return place


def somewhere(rng: random.Random) -> int:
    return rng.randrange(SAID, SIZE // 2)


def finish(site: Site, name: str, *more: str) -> int:
    """Send over an honest line to the end; returns how much was resumed."""
    ran = site.send(name, *more)
    assert ran.code == 0, ran.text + site.log()
    assert site.is_equal()
    return int(ran.document["resumed_bytes"])


def test_a_flapping_line_is_cut_twenty_times(site: Site, rng: random.Random) -> None:
    cuts = [Event(rng.randrange(0, 3 * SIZE // 40), cuts=True) for _ in range(20)]
    site.line.events.extend(cuts)
    for _ in cuts:
        ran = site.send("flap")
        assert ran.code == 6, ran.text
    assert site.line.happened == 20
    assert finish(site, "flap", "--verify") > SIZE // 4


def test_a_flipped_bit_ends_the_conversation_and_nothing_wrong_is_written(
    site: Site, rng: random.Random
) -> None:
    for number in range(12):
        site.line.events.append(Event(rng.randrange(SAID) if number < 3 else somewhere(rng), flips=True))
        ran = site.send(f"flip{number}")
        assert ran.code == 6, ran.text
    assert site.line.happened == 12
    with site.source.open("rb") as source, site.target.open("rb") as target:
        grains = [(source.read(GRAIN), target.read(GRAIN)) for _ in range(SIZE // GRAIN)]
    assert sum(theirs == ours for ours, theirs in grains) > 10
    assert all(theirs in (ours, bytes(GRAIN)) for ours, theirs in grains)
    finish(site, "flip11")


def test_a_half_open_line_is_given_up_and_the_pass_resumes(site: Site, rng: random.Random) -> None:
    site.line.events.append(Event(somewhere(rng), swallows=True))
    ran = site.send("half", "--patience", "1")
    assert ran.code == 6
    assert "did not answer in time" in ran.document["message"]
    site.line.drop()  # what keep-alive does at the receiver
    finish(site, "half")


def test_a_slow_line_takes_its_time(site: Site) -> None:
    with site.source.open("r+b") as source:
        source.write(bytes(SIZE - MIB))
    site.line.events.append(Event(rate_bytes_s=MIB))
    assert finish(site, "slow", "--verify") == 0


def test_a_stuck_receiver_is_given_up_and_the_pass_resumes(site: Site, rng: random.Random) -> None:
    site.line.events.append(Event(somewhere(rng), act=lambda: site.receiver.send_signal(signal.SIGSTOP)))
    ran = site.send("stuck", "--patience", "1")
    assert ran.code == 6
    assert "did not answer in time" in ran.document["message"]
    site.receiver.send_signal(signal.SIGCONT)
    finish(site, "stuck")


def test_a_receiver_that_is_ended_keeps_what_came(site: Site) -> None:
    # Slow enough that it is ended, which takes a fifth of a second, before the rest is through.
    site.line.events.append(Event(40 * MIB, act=site.receiver.terminate, rate_bytes_s=16 * MIB))
    ran = site.send("ended")
    assert ran.code == 6, ran.text
    assert site.receiver.wait(60) == 0
    site.start()
    assert finish(site, "ended") >= 32 * MIB


def test_a_full_target_is_told_and_goes_on_when_there_is_room(site: Site) -> None:
    """What is full is the largest file the receiver may write: no mount needed, and undone while it runs."""
    unlimited = resource.prlimit(site.receiver.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(site.receiver.pid, resource.RLIMIT_FSIZE, (40 * MIB, unlimited[1]))
    for _ in range(2):
        ran = site.send("full")
        assert ran.code == 1
        assert "the target is full" in ran.document["message"]
    resource.prlimit(site.receiver.pid, resource.RLIMIT_FSIZE, unlimited)
    assert finish(site, "full") >= 32 * MIB


def test_what_is_lost_after_it_was_acknowledged_is_seen(site: Site) -> None:
    """The negative control: a target that loses an acknowledged grain is not equal, and verify says so."""
    site.line.events.append(Event(40 * MIB, cuts=True))
    assert site.send("lost").code == 6
    with site.target.open("r+b") as target:
        target.seek(7 * MIB)
        target.write(bytes(GRAIN))
    ran = site.send("lost", "--verify")
    assert ran.code == 1
    assert "differs from its source" in ran.document["message"]
    assert not site.is_equal()


def kills(site: Site, rng: random.Random, rounds: int, series: int = 0) -> None:
    """Kill one side or the other at a byte, again and again; every third round lets the pass end."""
    for number in range(rounds):
        name = f"kill{series}-{number // 3}"
        if number % 3 == 2:
            finish(site, name)
            with site.source.open("r+b") as source:  # the next pass has something else to bring
                source.write(os.urandom(SIZE))
            continue
        sender = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read(1); from tui.cli.main import main; main()",
             *site.command(name)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        victim = rng.choice([sender, site.receiver])
        site.line.events.append(Event(rng.randrange(SIZE), act=victim.kill))
        sender.communicate(b"x", timeout=120)
        if victim is site.receiver and victim.poll() is not None:
            site.start()
        site.line.events.clear()


def test_either_side_is_killed_at_a_byte(site: Site, rng: random.Random) -> None:
    kills(site, rng, 6)
    assert site.line.happened >= 2
    print(f"{site.line.happened} kills")


@pytest.mark.soak
def test_either_side_is_killed_a_thousand_times(site: Site, rng: random.Random) -> None:
    series = 1
    while site.line.happened < 1000:
        kills(site, rng, 30, series)
        series += 1
    print(f"{site.line.happened} kills")
