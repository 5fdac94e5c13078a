"""The guest's kernel and first file system for the tests here, made where needed."""

from __future__ import annotations

import os

import pytest

from tests.guest.system import System, built, lacking
from tests.vcenter.fixtures import refuse


@pytest.fixture(scope="session")
def system(pytestconfig: pytest.Config) -> System:
    """Return what QEMU boots, making it where needed."""
    missing = lacking()
    if missing:
        refuse(missing, strict=bool(os.environ.get("CI")))
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", flush=True)

    try:
        return built(say)
    except RuntimeError as error:
        pytest.skip(f"not run: the guest cannot be made here: {error}")
