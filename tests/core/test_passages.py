"""Test the nouns of text with times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moviola.core import Box, Passage, PictureSpec, Span, passage_id

_EXIT = Passage("v1", Span(1.0, 2.5), "EXIT", "writing", confidence=0.9)


def test_the_id_depends_on_video_channel_span_and_text_alone() -> None:
    others = [
        replace(_EXIT, video="v2"),
        replace(_EXIT, channel="speech"),
        replace(_EXIT, span=Span(1.0, 2.6)),
        replace(_EXIT, text="exit"),
    ]
    same = replace(_EXIT, confidence=0.5, language="en", box=Box(0, 0, 0.5, 0.5))
    assert passage_id(same) == passage_id(_EXIT)
    assert len({passage_id(passage) for passage in [_EXIT, *others]}) == 5
    assert len(passage_id(replace(_EXIT, text="caf\udce9"))) == 32


@pytest.mark.parametrize("change", [{"text": " \n"}, {"confidence": 1.5}, {"confidence": -0.1}])
def test_a_passage_has_text_and_a_confidence_that_is_a_share(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"a passage has text|a confidence is in \[0, 1\]"):
        replace(_EXIT, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("sides", [(0.5, 0, 0.5, 1), (0, 0.6, 1, 0.5), (0, 0, 1.1, 1)])
def test_a_box_lies_in_its_picture_and_has_an_area(sides: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="box"):
        Box(*sides)


def test_pictures_are_asked_for_in_positive_numbers() -> None:
    with pytest.raises(ValueError, match="pictures come every"):
        PictureSpec(every=0)
