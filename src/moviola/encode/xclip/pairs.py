"""X-CLIP as a scorer of sentences against frames, for `moviola.load_scorer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.abilities import Precision
from moviola.core.frames import Frames
from moviola.core.sampling import ConsecutiveSampler, UniformSampler
from moviola.core.spaces import Space
from moviola.encode.xclip.encoder import Recipe, XClipEncoder
from moviola.encode.xclip.encoder import load as load_encoder
from moviola.encode.xclip.scorer import ConditionedScorer

if TYPE_CHECKING:
    from numpy.typing import NDArray


class XClipScorer:
    """Score texts against clips by the logits of `XCLIPModel.forward`.

    Args:
        encoder: with `output="conditioned"`.

    Raises:
        ValueError: when it has another output.
    """

    def __init__(self, encoder: XClipEncoder) -> None:
        if encoder.scorer is None:
            raise ValueError("texts can only look at videos where output is conditioned")
        self._encoder = encoder
        self._scorer: ConditionedScorer = encoder.scorer

    @property
    def space(self) -> Space:
        """Return the model, by the space of its rows."""
        return self._encoder.space

    @property
    def sampler(self) -> UniformSampler | ConsecutiveSampler:
        """Return the sampler of the frames that the model sees together."""
        return self._encoder.sampler

    def score_pairs(self, texts: Sequence[str], clips: Sequence[Frames]) -> NDArray[np.float32]:
        """Score the i-th text against the i-th clip, `(N,)` float32 logits.

        Raises:
            ValueError: when there are not as many texts as clips, or a clip has another number of
                frames than the model sees.
        """
        if len(texts) != len(clips):
            raise ValueError(
                f"pairs need as many texts as clips, not {len(texts)} and {len(clips)}"
            )
        pairs = zip(self._encoder.encode_texts(texts), self._seen(clips), strict=True)
        scores = [self._scorer.logits(text, clip)[0] for text, clip in pairs]
        return np.array(scores, np.float32)

    def score(self, texts: Sequence[str], clips: Sequence[Frames]) -> NDArray[np.float32]:
        """Score every text against every clip, `(T, C)` float32 logits.

        Raises:
            ValueError: when a clip has another number of frames than the model sees.
        """
        matrix = np.empty((len(texts), len(clips)), np.float32)
        if not texts:
            return matrix
        rows = np.concatenate(self._encoder.encode_texts(texts))
        for column, clip in enumerate(self._seen(clips)):
            matrix[:, column] = self._scorer.logits(rows, clip)
        return matrix

    def _seen(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        """Encode clips to the rows `(1 + P, D)` that texts look at; the same clip only once."""
        distinct = {id(clip): clip for clip in clips}
        rows = dict(
            zip(distinct, self._encoder.encode_videos(list(distinct.values())), strict=True)
        )
        return [rows[id(clip)] for clip in clips]


def load(
    model: str,
    revision: str | None = None,
    *,
    recipe: Recipe = "uniform",
    output: str = "conditioned",
    precision: Precision | None = None,
) -> XClipScorer:
    """Load X-CLIP as a scorer, from the hub or a folder.

    Args:
        model: an id such as `microsoft/xclip-base-patch32`, or a folder.
        revision: a commit, branch or tag.
        recipe: how frames are sampled, as of the encoder.
        output: `"conditioned"`, which is all that a scorer can be; so one name serves both.
        precision: `"float32"` or `"bfloat16"`; None for that of the device.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value.
    """
    if output != "conditioned":
        raise ValueError(f"as a scorer X-CLIP has the output conditioned, not {output!r}")
    return XClipScorer(
        load_encoder(model, revision, recipe=recipe, output="conditioned", precision=precision)
    )
