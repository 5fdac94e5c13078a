"""wherry estimate: an estate of words, a project's own, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.estimate import CHURN_PER_DAY
from planner.units import TIB
from tests.tui.cli.command import Wherry, refused, wherry


def test_an_estate_of_words_needs_no_project(tmp_path: Path) -> None:
    ran = Wherry(tmp_path).done(
        "estimate", "--size", "100TB", "--link", "1Gbit/s", "--churn", "2%/day", "--ratio", "1.6"
    )
    rows = ran.out.splitlines()
    assert rows[0].startswith("100 TiB to copy, 2.0 TiB written a day, 70% of the line, ratio 1.6/1.6/1.6")
    assert [row.split("  ")[0] for row in rows[3:]] == ["1 Gbit/s", "620 Mbit/s", "10 Gbit/s"]
    assert "10.7 d" in rows[3]  # 100 TiB / (125 MB/s x 0.7 x 0.85 x 1.6)
    assert "processors" in rows[5]


def test_the_guide_shows_what_is_printed() -> None:
    shown = (Path(__file__).parents[3] / "docs" / "estimate.md").read_text("utf-8").split("```")[1]
    command, printed = shown.removeprefix("console\n$ wherry ").split("\n", 1)
    assert wherry(*command.split()).out == printed


def test_the_document_says_what_it_rests_on() -> None:
    said = wherry(
        "estimate", "--size", "10T", "--link", "2Gbit/s", "--share", "0.5", "--within", "3", "--json"
    )
    document = said.document
    assert document["load"] == {
        "seed_bytes": 10 * TIB,
        "churn_bytes_day": pytest.approx(10 * TIB * CHURN_PER_DAY),
        "differs": None,
    }
    assert document["share"] == 0.5
    assert document["ratio"] == {"low": 1.0, "likely": 1.5, "high": 2.0}
    assert [item["rate_mbit"] for item in document["lines"]] == [2000.0, 620.0, 1000.0, 10000.0]
    first = document["lines"][0]
    assert first["p50"]["seed_s"] == pytest.approx(10 * TIB / (250e6 * 0.5 * 0.85 * 1.5))
    assert first["p50"]["fits"] is True
    assert first["needs_mbit"] > 0


def test_a_project_says_size_churn_and_line(planned: Wherry) -> None:
    said = planned.done("estimate", "--json").document
    assessed = planned.done("assess", "--json").document
    assert 0 < said["load"]["seed_bytes"] <= assessed["total"]["provisioned_bytes"]
    assert said["load"]["churn_bytes_day"] > 0
    other = planned.done("estimate", "--json", "--churn", "1G", "--link", "50Mbit/s").document
    assert other["load"] == {
        "seed_bytes": said["load"]["seed_bytes"],
        "churn_bytes_day": 1024**3,
        "differs": None,
    }
    assert other["lines"][0]["rate_mbit"] == 50.0
    assert other["share"] == said["share"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--size", "many"), "'many' is not a size"),
        (("--size", "9" * 400), "is not a size"),
        (("--size", "1T", "--churn", "9" * 400 + "%"), "is no churn"),
        (("--size", "1T", "--link", "9" * 400), "is not a rate"),
        (("--size", "1T", "--ratio", "9" * 400), "is no ratio"),
        (("--size", "0"), "an estate of no size"),
        (("--size", "1T", "--churn", "2 apples"), "'2 apples' is no churn"),
        (("--size", "1T", "--link", "fast"), "'fast' is not a rate"),
        (("--size", "1T", "--link", "0"), "--link of nothing"),
        (("--size", "1T", "--rate", "0.1"), "--rate of nothing"),
        (("--size", "1T", "--within", "nan"), "--within nan is no number"),
        (("--size", "1T", "--share", "nan"), "--share nan is no number"),
        (("--size", "1T", "--ratio", "1/2"), "'1/2' is no ratio"),
        (("--size", "1T", "--ratio", "3/2/1"), "from low over likely to high"),
        (("--size", "1T", "--ratio", "0"), "from low over likely to high"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    refused(wherry("estimate", *arguments), 2, words)


def test_images_in_place_cost_their_reading_and_what_differs() -> None:
    words = ("estimate", "--size", "10T", "--link", "1Gbit/s", "--share", "1", "--ratio", "1")
    shown = wherry(*words, "--preplaced", "3%")
    assert shown.out.startswith("10.0 TiB to compare with images in place, 307 GiB (3.0%) to send, ")
    said = wherry(*words, "--preplaced", "3%", "--json").document["lines"][0]
    assert said["p50"]["seed_s"] == pytest.approx(10 * TIB / 1e9 + 0.03 * 10 * TIB / 106.25e6)
    assert said["p95"]["seed_s"] == pytest.approx(10 * TIB / 0.5e9 + 0.03 * 10 * TIB / (0.7 * 106.25e6))
    for wrong in ("101%", "3", "-1%", "nan%", ""):
        refused(wherry(*words, "--preplaced", wrong), 2)
