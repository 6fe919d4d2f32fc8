"""VideoPrism of Google DeepMind (Zhao et al., ICML 2024, arXiv 2402.13217): its video-text models.

The main branches on the hub hold only the original Flax weights. The commits pinned here hold the
converted safetensors; they are those that mteb 2.26 pins. They belong to requests that were never
merged, so the base model has a second source: the repository of whoever converted it.
"""

from __future__ import annotations

from moviola.core import KnownModel, ModelFamily, Reported, Source

_README = "github.com/google-deepmind/videoprism README"


def _reported(videos: float, texts: float) -> tuple[Reported, ...]:
    return (
        Reported("MSR-VTT 1k-A t2v R@1", videos, _README),
        Reported("MSR-VTT 1k-A v2t R@1", texts, _README),
    )


FAMILY = ModelFamily(
    loader="moviola.encode.videoprism.encoder:load",
    summary="VideoPrism LvT: 8 or 16 frames seen together, trained on videos and their texts",
    types=("videoprism",),
    models=(
        KnownModel(
            name="videoprism-base",
            sources=(
                Source(
                    "google/videoprism-lvt-base-f16r288",
                    revision="fb6de9f0eb7bc285be86bdca1cf7daa3e3ef51ff",
                    mirror=Source("MHRDYN7/videoprism-lvt-base-f16r288"),
                ),
            ),
            dimension=768,
            parameters=247_623_424,
            licence="Apache-2.0",
            summary="VideoPrism LvT B/18: 16 frames on 288 pixels",
            reported=_reported(50.1, 49.8),
        ),
        KnownModel(
            name="videoprism-large",
            sources=(
                Source(
                    "google/videoprism-lvt-large-f8r288",
                    revision="03900b4ecc0b278b30abdc5953c575bb5f083865",
                ),
            ),
            dimension=1024,
            parameters=579_877_120,
            licence="Apache-2.0",
            summary="VideoPrism LvT L/18: 8 frames on 288 pixels",
            reported=_reported(50.1, 50.6),
        ),
    ),
)
