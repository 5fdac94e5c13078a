"""The papers of a plan: dates, gates, calendar, risks, score, remaps and LUNs say what the plan says."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from planner.errors import BadInput
from planner.export import handover
from planner.export.formats import FORMATS
from planner.export.gates import go_no_go_1, go_no_go_2
from planner.export.luns import lun_table, render, request_workbook
from planner.export.milestones import MILESTONES
from planner.export.printout import Printout, Table, disks, summary
from planner.export.risks import rating, risk_register, risks
from planner.export.runbook import back_min, day_of, latest_back_min, milestones, night, told, way_back
from planner.export.schedule import calendar_grid
from planner.export.scorecard import UNKNOWN, in_short, score_card
from planner.export.sheets import _FIRST, dependencies, runbooks, tables
from planner.export.template import DETAILS, ROLES, roles
from planner.export.xlsx import workbook_of
from planner.model import Backing, Finding, Nic, Severity, Snapshot, Tie
from planner.plan import Spread
from planner.settings import Settings
from planner.units import GIB
from tests.planner.sketch import disk, estate, needs, plan, rdm, settings, vm

BERLIN = {"start": "2027-01-09T23:30:00", "hours": 6, "zone": "Europe/Berlin"}


def printed(*vms: Any, ties: Any = (), findings: tuple[Finding, ...] = (), **more: Any) -> Printout:
    inventory = estate(*(vms or (vm("a"),)), ties=ties)
    return Printout(plan(inventory, findings, **more), inventory, findings, settings=settings(**more))


def column(table: Table, name: str) -> list[Any]:
    at = table.columns.index(name)
    return [row[at] for row in table.rows]


def finding(severity: Severity, subject: str = "id-a", **more: Any) -> Finding:
    fields = {"check": "own.x", "subject": subject, "subject_name": subject.removeprefix("id-"),
              "message": f"{subject} is odd", "remedy": "mend it", **more}  # fmt: skip
    return Finding(severity=severity, **fields)


def test_milestones_are_counted_from_the_local_day_of_the_window() -> None:
    printout = printed(windows=[BERLIN])
    (wave,) = printout.plan.waves
    assert day_of(wave, 0) == "2027-01-09 Sat"  # 22:30 UTC, and 23:30 where people are
    late = printed(windows=[{**BERLIN, "start": "2027-01-10T00:30:00"}]).plan.waves[0]
    assert day_of(late, 0) == "2027-01-10 Sun"
    table = milestones(wave)
    days = dict(zip(column(table, "T"), column(table, "Day"), strict=True))
    assert days["T-28"] == "2026-12-12 Sat"
    assert days["T+28"] == "2027-02-06 Sat"
    assert list(days) == [f"T{offset:+d}" for offset, _ in MILESTONES]
    assert "{" not in str(table.rows)


def test_dates_without_a_window_and_at_the_end_of_time_are_said_to_be_none() -> None:
    printout = printed()
    assert set(column(milestones(printout.plan.waves[0]), "Day")) == {"no window"}
    ends = printed(windows=[{"start": "9999-12-20T22:00:00Z"}]).plan.waves[0]
    assert day_of(ends, 28) == "outside of any calendar"
    assert list(tables(printout))


def test_the_template_has_words_for_every_milestone_and_roles_for_every_line() -> None:
    assert set(DETAILS) == {offset for offset, _ in MILESTONES}
    assert {line.who for lines in DETAILS.values() for line in lines} <= set(ROLES)
    for activity, *marks in roles().rows[1:]:
        assert len(marks) == len(ROLES), activity
        assert marks.count("D") == 1, activity
        assert "A" in marks, activity


def test_gates_say_what_the_plan_knows() -> None:
    odd = (finding(Severity.BLOCKER), finding(Severity.BLOCKER, waiver="agreed"))
    nics = (Nic("n", "lan"), Nic("m", "dmz"))
    printout = printed(
        vm("a", disk(size_bytes=500 * GIB), snapshots=(Snapshot("s"),), nics=nics),
        findings=odd, windows=[BERLIN], networks={"lan": "dc2-lan"},
    )  # fmt: skip
    (wave,) = printout.plan.waves
    first = dict(zip(column(go_no_go_1(printout, wave), "Question"),
                     column(go_no_go_1(printout, wave), "The plan says"), strict=True))  # fmt: skip
    assert first["Are blockers cleared or waived"] == "1 open"
    assert first["Are the networks there"] == "keep their name: dmz"
    assert first["Is the wave approved as it is now"] == "not approved"
    second = dict(zip(column(go_no_go_2(printout, wave), "Question"),
                      column(go_no_go_2(printout, wave), "The plan says"), strict=True))  # fmt: skip
    assert second["Are snapshots gone"] == "1 snapshot when the inventory was taken"
    assert "to spare with the way back" in second["Does the outage fit into the window, way back included"]
    short = printed(
        vm("a", disk(size_bytes=20_000 * GIB)), windows=[{**BERLIN, "hours": 1}], caps={"tib": 60}
    )
    said = column(go_no_go_2(short, short.plan.waves[0]), "The plan says")
    assert any(str(text).startswith("does not fit") for text in said)
    assert not any(cell for table in (go_no_go_1(printout, wave),) for cell in column(table, "Go"))


def test_the_night_follows_the_boot_order_and_names_the_latest_way_back() -> None:
    printout = printed(vm("web"), vm("db"), ties=(needs("web", "db"),), windows=[BERLIN])
    (wave,) = printout.plan.waves
    table = night(printout, wave)
    steps = [(what, on) for what, on in zip(column(table, "What"), column(table, "On"), strict=True)]
    stops = [on for what, on in steps if what.startswith("Stops batch")]
    starts = [on for what, on in steps if what.startswith("Starts and probes")]
    assert (stops, starts) == (["web", "db"], ["db", "web"])
    latest = latest_back_min(wave)
    assert latest == 6 * 60 - back_min(wave)
    assert back_min(wave) > back_min(printed().plan.waves[0])
    whats = [what for what, _ in steps]
    at = column(table, "When")[whats.index("Latest moment to begin the way back inside the window")]
    hours, minutes = divmod(int(latest), 60)
    late = 23 * 60 + 30 + int(latest) - 24 * 60
    assert at == f"Sun {late // 60:02d}:{late % 60:02d} (+{hours}:{minutes:02d})"
    no_return = next(n for n, what in enumerate(whats) if what.startswith("Point of no return"))
    assert whats.index("Smoke test of each application") < no_return
    assert all(text for text in column(told(printout, wave), "Text"))


def test_the_way_back_lists_each_remapped_disk() -> None:
    printout = printed(vm("a", disk(), rdm("naa.9")))
    table = way_back(printout, printout.plan.waves[0])
    (own,) = [how for what, how in table.rows if str(what).startswith("Disk a/")]
    assert "LUN naa.9" in str(own)


def test_the_calendar_shows_seed_cutover_freeze_and_holiday_in_their_weeks() -> None:
    said: dict[str, Any] = {
        "windows": [BERLIN],
        "freezes": [{"start": "2026-12-21T00:00:00", "end": "2026-12-31T00:00:00", "why": "year end"}],
        "holidays": [{"day": "2027-01-18", "name": "a day"}],
    }
    table = calendar_grid(printed(vm("a", disk(size_bytes=1000 * GIB)), **said))
    rows = {str(row[0]): dict(zip(table.columns[3:], row[3:], strict=True)) for row in table.rows}
    weeks = list(rows["W01"].values())
    assert weeks.count("CUTOVER") == 1
    assert rows["W01"]["2027-W01 04 Jan"] == "CUTOVER"
    assert weeks[: weeks.index("CUTOVER")] == ["prepare"] * 4
    assert weeks[weeks.index("CUTOVER") + 1 :] == ["watch", *["keep"] * 3]
    assert [week for week, mark in rows["Freeze"].items() if mark] == ["2026-W52 21 Dec", "2026-W53 28 Dec"]
    assert [week for week, mark in rows["Holidays"].items() if mark] == ["2027-W03 18 Jan"]


def test_a_seed_of_weeks_is_on_the_calendar_and_one_of_decades_does_not_push_windows_out() -> None:
    base = printed(windows=[BERLIN])
    (wave,) = base.plan.waves

    def grid(seed_h: float) -> Table:
        estimate = wave.estimate.model_copy(update={"seed_h": Spread(p50=seed_h, p95=seed_h)})
        slow = wave.model_copy(update={"estimate": estimate})
        return calendar_grid(Printout(base.plan.model_copy(update={"waves": (slow,)}), base.inventory))

    assert "seed" not in grid(1.0).rows[0]
    assert grid(24 * 15).rows[0].count("seed") == 2
    never = grid(24 * 365 * 40)
    assert "CUTOVER" in never.rows[0]
    assert len(never.columns) < 130
    assert calendar_grid(printed()).columns == ("Wave", "Title", "Window")


def test_risks_are_ranked_by_probability_times_impact() -> None:
    odd = (
        finding(Severity.WARNING, "id-b"),
        finding(Severity.BLOCKER),
        finding(Severity.INFO, check="own.i"),
    )
    printout = printed(vm("a", criticality="High", owner="ann"), vm("b"), findings=odd)
    table = risk_register(printout)
    weights = column(table, "Weight")
    assert weights == sorted(weights, reverse=True)
    assert weights == [
        p * i for p, i in zip(column(table, "Probability"), column(table, "Impact"), strict=True)
    ]
    first = dict(zip(table.columns, table.rows[0], strict=True))
    assert (first["Id"], first["Probability"], first["Impact"], first["Owner"]) == ("R001", 5, 5, "ann")
    assert (first["Mitigation"], first["State"], first["Rating"]) == ("mend it", "open", "high")
    assert not any("own.i" in str(row) for row in table.rows)
    assert (rating(15), rating(14), rating(8), rating(7)) == ("high", "medium", "medium", "low")


def test_a_waived_blocker_stays_on_the_register_as_accepted() -> None:
    table = risk_register(printed(findings=(finding(Severity.BLOCKER, waiver="bob until May"),)))
    (row,) = [row for row in table.rows if "own.x" in str(row)]
    assert dict(zip(table.columns, row, strict=True))["State"] == "accepted: bob until May"
    assert dict(zip(table.columns, row, strict=True))["Probability"] == 2


@pytest.mark.parametrize(
    ("said", "risk"),
    [
        ({}, "waves have no window"),
        ({"windows": [{**BERLIN, "hours": 0.1}]}, "do not fit into the window"),
        ({"windows": [{**BERLIN, "start": "2026-10-01T07:00:00"}]}, "seeds that should"),
        (
            {"windows": [BERLIN],
             "freezes": [{"start": "2027-01-11T00:00:00", "end": "2027-01-20T00:00:00"}]},
            "a freeze begins",
        ),
        ({"windows": [BERLIN], "holidays": [{"day": "2027-01-12"}]}, "people are away"),
        (
            {"luns": [{"name": "t", "size_bytes": 10 * GIB}],
             "remaps": [{"disk": "a/2000", "to": "rdm-physical"}]},
            "LUNs of W01",
        ),
    ],
)  # fmt: skip
def test_what_the_calendar_and_the_remaps_put_at_risk_is_on_the_register(said: Any, risk: str) -> None:
    assert [item for item in risks(printed(**said)) if risk in item.risk]
    calm = printed(windows=[BERLIN])
    assert not [item for item in risks(calm) if risk in item.risk]


@pytest.mark.parametrize(("overrun", "probability"), [(None, None), (0.01, None), (0.2, 3), (0.7, 5)])
def test_what_was_drawn_to_overrun_is_a_risk(overrun: float | None, probability: int | None) -> None:
    base = printed(windows=[BERLIN])
    waves = tuple(wave.model_copy(update={"overrun": overrun}) for wave in base.plan.waves)
    found = risks(Printout(base.plan.model_copy(update={"waves": waves}), base.inventory))
    said = [item.probability for item in found if "do not fit" in item.risk]
    assert said == ([probability] if probability else [])


def test_the_score_card_says_unknown_where_nothing_was_measured() -> None:
    printout = printed()
    table = score_card(printout)
    rows = {row[0]: row for row in table.rows}
    assert rows["Waves"][1:3] == (printout.plan.score.waves, printout.plan.score.waves_bound)
    bare = printout.plan.score.model_copy(update={"cut_share": None, "baseline": None})
    plain = Printout(printout.plan.model_copy(update={"score": bare}), printout.inventory)
    assert {row[0]: row[1] for row in score_card(plain).rows}["Share of traffic cut"] == UNKNOWN
    torn = printout.plan.score.model_copy(update={"hard_violations": 2, "cut_share": 0.25})
    said = in_short(Printout(printout.plan.model_copy(update={"score": torn}), printout.inventory))
    assert any(sentence.startswith("2 ties violated") for sentence in said)
    assert any(sentence.startswith("25% of the traffic") for sentence in said)


def test_the_two_makespans_of_waves_without_a_window_say_what_they_count() -> None:
    def means(printout: Printout) -> list[str]:
        score = printout.plan.score.model_copy(update={"makespan_spread_h": Spread(p50=9.0, p95=12.0)})
        waves = printout.plan.model_copy(update={"score": score})
        rows = score_card(Printout(waves, printout.inventory)).rows
        return [str(row[4]) for row in rows if str(row[0]).startswith("Hours from begin")]

    far, near = means(printed())
    assert far.endswith("; waves without a window count a week apart")
    assert near.endswith("by 12.0 h; waves without a window begin as soon as they are copied")
    assert not any("without a window" in said for said in means(printed(windows=[BERLIN])))


def test_dependencies_carry_evidence_weight_and_the_waves_of_both_ends() -> None:
    ties = (
        needs("a", "b", Tie.SOFT, evidence="flows of 14 days", traffic_bytes=7, port=443),
        needs("a", "c", Tie.ORDER),
    )
    printout = printed(vm("a"), vm("b"), vm("c"), ties=ties, caps={"vms": 1})
    table = dependencies(printout)
    assert column(table, "Tie") == ["order", "soft"]
    soft = dict(zip(table.columns, table.rows[1], strict=True))
    assert (soft["Needs"], soft["Is needed"], soft["Port"], soft["Bytes seen"]) == ("a", "b", "443", 7)
    assert (soft["Evidence"], soft["Decision"], soft["Across waves"]) == (
        "flows of 14 days",
        "nobody decided",
        "yes",
    )
    rows = handover.deps(printout)
    assert column(rows, "weight") == [7, ""]
    assert set(column(rows, "kind")) == {"order", "soft"}


def test_ties_of_every_kind_have_a_place_in_the_order_of_the_sheet() -> None:
    assert set(_FIRST) == set(Tie)


def test_the_remap_sheet_has_rule_proof_and_way_back_for_each_kind() -> None:
    said: dict[str, Any] = {
        "luns": [{"name": f"t{at}", "size_bytes": 10 * GIB + 512 * at} for at in range(2)],
        "remaps": [{"disk": "a/2000", "to": "rdm-physical", "lun": "t1"}],
    }
    printout = printed(
        vm("a"), vm("b", rdm("naa.1")), vm("c", rdm("naa.2", backing=Backing.RDM_VIRTUAL)), vm("d"), **said
    )
    table = disks(printout)
    kinds = dict(zip(column(table, "Used by"), column(table, "Remap"), strict=True))
    assert kinds == {
        "a": "VMDK to RDM", "b": "RDM to VMDK", "c": "RDM to RDM on another LUN", "d": "keep",
    }  # fmt: skip
    proofs = dict(zip(column(table, "Used by"), column(table, "Proof in sectors"), strict=True))
    assert proofs["a"] == "LUN t1 has 20971521 sectors, the disk 20971520: 1 more than the disk has"
    assert proofs["d"] == ""
    assert all(column(table, "Way back"))
    assert set(column(table, "Sectors")) == {20971520}


def test_the_lun_request_says_what_is_missing_before_there_is_a_plan() -> None:
    inventory = estate(
        vm("db", rdm("naa.1")), vm("web"), vm("stays", rdm("naa.2")), vm("gold", rdm("naa.3"), template=True)
    )
    said = settings(policies={"physical_rdm": "keep"}, exclude=["stays"])
    openpyxl = pytest.importorskip("openpyxl", reason="not run: openpyxl is not installed")
    book = openpyxl.load_workbook(BytesIO(request_workbook(inventory, said)))
    head, *rows = ([cell.value for cell in row] for row in book["LUN request"].iter_rows())
    (row,) = (dict(zip(head, row, strict=True)) for row in rows)
    assert (row["State"], row["Sectors at least"], row["For disk"]) == (
        "to be made",
        20971520,
        "db/Hard disk 2001",
    )
    assert (row["Bytes at least"], row["Without it"], row["Mode"]) == (10 * GIB, "no plan", "physical")
    with pytest.raises(BadInput, match="listed as free"):
        request_workbook(inventory, settings(luns=[{"name": "naa.1", "size_bytes": GIB}]))


def test_the_lun_request_of_a_plan_names_wave_and_day() -> None:
    printout = printed(
        vm("a", rdm("naa.1")), windows=[BERLIN], policies={"physical_rdm": "keep"},
        luns=[{"name": "t", "size_bytes": 10 * GIB + 1024}],
    )  # fmt: skip
    (row,) = (dict(zip(lun_table(printout).columns, row, strict=True)) for row in lun_table(printout).rows)
    assert (row["State"], row["LUN"], row["Sectors more"]) == ("listed", "t", 2)
    assert (row["Wave"], row["Needed by"]) == ("W01", "2026-12-19 Sat")
    assert render(printout)
    later = Printout(
        printout.plan, printout.inventory, settings=settings(remaps=[{"disk": "x/y", "to": "keep"}])
    )
    assert "matches no disk" in str(lun_table(later).rows)
    with pytest.raises(BadInput):
        render(later)


def test_groups_leave_blank_what_not_every_vm_says() -> None:
    ties = (needs("a", "b"),)
    told_of = printed(vm("a", used_bytes=GIB), vm("b", used_bytes=GIB), ties=ties)
    assert column(handover.groups(told_of), "used_gib") == [2.0]
    half = printed(vm("a", used_bytes=GIB), vm("b"), ties=ties)
    assert column(handover.groups(half), "used_gib") == [""]
    assert column(handover.groups(half), "reasons") == ["calls"]


def test_exceptions_are_what_is_not_as_usual() -> None:
    printout = printed(
        vm("a", rdm("naa.1")), vm("gold", template=True),
        findings=(finding(Severity.BLOCKER, waiver="ann"),), pins=[{"what": "a", "wave": "W01"}],
    )  # fmt: skip
    assert column(handover.exceptions(printout), "kind") == ["unplanned", "waived", "remapped", "pinned"]


def test_many_waves_share_one_runbook_sheet() -> None:
    few = printed(*(vm(f"v{at}") for at in range(3)), caps={"vms": 1})
    assert [table.title for table in runbooks(few)] == ["Runbook W01", "Runbook W02", "Runbook W03"]
    (wave,) = printed().plan.waves
    base = printed()
    many = tuple(wave.model_copy(update={"name": f"W{at:02d}"}) for at in range(1, 62))
    (one,) = runbooks(
        Printout(base.plan.model_copy(update={"waves": many}), base.inventory, settings=Settings())
    )
    assert one.title == "Runbooks"
    assert len(set(column(one, "Wave"))) == 61


def test_sheet_names_are_short_and_differ_whatever_the_case() -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="not run: openpyxl is not installed")
    from datetime import UTC, datetime

    titles = ("Runbook " + "x" * 40, "Runbook " + "X" * 40, "a/b[c]", "")
    made = workbook_of(
        "t", datetime.now(UTC).replace(tzinfo=None), [Table(title, ("A",), ()) for title in titles]
    )
    names = openpyxl.load_workbook(BytesIO(made)).sheetnames
    assert len({name.casefold() for name in names}) == 4
    assert all(len(name) <= 31 for name in names)


def test_one_of_a_kind_is_said_as_one() -> None:
    inventory = estate(vm("web"), vm("gold", template=True))
    said = in_short(Printout(plan(inventory), inventory))
    assert said[0] == "1 VM in 1 wave; no plan under these caps needs fewer than 1"
    assert "1 VM in no wave, each with its reason" in said
    assert (said[1], said[-1]) == ("Waves without a window yet: 1 of 1", "Waves approved: 0 of 1")


def test_a_disk_that_is_left_out_says_so_in_every_paper_with_who_why_and_what_the_guest_needs() -> None:
    two = [disk(str(2000 + unit), bus=0, unit=unit) for unit in range(3)]
    said = [
        {"disk": "a/2001", "send": "never", "why": "swap\x1b[31m", "who": "ada"},
        {"disk": "a/2002", "send": "once", "why": "tempdb"},
    ]
    printout = printed(vm("a", *two), sends=said)
    (wave,) = printout.plan.waves
    travels = dict(zip(column(disks(printout), "Disk"), column(disks(printout), "Travels"), strict=True))
    assert travels["Hard disk 2000"] == "always"
    assert travels["Hard disk 2001"] == "never: left out by decision, by ada: swap\u241b[31m"
    assert travels["Hard disk 2002"].startswith("once: left out by decision, by a person whose name")
    facts = dict(summary(printout).rows)
    assert facts["Disks sent never by decision"] == "1, 10 GiB"
    assert facts["Disks sent once by decision"] == "1, 10 GiB"
    steps = list(zip(column(night(printout, wave), "What"), column(night(printout, wave), "On"), strict=True))
    assert ("Sends the final delta, compares both sides", "1 disk") in steps
    protects = [where for what, where in steps if what.startswith("Protects the wave at its source")]
    assert protects == ["1 disk"], "what is left out does not come back"
    assert any("mkswap" in what and where == "a/Hard disk 2001" for what, where in steps)
    out = [row for row in handover.exceptions(printout).rows if row[0] == "left out"]
    assert [row[3] for row in out] == ["Hard disk 2001: sent never", "Hard disk 2002: sent once"]
    for name in ("markdown", "html"):
        text = FORMATS[name].render(printout).decode("utf-8")
        assert "left out by decision, by ada" in text
        assert "\x1b" not in text


def test_nothing_is_said_of_sending_where_all_disks_travel() -> None:
    printout = printed()
    assert not [what for what, _ in summary(printout).rows if "by decision" in str(what)]
    assert not [row for row in handover.exceptions(printout).rows if row[0] == "left out"]
