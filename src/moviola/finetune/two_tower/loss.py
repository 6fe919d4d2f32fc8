"""Compute InfoNCE in both directions, with several captions a clip and no false negatives."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def contrast(cosines: Tensor, owner: Tensor, right: Tensor, scale: Tensor) -> Tensor:
    """Compute the mean cross-entropy of captions among clips, and of clips among captions.

    Oord, Li and Vinyals, "Representation Learning with Contrastive Predictive Coding", 2018,
    equation 4; symmetric as in Radford et al., "CLIP", 2021, figure 3. Each caption stands with its
    own clip; other clips that it describes too, and other captions of its clip, are no rivals.

    Args:
        cosines: `(N, M)` of captions with clips.
        owner: `(N,)` column of each caption's own clip.
        right: `(N, M)` bool, whether a caption describes a clip.
        scale: one over the temperature.
    """
    logits = scale * cosines
    other = right.clone()
    other[torch.arange(len(owner), device=owner.device), owner] = False
    t2v = functional.cross_entropy(logits.masked_fill(other, float("-inf")), owner)
    # One row a caption: its clip against that caption and all that do not describe the clip.
    columns, siblings = logits.T[owner], right.T[owner].clone()
    siblings.fill_diagonal_(0)
    target = torch.arange(len(owner), device=owner.device)
    v2t = functional.cross_entropy(columns.masked_fill(siblings, float("-inf")), target)
    return (t2v + v2t) / 2
