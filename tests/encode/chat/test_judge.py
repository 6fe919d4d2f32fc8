"""Chat models as judges: the golden scores, and videos that are processed once."""

from __future__ import annotations

import numpy as np
import pytest

import moviola
from moviola.core import Frames, WeightsUnavailableError
from moviola.encode.chat.judge import _reading, load

pytestmark = pytest.mark.shared
NAMES = {
    "qwen2_5_vl": "qwen2.5-vl",
    "qwen3_vl": "qwen3-vl",
    "videollama3": "videollama3",
    "internvl": "internvl",
}
GOLDEN = {
    "p-yes": "score_p_yes",
    "ratio": "score_yes_over_yes_no",
    "capital": "score_p_Yes_only",
    "blanks": "score_p_yes_with_space_variants",
}


def pairs_of(golden):
    """The golden pairs: captions, clips and names of cases."""
    names = [name for name in golden.cases if "yes_no" in name]
    assert names
    videos = list(golden.media)
    texts = []
    for name in names:
        told = golden.cases[name]["expanded"]
        texts.append(next(text for text in sorted(golden.texts, key=len)[::-1] if text in told))
    clips = {}
    for video in videos:
        clips[video] = golden.clip(video)
    return names, texts, [clips[f"video{name[4]}"] for name in names]


def test_scores_are_those_of_transformers(chat_golden):
    names, texts, clips = pairs_of(chat_golden)
    judge = load(str(chat_golden.folder), **chat_golden.options)
    backbone = judge._backbone
    for score, word in GOLDEN.items():
        judge._read = _reading(backbone.tokenizer.get_vocab(), score)
        wanted = [chat_golden.cases[name][word] for name in names]
        np.testing.assert_allclose(judge.score_pairs(texts, clips), wanted, atol=1e-5, rtol=0)


def test_a_cached_video_gives_the_scores_of_single_passes(chat_golden):
    name = f"{NAMES[chat_golden.family]}:{chat_golden.folder}"
    judge = moviola.load_scorer(name, **chat_golden.options, precision="float32")
    clip = chat_golden.clip("video1")
    other = chat_golden.clip("video0")
    texts = [*chat_golden.texts, ""]
    together = judge.score(texts, [clip, other])
    alone = [[judge.score_pairs([t], [c])[0] for c in (clip, other)] for t in texts]
    np.testing.assert_allclose(together, alone, atol=1e-5, rtol=0)
    np.testing.assert_allclose(together, alone, rtol=1e-3)


def test_a_hundred_captions_cost_a_twentieth_of_a_hundred_passes(chat_golden):
    if chat_golden.family != "qwen3_vl":
        pytest.skip("tokens are counted alike for all")
    judge = load(str(chat_golden.folder))
    source = chat_golden.clip("video1").pixels
    # 16 frames of 480 x 640 are 8 groups of 300 vectors.
    pixels = np.tile(source, (2, 6, 6, 1))[:, :480, :640]
    clip = Frames(pixels, np.arange(16) / 2)
    texts = [f"a dog {number}" for number in range(100)]
    single = len(texts) * sum(map(len, judge._rows(texts[:1], clip)[0]))
    judge.score(texts[:100], [clip])
    assert sum(map(len, judge._rows(texts[:1], clip)[0])) > 1000
    assert judge.processed <= single / 20


def test_what_a_judge_cannot_do_is_refused(chat_golden):
    if chat_golden.family != "qwen3_vl":
        pytest.skip("the same for all")
    judge = load(str(chat_golden.folder))
    clip = chat_golden.clip("video3")
    with pytest.raises(ValueError, match="as many texts"):
        judge.score_pairs(["a", "b"], [clip])
    with pytest.raises(ValueError, match="without frames"):
        judge.score_pairs(["a"], [Frames(clip.pixels[:0], clip.times[:0])])
    with pytest.raises(ValueError, match="score of a judge"):
        load(str(chat_golden.folder), score="perhaps")
    with pytest.raises(WeightsUnavailableError, match="cannot judge"):
        _reading({"maybe": 1}, "p-yes")
    assert judge.score([], [clip]).shape == (0, 1)
