"""wherry tap --policy: guests held for checkpoints by a real tap, beside a real receiver."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.migrate.protection.fake_agent import FREEZE, FakeAgent
from tests.tui.cli.command import refused, wherry
from tests.tui.cli.test_tap import GROUP, end, place, receiver, started, status, until, write

__all__ = ["place"]  # a fixture

POLICY = """
group = "crm \\u001b[1m"
consistency = "filesystem"
every = "1h"
[[member]]
name = "db\\u001b[2m"
agent = "qga.sock"
"""


def tap_arguments(place: Path, policy: Path, address: str) -> list[str]:
    return [
        "tap", "--state", str(place / "state"), "--group", GROUP, "--disk", f"db={place / 'db.img'}",
        "--disk", f"log={place / 'log.img'}", "--listen", f"unix:{place / 'sock'}", "--to", address,
        "--keys", str(place / "dc1.pem"), "--site", "dc2", "--every", "1h", "--policy", str(policy),
        "--report", "300ms",
    ]  # fmt: skip


def labels(place: Path) -> dict[str, str]:
    """Return what the receiver says that its checkpoints are worth."""
    ran = wherry("checkpoints", GROUP, "--store", str(place / "store"), "--json")
    assert ran.code == 0, ran.text
    group = json.loads(ran.out)
    return {point["name"]: point["consistency"] for point in group["checkpoints"]}


def test_a_tap_holds_guests_by_itself_and_when_it_is_asked(place: Path) -> None:
    policy = place / "policy.toml"
    policy.write_text(POLICY)
    policy.chmod(0o600)
    with FakeAgent(place / "qga.sock") as fake:
        receiving, address = receiver(place)
        tapping, _ = started(*tap_arguments(place, policy, address))
        try:
            until(lambda: fake.heard.count(FREEZE) == 1)  # the first one comes when it streams
            until(lambda: status(place)["protection"].get("last") == "filesystem")
            write(place, 1)
            asked = ("--store", str(place / "state"))
            ran = wherry("checkpoint", GROUP, "held", *asked)
            assert (ran.code, "filesystem consistent" in ran.out) == (0, True), ran.text
            fake.filesystems = 0
            ran = wherry("checkpoint", GROUP, "not held", *asked)
            assert (ran.code, "crash consistent" in ran.out) == (0, True), ran.text
            assert "db␛[2m: none of its file systems could be frozen" in ran.text
            assert not fake.frozen
            said = tapping.stdout
            assert said is not None
            why = "db␛[2m: none of its file systems could be frozen"
            until(lambda: f"last under the policy: crash ({why})" in said.readline())
            assert end(tapping) == 0
            found = labels(place)
            assert (found["held"], found["not held"]) == ("filesystem", "crash")
        finally:
            for process in (tapping, receiving):
                if process.poll() is None:
                    end(process, signal.SIGKILL)


def test_a_policy_that_makes_no_sense_is_refused(place: Path) -> None:
    policy = place / "policy.toml"
    policy.write_text(POLICY.replace("filesystem", "perfect"))
    policy.chmod(0o600)
    said = "policy.toml is wrong at consistency"
    refused(wherry(*tap_arguments(place, policy, "127.0.0.1:1")), 2, said)
    arguments = tap_arguments(place, policy, "")
    for option in ("--to", "--keys", "--site"):
        at = arguments.index(option)
        del arguments[at : at + 2]
    refused(wherry(*arguments), 2, "there are none without a target")
