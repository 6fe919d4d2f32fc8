"""Video-LLaMA of DAMO Academy (Zhang et al., EMNLP 2023 demos, arXiv 2306.02858), version 1.

The authors published their branches as pickles, which are read without running them. The vision
transformer and the image Q-Former are those of BLIP-2; its published checkpoint also holds a
T5-XXL, whose shards are left alone.
"""

from __future__ import annotations

from moviola.core import KnownModel, ModelFamily, Source

BLIP2 = "Salesforce/blip2-flan-t5-xxl"
BLIP2_TENSORS = ("vision_model.", "qformer.", "query_tokens")
FILES = (
    "VL_*.pth",
    "AL_*.pth",
    "imagebind_huge.pth",
    "llama-2-*/*.json",
    "llama-2-*/tokenizer.model",
    "llama-2-*/*.safetensors",
)


def _model(size: str, gigabytes: float, *, dimension: int, parameters: int) -> KnownModel:
    return KnownModel(
        name=f"video-llama-2-{size.lower()}",
        sources=(
            Source(
                f"DAMO-NLP-SG/Video-LLaMA-2-{size}-Finetuned",
                gigabytes=gigabytes,
                licence="research preview, not for commerce; ImageBind CC-BY-NC-SA-4.0; "
                "Llama 2 community licence",
            ),
            Source(BLIP2, tensors=BLIP2_TENSORS, gigabytes=10.0, licence="MIT"),
        ),
        dimension=dimension,
        parameters=parameters,
        licence="research preview, not for commerce; ImageBind CC-BY-NC-SA-4.0; Llama 2",
        summary=f"Video-LLaMA {size}: 8 frames before, inside and after a LLaMA; for a GPU",
    )


FAMILY = ModelFamily(
    loader="moviola.encode.video_llama.encoder:load",
    summary="Video-LLaMA: hidden states of a LLaMA that sees and hears; a folder of its files",
    models=(
        _model("7B", 18.9, dimension=4096, parameters=7_960_725_504),
        _model("13B", 31.4, dimension=5120, parameters=14_239_749_120),
    ),
    patterns=FILES,
)
