"""What the reference report of 2023 computed with Video-LLaMA, as readouts by name.

Its scripts had slips. `report-as-scripted` repeats the one that changes the vector of every
caption; no other readout does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from moviola.encode.readout import DecoderReadout
from moviola.encode.readout_presets import TowerReadouts

#: A caption without any prompt, the states of all its tokens, BOS too.
_CAPTION = DecoderReadout(tokens="all")
#: The demo's prompt, without a system message and without a question.
_TIMING = "###Human: <Video>{input}</Video> {timing}###Assistant:"

REPORT: Mapping[str, TowerReadouts] = MappingProxyType(
    {
        "report-before-llama": TowerReadouts(_CAPTION, DecoderReadout(layer=0)),
        "report-after-llama": TowerReadouts(_CAPTION, DecoderReadout(tokens="all", prompt=_TIMING)),
        # The scripts call it the average; it takes the smallest value in each dimension.
        "report-as-scripted": TowerReadouts(
            replace(_CAPTION, pooling="min"), DecoderReadout(layer=0)
        ),
    }
)
