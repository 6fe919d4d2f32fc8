"""Models of sentence-transformers that take text and video (the extra `sentence-transformers`).

Their processors of video need torchvision as well. Qwen3-VL-Embedding is read more exactly by its
own family, `qwen3-vl-embedding`: its processor gives a small frame fewer tokens than the program
that its published figures were reached with.
"""

from __future__ import annotations

from moviola.core import ModelFamily

FAMILY = ModelFamily(
    loader="moviola.encode.sentence_transformer.encoder:load",
    summary="any model of sentence-transformers that takes text and video (an extra)",
    patterns=("*.json", "*.txt", "*.jinja", "*/*.json", "model*.safetensors"),
)
