"""The older family name of VideoLLaMA 3, `video-llama-3`; libraries made with it still open."""

from __future__ import annotations

from moviola.encode.chat.checkpoints import VIDEO_LLAMA_3

FAMILY = VIDEO_LLAMA_3
