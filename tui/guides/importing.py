"""The guide through an import: what, from where, how; then a job; then what came in and what is next.

Every way ends in the verb that does the same on the command line, and its errors are that verb's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual.content import Content

from planner.errors import WherryError
from planner.names import visible
from tui.dialogs.confirm import Confirm
from tui.dialogs.form import Ask, Form, Values
from tui.dialogs.pick import Choice, Pick
from tui.dialogs.reader import Reader
from tui.dialogs.work import Work
from tui.guides.came_in import (
    changes,
    describe_access,
    describe_drift,
    describe_estate,
    describe_flows,
    describe_table,
)
from tui.guides.paths import FilePick
from tui.jobs import orders
from tui.jobs.job import Job
from tui.jobs.orders import Order
from tui.jobs.state import JobState
from tui.text import line, stack

if TYPE_CHECKING:
    from tui.app import WherryApp

_ESTATES = (".xlsx", ".xls", ".json", ".csv", ".zip")
_FLOWS = (".csv", ".xlsx", ".txt", ".gz", ".json")
_THUMBPRINT = re.compile(r"\b[0-9A-F]{2}(?::[0-9A-F]{2}){31}\b")
_WHAT = (
    Choice("file", "RVTools or inventory file", "an .xlsx, .xls or .json with the whole estate"),
    Choice("folder", "folder of csv files", "RVTools exported as csv, one file a sheet"),
    Choice("vcenter", "live vCenter", "read with an account that may only look"),
    Choice("sample", "sample estate", "comes with wherry, to try things out"),
    Choice("flows", "flows and application lists", "what talks to what, whose is what"),
    Choice("table", "edited table of the plan", "assignment.csv, groups.csv or waves.csv"),
)
_KINDS = (("", "as its header says"), *((kind, kind) for kind in
          ("azure-migrate", "plain", "vrni", "netflow", "applications")))  # fmt: skip
_ROLES = (("source", "what leaves"), ("target", "where it goes"))


def offer_import(app: WherryApp) -> None:
    """Ask what to import."""
    if app.read_only:
        return
    guide = _Guide(app)
    app.push_screen(Pick("What to import", _WHAT), guide.chosen)


def offer_table(app: WherryApp) -> None:
    """Ask for an edited table of the plan."""
    _Guide(app).chosen("table")


def begin_import(app: WherryApp, order: Order) -> None:
    """Import the estate that was asked for together with the project."""
    _Guide(app).begin(order)


class _Guide:
    """The steps of one import."""

    def __init__(self, app: WherryApp) -> None:
        self._app = app

    def begin(self, order: Order) -> None:
        """Import an estate that is named already."""
        self._start(order, self._came)

    def chosen(self, what: str | None) -> None:
        """Ask for the place it lies in."""
        match what:
            case "file":
                self._path("RVTools or inventory file", _ESTATES, self._estate)
            case "folder":
                self._path("Folder of csv files", (".csv",), self._estate, folders=True)
            case "flows":
                self._path("Flows or an application list", _FLOWS, self._flows)
            case "table":
                self._path("Edited table of the plan", (".csv",), self._table)
            case "sample":
                self._sample()
            case "vcenter":
                self._vcenter(self._app.remembered.get("vcenter", {}))

    def _path(
        self, title: str, endings: tuple[str, ...], then: Callable[[str], None], folders: bool = False
    ) -> None:
        first = self._app.remembered.get("folder", {}).get("path", "")

        def picked(path: str | None) -> None:
            if path is not None:
                folder = path.rpartition("/")[0]
                self._app.remembered["folder"] = {"path": f"{folder}/" if folder else ""}
                then(path)

        self._app.push_screen(FilePick(title, endings, first, folders), picked)

    def _sample(self) -> None:
        from planner.samples import sample_names

        choices = [Choice(name, name) for name in sample_names()]
        box = Pick("Sample estate", choices, "no sample is installed")
        self._app.push_screen(box, lambda name: self._estate(name) if name is not None else None)

    def _estate(self, path: str) -> None:
        asks = [
            Ask("role", "This is", "source", choices=_ROLES),
            Ask("add", "Keep what the last snapshot holds of other vCenters", "no", yes_no=True),
            Ask("cap", "Cut larger disks to, to try an estate in a lab", "", "1GiB; empty = as they are"),
        ]

        def said(values: Values | None) -> None:
            if values is not None:
                target, add = values["role"] == "target", values["add"] == "yes"
                self._start(
                    orders.import_file([path], is_target=target, add=add, cap=values["cap"]), self._came
                )

        self._app.push_screen(Form(f"Import {visible(path, 60)}", asks, "Import"), said)

    def _flows(self, path: str) -> None:
        ask = Ask("kind", "What it is", "", choices=_KINDS)

        def said(values: Values | None) -> None:
            if values is not None:
                self._start(orders.import_flows([path], values["kind"]), self._flowed)

        self._app.push_screen(Form(f"Import {visible(path, 60)}", [ask], "Import"), said)

    def _table(self, path: str) -> None:
        """Say what a table would change, then take it over once somebody agrees."""

        def take(yes: bool | None) -> None:
            if yes:
                self._start(orders.import_table(path), self._reread)

        def looked(job: Job) -> None:
            found = job.state.document or {}
            if not changes(found):
                self._reread(job)
                return
            self._leave_work()
            said = stack(describe_table(found))
            self._app.push_screen(Confirm("What the table says", said, "Take it over"), take)

        self._start(orders.import_table(path, check=True), looked)

    def _vcenter(self, known: Values) -> None:
        asks = [
            Ask("url", "Address", known.get("url", ""), "vc1.example.com", needed=True),
            Ask("user", "Account", known.get("user", ""), "reader@vsphere.local"),
            Ask("password", "Password · empty = from the keyring", "", secret=True),
            Ask(
                "ca_file",
                "Certificates of its authority (PEM) · empty = the system's",
                known.get("ca_file", ""),
            ),
            Ask("role", "This is", known.get("role", "source"), choices=_ROLES),
            Ask(
                "add",
                "Keep what the last snapshot holds of other vCenters",
                known.get("add", "no"),
                yes_no=True,
            ),
            Ask("check", "Only log in and say what the account may not see", "no", yes_no=True),
        ]

        def judge(values: Mapping[str, str]) -> str:
            try:
                _vcenter_order(values, "")
            except WherryError as error:
                return f"{error.message}: {error.hint}"
            return ""

        def said(values: Values | None) -> None:
            if values is not None:
                self._app.remembered["vcenter"] = {**values, "password": ""}
                self._read_vcenter(values, "")

        self._app.push_screen(Form("Import a live vCenter", asks, "Log in", judge=judge), said)

    def _read_vcenter(self, values: Values, trust: str) -> None:
        came = self._looked if values["check"] == "yes" else self._came
        self._start(_vcenter_order(values, trust), came, lambda state: self._ended_badly(values, state))

    def _ended_badly(self, values: Values, state: JobState) -> None:
        if state.error is None and state.document is not None:  # privileges are missing: that is an answer
            self._tell("What the account may see", stack(describe_access(state.document)))
        else:
            self._distrusts(values, state)

    def _distrusts(self, values: Values, state: JobState) -> None:
        """Show a certificate that nothing vouches for, and go on only with the word."""
        error = state.error
        found = _THUMBPRINT.search(error.message) if error and error.code == "untrusted-certificate" else None
        if error is None or found is None:
            return
        self._leave_work()
        pinned = "not the pinned one" in error.message
        advice = (
            "this is NOT the certificate that was trusted before: find out why before you say yes"
            if pinned
            else "compare it with what the vCenter itself says (its console, or a colleague beside it)"
        )
        shown = stack([
            line(visible(error.message)), line(""), line((found[0], "accent")), line(""),
            line((advice, "bad" if pinned else "warn")), line("Trust exactly this certificate from now on?"),
        ])  # fmt: skip
        box = Confirm("A certificate that is not trusted", shown, "Trust it", "yes", "bad")
        self._app.push_screen(box, lambda yes: self._read_vcenter(values, found[0]) if yes else None)

    # the job, and what it brought

    def _start(
        self, order: Order, came: Callable[[Job], None], failed: Callable[[JobState], None] | None = None
    ) -> None:
        app = self._app

        def heard(_: Job, state: JobState) -> None:
            if not state.running and not state.succeeded and failed is not None:
                app.post_message(app.Answered(lambda: failed(state)))

        app.start(Job(order.argv(app.session.root), order.title, order.secret, on_change=heard), came)

    def _leave_work(self) -> None:
        if isinstance(self._app.screen, Work):
            self._app.pop_screen()

    def _tell(self, title: str, content: Content) -> None:
        self._leave_work()
        self._app.push_screen(Reader(title, content))

    def _came(self, job: Job) -> None:
        document = job.state.document or {}
        told = describe_estate(document)
        number = document.get("inventory")

        def with_drift(found: object) -> None:
            self._tell("What came in", stack([*told, *describe_drift(found)]))

        if number is None:
            self._tell("What came in", stack(told))
        else:
            self._app.ask("snapshots.drift", {"inventory": number}, with_drift, busy="comparing snapshots",
                          failed=lambda _: self._tell("What came in", stack(told)))  # fmt: skip

    def _flowed(self, job: Job) -> None:
        self._tell("What came in", stack(describe_flows(job.state.document or {})))

    def _reread(self, job: Job) -> None:
        self._tell("What the table says", stack(describe_table(job.state.document or {})))

    def _looked(self, job: Job) -> None:
        self._tell("What the account may see", stack(describe_access(job.state.document or [])))


def _vcenter_order(values: Mapping[str, str], trust: str) -> Order:
    """Return the order for what was filled in; raises BadInput for an address that is none."""
    url = values["url"] if "://" in values["url"] else f"vcenter://{values['url']}"
    return orders.import_vcenter(
        url,
        values["user"],
        password=values["password"] or None,
        trust=trust,
        ca_file="" if trust else values["ca_file"],
        is_target=values["role"] == "target",
        add=values["add"] == "yes",
        check=values["check"] == "yes",
    )
