"""Name the readouts that the reference report of 2023 computed with Video-LLaMA.

Its scripts had slips. `report-as-scripted` repeats the one that changes the vector of every
caption; no other readout does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from moviola.encode.decoder.presets import TowerReadouts
from moviola.encode.decoder.readouts import INPUT, TIMING, DecoderReadout
from moviola.encode.video_llama.prompts import IMAGE, VIDEO_MARKS, llama2_prompt, vicuna_prompt

#: A caption without any prompt, the states of all its tokens, BOS too.
_CAPTION = DecoderReadout(tokens="all")
#: The demo's message about a video, without a question.
_MESSAGE = VIDEO_MARKS.replace(IMAGE, INPUT) + TIMING

REPORT: Mapping[str, TowerReadouts] = MappingProxyType(
    {
        "report-before-llama": TowerReadouts(_CAPTION, DecoderReadout(layer=0)),
        "report-after-llama": TowerReadouts(
            _CAPTION, DecoderReadout(tokens="all", prompt=vicuna_prompt(_MESSAGE))
        ),
        # The same in the words of Llama-2-chat, which the later checkpoints are made of.
        "llama2-after-llama": TowerReadouts(
            _CAPTION, DecoderReadout(tokens="all", prompt=llama2_prompt(_MESSAGE))
        ),
        # The scripts call it the average; it takes the smallest value in each dimension.
        "report-as-scripted": TowerReadouts(
            replace(_CAPTION, pooling="min"), DecoderReadout(layer=0)
        ),
    }
)
