"""What a step of the twin costs: microseconds a step over many runs of a 100-VM wave.

A step here is one entry pair (intent and outcome) with its act on the simulated sites, next_actions
included. Times are of the process's CPU clock, one run after another, caches warm.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

from benchmarks.host import facts
from migrate.rehearsal import model_of, rehearse
from migrate.run.compose import compose
from migrate.steps.kinds import KINDS
from migrate.twin import Twin
from planner.settings import Link
from tests.migrate.estate import many_wave


def run(quick: bool) -> dict[str, Any]:
    """Return the figures: 5 runs of 100 VMs when ``quick``, else 200 runs, and 10 and 500 VMs beside."""
    sizes = ((100, 5),) if quick else ((10, 200), (100, 200), (500, 10))
    rows = [_measure(vms, runs) for vms, runs in sizes] + [_matrix(100, 8 if quick else 200)]
    return {"name": "twin", "unit": "µs a step", "rows": rows, "host": facts()}


def _measure(vms: int, runs: int) -> dict[str, Any]:
    wave = many_wave(vms)
    runbook, model = compose(wave), model_of(wave, Link())
    Twin(runbook, model, KINDS, 0).run()  # once unmeasured
    spent = []
    for seed in range(runs):
        begun = time.process_time()
        Twin(runbook, model, KINDS, seed).run()
        spent.append(time.process_time() - begun)
    steps = len(runbook.steps)
    median = statistics.median(spent)
    return {
        "what": f"{vms} VMs, {steps} steps",
        "value": round(median / steps * 1e6, 1),
        "unit": "µs a step",
        "runs": runs,
        "seconds_a_run": round(median, 4),
        "seconds_in_all": round(sum(spent), 2),
    }


def _matrix(vms: int, runs: int) -> dict[str, Any]:
    """Measure a whole rehearsal with its fault matrix."""
    begun = time.process_time()
    said = rehearse(many_wave(vms), Link(), runs=runs, seed=1, matrix=True)
    spent = time.process_time() - begun
    assert said.matrix is not None
    return {
        "what": f"{vms} VMs, {runs} runs with the fault matrix",
        "value": round(spent / runs / said.steps * 1e6, 1),
        "unit": "µs a step",
        "runs": runs,
        "faults": len(said.matrix.struck),
        "seconds_in_all": round(spent, 2),
    }


if __name__ == "__main__":
    print(json.dumps(run("--quick" in sys.argv), indent=2, ensure_ascii=False))
