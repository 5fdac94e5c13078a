"""Importing by the dialog: each way leads to the verb, its document to what is shown, its errors to words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Checkbox, Input, Select

from planner.store import evidence, inventories
from planner.store.inventories import Role
from planner.store.project import Project
from tests.tui import estate
from tests.tui.cli.estate import write
from tests.tui.stage import BIG, lines, on, opened, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.app import WherryApp
from tui.dialogs.reader import Reader
from tui.guides import importing
from tui.jobs.job import Job
from tui.jobs.state import Failure, JobState


def app_of(pilot: Pilot[None]) -> WherryApp:
    return cast(WherryApp, pilot.app)


async def choose(pilot: Pilot[None], words: str) -> None:
    await pilot.press("i")
    await until(lambda: "What to import" in text(pilot))
    await pilot.press(*words, "enter")
    await pilot.pause()


async def type_path(pilot: Pilot[None], path: Path) -> None:
    pilot.app.screen.query_one(Input).value = str(path)
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()


async def told(pilot: Pilot[None], words: str) -> str:
    """Return what is shown at the end."""
    await until(lambda: on(pilot, Reader) and words in text(pilot))
    await pilot.pause()  # its lines may come after its title
    return text(pilot)


async def test_an_inventory_comes_in_with_counts_notes_and_drift(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "p", planned=False)
    file = write(tmp_path / "inventory.json")
    async with opened(root, BIG) as pilot:
        await choose(pilot, "rvtools")
        await type_path(pilot, file)
        await pilot.press("ctrl+s")
        shown = await told(pilot, "What came in")
        assert "✔ inventory 2 of the source" in shown
        assert "since inventory 1:" in shown
        assert "12 VMs gone" in shown
        assert "next  9 what stands in the way" in shown
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, Reader)
        await choose(pilot, "rvtools")
        first = pilot.app.screen.query_one(Input).value
        assert first == f"{tmp_path}/", "the folder is remembered"
    with Project.open(root) as project:
        assert inventories.summary(project).id == 2


async def test_a_target_is_read_as_one_and_hostile_notes_do_nothing(tmp_path: Path) -> None:
    root = estate.build(tmp_path, planned=False)
    async with opened(root, BIG) as pilot:
        await choose(pilot, "sample")
        await until(lambda: "hostile-names" in text(pilot))
        await pilot.press(*"hostile", "enter")
        await pilot.pause()
        pilot.app.screen.query_one("#ask-role", Select).value = "target"
        await pilot.press("ctrl+s")
        shown = await told(pilot, "of the target")
        assert "What came in" in shown
        assert "the first snapshot of it" in shown
        nothing_took_effect(pilot)
    with Project.open(root) as project:
        assert inventories.find_summary(project, Role.TARGET) is not None
        assert inventories.summary(project).id == 1


async def test_flows_say_which_rows_were_refused(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "p", planned=False)
    file = tmp_path / "flows.csv"
    file.write_text(
        "source,destination,port\nshop-app-01,shop-db-01,1433\nshop-web-01,crm-db-01,none\n", "utf-8"
    )
    async with opened(root, BIG) as pilot:
        await choose(pilot, "flows")
        await type_path(pilot, file)
        await pilot.press("ctrl+s")
        shown = await told(pilot, "flows.csv row 3")
        assert "1 row refused" in shown
    with Project.open(root) as project:
        assert [item.name for item in evidence.imports(project)] == ["flows.csv"]


async def test_errors_are_those_of_the_verb_and_nothing_is_stored(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "p", planned=False)
    file = tmp_path / "broken.json"
    file.write_text("{", "utf-8")
    async with opened(root, BIG) as pilot:
        await choose(pilot, "rvtools")
        await type_path(pilot, file)
        await pilot.press("ctrl+s")
        await until(lambda: (job := app_of(pilot).job) is not None and not job.state.running)
        await until(lambda: "broken.json" in text(pilot) and "hint:" in text(pilot))
    with Project.open(root) as project:
        assert inventories.summary(project).id == 1


async def test_a_table_is_tried_before_it_is_taken(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "p")
    file = tmp_path / "nonsense.csv"
    file.write_text("a,b\n1,2\n", "utf-8")
    async with opened(root, BIG) as pilot:
        await choose(pilot, "edited")
        await type_path(pilot, file)
        await until(lambda: (job := app_of(pilot).job) is not None and not job.state.running)
        job = app_of(pilot).job
        assert job is not None
        assert "--check" in job.argv
        assert job.state.error is not None


PRINT = ":".join(["AB"] * 32)


class Answering:
    """Stands in for jobs: keeps what was ordered, and fails the way a verb would."""

    def __init__(self, *ends: Failure | list[Any]) -> None:
        self.ends = list(ends)
        self.orders: list[tuple[tuple[str, ...], str | None]] = []

    def start(self, app: WherryApp, job: Job, then: Any) -> None:
        from datetime import UTC, datetime

        self.orders.append((job.argv, job._secret))
        end = self.ends.pop(0)
        now = datetime.now(UTC)
        if isinstance(end, Failure):
            state = JobState("x", now, error=end, ended=now, exit_code=end.exit_code)
            assert job._on_change is not None
            job._on_change(job, state)
        else:
            job._state = JobState("x", now, ended=now, exit_code=0, document=end)
            then(job)


async def test_a_certificate_is_shown_and_trusted_only_by_the_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untrusted = Failure(
        f"vc1 shows a certificate; its SHA-256 is {PRINT}", "compare", "untrusted-certificate", 2
    )
    seen = {"name": "vCenter 8", "endpoint": "vc1:443", "certificate_sha256": PRINT,
            "lacking": [{"privilege": "System.Read", "for": "all of it"}]}  # fmt: skip
    jobs = Answering(untrusted, untrusted, [seen])
    monkeypatch.setattr(WherryApp, "start", lambda app, job, then=None: jobs.start(app, job, then))
    root = estate.build(tmp_path, planned=False)
    async with opened(root, BIG) as pilot:

        async def log_in() -> None:
            await choose(pilot, "live")
            values = {"url": "vc1", "user": "reader@vsphere.local", "password": "[s3cret"}
            for name, value in values.items():
                pilot.app.screen.query_one(f"#ask-{name}", Input).value = value
            pilot.app.screen.query_one("#ask-check", Checkbox).value = True
            await pilot.press("ctrl+s")
            await until(lambda: "Trust exactly this certificate" in text(pilot))

        await log_in()
        assert PRINT[:60] in text(pilot)
        await pilot.press("enter")  # without the word nothing happens
        await pilot.press("escape")
        assert len(jobs.orders) == 1
        await log_in()
        await pilot.press(*"yes", "enter")
        shown = await told(pilot, "What the account may see")
        assert "lacks System.Read: all of it" in shown
        assert "s3cret" not in shown
        assert app_of(pilot).remembered["vcenter"]["password"] == ""
    argv, secret = jobs.orders[-1]
    assert f"--trust={PRINT}" in argv
    assert secret == "[s3cret"
    assert not any("s3cret" in word for words, _ in jobs.orders for word in words)
    assert "--check" in argv


async def test_a_password_in_the_address_is_refused_in_the_form(tmp_path: Path) -> None:
    root = estate.build(tmp_path, planned=False)
    async with opened(root, BIG) as pilot:
        await choose(pilot, "live")
        pilot.app.screen.query_one("#ask-url", Input).value = "vcenter://ann:secret@vc1"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "▲" in text(pilot)
        assert app_of(pilot).job is None


async def test_read_only_imports_nothing(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path), BIG, read_only=True) as pilot:
        importing.offer_import(app_of(pilot))
        await pilot.press("i")
        await pilot.pause()
        assert "What to import" not in text(pilot)
        assert "wherry" in lines(pilot)[0]
