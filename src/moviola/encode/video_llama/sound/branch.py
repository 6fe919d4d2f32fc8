"""Mel pictures of a clip's sound to vectors of the language model's input space."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from moviola.encode.video_llama.config import AudioConfig
from moviola.encode.video_llama.qformer import build_qformer
from moviola.encode.video_llama.sound.trunk import AudioTrunk


class AudioBranch(nn.Module):
    """One ImageBind vector every two seconds, their positions, a Q-Former, a projection."""

    def __init__(self, config: AudioConfig, hidden_size: int) -> None:
        super().__init__()
        qformer = config.qformer
        self.trunk = AudioTrunk(config.trunk)
        self.clip_positions = nn.Embedding(config.max_positions, config.trunk.out_embed_dim)
        self.queries = nn.Parameter(torch.zeros(1, qformer.num_query_tokens, qformer.hidden_size))
        self.qformer = build_qformer(qformer)
        self.projection = nn.Linear(qformer.hidden_size, hidden_size)

    def forward(self, mel: Tensor) -> Tensor:
        """Map normalised mel pictures (B, clips, 1, bins, frames) to (B, queries, H).

        Raises:
            ValueError: more clips than have a position.
        """
        videos, clips = mel.shape[:2]
        if clips > self.clip_positions.num_embeddings:
            raise ValueError(
                f"{clips} clips of sound; this model has positions for "
                f"{self.clip_positions.num_embeddings}"
            )
        heard = self.trunk(mel.flatten(0, 1)).unflatten(0, (videos, clips))
        told = self.qformer(
            query_embeds=self.queries.expand(videos, -1, -1),
            encoder_hidden_states=heard + self.clip_positions.weight[:clips],
        )
        return self.projection(told.last_hidden_state)
