"""Ask a chat model whether a video matches a sentence ("VidVec", arXiv 2602.08099, section 3.2).

The video stands first, so that all captions of one video go on from the same state: it is
processed once, and every caption adds its own tokens alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from moviola.core.errors import WeightsUnavailableError
from moviola.encode.chat.loading import ChatOptions, load_backbone
from moviola.encode.chat.prefix_cache import Prefix, split_shared
from moviola.encode.chat.prompts import cut_text
from moviola.encode.decoder.inputs import Kind, Words
from moviola.encode.decoder.packing import POSITIONS
from moviola.encode.decoder.readouts import INPUT
from moviola.encode.runtime.batching import run_packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.abilities import Precision
    from moviola.core.frames import Frames
    from moviola.core.protocols import FrameSampler
    from moviola.core.spaces import Space
    from moviola.encode.chat.backbone import ChatBackbone
    from moviola.encode.decoder.inputs import Piece

    Scores = NDArray[np.float32]

_ASK = "Does the video match the sentence? Answer with a single word - Yes or No."
QUESTIONS = {"last": ("\n", f"{INPUT}\n{_ASK}"), "first": (f"\n{_ASK}\n", INPUT)}
"""Places of the question: behind the sentence, as in the paper, or before it, where all sentences
of a video share it; with the words between video and sentence, and the whole prompt."""
SCORES = ("p-yes", "ratio", "capital", "blanks")
"""Ways to read an answer: `p-yes` is P(Yes) + P(yes) over the whole vocabulary, as in the paper;
`ratio` its share among Yes, yes, No and no; `capital` P(Yes) alone; `blanks` adds the words with
a blank before them to `p-yes`."""
_AT_MOST = 8192
"""Tokens of a caption at most."""


class ChatJudge:
    """Score pairs of captions and clips by the probability that the answer is yes.

    Args:
        backbone: the model.
        score: one of `SCORES`.
        question: one of `QUESTIONS`.

    Attributes:
        processed: tokens and vectors that went through the language model so far.

    Raises:
        ValueError: when there is no such score or question.
        WeightsUnavailableError: when the tokenizer does not know the answers as tokens.
    """

    def __init__(
        self, backbone: ChatBackbone, *, score: str = "p-yes", question: str = "last"
    ) -> None:
        if question not in QUESTIONS:
            raise ValueError(
                f"the question stands at one of {tuple(QUESTIONS)}, not at {question!r}"
            )
        self._between, self._prompt = QUESTIONS[question]
        self._read = _reading(backbone.tokenizer.get_vocab(), score)
        self._backbone = backbone
        self.processed = 0

    @property
    def space(self) -> Space:
        """Return which model scores."""
        return self._backbone.space

    @property
    def sampler(self) -> FrameSampler:
        """Return the frames of a clip."""
        return self._backbone.sampler

    def score_pairs(self, texts: Sequence[str], clips: Sequence[Frames]) -> Scores:
        """Score the i-th text against the i-th clip, `(N,)` float32 in [0, 1].

        Raises:
            ValueError: when there are not as many texts as clips, or a clip has no frames.
        """
        if len(texts) != len(clips):
            raise ValueError(
                f"pairs need as many texts as clips, not {len(texts)} and {len(clips)}"
            )
        of_clip: dict[int, list[int]] = {}
        for place, clip in enumerate(clips):
            of_clip.setdefault(id(clip), []).append(place)
        found = np.zeros(len(texts), np.float32)
        alone: list[int] = []
        for places in of_clip.values():
            if len(places) == 1:
                alone += places
            else:
                rows = self._rows([texts[place] for place in places], clips[places[0]])
                found[places] = self._score_shared(rows)
        if alone:
            rows = [self._rows([texts[place]], clips[place])[0] for place in alone]
            found[alone] = self._score_rows(rows)
        return found

    def score(self, texts: Sequence[str], clips: Sequence[Frames]) -> Scores:
        """Score every text against every clip, `(T, C)` float32 in [0, 1].

        Raises:
            ValueError: when a clip has no frames.
        """
        pairs = [(text, clip) for text in texts for clip in clips]
        flat = self.score_pairs([text for text, _ in pairs], [clip for _, clip in pairs])
        return flat.reshape(len(texts), len(clips))

    def _rows(self, texts: Sequence[str], clip: Frames) -> list[list[Piece]]:
        """Write the prompts of captions of one clip, which is seen once."""
        if not len(clip):
            raise ValueError("a clip without frames cannot be judged")
        (seen,) = self._backbone.pieces([clip])
        tokenizer = self._backbone.tokenizer
        return [
            self._backbone.row(
                self._prompt,
                [
                    *seen,
                    Words(Kind.PROMPT, self._between),
                    Words(Kind.TEXT, cut_text(tokenizer, text, _AT_MOST)),
                ],
            )
            for text in texts
        ]

    def _score_shared(self, rows: Sequence[Sequence[Piece]]) -> Scores:
        """Score rows `(N,)` that begin with the same video, which is processed once."""
        shared, tails = split_shared(rows)
        prefix = Prefix(self._backbone, shared)
        self.processed += len(prefix)
        return self._in_batches(
            [len(prefix) + sum(map(len, tail)) for tail in tails],
            lambda places: prefix.last_states([tails[place] for place in places]),
            sum(len(piece) for tail in tails for piece in tail),
        )

    def _score_rows(self, rows: Sequence[Sequence[Piece]]) -> Scores:
        """Score rows `(N,)` that share nothing."""
        lengths = [sum(map(len, row)) for row in rows]
        return self._in_batches(
            lengths, lambda places: self._last_states([rows[at] for at in places]), sum(lengths)
        )

    def _in_batches(
        self, lengths: Sequence[int], states: Callable[[Sequence[int]], Tensor], tokens: int
    ) -> Scores:
        """Score rows by the states `(B, H)` at the ends of each batch of them."""

        def judge(places: Sequence[int]) -> list[Tensor]:
            return list(self._read(self._backbone.head()(states(places)).float()))

        with torch.inference_mode():
            found = run_packed(judge, range(len(lengths)), lengths, POSITIONS)
        self.processed += tokens
        return np.array([float(score) for score in found], np.float32)

    def _last_states(self, rows: Sequence[Sequence[Piece]]) -> Tensor:
        """Read the states `(B, H)` at the ends of rows, after the final norm."""
        inputs = self._backbone.inputs(rows)
        decoder: Any = self._backbone.decoder()
        states = decoder(
            inputs_embeds=inputs.embeds,
            attention_mask=inputs.mask,
            position_ids=inputs.positions,
            use_cache=False,
            **inputs.further,
        ).last_hidden_state
        ends = inputs.mask.sum(dim=1) - 1
        return states[torch.arange(len(rows), device=states.device), ends]


def load(
    model: str,
    revision: str | None = None,
    *,
    score: str = "p-yes",
    question: str = "last",
    template: str = "chat",
    fps: float | str | None = None,
    frames: int | None = None,
    layout: str | None = None,
    positions: str | None = None,
    precision: Precision | None = None,
) -> ChatJudge:
    """Load a chat model as a judge, from the hub or a folder.

    Args:
        model: an id such as `Qwen/Qwen3-VL-8B-Instruct`, or a folder.
        revision: a commit, branch or tag.
        score: one of `SCORES`.
        question: one of `QUESTIONS`.
        template: as in `ChatOptions`, like what follows.
        fps: frames a second.
        frames: of a clip at most.
        layout: of a video of Qwen3-VL.
        positions: behind a video of Qwen2.5-VL.
        precision: `"float32"` or `"bfloat16"`; None for bfloat16 on a GPU and float32 elsewhere.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value.
    """
    options = ChatOptions(template, fps, frames, layout, positions)
    backbone = load_backbone(model, revision, options, precision)
    return ChatJudge(backbone, score=score, question=question)


def _reading(vocabulary: dict[str, int], score: str) -> Callable[[Tensor], Tensor]:
    """Make the function from logits `(B, V)` to scores `(B,)`.

    Raises:
        ValueError: when there is no such score.
        WeightsUnavailableError: when the tokenizer does not know the answers as tokens.
    """
    if score not in SCORES:
        raise ValueError(f"the score of a judge is one of {SCORES}, not {score!r}")

    def ids(*words: str) -> list[int]:
        return [vocabulary[word] for word in words if word in vocabulary]

    yes, no = ids("Yes", "yes"), ids("No", "no")
    if score == "capital":
        yes = ids("Yes")
    if score == "blanks":
        # Byte-level and SentencePiece vocabularies write a blank in two ways.
        yes += ids("\u0120Yes", "\u0120yes", "\u2581Yes", "\u2581yes")
    if not yes or (score == "ratio" and not no):
        raise WeightsUnavailableError(
            "the tokenizer does not know Yes and No as tokens: this model cannot judge"
        )

    def read(logits: Tensor) -> Tensor:
        chances = logits.softmax(dim=-1)
        agreed = chances[:, yes].sum(dim=-1)
        return agreed / (agreed + chances[:, no].sum(dim=-1)) if score == "ratio" else agreed

    return read
