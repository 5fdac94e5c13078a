"""Measurements: each module has ``run(quick)`` and returns figures as JSON-able data."""

import os

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installer compiles once: no child does so at every start
