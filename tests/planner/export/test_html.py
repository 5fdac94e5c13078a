"""The report in one file: nothing loaded, nothing run, no markup from names, and all that was planned."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from planner.export.html.charts import bars
from planner.export.html.markup import tag
from planner.export.html.page import render
from planner.export.html.timeline import timeline
from planner.names import visible
from tests.planner.export.browser import browse, pixels
from tests.planner.export.paper import NASTY, nasty, paper
from tests.planner.export.reader import Reader, judge


@pytest.fixture(scope="module")
def hostile_page() -> str:
    return render(nasty()).decode("utf-8")


@pytest.fixture(scope="module")
def page() -> str:
    return render(paper()).decode("utf-8")


def test_no_markup_of_any_name_survives(hostile_page: str) -> None:
    judge(hostile_page)


def test_a_report_that_does_not_escape_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.export.html.markup.escape", lambda text, quote: text)
    with pytest.raises(AssertionError):
        judge(render(nasty()).decode("utf-8"))


def test_names_are_shown_as_they_are_written(hostile_page: str) -> None:
    text = Reader(hostile_page).text
    for name in NASTY:
        assert not name or visible(name) in text, name


def test_attributes_are_quoted_and_escaped() -> None:
    made = tag("text", "a<b", aria_label="\" onload='x'>", x=1.50, class_=None)
    assert made == '<text aria-label="&quot; onload=&#x27;x&#x27;&gt;" x="1.5">a&lt;b</text>'
    assert tag("p", made) == f"<p>{made}</p>"


def test_the_policy_lets_in_the_one_style_sheet_and_nothing_else(page: str) -> None:
    reader = Reader(page)
    policies = [a["content"] for name, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy"]
    (sheet,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert policies == [
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ]
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)


def test_the_report_holds_what_was_planned(page: str) -> None:
    printout = paper()
    text = "\n".join(Reader(page).text)
    for wave in printout.plan.waves:
        assert wave.fingerprint in text
        assert all(vm.name in text for vm in wave.vms)
        assert all(task.title in text for task in wave.tasks)
    assert "Ann <b>Lee</b>, 2026-10-02T00:00:00+00:00" in text
    assert "gold" in text
    assert "vSnapshot is missing: snapshots are unknown" in text
    assert "VM Network → Prod Net" in text
    assert printout.plan.fingerprint in text
    assert ">6.0 GiB</text>" in page  # what site and shop say to each other, across waves
    assert "db1 has a raw device" in text
    assert "rdm" in text.casefold()


def test_every_link_has_its_place(page: str) -> None:
    tags = Reader(page).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["href"] for name, a in tags if name == "a"} <= {f"#{name}" for name in ids}


def test_waves_without_windows_are_named_and_get_no_dates() -> None:
    printout = paper(windows=())
    assert timeline(printout) == ()
    text = "".join(Reader(render(printout).decode()).text)
    assert "Without a window, and so without a date: W01, W02" in text


def test_the_calendar_draws_waves_in_order_inside_the_picture() -> None:
    (picture,) = timeline(paper())
    bars_ = [
        (float(x), float(w)) for x, w in re.findall(r'<rect x="([\d.]+)"[^>]*?width="([\d.]+)"', picture)
    ]
    assert all(x >= 250 and x + width <= 1120 for x, width in bars_)
    cuts = [float(x) for x in re.findall(r'<rect x="([\d.]+)"[^>]*?fill="#1f3a5f"', picture)]
    assert cuts == sorted(cuts)
    assert len(cuts) == 2
    assert "quarter &lt;close&gt;" in picture


def test_holidays_stand_where_they_are_and_not_outside() -> None:
    days = [{"day": "2027-02-15", "name": "A & B"}, {"day": "2029-01-01", "name": "far away"}]
    (picture,) = timeline(paper(holidays=days))
    assert "Holiday: A &amp; B" in picture
    assert "far away" not in picture


def test_bars_stand_on_their_values() -> None:
    picture = bars("T", "u", ["a", "b"], (("s", "#000", [5.0, 10.0]),), limit=10.0)
    low, high = (float(h) for h in re.findall(r'height="([\d.]+)"[^>]*fill="#000"', picture))
    assert high == pytest.approx(2 * low, rel=0.01)
    capped = bars("T", "u", ["a", "b"], (("s", "#000", [5.0, 900.0]),), most=10.0)
    low, high = (float(h) for h in re.findall(r'height="([\d.]+)"[^>]*fill="#000"', capped))
    assert high == pytest.approx(2 * low, rel=0.01)
    assert ">900</text>" in capped


def test_a_browser_paints_and_prints_it_without_a_complaint(tmp_path: Path) -> None:
    report = tmp_path / "plan.html"
    report.write_bytes(render(nasty()))
    picture, printed = tmp_path / "plan.png", tmp_path / "plan.pdf"
    said = browse(tmp_path, "--window-size=1280,3000", f"--screenshot={picture}", report.as_uri())
    said += browse(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={printed}", report.as_uri())
    assert "Content Security Policy" not in said
    assert "CONSOLE" not in said
    width, height, lines = pixels(picture)
    assert (width, height) == (1280, 3000)
    assert lines > 500
    assert printed.read_bytes().startswith(b"%PDF-")


def test_a_plan_too_large_for_a_browser_shows_first_rows_and_names_the_tables_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from planner.export.formats import beside
    from planner.export.html import waves

    printout = paper()
    whole = render(printout).decode()
    assert beside(("html",), printout.plan) == ("html",)
    monkeypatch.setattr(waves, "_WHOLE", 1)
    monkeypatch.setattr(waves, "_ROWS", 1)
    monkeypatch.setattr(waves, "_SECTIONS", 1)
    page = render(printout).decode()
    assert len(page) < len(whole)
    text = " ".join(Reader(page).text)
    assert "whole ones are in assignment.csv and groups.csv beside this file" in text
    first, *others = printout.plan.waves
    assert f'href="#wave-{first.name}"' in page
    assert page.count('<section class="wave"') == 1
    for wave in others:
        assert f"#wave-{wave.name}" not in page
        assert f"#wave-{wave.name}" in whole
        assert f">{wave.name}<" in page, "it stands in the table of waves all the same"
    if len(first.vms) > 1:
        assert f"and {len(first.vms) - 1} VM" in text
    assert beside(("html", "csv"), printout.plan) == ("html", "csv", "csv-groups")
    assert beside(("xlsx",), printout.plan) == ("xlsx",)
