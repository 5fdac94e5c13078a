"""All readiness checks on synthetic estates of 10,000 and 100,000 VMs: processor time and peak memory.

Each size runs in a process of its own, which makes the estate first: the peak is that of the whole
process, so it counts the inventory of source and target as well as the findings.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.host import facts

_SEED = 7
_MIB = 1024  # ru_maxrss is in KiB


def _measure(count: int) -> dict[str, Any]:
    """Return what the checks of a made estate cost; a smaller one of another seed is the target."""
    from planner.checks.registry import all_checks, run_checks
    from planner.settings import Settings
    from planner.synth.estate import make_estate
    from planner.synth.recipe import Recipe

    source = make_estate(Recipe(vms=count, seed=_SEED)).inventory
    target = make_estate(Recipe(vms=min(count, 1000), seed=_SEED + 1)).inventory
    settings = Settings()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    readiness = run_checks(source, settings, target)
    return {
        "cpu_s": time.process_time() - begun,
        "before_mib": before / _MIB,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB,
        "checks": len(all_checks()),
        "findings": len(readiness.findings),
        "unknown": sum(readiness.unknown.values()),
    }


def _apart(count: int) -> dict[str, Any]:
    code = (
        f"import json, sys; from benchmarks.checks import _measure; json.dump(_measure({count}), sys.stdout)"
    )
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run(quick: bool) -> dict[str, Any]:
    """Return processor seconds and MiB for each size; 1,000 VMs when ``quick``."""
    rows: list[dict[str, Any]] = []
    for count in (1_000,) if quick else (10_000, 100_000):
        found = _apart(count)
        asked = f"{count:,} VMs, {found['checks']} checks"
        rows += [
            {"what": f"{asked}, processor time", "value": round(found["cpu_s"], 2), "unit": "s"},
            {"what": f"{asked}, findings", "value": found["findings"], "unit": "count"},
            {"what": f"{asked}, answers that are unknown", "value": found["unknown"], "unit": "count"},
            {"what": f"{asked}, peak of the process", "value": round(found["peak_mib"]), "unit": "MiB"},
            {"what": f"{asked}, before the checks", "value": round(found["before_mib"]), "unit": "MiB"},
        ]
    return {"name": "checks", "unit": "s", "rows": rows, "host": facts()}
