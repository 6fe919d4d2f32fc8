"""Qwen3-VL-Embedding and Qwen3-VL-Reranker of Alibaba (2026, arXiv 2601.04720).

Parameters, revisions and MTEB's figures are those of mteb 2.26; no weights were seen here.
"""

from __future__ import annotations

from moviola.core import KnownModel, ModelFamily, Reported, Source

_MTEB = "MTEB results at f4cc6c8, 879 texts"
_MMEB = "arXiv 2601.04720"


def _source(name: str, size: str, revision: str) -> Source:
    return Source(f"Qwen/Qwen3-VL-{name}-{size}", revision=revision)


EMBEDDING = ModelFamily(
    loader="moviola.encode.qwen_vl.encoder:load",
    summary="Qwen3-VL-Embedding: texts, pictures and clips as states of a language model",
    types=("qwen3_vl",),
    models=(
        KnownModel(
            name="qwen3-vl-embedding-2b",
            sources=(_source("Embedding", "2B", "9f2f7e710d6d81056aa5c0a4f04764fec6bb7bda"),),
            dimension=2048,
            parameters=2_127_532_032,
            licence="Apache-2.0",
            summary="Qwen3-VL-Embedding 2B: a frame a second; for a GPU of 8 GB (clips on a CPU: "
            "9 GB and minutes each)",
            reported=(
                Reported("MSR-VTT t2v R@1", 55.6, _MTEB),
                Reported("MSR-VTT v2t R@1", 41.0, _MTEB),
            ),
        ),
        KnownModel(
            name="qwen3-vl-embedding-8b",
            sources=(_source("Embedding", "8B", "2c4565515e0f265c6511776e7193b22c0968ddc7"),),
            dimension=4096,
            parameters=8_144_793_840,
            licence="Apache-2.0",
            summary="Qwen3-VL-Embedding 8B: a frame a second; for a GPU of 24 GB (clips on a CPU: "
            "33 GB and many minutes each)",
            reported=(
                Reported("MSR-VTT t2v R@1", 59.8, _MTEB),
                Reported("MSR-VTT v2t R@1", 46.5, _MTEB),
            ),
        ),
    ),
)
RERANKER = ModelFamily(
    loader="",
    scorer="moviola.encode.qwen_vl.reranker:load",
    summary="Qwen3-VL-Reranker: whether a clip answers a text, by a language model that reads both",
    types=("qwen3_vl",),
    models=(
        KnownModel(
            name="qwen3-vl-reranker-2b",
            sources=(_source("Reranker", "2B", "4bd860ac4f15ad1897a214615cccc700f8f71818"),),
            dimension=2048,
            parameters=2_127_532_032,
            licence="Apache-2.0",
            summary="Qwen3-VL-Reranker 2B: scores, no vectors; for a GPU of 8 GB (on a CPU: 9 GB "
            "and minutes a pair)",
            reported=(Reported("MMEB-v2 video", 53.2, _MMEB),),
        ),
        KnownModel(
            name="qwen3-vl-reranker-8b",
            sources=(_source("Reranker", "8B", "407993db318a67dbb333bbeb8b1521fb703a3bb1"),),
            dimension=4096,
            parameters=8_767_123_696,
            licence="Apache-2.0",
            summary="Qwen3-VL-Reranker 8B: scores, no vectors; for a GPU of 24 GB (on a CPU: 36 GB "
            "and many minutes a pair)",
            reported=(Reported("MMEB-v2 video", 61.0, _MMEB),),
        ),
    ),
)
