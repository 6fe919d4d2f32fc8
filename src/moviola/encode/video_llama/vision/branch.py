"""Frames to vectors of the language model's input space (arXiv 2306.02858, section 2.1)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from transformers import Blip2VisionConfig, Blip2VisionModel

from moviola.encode.runtime.precision import float32_products
from moviola.encode.video_llama.config import VideoLlamaConfig, VisionConfig
from moviola.encode.video_llama.qformer import build_qformer


class VisualBranch(nn.Module):
    """EVA ViT-g, the image Q-Former a frame, the video Q-Former over all frames, a projection.

    The position of a frame is added to its queries, behind the image Q-Former. A still image is
    a video of one frame.
    """

    def __init__(self, config: VideoLlamaConfig) -> None:
        super().__init__()
        image, video = config.image_qformer, config.video_qformer
        self.vit = _build_vit(config.vision)
        self.image_queries = nn.Parameter(torch.zeros(1, image.num_query_tokens, image.hidden_size))
        self.image_qformer = build_qformer(image)
        self.frame_positions = nn.Embedding(config.max_frames, image.hidden_size)
        self.video_queries = nn.Parameter(torch.zeros(1, video.num_query_tokens, video.hidden_size))
        self.video_qformer = build_qformer(video)
        self.projection = nn.Linear(video.hidden_size, config.hidden_size)

    def forward(self, video: Tensor) -> Tensor:
        """Map normalised frames (B, 3, T, S, S) to (B, queries, H): before the LLaMA.

        Raises:
            ValueError: more frames than have a position.
        """
        clips, _, frames = video.shape[:3]
        if frames > self.frame_positions.num_embeddings:
            raise ValueError(
                f"{frames} frames a clip; this model has positions for "
                f"{self.frame_positions.num_embeddings}"
            )
        seen = self.frame_queries(video.transpose(1, 2).flatten(0, 1))
        seen = seen.unflatten(0, (clips, frames)) + self.frame_positions.weight[:frames, None]
        with self._products():
            told = self.video_qformer(
                query_embeds=self.video_queries.expand(clips, -1, -1),
                encoder_hidden_states=seen.flatten(1, 2),
            )
        return self.projection(told.last_hidden_state)

    def frame_queries(self, frames: Tensor) -> Tensor:
        """Map normalised frames (N, 3, S, S) to the image Q-Former's (N, queries, width)."""
        # All tokens, the class token among them; never `pooler_output`, which is normalised twice.
        tokens = self.vit(pixel_values=frames).last_hidden_state
        with self._products():
            return self.image_qformer(
                query_embeds=self.image_queries.expand(len(frames), -1, -1),
                encoder_hidden_states=tokens,
            ).last_hidden_state

    def _products(self) -> AbstractContextManager[None]:
        """Multiply by a GPU's tensor cores (TF32) where the vision transformer is in bfloat16.

        What that one hands on has fewer bits than TF32 keeps, and in full float32 the Q-Formers
        take a quarter of the time on an H200.
        """
        if self.vit.embeddings.class_embedding.dtype == torch.bfloat16:
            return float32_products("high")
        return nullcontext()


def _build_vit(config: VisionConfig) -> Blip2VisionModel:
    vit = Blip2VisionModel(
        Blip2VisionConfig(
            image_size=config.image_size,
            patch_size=config.patch_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            hidden_act="gelu",
            layer_norm_eps=config.layer_norm_eps,
            qkv_bias=True,
        )
    )
    vit.post_layernorm = OutputNorm(config.hidden_size, eps=config.output_norm_eps)
    return vit


class OutputNorm(nn.LayerNorm):
    """The norm behind the vision transformer, in float32 whatever the transformer computes in.

    transformers gives it the epsilon of the blocks; it was trained with another.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Map (N, tokens, width) to the same, float32."""
        return super().forward(input.float())
