from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from moviola.core import Clip, Qrels, RetrievalDataset, Span, Text
from moviola.finetune.training.gradient_cache import cached_gradients
from moviola.finetune.two_tower.loss import contrast
from moviola.finetune.two_tower.pairs import draw_epoch, pair_captions


def naive(cosines, owner, right, scale):
    """The loss, written as two loops over what may rival what."""
    t2v, v2t = [], []
    for text, clip in enumerate(owner):
        own = math.exp(scale * cosines[text, clip])
        rivals = [c for c in range(cosines.shape[1]) if not right[text, c]]
        t2v.append(-math.log(own / (own + sum(math.exp(scale * cosines[text, c]) for c in rivals))))
        rivals = [t for t in range(len(owner)) if not right[t, clip]]
        v2t.append(-math.log(own / (own + sum(math.exp(scale * cosines[t, clip]) for t in rivals))))
    return (np.mean(t2v) + np.mean(v2t)) / 2


def test_the_loss_is_that_of_two_loops_with_captions_of_one_clip_and_of_several():
    torch.manual_seed(0)
    cosines = torch.rand(5, 3, dtype=torch.float64) * 2 - 1
    owner = torch.tensor([0, 0, 1, 2, 2])
    right = functional.one_hot(owner, 3).bool()
    right[4, 1] = True  # a wording that describes two clips
    found = contrast(cosines, owner, right, torch.tensor(7.0, dtype=torch.float64))
    assert float(found) == pytest.approx(naive(cosines.numpy(), owner.numpy(), right.numpy(), 7.0))


def test_captions_of_one_clip_are_no_rivals():
    owner = torch.tensor([0, 0, 1])
    right = functional.one_hot(owner, 2).bool()
    torch.manual_seed(0)
    cosines = torch.rand(3, 2, requires_grad=True)
    contrast(cosines, owner, right, torch.tensor(5.0)).backward()
    assert (cosines.grad[:2, 0] < 0).all(), "both captions are drawn to their clip"


@pytest.mark.parametrize("chunks", [1, 3, 8])
def test_gradients_of_chunks_are_those_of_the_whole_batch(chunks):
    torch.manual_seed(0)
    towers = [nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 4)).double() for _ in "tv"]
    scale = nn.Parameter(torch.tensor(3.0, dtype=torch.float64))
    texts, clips = torch.randn(12, 6).double(), torch.randn(8, 6).double()
    owner = torch.arange(12) % 8
    right = functional.one_hot(owner, 8).bool()
    everything = [scale, *(each for tower in towers for each in tower.parameters())]

    def embed(tower, rows):
        return functional.normalize(tower(rows), dim=-1)

    def loss_of(t, v):
        return contrast(t @ v.T, owner, right, scale)

    wanted = loss_of(embed(towers[0], texts), embed(towers[1], clips))
    gradients = torch.autograd.grad(wanted, everything)
    parts = list(zip(texts.tensor_split(chunks), clips.tensor_split(chunks), strict=True))
    found = cached_gradients(
        [lambda t=t, v=v: (embed(towers[0], t), embed(towers[1], v)) for t, v in parts],
        loss_of,
        lambda product: product.backward(),
        shared=[scale],
    )
    assert float(found) == pytest.approx(float(wanted.detach()), abs=1e-12)
    for each, gradient in zip(everything, gradients, strict=True):
        torch.testing.assert_close(each.grad, gradient, atol=1e-12, rtol=1e-10)


def data():
    clips = [Clip(f"c{i}", path, Span(0, 1)) for i, path in enumerate("aabcde")]
    texts = [Text(f"{clip.id}-{k}", f"{clip.id} {k}") for clip in clips for k in range(3)]
    texts.append(Text("same", "c0  0"))
    relevant = {text.id: frozenset([text.id[:2]]) for text in texts[:-1]}
    return RetrievalDataset("d", clips, texts, Qrels(relevant | {"same": frozenset(["c3"])}))


def test_a_wording_of_two_clips_rivals_neither():
    pairs = pair_captions(data())
    assert pairs.clips_of_words[pairs.words.index("c0 0")] == {0, 3}
    (draw,) = draw_epoch(pairs, np.arange(6), batch=6, captions=9, seed=[0])
    for word, owner, right in zip(draw.words, draw.owner, draw.right, strict=True):
        assert right[owner]
        assert {int(draw.clips[place]) for place in np.flatnonzero(right)} == set(
            pairs.clips_of_words[word]
        )


def test_clips_of_one_video_are_held_out_together():
    pairs = pair_captions(data())
    for seed in range(8):
        train, held_out = pairs.split(0.4, seed)
        videos = [{pairs.clips[row].path for row in rows} for rows in (train, held_out)]
        assert not videos[0] & videos[1]
        assert len(train) + len(held_out) == 6


def test_what_has_no_frames_or_no_caption_is_left_out():
    pairs = pair_captions(data(), frozenset(["c1", "c2"]))
    assert [clip.id for clip in pairs.clips] == ["c0", "c3", "c4", "c5"]
    with pytest.raises(ValueError, match="no clip with both"):
        pair_captions(data(), frozenset(f"c{i}" for i in range(6)))
