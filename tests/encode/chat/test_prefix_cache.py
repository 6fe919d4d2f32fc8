"""Captions of one video go on from the same state: the same scores from few tokens."""

from __future__ import annotations

import numpy as np
import pytest

import moviola
from fixtures.qwen3_vl import save_qwen3_vl
from fixtures.text_pairs import WORDS
from moviola.core import Frames
from moviola.encode.decoder.inputs import Kind

CAPTIONS, LONGEST, VECTORS = 100, 30, 1000


@pytest.fixture(scope="module")
def name(tmp_path_factory):
    place = tmp_path_factory.mktemp("judge")
    save_qwen3_vl(place, WORDS, end=False)
    return f"qwen3-vl:{place}"


def clip(frames, side, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, side, side, 3), np.uint8)
    return Frames(pixels, np.arange(frames) / 2)


def captions(count, length):
    words = WORDS.split()[:60]
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(words, length)) for _ in range(count)]


@pytest.mark.parametrize(("question", "least", "most"), [("last", 18, 20), ("first", 20, 26)])
def test_a_hundred_captions_of_thirty_tokens_against_a_thousand_vectors(
    name, question, least, most
):
    judge = moviola.load_scorer(name, question=question)
    shown = clip(20, 80)
    (row,) = judge._rows(captions(1, LONGEST), shown)
    assert sum(len(piece) for piece in row if piece.kind == Kind.VIDEO) == VECTORS
    assert sum(len(piece) for piece in row if piece.kind == Kind.TEXT) == LONGEST
    single = CAPTIONS * sum(map(len, row))
    judge.score(captions(CAPTIONS, LONGEST), [shown])
    assert least <= single / judge.processed <= most


@pytest.mark.parametrize("question", ["last", "first"])
def test_scores_are_those_of_single_passes(name, question):
    judge = moviola.load_scorer(name, question=question)
    shown, texts = clip(4, 24), captions(6, 5)
    together = judge.score(texts, [shown])[:, 0]
    alone = [judge.score_pairs([text], [shown])[0] for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-5, rtol=0)
    assert np.ptp(np.log(alone)) > 1e-3


def test_a_batch_of_clips_is_its_single_clips(name):
    judge = moviola.load_scorer(name)
    clips = [clip(2 + number % 3, 24 + 8 * (number % 2), number) for number in range(6)]
    text = captions(1, 8)[0]
    together = judge.score_pairs([text] * 6, clips)
    alone = [judge.score_pairs([text], [each])[0] for each in clips]
    np.testing.assert_allclose(together, alone, atol=1e-5, rtol=0)
    assert np.ptp(np.log(alone)) > 1e-3


def test_a_place_of_the_question_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match="the question stands at"):
        moviola.load_scorer(name, question="nowhere")
