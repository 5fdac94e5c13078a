"""Mermaid and Graphviz: what is drawn, and names that cannot end a label."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from planner.export import dot, gantt, mermaid
from planner.export.bonds import bonds, heat, left_out, picture, places
from planner.export.printout import Printout
from planner.model import Tie
from planner.names import visible
from tests.planner.export.paper import NASTY, nasty, paper
from tests.planner.sketch import estate, needs, plan, settings, vm

_LABEL = r'"(?:[^"#\\\n`<>%&;|\[\](){}:@]|#\d+;)*"'
_FLOWCHART = re.compile(
    r"flowchart LR"
    r"|  %% [A-Za-z0-9 ,:]*"
    rf"|  subgraph w\d+\[{_LABEL}\]"
    rf"|    g\d+\[{_LABEL}\]"
    r"|  end"
    rf"|  g\d+ (?:==>|-\.->)\|{_LABEL}\| g\d+"
    r"|  linkStyle \d+(?:,\d+)* stroke:#[0-9a-f]{6},stroke-width:3px"
)
_WORDS = r"(?:[^\"#\\\n`<>%&;|\[\](){}:@]|#\d+;)*"
_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d"
_GANTT = re.compile(
    r"gantt|  dateFormat YYYY-MM-DD HH:mm|  axisFormat %Y-%m-%d|  %% without a window:[ \w.-]*"
    rf"|  title {_WORDS}|  section {_WORDS}"
    rf"|  (?:Freeze|Seed of|Cutover of) {_WORDS} :(?:crit, |active, )?[fsc]\d+, {_TIME}, {_TIME}"
)


def _shown(text: str) -> str:
    """Return text as Mermaid shows it: numbers become letters."""
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), text)


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8").splitlines()


@pytest.mark.parametrize("make", [paper, nasty])
def test_every_line_of_the_flowchart_is_one_of_the_grammar(make: Callable[[], Printout]) -> None:
    for line in _lines(mermaid.render(make())):
        assert _FLOWCHART.fullmatch(line), line


@pytest.mark.parametrize("make", [paper, nasty, lambda: paper(windows=())], ids=["paper", "nasty", "undated"])
def test_every_line_of_the_gantt_chart_is_one_of_the_grammar(make: Callable[[], Printout]) -> None:
    for line in _lines(gantt.render(make())):
        assert _GANTT.fullmatch(line), line


def test_the_grammars_refuse_names_as_they_are() -> None:
    assert not [
        name for name in NASTY[:9] if _FLOWCHART.fullmatch(f'    g1["{name}"]') and not name.isalpha()
    ]


def test_names_are_shown_letter_by_letter() -> None:
    lines = _shown(mermaid.render(nasty()).decode("utf-8"))
    for place in places(nasty()):
        assert f'["{visible(place.group.name, 60)} ' in lines


def test_the_flowchart_shows_the_bond_across_waves() -> None:
    lines = _lines(mermaid.render(paper()))
    assert '  subgraph w0["W01 site"]' in lines
    assert '    g1["shop 2 VMs"]' in lines
    assert _shown("\n".join(lines)).count('g0 ==>|"6.0 GiB"| g1') == 1


def test_the_gantt_chart_says_when_in_utc() -> None:
    lines = _lines(gantt.render(paper()))
    assert "  Cutover of W01 :active, c0, 2027-01-09 21:00, 2027-01-10 03:00" in lines
    assert "  Freeze quarter #60;close#62; :crit, f0, 2027-01-27 15:00, 2027-02-01 15:00" in lines
    assert "  %% without a window: W01 W02" in _lines(gantt.render(paper(windows=())))


def _many() -> Printout:
    vms = [vm(f"v{at}") for at in range(12)]
    ties = [needs(f"v{at}", f"v{at + 1}", Tie.SOFT, traffic_bytes=at * 1000) for at in range(11)]
    inventory = estate(*vms, ties=tuple(ties))
    more = {"caps": {"vms": 4}}
    return Printout(plan(inventory, **more), inventory, settings=settings(**more))


def test_a_drawing_keeps_the_hottest_and_says_what_it_leaves_out() -> None:
    printout = _many()
    everything = bonds(printout)
    assert [bond.traffic_bytes for bond in everything] == sorted(
        (at * 1000 for at in range(11)), reverse=True
    )
    shown = picture(printout, most_places=6, most_bonds=3)
    assert len(shown.places) == 6
    assert len(shown.bonds) <= 3
    assert (shown.left_places, shown.left_bonds) == (6, 11 - len(shown.bonds))
    assert left_out(shown) == f"Left out: 6 smaller groups and {11 - len(shown.bonds)} weaker bonds"
    ends = {end for bond in shown.bonds for end in (bond.a, bond.b)}
    assert ends <= {place.number for place in shown.places}
    whole = picture(printout, 99, 99)
    assert left_out(whole) == ""
    across = [bond.across for bond in whole.bonds]
    assert across == sorted(across, reverse=True)
    assert set(across) == {True, False}


def test_shared_services_tie_no_groups() -> None:
    inventory = estate(
        vm("dc", tier="directory"),
        vm("a"),
        vm("b"),
        ties=(needs("a", "dc", Tie.SOFT), needs("a", "b", Tie.SOFT)),
    )
    printout = Printout(plan(inventory), inventory, settings=settings())
    assert [heat(bond) for bond in bonds(printout)] == ["1×"]


@pytest.mark.parametrize("make", [paper, nasty])
def test_graphviz_strings_end_where_they_should(make: Callable[[], Printout]) -> None:
    printout = make()
    text = dot.render(printout).decode("utf-8")
    strings = re.findall(r'"((?:\\.|[^"\\])*)"', text)
    rest = re.sub(r'"((?:\\.|[^"\\])*)"', "S", text)
    assert re.fullmatch(r"[A-Za-z0-9_\s={}\[\];,.-]*", rest)
    shown = {html.unescape(re.sub(r"\\(.)", r"\1", item)) for item in strings}
    for place in places(printout):
        assert any(item.startswith(visible(place.group.name)) for item in shown)


def test_graphviz_draws_it_with_names_as_they_are() -> None:
    program = shutil.which("dot")
    if not program:
        pytest.skip("not run: Graphviz is not on this machine")
    ran = subprocess.run(
        [program, "-Tsvg"], input=dot.render(nasty()), capture_output=True, check=True, timeout=60
    )
    assert not ran.stderr
    drawn = {
        text.text or ""
        for text in ElementTree.fromstring(ran.stdout).iter("{http://www.w3.org/2000/svg}text")
    }
    for place in places(nasty()):
        label = f"{visible(place.group.name)}, {len(place.group.vms)} VM"
        # Graphviz writes blanks so that they do not run together.
        assert any(item.replace("\u00a0", " ").startswith(label) for item in drawn), label
