"""Readouts by name: pairs for texts and for videos that belong together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from moviola.encode.decoder.readouts import DecoderReadout

DEFAULT = "content"


@dataclass(frozen=True, slots=True)
class TowerReadouts:
    """The readouts of the two towers of one model.

    Attributes:
        text: of captions and queries.
        video: of clips.
    """

    text: DecoderReadout
    video: DecoderReadout


_ONE_WORD = "{input}\nSummarize above %s in one word:"
TASK = (
    "Recover the main subject or subjects, appearance and setting, and main activity in the video"
)
"""The words of "VidVec" (arXiv 2602.08099) before a video, to find it without training."""
_ECHO = "Rewrite the %s: {input}\nThe rewritten %s: {input}"

#: What any decoder can be asked for.
PRESETS: Mapping[str, TowerReadouts] = MappingProxyType(
    {
        # Neither BOS, which is the same for all, nor a prompt; later words have seen more
        # (Muennighoff, "SGPT", 2022).
        "content": TowerReadouts(
            DecoderReadout(pooling="position_weighted_mean"), DecoderReadout()
        ),
        # Jiang et al., "Scaling Sentence Embeddings with Large Language Models", 2023; the words
        # are those of "VidVec", arXiv 2602.08099, for texts and for videos.
        "one-word": TowerReadouts(
            DecoderReadout(tokens="last", pooling="last", prompt=_ONE_WORD % "sentence"),
            DecoderReadout(tokens="last", pooling="last", prompt=_ONE_WORD % "video"),
        ),
        # Springer et al., "Repetition Improves Language Model Embeddings", 2024, section 3.
        "echo": TowerReadouts(
            DecoderReadout(prompt=_ECHO % ("sentence", "sentence")),
            DecoderReadout(prompt=_ECHO % ("video", "video")),
        ),
        # BehnamGhader et al., "LLM2Vec", 2024, without the training that adapts a model to it.
        "bidirectional": TowerReadouts(
            DecoderReadout(mask="bidirectional"), DecoderReadout(mask="bidirectional")
        ),
    }
)

#: What chat models can be asked for: the same, and the one word behind the task of "VidVec",
#: which found it best without training.
CHAT_PRESETS: Mapping[str, TowerReadouts] = MappingProxyType(
    {
        **PRESETS,
        "vidvec": TowerReadouts(
            PRESETS["one-word"].text,
            replace(PRESETS["one-word"].video, prompt=f"{TASK}\n{_ONE_WORD % 'video'}"),
        ),
    }
)


def asked_readouts(
    presets: Mapping[str, TowerReadouts],
    depth: int,
    *,
    readout: str | Sequence[str] = DEFAULT,
    layers: str = "",
    pooling: str | Sequence[str] = (),
) -> dict[str, TowerReadouts]:
    """Combine presets, layers and poolings, each named by what tells it apart.

    Args:
        presets: those of the model, by name.
        depth: layers of the decoder.
        readout: names of presets.
        layers: which hidden states, see `parse_layers`; `""` for each preset's own.
        pooling: names of poolings in place of each preset's own; empty for that.

    Returns:
        Names such as `echo/layer-07/mean` to readouts; the name is `""` where there is one only.

    Raises:
        ValueError: when there is no such preset, layer or pooling.
    """
    names = _listed(readout)
    states = [None] if not layers else parse_layers(layers, depth)
    poolings = _listed(pooling) or [None]
    found: dict[str, TowerReadouts] = {}
    for name in names:
        if name not in presets:
            raise ValueError(f"no readout is called {name!r}; there are {', '.join(presets)}")
        for state in states:
            for pooled in poolings:
                parts = [
                    name if len(names) > 1 else "",
                    f"layer-{state:02d}" if state is not None and len(states) > 1 else "",
                    pooled if pooled is not None and len(poolings) > 1 else "",
                ]
                both = presets[name]
                found["/".join(part for part in parts if part)] = TowerReadouts(
                    _changed(both.text, state, pooled), _changed(both.video, state, pooled)
                )
    return found


def parse_layers(text: str, depth: int) -> list[int]:
    """Parse hidden states, ascending, from `all`, `last`, or such as `0,8,16-24`.

    Negative numbers count from the end: -1 is the last.

    Raises:
        ValueError: when a decoder of `depth` layers has no such state, or it is not spelled so.
    """
    if text == "all":
        return list(range(depth + 1))
    found: set[int] = set()
    for part in text.replace("last", "-1").split(","):
        spelled = re.fullmatch(r"\s*(-?\d+)(?:-(-?\d+))?\s*", part)
        if not spelled:
            raise ValueError(
                f"layers are all, last, or numbers and ranges such as 0,8,16-24, not {text!r}"
            )
        first = DecoderReadout(int(spelled[1])).state(depth)
        final = first if spelled[2] is None else DecoderReadout(int(spelled[2])).state(depth)
        if final < first:
            raise ValueError(f"the layers {part.strip()} run backwards")
        found.update(range(first, final + 1))
    return sorted(found)


def _changed(readout: DecoderReadout, state: int | None, pooling: str | None) -> DecoderReadout:
    return replace(
        readout,
        layer=readout.layer if state is None else state,
        pooling=readout.pooling if pooling is None else pooling,
    )


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) and names else list(dict.fromkeys(names))
