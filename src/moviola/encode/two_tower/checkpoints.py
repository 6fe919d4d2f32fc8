"""Image-text models with two towers: CLIP, SigLIP, SigLIP 2, MetaCLIP 2."""

from __future__ import annotations

from moviola.core import KnownModel, ModelFamily, Reported, Source


def _model(
    name: str,
    repository: str,
    *,
    dimension: int,
    parameters: int,
    licence: str,
    summary: str,
    reported: tuple[Reported, ...] = (),
) -> KnownModel:
    return KnownModel(
        name, (Source(repository),), dimension, parameters, licence, summary, reported
    )


FAMILY = ModelFamily(
    loader="moviola.encode.two_tower.encoder:load",
    summary="CLIP, SigLIP, SigLIP 2, MetaCLIP 2: frames one by one, their mean",
    types=("clip", "siglip", "siglip2", "metaclip_2"),
    models=(
        _model(
            "clip-base-patch32",
            "openai/clip-vit-base-patch32",
            dimension=512,
            parameters=151_277_313,
            licence="MIT",
            summary="CLIP B/32 of OpenAI: the quickest",
            reported=(
                Reported("MSR-VTT 1k-A t2v R@1", 31.1, "github.com/foolwood/DRL, mean of frames"),
            ),
        ),
        _model(
            "clip-base-patch16",
            "openai/clip-vit-base-patch16",
            dimension=512,
            parameters=149_620_737,
            licence="MIT",
            summary="CLIP B/16 of OpenAI",
        ),
        _model(
            "clip-large-patch14-336",
            "openai/clip-vit-large-patch14-336",
            dimension=768,
            parameters=427_944_193,
            licence="MIT",
            summary="CLIP L/14 of OpenAI on 336 pixels",
        ),
        _model(
            "siglip-base-patch16",
            "google/siglip-base-patch16-224",
            dimension=768,
            parameters=203_155_970,
            licence="Apache-2.0",
            summary="SigLIP B/16",
        ),
        _model(
            "siglip2-base-patch16",
            "google/siglip2-base-patch16-224",
            dimension=768,
            parameters=375_187_970,
            licence="Apache-2.0",
            summary="SigLIP 2 B/16: many languages",
        ),
        _model(
            "siglip2-so400m-patch14-384",
            "google/siglip2-so400m-patch14-384",
            dimension=1152,
            parameters=1_136_008_498,
            licence="Apache-2.0",
            summary="SigLIP 2 SO400M/14 on 384 pixels: many languages, for a GPU",
        ),
        _model(
            "metaclip2-huge",
            "facebook/metaclip-2-worldwide-huge-quickgelu",
            dimension=1024,
            parameters=1_858_783_745,
            licence="CC-BY-NC-4.0",
            summary="MetaCLIP 2 H/14: 300 languages, for a GPU; not for commerce",
        ),
    ),
)
