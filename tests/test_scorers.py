"""Scorers by name: found, refused, and the same numbers as the published model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import moviola
from moviola.core import Frames, PluginNotFoundError, Space, UniformSampler
from moviola.plugins import scorer_names
from moviola.testing import check_scorer


class Counting:
    """A toy that counts the letters of a text and the brightness of a clip."""

    space = Space("counting", "1", "none", 1)
    sampler = UniformSampler(2)

    def score_pairs(self, texts, clips):
        if len(texts) != len(clips):
            raise ValueError("as many texts as clips")
        pairs = zip(texts, clips, strict=True)
        return np.array([len(t) * c.pixels.mean() for t, c in pairs], np.float32)

    def score(self, texts, clips):
        rows = [self.score_pairs([text] * len(clips), clips) for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), len(clips))


class Loose(Counting):
    def score_pairs(self, texts, clips):
        count = min(len(texts), len(clips))
        return super().score_pairs(texts[:count], clips[:count])


class Crossed(Counting):
    def score(self, texts, clips):
        return super().score(texts, clips)[:, ::-1].copy()


FINISHED = Counting()
NUMBER = 7


def five():
    return 5


def test_a_toy_passes_its_kit():
    check_scorer(moviola.load_scorer(f"{__name__}:Counting"))
    assert moviola.load_scorer(f"{__name__}:FINISHED") is FINISHED


@pytest.mark.parametrize(
    ("scorer", "sentence"),
    [
        (Loose(), "takes 2 texts with 3 clips"),
        (Crossed(), "score_pairs and score differ"),
        (object(), "a scorer has space, sampler"),
    ],
)
def test_a_broken_promise_is_told(scorer, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_scorer(scorer)


def test_what_is_no_scorer_is_told():
    with pytest.raises(PluginNotFoundError, match=r"no scorer is called 'xclip-bse-patch32'. Did"):
        moviola.load_scorer("xclip-bse-patch32")
    with pytest.raises(ValueError, match=r"encodes; these score: .*xclip-base-patch32"):
        moviola.load_scorer("clip-base-patch32")
    with pytest.raises(TypeError, match="neither a scorer nor"):
        moviola.load_scorer(f"{__name__}:NUMBER")
    with pytest.raises(TypeError, match="no scorer: it lacks space, sampler"):
        moviola.load_scorer(f"{__name__}:five")
    assert {"xclip-base-patch32", "xclip-large-patch14"} <= set(scorer_names())


def test_xclip_scores_as_the_published_model(make_checkpoint):
    from transformers import XCLIPModel

    folder = make_checkpoint("xclip")
    scorer = moviola.load_scorer(f"xclip:{folder},precision=float32")
    check_scorer(scorer, tolerance=1e-5)
    named = moviola.load_scorer(f"xclip:{folder},precision=float32,output=conditioned")
    count = scorer.sampler.count
    rng = np.random.default_rng(0)
    clips = [
        Frames(rng.integers(0, 256, (count, 40, 48, 3), np.uint8), np.arange(float(count)))
        for _ in range(3)
    ]
    texts = ["a red dog", "dogs do red things"]
    found = scorer.score(texts, clips)
    assert np.array_equal(found, named.score(texts, clips))
    assert np.allclose(scorer.score_pairs([texts[1]] * 3, clips), found[1], atol=1e-5)
    published = XCLIPModel.from_pretrained(folder).eval()
    tokens = scorer._encoder._text._tokenizer(texts, padding=True, return_tensors="pt")
    pixels = torch.stack([scorer._encoder._preprocessing(clip.pixels) for clip in clips])
    with torch.inference_mode():
        wanted = published(**tokens, pixel_values=pixels).logits_per_text
    assert np.allclose(found, wanted.numpy(), atol=1e-4)
