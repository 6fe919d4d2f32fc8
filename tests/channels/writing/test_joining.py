import pytest

pytest.importorskip("cv2", reason="the extra ocr is not installed")

from moviola.channels.writing.joining import Joiner, shared
from moviola.channels.writing.reading import Line
from moviola.channels.writing.rows import in_rows
from moviola.core import Box

HERE = Box(0.1, 0.1, 0.5, 0.2)
THERE = Box(0.1, 0.7, 0.5, 0.8)


def line(text, confidence=0.97, box=HERE):
    return Line(text, confidence, box)


def joined(*pictures, end=None):
    """Join the lines of pictures that are a second apart."""
    joiner = Joiner("writing")
    for second, lines in enumerate(pictures):
        joiner.see(float(second), lines)
    return [
        (passage.span.start, passage.span.end, passage.text)
        for passage in joiner.passages(end or float(len(pictures)))
    ]


def test_a_clock_is_one_passage_a_second():
    shown = [[line(f"PTS = {second}.0s")] for second in range(4)]
    assert joined(*shown) == [(s, s + 1, f"PTS = {s}.0s") for s in range(4)]


def test_one_text_misread_here_and_there_is_one_passage_of_its_best_reading():
    shown = [
        [line("THE PEACH 0PEN MOVIE".replace("0", "Q"), 0.85)],
        [line("THE PEACH OPEN MOVIE", 0.93)],
        [line("THE PEACH OPEN MOV1E".replace("1", "l"), 0.9)],
        [line("THE PEACH OPEN MOVIE", 0.92)],
        [],
        [],
    ]
    assert joined(*shown) == [(0, 4, "THE PEACH OPEN MOVIE")]


def test_a_text_that_is_missed_once_goes_on():
    assert joined([line("EXIT")], [], [line("EXIT")], []) == [(0, 3, "EXIT")]
    assert joined([line("EXIT")], [], [], [line("EXIT")]) == [(0, 1, "EXIT"), (3, 4, "EXIT")]


def test_two_signs_of_one_text_stay_two():
    signs = [line("EXIT"), line("EXIT", box=THERE)]
    assert joined(signs, signs) == [(0, 2, "EXIT"), (0, 2, "EXIT")]


def test_letters_that_are_read_for_certain_are_different_texts():
    assert joined([line("Gate A", 0.99)], [line("Gate B", 0.99)]) == [
        (0, 1, "Gate A"),
        (1, 2, "Gate B"),
    ]


def test_a_part_of_a_line_found_whole_before_is_no_text_of_its_own():
    part = line("PEACH", box=Box(0.2, 0.1, 0.3, 0.2))
    assert joined([line("THE PEACH OPEN")], [part], [line("THE PEACH OPEN")]) == [
        (0, 3, "THE PEACH OPEN")
    ]


def test_what_is_read_once_with_little_confidence_is_dropped():
    assert joined([line("twig", 0.7)], []) == []
    assert joined([line("twig", 0.7)], [line("twig", 0.65)]) == [(0, 2, "twig")]
    assert joined([line("twig", 0.5)], [line("twig", 0.55)]) == []


def test_lines_taken_over_from_the_picture_before_are_no_second_reading():
    again = Line("twig", 0.7, HERE, fresh=False)
    assert joined([line("twig", 0.7)], [again]) == []


@pytest.mark.parametrize("lone", ["出", "ㅏ", "の"])
def test_single_characters_of_cjk_are_dropped(lone):
    assert joined([line(lone, 0.99)], [line(lone, 0.99)]) == []
    assert joined([line(lone * 2, 0.99)]) == [(0, 1, lone * 2)]


@pytest.mark.parametrize("lone", ["7", "A", "ddd"])
def test_single_letters_and_digits_need_more_confidence(lone):
    assert joined([line(lone, 0.9)], [line(lone, 0.9)]) == []
    assert joined([line(lone, 0.99)], []) == [(0, 1, lone)]


def test_marks_alone_are_no_text():
    assert joined([line("- ... !", 0.99)]) == []


def test_passages_come_by_start_and_end_with_the_video():
    shown = [[line("long")], [line("long"), line("short", box=THERE)], [line("long")], []]
    assert joined(*shown, end=3.5) == [(0, 3, "long"), (1, 2, "short")]
    assert joined([line("last")], end=0.25) == [(0, 0.25, "last")]


def test_shares_of_boxes():
    assert shared(HERE, HERE) == pytest.approx(1)
    assert shared(HERE, THERE) == 0
    assert shared(Box(0.1, 0.1, 0.3, 0.2), HERE) == pytest.approx(1)


def test_pieces_of_a_line_are_put_together_from_left_to_right():
    right, left = (
        line("0", 1.0, Box(0.36, 0.4, 0.4, 0.5)),
        line("Frame", 0.9, Box(0, 0.4, 0.3, 0.5)),
    )
    [row] = in_rows([right, left], 1.0)
    assert row.text == "Frame 0"
    assert row.box == Box(0, 0.4, 0.4, 0.5)
    assert row.confidence == pytest.approx((0.9 * 5 + 1.0) / 6)


@pytest.mark.parametrize(
    "other",
    [Box(0.6, 0.1, 0.7, 0.2), Box(0.51, 0.3, 0.7, 0.4), Box(0.51, 0.1, 0.7, 0.14)],
    ids=["far away", "below", "smaller"],
)
def test_what_stands_apart_stays_apart(other):
    lines = [line("one", box=Box(0.1, 0.1, 0.4, 0.2)), line("two", box=other)]
    assert {row.text for row in in_rows(lines, 1.0)} == {"one", "two"}
