"""Fixtures for every test package: ``vcenter(*flags)`` starts a simulated vCenter, as many as are wanted.

Where its packages are missing the tests say "not run" and which; under CI that is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, Protocol

import pytest

from tests.vcenter.binary import built, lacking
from tests.vcenter.certificates import Authority, Certificate
from tests.vcenter.peer import VCenterPeer


class StartVCenter(Protocol):
    """Starts a vCenter with the simulator's flags; ``certificate`` replaces the session's own."""

    def __call__(self, *arguments: str, certificate: Certificate | None = None) -> VCenterPeer: ...


def refuse(missing: tuple[str, ...], *, strict: bool) -> NoReturn:
    """Skip the test because of the packages that are missing, or fail it where none may be."""
    reason = f"not run: {', '.join(missing)} not installed; scripts/prepare test installs them"
    if strict:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def vcenter_binary(pytestconfig: pytest.Config) -> Path:
    """Return the simulator, building it where needed."""
    missing = lacking()
    if missing:
        refuse(missing, strict=bool(os.environ.get("CI")))
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", flush=True)

    return built(say)


@pytest.fixture(scope="session")
def vcenter_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the authority that signs the certificates of this session's vCenters."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Return a certificate of an authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"), "somebody else").issue()


@pytest.fixture(scope="session")
def vcenter_certificate(vcenter_authority: Authority) -> Certificate:
    """Return the certificate that vCenters of this session serve unless told otherwise."""
    return vcenter_authority.issue()


def _starting(binary: Path, usual: Certificate) -> Iterator[StartVCenter]:
    started: list[VCenterPeer] = []

    def start(*arguments: str, certificate: Certificate | None = None) -> VCenterPeer:
        peer = VCenterPeer(binary, certificate or usual, *arguments)
        started.append(peer)
        return peer

    yield start
    errors = []
    for peer in started:
        try:
            peer.close()
        except AssertionError as error:
            errors.append(error)
    assert not errors, errors


@pytest.fixture
def vcenter(vcenter_binary: Path, vcenter_certificate: Certificate) -> Iterator[StartVCenter]:
    """Start vCenters that end with the test."""
    yield from _starting(vcenter_binary, vcenter_certificate)


@pytest.fixture(scope="module")
def module_vcenter(vcenter_binary: Path, vcenter_certificate: Certificate) -> Iterator[StartVCenter]:
    """Start vCenters that several tests of a module only read."""
    yield from _starting(vcenter_binary, vcenter_certificate)
