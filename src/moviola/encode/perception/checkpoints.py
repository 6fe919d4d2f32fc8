"""Perception Encoder Audiovisual of Meta (Vyas et al., 2025, arXiv 2512.19687).

One option hears as well: `pe-av-large,sound=1`. Reported figures are lower with sound for
sentences about what is seen: 36.2 instead of 42.3 for the large one in MTEB.
"""

from __future__ import annotations

from moviola.core import KnownModel, ModelFamily, Reported, Source

_MTEB = "MTEB results at f4cc6c8, 879 texts"


def _model(
    size: str, revision: str, parameters: int, summary: str, *reported: Reported
) -> KnownModel:
    return KnownModel(
        name=f"pe-av-{size}",
        sources=(Source(f"facebook/pe-av-{size}", revision=revision),),
        dimension=1024,
        parameters=parameters,
        licence="Apache-2.0",
        summary=summary,
        reported=reported,
    )


FAMILY = ModelFamily(
    loader="moviola.encode.perception.encoder:load",
    summary="PE-AV: frames seen together, with their sound where sound=1",
    types=("pe_audio_video", "pe_video"),
    models=(
        _model(
            "small-16-frame",
            "9f888eea95c83622212bb742e91bf01d3b46fe96",
            846_991_308,
            "PE-AV small: 16 frames on 336 pixels, and sound",
        ),
        _model(
            "base-16-frame",
            "3fd870e60a1099fb99367b240d41926e183d7112",
            1_033_701_580,
            "PE-AV base: 16 frames on 336 pixels, and sound",
        ),
        _model(
            "large",
            "0d24878d4107d64bef49e53602fc34ce6f94f6d8",
            2_234_700_748,
            "PE-AV large: two frames a second on 336 pixels, and sound; for a GPU",
            Reported("MSR-VTT t2v R@1", 42.3, _MTEB),
            Reported("MSR-VTT v2t R@1", 43.0, _MTEB),
        ),
    ),
)
