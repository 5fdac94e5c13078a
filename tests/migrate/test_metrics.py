"""Figures for Prometheus: parsed back by its own parser, with hostile names."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from migrate.metrics import text
from migrate.run import orders
from planner.store import inventories, plans
from planner.store.project import Project
from tests.planner.sketch import estate, vm
from tests.planner.sketch import plan as planned


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with Project.create(tmp_path, 'move "\n\x1b[2J') as project:
        found = estate(vm("a"), vm("b"))
        inventories.save(project, found)
        plans.save(project, planned(found), "ann")
    return tmp_path


def figures(root: Path) -> dict[tuple[str, tuple[str, ...]], float]:
    said = text(root)
    assert "\x1b" not in said
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(said)
        for sample in family.samples
    }


def test_a_project_is_told_in_figures(root: Path) -> None:
    found = figures(root)
    assert found["wherry_engine_up", ()] == 0
    assert found["wherry_orders_open", ()] == 0
    assert sum(value for (name, _), value in found.items() if name == "wherry_wave_state") >= 1
    assert found["wherry_vms", ("discovered",)] == 2
    with Project.open(root) as project:
        orders.place(project, "W01", "replicate", {})
    assert figures(root)["wherry_orders_open", ()] == 1
