"""Checks of what VMs stand on: vCenters, clusters, hosts, rules, licences, schedules."""

from __future__ import annotations

from planner.checks.check import Rule

RULES: list[Rule] = []
