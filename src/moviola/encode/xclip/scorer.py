"""X-CLIP's own scores, whose texts look at the video that they are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from moviola.core.embeddings import Embeddings
from moviola.core.errors import SpaceMismatchError
from moviola.core.items import Clip, Text
from moviola.core.results import Scores
from moviola.core.spaces import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import XCLIPModel

TOKENS = "video and patches"
"""What a clip's rows are: the video first, then the mean over time of each patch."""
_TEXTS = 256
"""Texts at a time: each needs a row for every patch while it looks at a video."""


class ConditionedScorer:
    """The logits of `XCLIPModel.forward`: texts changed by the patches of each video.

    Takes what `XClipEncoder` makes with `output="conditioned"`. Every text is computed anew for
    every video, so this is for re-ranking the best hits of the towers, or for small galleries.
    """

    def __init__(self, model: XCLIPModel, space: Space) -> None:
        self._prompts: Any = model.prompts_generator
        self._scale = float(model.logit_scale.exp())
        self._space = space

    @torch.inference_mode()
    def logits(
        self, texts: NDArray[np.floating], clip: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Score rows of texts `(Q, D)` against the rows `(1 + P, D)` of a clip, `(Q,)` float32."""
        device = self._prompts.alpha.device
        rows = torch.from_numpy(np.asarray(texts, np.float32))
        seen = torch.from_numpy(np.array(clip, np.float32)).to(device)
        video = functional.normalize(seen[:1], dim=-1)
        found = torch.empty(len(rows))
        for first in range(0, len(rows), _TEXTS):
            part = rows[None, first : first + _TEXTS].to(device)
            changed = part + self._prompts(part, seen[None, 1:])
            cosines = functional.normalize(changed[0], dim=-1) @ video[0]
            found[first : first + _TEXTS] = (self._scale * cosines).cpu()
        return found.numpy()

    def __call__(self, texts: Embeddings[Text], clips: Embeddings[Clip]) -> Scores:
        """Score texts against clips, `(Q, G)` float32.

        Raises:
            SpaceMismatchError: when these are not rows of this model, read for it.
        """
        for what, side in (("the text", texts), ("the video", clips)):
            self._space.require(side.space, what=what)
        if clips.readout.tokens != TOKENS:
            raise SpaceMismatchError(
                f"the videos were read as {clips.readout.tokens!r}, and texts can only look at "
                f"{TOKENS!r}: encode them with output=conditioned"
            )
        matrix = np.empty((len(texts), len(clips)), np.float32)
        rows = np.concatenate([texts.rows(i) for i in range(len(texts))])
        for column in range(len(clips)):
            matrix[:, column] = self.logits(rows, clips.rows(column))
        return Scores(
            [text.id for text in texts.items],
            [clip.id for clip in clips.items],
            matrix,
            ("texts conditioned on each video",),
        )
