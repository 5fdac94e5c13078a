"""How a run shares the line: when it is held, by whose weight, and that a change of settings counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.run.line_policy import LinePolicy, policy_of
from planner.settings import Link, Settings
from planner.settings_transfers import Priority, Transfers
from planner.store import settings as settings_store
from planner.store.project import Project
from tests.migrate.estate import pair_wave


@pytest.mark.parametrize(
    ("link", "throttle", "held"),
    [
        (Link(), None, False),
        (Link(zone="Europe/Paris"), None, False),
        (Link(), True, True),
        (Link(rate_mbit=200), None, True),
        (Link(share=0.5), None, True),
        (Link(rate_mbit=200), False, False),
    ],
)
def test_the_line_is_held_once_somebody_described_it(link: Link, throttle: bool | None, held: bool) -> None:
    policy = policy_of(Settings(link=link, transfers=Transfers(throttle=throttle)), pair_wave())
    assert (policy.line is not None) is held
    if policy.line is not None:
        assert policy.line.rate_bytes_s(0.0) == link.rate_mbit * 1e6 / 8 * link.share


@pytest.mark.parametrize(
    ("link", "limit_mbit", "mbit"),
    [
        (Link(), None, None),
        (Link(), 80.0, 80.0),
        (Link(rate_mbit=200, share=0.5), 80.0, 80.0),
        (Link(rate_mbit=100, share=0.5), 80.0, 50.0),
    ],
)
def test_a_limit_of_their_own_holds_transfers_below_the_calendar(
    link: Link, limit_mbit: float | None, mbit: float | None
) -> None:
    policy = policy_of(Settings(link=link, transfers=Transfers(limit_mbit=limit_mbit)), pair_wave())
    assert (policy.line and policy.line.rate_bytes_s(0.0) * 8 / 1e6) == mbit


def test_a_limit_shapes_no_plan() -> None:
    assert Settings(transfers=Transfers(limit_mbit=1.0)).fingerprint == Settings().fingerprint


def test_a_group_has_its_own_weight_else_its_waves() -> None:
    wave = pair_wave()

    def weights(**said: float) -> dict[str, float]:
        priorities = tuple(Priority(what=what, weight=weight) for what, weight in said.items())
        return dict(policy_of(Settings(transfers=Transfers(priorities=priorities)), wave).weights)

    assert set(weights().values()) == {1.0}
    assert set(weights(W02=4).values()) == {4.0}
    assert set(weights(W01=4).values()) == {1.0}
    assert weights(W02=4, cluster=8) == {
        disk.volume: 4.0 if disk.attachments[0].vm == "id-c" else 8.0 for disk in wave.disks
    }


def test_a_change_of_settings_is_seen(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p") as project:
        _changes(project)


def _changes(project: Project) -> None:
    policy = LinePolicy(project, pair_wave())
    assert policy().line is None
    settings_store.save(project, Settings(link=Link(rate_mbit=80, share=0.5)), "me")
    line = policy().line
    assert line is not None
    assert line.rate_bytes_s(0.0) == 5e6
    assert policy().line is line  # nothing is read anew while nothing changes
    settings_store.save(project, Settings(transfers=Transfers(patience_s=60.0)), "me")
    assert policy().line is None
    assert (policy.patience().limit_s("transfer"), policy.patience().limit_s("start")) == (60.0, 90.0)
