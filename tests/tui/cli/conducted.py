"""A project whose waves are conducted by rules of its own, with a lab to carry them out."""

from __future__ import annotations

from tests.tui.cli.command import Wherry
from tests.tui.cli.estate import SETTINGS


def build(cli: Wherry, conduct: str) -> None:
    """Add rules to the settings, plan and approve with them, and build the lab; its sites run then."""
    settings = cli.root.parent / "settings.toml"
    settings.write_text(SETTINGS + conduct, "utf-8")
    cli.done("settings", "import", str(settings))
    cli.done("plan")
    cli.done("plan", "approve")
    cli.done("lab", "build")
