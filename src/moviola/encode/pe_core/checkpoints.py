"""Perception Encoder Core of Meta (Bolya et al., 2025, arXiv 2504.13181).

Meta's own repositories hold pickles alone; these are the same weights as safetensors, in the layout
of OpenCLIP.
"""

from __future__ import annotations

from moviola.core import KnownModel, ModelFamily, Reported, Source

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
_SOURCE = (
    "github.com/facebookresearch/perception_models, apps/pe; with dual softmax according to "
    "arXiv 2602.08099"
)


def _model(
    name: str, repository: str, *, dimension: int, parameters: int, summary: str, reported: float
) -> KnownModel:
    return KnownModel(
        name,
        (Source(f"timm/{repository}"),),
        dimension,
        parameters,
        "Apache-2.0",
        summary,
        (Reported("MSR-VTT t2v R@1", reported, _SOURCE),),
    )


FAMILY = ModelFamily(
    loader="moviola.encode.pe_core.loading:load",
    summary="Perception Encoder Core: frames one by one, their mean",
    models=(
        _model(
            "pe-core-tiny",
            "PE-Core-T-16-384",
            dimension=512,
            parameters=69_546_113,
            summary="PE-Core T/16 on 384 pixels: the smallest",
            reported=28.8,
        ),
        _model(
            "pe-core-small",
            "PE-Core-S-16-384",
            dimension=512,
            parameters=87_188_225,
            summary="PE-Core S/16 on 384 pixels",
            reported=39.3,
        ),
        _model(
            "pe-core-base",
            "PE-Core-B-16",
            dimension=1024,
            parameters=447_660_545,
            summary="PE-Core B/16 on 224 pixels",
            reported=47.6,
        ),
        _model(
            "pe-core-large",
            "PE-Core-L-14-336",
            dimension=1024,
            parameters=671_138_817,
            summary="PE-Core L/14 on 336 pixels: for a GPU",
            reported=50.3,
        ),
    ),
    patterns=(CONFIG, WEIGHTS, "*token*.json", "vocab*.json", "merges*.txt"),
)
