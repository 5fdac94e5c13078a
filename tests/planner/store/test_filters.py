"""Saved filters: read before they are stored, never in a circle, never gone from under another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.errors import BadInput, NotFound
from planner.fields import TABLE_WORDS
from planner.places import FINDING_WORDS, PLACES, WAVE_WORDS, words_of
from planner.store import filters
from planner.store.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "move") as made:
        yield made


def save(project: Project, name: str, text: str, place: str = "inventory") -> filters.SavedFilter:
    return filters.save(project, place, name, text, words_of(place), "root")


def test_what_was_saved_is_read_back_by_place(project: Project) -> None:
    save(project, "Big", " disk>2T ")
    save(project, "big", "vms>10", "waves")
    save(project, "älter", "os~2008")
    assert [(item.place, item.name, item.text, item.who) for item in filters.every(project)] == [
        ("inventory", "big", "disk>2T", "root"),
        ("inventory", "älter", "os~2008", "root"),
        ("waves", "big", "vms>10", "root"),
    ]
    assert filters.texts(project, "waves") == {"big": "vms>10"}
    save(project, "BIG", "disk>4T")
    assert filters.texts(project, "inventory")["big"] == "disk>4T"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("", "a", "cannot be the name"),
        ("-a", "a", "cannot be the name"),
        ("a b", "a", "cannot be the name"),
        ("a\x1b[31m", "a", "cannot be the name"),
        ("a)", "a", "cannot be the name"),
        ("x" * 41, "a", "cannot be the name"),
        ("a", "  ", "has no term"),
        ("a", "colour:red", "does not exist"),
        ("a", "@nobody", "saved filter that does not exist"),
        ("a", "crm @A", "names itself"),
        ("a", '"open', "not closed"),
    ],
)
def test_what_cannot_be_read_is_not_stored(project: Project, name: str, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        save(project, name, text)
    assert "\x1b" not in caught.value.message
    assert filters.every(project) == ()


def test_no_circle_is_made_by_saving_anew(project: Project) -> None:
    save(project, "a", "crm")
    save(project, "b", "-@a or (@a)")
    with pytest.raises(BadInput, match="names itself: @a names @b names @a"):
        save(project, "a", "os~win @b")
    assert filters.texts(project, "inventory")["a"] == "crm"


def test_one_that_others_name_stays(project: Project) -> None:
    save(project, "a", "crm")
    save(project, "b", "-(@A) os~win")
    save(project, "c", '"@b" mail@b')  # names nobody
    save(project, "a", "vms>1", "waves")
    with pytest.raises(BadInput, match="is part of @b"):
        filters.forget(project, "inventory", "a")
    assert filters.forget(project, "inventory", "B").name == "b"
    assert filters.forget(project, "inventory", "a").text == "crm"
    assert [item.name for item in filters.every(project)] == ["c", "a"]
    with pytest.raises(NotFound):
        filters.forget(project, "inventory", "a")


def test_every_place_has_words() -> None:
    assert (words_of("inventory"), words_of("waves")) == (TABLE_WORDS, WAVE_WORDS)
    assert words_of("findings") is FINDING_WORDS
    with pytest.raises(NotFound, match="no table of nowhere"):
        words_of("nowhere")
    for place, words in PLACES.items():
        assert words.bare in words.fields, place
