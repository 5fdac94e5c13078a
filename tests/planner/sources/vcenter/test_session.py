"""Logging in, staying in, and what is said when a vCenter does not let us."""

from __future__ import annotations

import traceback

import pytest

from planner.errors import BadInput, Unreachable
from planner.sources.vcenter.answers import Fault
from planner.sources.vcenter.privileges import ROLE, missing_privileges
from planner.sources.vcenter.reading import read_vcenter
from planner.sources.vcenter.session import RENEWALS, Session
from planner.sources.vcenter.soap import Ref
from tests.planner.sources.vcenter.logins import login_of
from tests.planner.sources.vcenter.test_tls import served_by
from tests.vcenter.certificates import Certificate
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer

SERVICE = Ref("ServiceInstance", "ServiceInstance")


@pytest.fixture(scope="module")
def shared(module_vcenter: StartVCenter) -> VCenterPeer:
    return module_vcenter("-vm", "1")


@pytest.fixture
def peer(shared: VCenterPeer) -> VCenterPeer:
    shared.rules([])
    shared.calls(reset=True)
    return shared


@pytest.mark.parametrize("wrong", [{"password": "hunter2-wrong"}, {"user": "nobody\u202e"}])
def test_a_refused_login_says_who_and_never_the_password(peer: VCenterPeer, wrong: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="refuses the login of") as caught:
        read_vcenter(login_of(peer, **wrong))
    shown = "".join(traceback.format_exception(caught.value))
    for secret in ("hunter2-wrong", peer.password):
        assert secret not in shown
    assert "\u202e" not in caught.value.message
    assert caught.value.exit_code == 2
    assert "Login" not in peer.calls() or peer.calls()["Login"] == 1


def test_an_account_that_may_not_log_in(peer: VCenterPeer) -> None:
    peer.rules([{"method": "Login", "fault": "NoPermission"}])
    with pytest.raises(BadInput, match="may not log in") as caught:
        Session(login_of(peer))
    assert "docs/vcenter.md" in caught.value.hint


def test_it_logs_out(peer: VCenterPeer) -> None:
    with Session(login_of(peer)):
        pass
    assert peer.calls()["Logout"] == 1


def test_it_logs_out_after_an_error(peer: VCenterPeer) -> None:
    peer.rules([{"method": "CreateContainerView", "fault": "NoPermission"}])
    with pytest.raises(BadInput):
        read_vcenter(login_of(peer))
    assert peer.calls()["Logout"] == 1


@pytest.mark.parametrize("ours", [True, False])
def test_an_expired_session_is_renewed_once(peer: VCenterPeer, ours: bool) -> None:
    def act(session: Session) -> None:
        if ours:
            assert session.call("CurrentTime", SERVICE)
        else:
            assert session.ask(lambda content: content.sessionManager.currentSession.userName) == peer.user

    with Session(login_of(peer)) as session:
        act(session)
        peer.rules([{"method": "*", "count": 1, "expire": True}])
        act(session)
        act(session)
    assert peer.calls()["Login"] == 2


@pytest.mark.parametrize("ours", [True, False])
def test_sessions_that_end_in_a_row_are_renewed_as_often(peer: VCenterPeer, ours: bool) -> None:
    with Session(login_of(peer)) as session:

        def act() -> object:
            if ours:
                return session.call("CurrentTime", SERVICE)
            return session.ask(lambda _: session.managed(SERVICE).CurrentTime())

        peer.rules([{"method": "CurrentTime", "count": RENEWALS, "expire": True}])
        assert act()
        assert peer.fired() == [RENEWALS]
        peer.rules([{"method": "CurrentTime", "expire": True}])
        with pytest.raises(Fault if ours else Unreachable) as caught:
            act()
        assert ours or "127.0.0.1" in str(caught.value)
        assert peer.fired() == [RENEWALS + 1]
        peer.rules([])
        assert act(), "the session is whole again"


def test_an_account_locked_meanwhile(peer: VCenterPeer) -> None:
    with Session(login_of(peer)) as session:
        peer.rules([{"method": "CurrentTime", "expire": True}, {"method": "Login", "fault": "InvalidLogin"}])
        with pytest.raises(BadInput, match="refuses the login"):
            session.call("CurrentTime", SERVICE)
        peer.rules([])


def test_something_else_answers_there(vcenter_certificate: Certificate) -> None:
    with served_by(vcenter_certificate) as port:
        peer = type("Place", (), {"user": "kim", "host": "127.0.0.1", "port": port, "password": "s3cret"})()
        peer.certificate = vcenter_certificate.authority
        with pytest.raises(Unreachable):
            Session(login_of(peer))


def test_a_vcenter_that_is_gone(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "0")
    session = Session(login_of(peer))
    peer.kill()
    with pytest.raises(Unreachable):
        session.ask(lambda content: content.sessionManager.currentSession)
    session.close()


def test_a_full_role_lacks_nothing(peer: VCenterPeer) -> None:
    with Session(login_of(peer)) as session:
        assert missing_privileges(session) == ()
        peer.rules([{"method": "HasPrivilegeOnEntity", "fault": "NoPermission"}])
        assert missing_privileges(session) is None
    assert [privilege.id for privilege in ROLE if privilege.needed] == ["System.View", "System.Read"]
