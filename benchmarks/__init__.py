"""Measurements: each module has ``run(quick)`` and returns figures as JSON-able data."""
