"""Figures of a project for Prometheus: read from the project at each scrape, nothing is kept.

Waves are labels, VMs and disks are not: an estate has too many of them. Names are hostile text and are
made harmless before they become labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.engine.presence import running
from migrate.run import orders
from migrate.run.following import ProgressFile
from migrate.status import ProjectStatus, project_status
from migrate.wave_status import WaveStatus
from planner.names import visible
from planner.store.project import Project

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric


class _Figures:
    """What a scrape of a project yields."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics as of now."""
        from prometheus_client.core import GaugeMetricFamily

        with Project.open(self._root) as project:
            status = project_status(project)
            engine = running(project.run_dir) is not None
            waiting = orders.waiting(project)
            name = visible(project.name)
        yield GaugeMetricFamily("wherry_engine_up", "Whether the engine takes orders.", value=float(engine))
        yield GaugeMetricFamily("wherry_orders_open", "Orders that are not ended.", value=len(waiting))
        info = GaugeMetricFamily("wherry_project_info", "The project.", labels=("project",))
        info.add_metric((name,), 1.0)
        yield info
        yield from _of_waves(status)
        yield from _of_needs(status)
        yield from _of_transfers(self._root, [order.id for order in waiting])


def _of_waves(status: ProjectStatus) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    states = GaugeMetricFamily("wherry_wave_state", "1 for the state a wave is in.", labels=("wave", "state"))
    steps = GaugeMetricFamily("wherry_wave_steps", "Steps of a wave's run.", labels=("wave", "which"))
    left = GaugeMetricFamily(
        "wherry_wave_commit_window_seconds", "What is left of the commit window.", labels=("wave",)
    )
    ages = GaugeMetricFamily(
        "wherry_wave_rpo_seconds", "How old the copies of a wave are until its go.", labels=("wave",)
    )
    allowed = GaugeMetricFamily(
        "wherry_wave_rpo_target_seconds", "How old they may get, 0 for no matter.", labels=("wave",)
    )
    held = GaugeMetricFamily(
        "wherry_wave_held_seconds",
        "How long a wave has waited for what others do at a site: a foreign snapshot.",
        labels=("wave",),
    )
    for wave in status.waves:
        label = visible(wave.name)
        states.add_metric((label, wave.stage), 1.0)
        if wave.steps_total:
            steps.add_metric((label, "done"), wave.steps_done)
            steps.add_metric((label, "total"), wave.steps_total)
        if wave.commit_by:
            left.add_metric((label,), _left_s(wave))
        if wave.copied_at:
            ages.add_metric((label,), _age_s(wave.copied_at))
            allowed.add_metric((label,), wave.rpo_s)
        if wave.held_since:
            held.add_metric((label,), _age_s(wave.held_since))
    yield states
    yield steps
    yield left
    yield ages
    yield allowed
    yield held
    vms = GaugeMetricFamily("wherry_vms", "VMs that have come at least that far.", labels=("stage",))
    for stage, count in status.stages:
        vms.add_metric((stage,), count)
    yield vms


def _age_s(at: str) -> float:
    return max((datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds(), 0.0)


def _left_s(wave: WaveStatus) -> float:
    return (datetime.fromisoformat(wave.commit_by) - datetime.now(UTC)).total_seconds()


def _of_needs(status: ProjectStatus) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    needs = GaugeMetricFamily("wherry_needs", "What waits for a person.", labels=("severity",))
    for severity, count in sorted(Counter(need.severity for need in status.needs).items()):
        needs.add_metric((severity,), count)
    yield needs


def _of_transfers(root: Path, open_orders: list[int]) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    moving = [one for number in open_orders for one in ProgressFile(root, number).news()]
    yield GaugeMetricFamily("wherry_transfers", "Disks that travel now.", value=len(moving))
    for name, words, values in (
        (
            "rate_bytes",
            "Bytes a second that transfers get through.",
            [one.rate_bytes_s or 0.0 for one in moving],
        ),
        ("done_bytes", "Bytes that transfers under way have looked at.", [one.done_bytes for one in moving]),
        ("total_bytes", "Bytes that they have to look at.", [one.total_bytes for one in moving]),
        ("wire_bytes", "Bytes that they have sent.", [one.wire_bytes for one in moving]),
    ):
        yield GaugeMetricFamily(f"wherry_transfers_{name}", words, value=float(sum(values)))


def registry(root: Path) -> CollectorRegistry:
    """Return a registry with a project's figures alone."""
    from prometheus_client import CollectorRegistry

    made = CollectorRegistry(auto_describe=False)
    made.register(_Figures(root))
    return made


def text(root: Path) -> str:
    """Return a project's figures in the text format."""
    from prometheus_client import generate_latest

    return generate_latest(registry(root)).decode()
