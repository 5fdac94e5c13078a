import pytest

from tui.actions.places import PLACES
from tui.actions.reference import BEGIN, END, PAGE, page, tables
from tui.actions.table import ACTIONS


def test_the_keys_in_the_guide_are_those_of_the_action_table() -> None:
    text = PAGE.read_text("utf-8")
    assert text == page(text), "run python -m tui.actions.reference"


def test_every_action_stands_there_once() -> None:
    shown = tables()
    for action in ACTIONS:
        assert shown.count(f"| `{action.id}` |") == 1, action.id
        assert action.title in shown


def test_what_was_written_by_hand_stays_and_old_keys_go() -> None:
    made = page(f"before\n{BEGIN}\nold keys\n{END}\nafter\n")
    assert made.startswith(f"before\n{BEGIN}\n\n### ")
    assert made.endswith(f"{END}\nafter\n")
    assert "old keys" not in made
    assert page(made) == made


@pytest.mark.parametrize("text", ["", BEGIN, f"{END} {BEGIN}"])
def test_a_page_without_its_marks_is_left_alone(text: str) -> None:
    with pytest.raises(ValueError, match=r"terminal\.md has lost"):
        page(text)


def test_every_place_has_its_picture_in_the_guide() -> None:
    text = PAGE.read_text("utf-8")
    for place in PLACES:
        assert f"(pictures/{place.id}.svg)" in text
        assert (PAGE.parent / "pictures" / f"{place.id}.svg").is_file()
