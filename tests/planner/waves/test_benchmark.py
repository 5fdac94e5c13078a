"""The benchmark of waves: what a seed showed is kept, and a torn line costs that line alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import papers, waves


def ran(vms: int, seed: int, cut: float) -> dict[str, Any]:
    figures = {"waves": 10, "over": 0.1, "cut": cut, "peak": 0.05, "s": 1.0, "cpu_s": 1.0, "peak_mib": 50}
    ways = dict.fromkeys(waves._WAYS, figures)
    return {"vms": vms, "seed": seed, "items": 7, "bound": 9, "edit_ms": 1.0, "host": {"date": ""}, **ways}


def test_what_was_measured_last_counts_and_a_torn_line_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kept.jsonl"
    assert waves._known(path) == {}
    waves._keep(ran(1_000, 1, 0.5), path)
    with path.open("a") as file:
        file.write('{"vms": 1000, "se')
    waves._keep(ran(1_000, 1, 0.25), path)
    waves._keep(ran(10_000, 1, 0.75), path)
    found = waves._known(path)
    assert {key: run["wherry"]["cut"] for key, run in found.items()} == {(1_000, 1): 0.25, (10_000, 1): 0.75}
    assert "a torn line of kept.jsonl is left out" in capsys.readouterr().err


def test_rows_hold_the_median_and_every_seed() -> None:
    rows = waves._rows(1_000, [ran(1_000, seed, cut) for seed, cut in ((1, 0.3), (2, 0.1), (4, 0.25))])
    row = next(row for row in rows if "wherry, traffic cut" in row["what"])
    assert row["what"] == "1,000 VMs, wherry, traffic cut (seeds 1, 2, 4: 30.0; 10.0; 25.0)"
    assert row["value"] == 25.0


def test_sizes_and_seeds_that_are_not_there_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.__main__ import main

    assert main(["waves", "--sizes=12"]) == 2
    assert "size 12 is none of 1000, 10000, 100000" in capsys.readouterr().err
    assert main(["graph", "--sizes=1000"]) == 2
    assert main(["waves", "papers", "--vms=10000"]) == 2
    assert "waves: --sizes=, --seeds=, --resume=; papers: --vms=" in capsys.readouterr().err
    assert main(["papers", "--vms=12"]) == 2
    assert "size 12 is none of 10000, 100000" in capsys.readouterr().err


def test_a_size_of_papers_measured_alone_leaves_the_other_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "figures.json"
    assert papers.kept(100_000, path) == []
    ours = {"s": 1.0, "size": 2e6, "mib": 3.0}
    old = [papers._row("json", count, ours) for count in (10_000, 100_000)]
    path.write_text(json.dumps({"papers": {"rows": old}}))
    fresh = papers._row("json", 10_000, {**ours, "s": 4.0})
    monkeypatch.setattr(papers, "_FIGURES", path)
    monkeypatch.setitem(papers._SIZES, 10_000, lambda count: [fresh])
    assert papers.run(False, "10000")["rows"] == [fresh, old[1]]
