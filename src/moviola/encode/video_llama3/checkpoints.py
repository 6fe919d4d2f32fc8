"""VideoLLaMA 3 of DAMO Academy (Zhang et al., 2025, arXiv 2501.13106), in transformers' layout.

Its authors' own repositories bring code to be run, which Moviola does not run; a checkpoint that
was converted to the classes of transformers is named as `video-llama-3:ID`.
"""

from __future__ import annotations

from moviola.core import ModelFamily

FAMILY = ModelFamily(
    loader="moviola.encode.video_llama3.encoder:load",
    summary="VideoLLaMA 3: hidden states of a Qwen 2.5 that sees a frame a second",
)
