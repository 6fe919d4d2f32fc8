"""Learned queries that look at an encoder's tokens: transformers' Q-Former without texts."""

from __future__ import annotations

from transformers import Blip2QFormerConfig, Blip2QFormerModel

from moviola.encode.video_llama.config import QFormerConfig


def build_qformer(config: QFormerConfig) -> Blip2QFormerModel:
    """Build a Q-Former with random weights."""
    return Blip2QFormerModel(
        Blip2QFormerConfig(
            hidden_size=config.hidden_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            intermediate_size=config.intermediate_size,
            cross_attention_frequency=config.cross_attention_frequency,
            encoder_hidden_size=config.encoder_hidden_size,
            layer_norm_eps=config.layer_norm_eps,
            use_qformer_text_input=False,
        )
    )
