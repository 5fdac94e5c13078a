"""The peer keeps its promises: what a vCenter does, and how it fails when told to."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.vcenter.certificates import Authority, Certificate
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer

pytest.importorskip("pyVmomi")


def retrieve(service: Any, kind: Any, paths: list[str], page: int | None = None) -> list[list[Any]]:
    """Return the pages of one collection of all objects of a kind."""
    from pyVmomi import vmodl

    query = vmodl.query.PropertyCollector
    content = service.content
    view = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
    spec = query.FilterSpec(
        objectSet=[
            query.ObjectSpec(
                obj=view,
                skip=True,
                selectSet=[query.TraversalSpec(type=type(view), path="view", skip=False)],
            )
        ],
        propSet=[query.PropertySpec(type=kind, pathSet=paths)],
    )
    collector = content.propertyCollector
    answer = collector.RetrievePropertiesEx([spec], query.RetrieveOptions(maxObjects=page))
    pages = []
    while answer:
        pages.append(list(answer.objects))
        answer = collector.ContinueRetrievePropertiesEx(answer.token) if answer.token else None
    return pages


def test_two_vcenters_at_a_time(vcenter: StartVCenter) -> None:
    a, b = vcenter("-vm", "2"), vcenter("-dc", "2", "-vm", "0")
    ours, theirs = a.connect(), b.connect()
    assert ours.content.about.instanceUuid == a.instance_uuid
    assert theirs.content.about.instanceUuid == b.instance_uuid != a.instance_uuid
    assert len(theirs.content.rootFolder.childEntity) == 2


def test_the_certificate_is_verified_for_real(
    vcenter: StartVCenter, stranger: Certificate, vcenter_authority: Authority
) -> None:
    peer = vcenter("-vm", "0", certificate=stranger)
    trusting = ssl.create_default_context(cafile=vcenter_authority.certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        peer.connect(sslContext=trusting)
    assert peer.connect().content.about.instanceUuid == peer.instance_uuid


def test_it_comes_back_on_the_same_port_with_another_certificate(
    vcenter: StartVCenter, vcenter_authority: Authority
) -> None:
    peer = vcenter("-vm", "1")
    port, thumbprint = peer.port, peer.served.thumbprint
    peer.restart(vcenter_authority.issue())
    assert peer.port == port
    served = ssl.get_server_certificate((peer.host, peer.port), ca_certs=str(peer.certificate))
    assert served.strip() == peer.served.leaf.read_text().strip()
    assert peer.served.thumbprint != thumbprint
    assert peer.connect().content.about.instanceUuid == peer.instance_uuid


@pytest.mark.parametrize("own_limit", [False, True])
def test_collections_come_in_pages(vcenter: StartVCenter, own_limit: bool) -> None:
    from pyVmomi import vim

    peer = vcenter("-vm", "7", *(("-max-objects", "5") if own_limit else ()))
    service = peer.connect()
    peer.calls(reset=True)
    pages = retrieve(service, vim.VirtualMachine, ["name"], None if own_limit else 5)
    assert [len(page) for page in pages] == [5, 5, 4]
    assert len({item.obj._moId for page in pages for item in page}) == 14
    counts = peer.calls()
    assert (counts["RetrievePropertiesEx"], counts["ContinueRetrievePropertiesEx"]) == (1, 2)


def test_a_panic_fails_the_test_that_caused_it(
    vcenter_binary: Path, vcenter_certificate: Certificate
) -> None:
    """Negative control of the fixture itself."""
    peer = VCenterPeer(vcenter_binary, vcenter_certificate, "-vm", "0")
    with peer._log.open("a") as log:
        log.write("lab: panic in PowerOnVM_Task: boom\n")
    with pytest.raises(AssertionError, match="boom"):
        peer.close()
