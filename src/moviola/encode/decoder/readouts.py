"""Declare how a decoder language model is read, by one object for texts and videos alike.

**Layers.** A decoder of N layers has N + 1 hidden states of every position. State 0 is what goes
in: the embeddings of the words, and the projected vectors of a video ("before the LLaMA"). State
i is the residual stream after layer i. The final norm belongs to none of them: it is applied to
state N only, or to every state, or never, as `norm` says. With `"last"`, which is the default,
the states are those that transformers calls `hidden_states`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from moviola.core.pooling import POOLINGS
from moviola.core.spaces import Readout
from moviola.core.token_pooling import TokenPooling

Norm = Literal["last", "every", "never"]
Tokens = Literal["all", "content", "video", "last"]
Mask = Literal["causal", "bidirectional"]

INPUT, TIMING = "{input}", "{timing}"
_PLACES = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class DecoderReadout:
    """The hidden states of a decoder that become the rows of an input, and the way they do.

    Attributes:
        layer: which state, from 0 to the number of layers; negative numbers count from the end.
        norm: which states go through the decoder's final norm: the last, every, or none.
        tokens: which positions count: `all`, the `content` (the caption's words, the vectors of
            the video and of its sound; neither BOS nor prompt), the vectors of the `video`, or
            the `last` position. An input without any is read at its last position.
        pooling: a name of `moviola.core.pooling.POOLINGS`, `none` for one row a position, or
            `attention-N` for N rows around those that the last position attends to most.
        prompt: the words around the input, whose place is `{input}`; given twice, the second is
            the content and the first is prompt ("Repetition Improves Language Model Embeddings",
            Springer et al. 2024). `{timing}` is the sentence that tells when frames were sampled.
        mask: what a position sees: what comes before it, or everything ("LLM2Vec", BehnamGhader
            et al. 2024, section 2.1; without the training that the paper adds).

    Raises:
        ValueError: when a name is not one of these, or the prompt has no place for the input.
    """

    layer: int = -1
    norm: Norm = "last"
    tokens: Tokens = "content"
    pooling: str = "mean"
    prompt: str = INPUT
    mask: Mask = "causal"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("norm", self.norm, get_args(Norm)),
            ("tokens", self.tokens, get_args(Tokens)),
            ("pooling", self.pooling, ("none", *POOLINGS)),
            ("mask", self.mask, get_args(Mask)),
        ):
            if name == "pooling" and _is_by_attention(value):
                continue
            if value not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {value!r}")
        places = _PLACES.findall(self.prompt)
        if places.count(INPUT) not in (1, 2) or set(places) - {INPUT, TIMING}:
            raise ValueError(
                f"a prompt has {INPUT} once or twice and may have {TIMING}, got {self.prompt!r}"
            )

    def state(self, layers: int) -> int:
        """Return the number of the state, from 0 to `layers`.

        Raises:
            ValueError: when a decoder of that many layers has no such state.
        """
        if not -layers - 1 <= self.layer <= layers:
            raise ValueError(
                f"there is no layer {self.layer}: this model has {layers}, after 0, its input"
            )
        return self.layer % (layers + 1)

    def is_normed(self, layers: int) -> bool:
        """Tell whether the final norm of a decoder of that many layers is applied."""
        return self.norm == "every" or (self.norm == "last" and self.state(layers) == layers)

    def needs_decoder(self, layers: int) -> bool:
        """Tell whether more is read than the vectors that go into the decoder."""
        return self.state(layers) > 0 or self.is_normed(layers) or self.tokens in ("all", "last")

    def record(self, layers: int, *, preprocessing: str, sampling: str = "") -> Readout:
        """Return the readout of a tower with a decoder of that many layers, as stores record it."""
        told = [f"{self.state(layers)} of {layers}"]
        if self.is_normed(layers):
            told.append("final norm")
        if self.mask != "causal":
            told.append(f"{self.mask} mask")
        return Readout(
            preprocessing=preprocessing,
            sampling=sampling,
            prompt="" if self.prompt == INPUT else self.prompt,
            layer=", ".join(told),
            tokens=self.tokens,
            pooling=self.pooling,
        )


def _is_by_attention(pooling: str) -> bool:
    tokens = TokenPooling.parse(pooling)
    return tokens is not None and tokens.kind == "attention"


def split_prompt(prompt: str, timing: str = "") -> list[str]:
    """Split a prompt into the words before, between and after the places of the input."""
    return prompt.replace(TIMING, timing).split(INPUT)
