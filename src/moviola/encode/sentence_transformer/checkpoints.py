"""Models of sentence-transformers that take text and video (the extra `sentence-transformers`).

Their processors of video need torchvision as well. The reported figures of Qwen3-VL-Embedding were
reached with the resizing of its official script, which gives a small frame more tokens than its
processor does here.
"""

from __future__ import annotations

from moviola.core import KnownModel, ModelFamily, Reported, Source

_MTEB = "MTEB results at f4cc6c8, 879 texts"


def _source(size: str, revision: str) -> Source:
    patterns = ("*.json", "*.txt", "*.jinja", "*/*.json", "model*.safetensors")
    return Source(f"Qwen/Qwen3-VL-Embedding-{size}", patterns, revision)


FAMILY = ModelFamily(
    loader="moviola.encode.sentence_transformer.encoder:load",
    summary="any model of sentence-transformers that takes text and video (an extra)",
    models=(
        KnownModel(
            name="qwen3-vl-embedding-2b",
            sources=(_source("2B", "9f2f7e710d6d81056aa5c0a4f04764fec6bb7bda"),),
            dimension=2048,
            parameters=2_127_532_032,
            licence="Apache-2.0",
            summary="Qwen3-VL-Embedding 2B: a frame a second; for a GPU, needs torchvision",
            reported=(
                Reported("MSR-VTT t2v R@1", 55.6, _MTEB),
                Reported("MSR-VTT v2t R@1", 41.0, _MTEB),
            ),
        ),
        KnownModel(
            name="qwen3-vl-embedding-8b",
            sources=(_source("8B", "2c4565515e0f265c6511776e7193b22c0968ddc7"),),
            dimension=4096,
            parameters=8_144_793_840,
            licence="Apache-2.0",
            summary="Qwen3-VL-Embedding 8B: a frame a second; for a GPU, needs torchvision",
            reported=(
                Reported("MSR-VTT t2v R@1", 59.8, _MTEB),
                Reported("MSR-VTT v2t R@1", 46.5, _MTEB),
            ),
        ),
    ),
)
