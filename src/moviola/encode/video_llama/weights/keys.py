"""Names of the original state dict, and what they are called here.

The released files hold the whole model's names with or without a prefix. `PREFIXES` puts the
prefix back, `renamed` gives our name, and `is_ignored` lists what a file may hold besides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Name of a source file (without its ending) → the prefix its keys lack.
PREFIXES: Mapping[str, str] = {
    "weights": "",
    "eva_vit_g": "visual_encoder.",
    "blip2_pretrained_flant5xxl": "",
    "blip2_flan_t5_xxl": "",
    "vl_branch": "",
    "al_branch": "",
    "imagebind_huge": "audio_encoder.",
    "imagebind_huge_audio_only": "audio_encoder.",
    "llama": "llama_model.",
}

_QFORMERS = {
    "Qformer": "visual.image_qformer",
    "video_Qformer": "visual.video_qformer",
    "audio_Qformer": "audio.qformer",
}

# Applied one after another; each pattern ends with the piece that it consumes.
_RENAMES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^visual_encoder\.cls_token$", "visual.vit.embeddings.class_embedding"),
        (r"^visual_encoder\.pos_embed$", "visual.vit.embeddings.position_embedding"),
        (r"^visual_encoder\.patch_embed\.proj\.", "visual.vit.embeddings.patch_embedding."),
        (r"^visual_encoder\.blocks\.", "visual.vit.encoder.layers."),
        (r"^(visual\.vit\.encoder\.layers\.\d+)\.norm([12])\.", r"\1.layer_norm\2."),
        (r"^(visual\.vit\.encoder\.layers\.\d+)\.attn\.proj\.", r"\1.self_attn.projection."),
        (r"^(visual\.vit\.encoder\.layers\.\d+)\.attn\.", r"\1.self_attn."),
        (r"^ln_vision\.", "visual.vit.post_layernorm."),
        (r"^vision_model\.", "visual.vit."),
        (r"^qformer\.", "visual.image_qformer."),
        (r"^query_tokens$", "visual.image_queries"),
        (r"^video_query_tokens$", "visual.video_queries"),
        (r"^video_frame_position_embedding\.", "visual.frame_positions."),
        (r"^llama_proj\.", "visual.projection."),
        *((rf"^{theirs}\.bert\.", f"{ours}.") for theirs, ours in _QFORMERS.items()),
        (r"^((?:visual|audio)\.\w*qformer)\.embeddings\.LayerNorm\.", r"\1.layernorm."),
        (r"^((?:visual|audio)\.\w*qformer\..*attention)\.self\.", r"\1.attention."),
        (r"^audio_query_tokens$", "audio.queries"),
        (r"^audio_position_embedding\.", "audio.clip_positions."),
        (r"^audio_llama_proj\.", "audio.projection."),
        (r"^audio_encoder\.modality_preprocessors\.audio\.cls_token$", "audio.trunk.class_token"),
        (
            r"^audio_encoder\.modality_preprocessors\.audio\.pos_embedding_helper\.pos_embed$",
            "audio.trunk.positions",
        ),
        (
            r"^audio_encoder\.modality_preprocessors\.audio\.rgbt_stem\.proj\.",
            "audio.trunk.patches.",
        ),
        (
            r"^audio_encoder\.modality_preprocessors\.audio\.rgbt_stem\.norm_layer\.",
            "audio.trunk.patch_norm.",
        ),
        (r"^audio_encoder\.modality_trunks\.audio\.blocks\.", "audio.trunk.blocks."),
        (r"^audio_encoder\.modality_heads\.audio\.0\.", "audio.trunk.head_norm."),
        (r"^audio_encoder\.modality_heads\.audio\.2\.", "audio.trunk.head."),
        (
            r"^audio_encoder\.modality_postprocessors\.audio\.1\.log_logit_scale$",
            "audio.trunk.log_scale",
        ),
        (r"^llama_model\.", "llama."),
    )
)

# Buffers that a file saved from the whole model drags along.
_POSITION_IDS = r"(?:video_|audio_)?Qformer\.bert\.embeddings\.position_ids"
_ROTARY = r"llama_model\.model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq"
_SCALES = r"audio_encoder\.modality_postprocessors\.\w+\.1\.log_logit_scale"
_TEXT_MASK = r"audio_encoder\.modality_preprocessors\.text\.mask"
# ImageBind's other senses.
_OTHER_SENSES = r"audio_encoder\.modality_\w+\.(?:vision|text|depth|thermal|imu)\..+"

_IGNORED: Mapping[str, re.Pattern[str]] = {
    source: re.compile("|".join(patterns))
    for source, patterns in {
        "weights": (_POSITION_IDS, _ROTARY, _OTHER_SENSES),
        # A norm and a head that Video-LLaMA never applies.
        "eva_vit_g": (r"visual_encoder\.(?:norm|fc_norm|head)\..+",),
        "blip2_pretrained_flant5xxl": (r"t5_proj\..+", _POSITION_IDS),
        "blip2_flan_t5_xxl": (r"language_(?:model|projection)\..+",),
        "vl_branch": (_POSITION_IDS, _ROTARY, _SCALES, _TEXT_MASK),
        "al_branch": (_POSITION_IDS, _ROTARY, _SCALES, _TEXT_MASK),
        "imagebind_huge": (_OTHER_SENSES,),
        "imagebind_huge_audio_only": (_OTHER_SENSES,),
        "llama": (_ROTARY,),
    }.items()
}


def renamed(name: str) -> str:
    """Return our name of the tensor that the original model calls `name`; unknown names stay."""
    for pattern, replacement in _RENAMES:
        name = pattern.sub(replacement, name)
    return name


def is_ignored(name: str, source: str, *, vision_layers: int) -> bool:
    """Tell whether the file `source` may hold `name` (with its prefix) although nothing needs it.

    Args:
        name: the name in the whole original model.
        source: the name of the file, a key of `PREFIXES`.
        vision_layers: blocks of the vision transformer that are kept; the EVA file holds one more.
    """
    if source == "eva_vit_g" and name.startswith(f"visual_encoder.blocks.{vision_layers}."):
        return True
    return bool(_IGNORED[source].fullmatch(name))
