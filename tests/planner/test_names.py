"""Names are harmless to print, and never anything but names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.names import content_id, visible


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("db-01", "db-01"),
        ("Zürich 数据库 🚢", "Zürich 数据库 🚢"),
        ("\x1b[2J", "␛[2J"),
        ("a\x00b\nc\td\x7f", "a␀b␊c␉d␡"),
        ("\u202eexe.txt", "<U+202E>exe.txt"),
        ("\u2066x\u2069", "<U+2066>x<U+2069>"),
        ("\x9b31m", "<U+009B>31m"),
        ("a\u2028b\u200bc\ud800", "a<U+2028>b<U+200B>c<U+D800>"),
        ("[red]=cmd|x", "[red]=cmd|x"),
        ("", ""),
    ],
)
def test_what_a_terminal_could_act_on_is_made_visible(name: str, shown: str) -> None:
    assert visible(name) == shown


@given(st.text(st.characters(), max_size=60))
def test_nothing_that_is_shown_controls_a_terminal(name: str) -> None:
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in visible(name))
    visible(name).encode("utf-8")


@given(st.text(st.characters(), max_size=60), st.integers(1, 40))
def test_a_width_is_kept(name: str, width: int) -> None:
    assert len(visible(name, width)) <= width


def test_what_is_shortened_says_so() -> None:
    assert visible("x" * 80, 10) == "x" * 9 + "…"
    assert visible("x" * 10, 10) == "x" * 10


@given(st.lists(st.text(st.characters()), max_size=3))
def test_an_id_carries_nothing_of_its_parts(parts: list[str]) -> None:
    found = content_id(*parts)
    assert len(found) == 24
    assert set(found) <= set("0123456789abcdef")
    assert found == content_id(*parts)


def test_ids_differ_where_parts_do() -> None:
    assert len({content_id(*parts) for parts in (["a", "b"], ["ab"], ["b", "a"], ["a"], [], ["a", ""])}) == 6
