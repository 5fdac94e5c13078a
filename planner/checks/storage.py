"""Checks of datastores and LUNs: reachable, visible at the target, large enough."""

from __future__ import annotations

from planner.checks.check import Rule

RULES: list[Rule] = []
