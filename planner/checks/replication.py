"""Checks of other products that replicate a VM already."""

from __future__ import annotations

from planner.checks.check import Rule

RULES: list[Rule] = []
