"""Chat models that see videos, in transformers' layout: `FAMILY:ID` or `FAMILY:FOLDER`.

All of them are read by one loader; their names say what is meant, their `config.json` what it is.
"""

from __future__ import annotations

from moviola.core import ModelFamily

_LOADER = "moviola.encode.chat.loading:load"
_SCORER = "moviola.encode.chat.judge:load"

QWEN2_5_VL = ModelFamily(
    loader=_LOADER,
    scorer=_SCORER,
    summary="Qwen2.5-VL: hidden states of a chat model that sees two frames a second",
    types=("qwen2_5_vl",),
)
QWEN3_VL = ModelFamily(
    loader=_LOADER,
    scorer=_SCORER,
    summary="Qwen3-VL: hidden states of a chat model that sees two frames a second, and when",
    types=("qwen3_vl",),
)
VIDEO_LLAMA_3 = ModelFamily(
    loader=_LOADER,
    scorer=_SCORER,
    summary="VideoLLaMA 3: hidden states of a Qwen 2.5 that sees what changes in a video",
    types=("video_llama_3",),
)
INTERNVL = ModelFamily(
    loader=_LOADER,
    scorer=_SCORER,
    summary="InternVL: hidden states of a chat model that sees a few numbered frames",
    types=("internvl",),
)
