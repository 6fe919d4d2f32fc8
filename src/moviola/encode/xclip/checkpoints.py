"""X-CLIP of Microsoft (Ni et al., ECCV 2022, arXiv 2208.02816).

Trained for recognising actions. Another X-CLIP (Ma et al., ACM MM 2022, arXiv 2207.07285) was
trained for retrieval and reports far better figures; its weights were never published.
"""

from __future__ import annotations

from moviola.core import KnownModel, ModelFamily, Reported, Source

_THESIS = "research report, University of Hamburg, 2023"
_MTEB = "MTEB results at f4cc6c8, 879 texts"


def _reported(mrr: float, first: float, mteb: float) -> tuple[Reported, ...]:
    return (
        Reported("MSR-VTT 1k-A t2v R@1", first, _THESIS),
        Reported("MSR-VTT 1k-A t2v MRR", mrr, _THESIS),
        Reported("MSR-VTT t2v R@1", mteb, _MTEB),
    )


FAMILY = ModelFamily(
    loader="moviola.encode.xclip.encoder:load",
    scorer="moviola.encode.xclip.pairs:load",
    summary="X-CLIP of Microsoft: 8 frames seen together",
    types=("xclip",),
    models=(
        KnownModel(
            name="xclip-base-patch32",
            sources=(
                Source(
                    "microsoft/xclip-base-patch32",
                    revision="a2e27a78a2b5d802e894b8a1ef14f3a8ce490963",
                ),
            ),
            dimension=512,
            parameters=196_585_729,
            licence="MIT",
            summary="X-CLIP B/32: the quickest that sees frames together",
            reported=_reported(0.1465, 8.6, 10.4),
        ),
        KnownModel(
            name="xclip-base-patch16",
            sources=(Source("microsoft/xclip-base-patch16"),),
            dimension=512,
            parameters=194_929_153,
            licence="MIT",
            summary="X-CLIP B/16",
            reported=_reported(0.2032, 12.8, 16.0),
        ),
        KnownModel(
            name="xclip-large-patch14",
            sources=(Source("microsoft/xclip-large-patch14"),),
            dimension=768,
            parameters=575_673_601,
            licence="MIT",
            summary="X-CLIP L/14",
            reported=_reported(0.2976, 20.6, 26.8),
        ),
    ),
)
