import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.channels.writing.likeness import edit_distance, folded, same_text


def test_case_width_spaces_and_punctuation_do_not_count():
    assert folded("\uff25\uff38\uff29\uff34 - Gate B!") == "exitgateb"


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_the_distance_is_levenshteins(one, other):
    def plain(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(plain(a[1:], b) + 1, plain(a, b[1:]) + 1, plain(a[1:], b[1:]) + (a[0] != b[0]))

    assert edit_distance(one[:5], other[:5], 10) == plain(one[:5], other[:5])


def test_counting_ends_above_the_limit():
    assert edit_distance("a" * 50, "b" * 50, 3) == 4
    assert edit_distance("a" * 50, "a", 3) == 4


@pytest.mark.parametrize(
    ("one", "other", "certain"),
    [
        ("EXIT", "exit", True),
        ("00:00:02;00", "00:00:02:00", True),
        ("shutterstock", "shuttersteck", False),
        ("THE PEACH OPEN MOVIE PROJECT", "THE PEACH 0PEN M0VIE PROJECT".replace("0", "Q"), False),
    ],
)
def test_one_text_read_twice(one, other, certain):
    assert same_text(one, other, certain=certain)


@pytest.mark.parametrize(
    ("one", "other", "certain"),
    [
        ("PTS = 2.0s", "PTS = 3.0s", False),
        ("00:00:01.000", "00:00:07.000", False),
        ("1.00", "10.0", False),
        ("Gate A", "Gate B", True),
        ("exit", "exam", False),
        ("cat", "car", False),
        ("...", "...", False),
    ],
)
def test_two_texts(one, other, certain):
    assert not same_text(one, other, certain=certain)
