"""Checkpoints of the real architectures, tiny and with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

_TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
         "num_attention_heads": 4, "max_position_embeddings": 77}  # fmt: skip
_VISION = {"hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2,
           "num_attention_heads": 4, "image_size": 32, "patch_size": 16}  # fmt: skip


def bytes_of_bpe():
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())


def clip_tokenizer():
    """A real CLIP tokenizer over bytes and a few words."""
    from transformers import CLIPTokenizer

    alphabet = bytes_of_bpe()
    pieces = [*alphabet, *(f"{letter}</w>" for letter in alphabet)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    merges = [("r", "e"), ("re", "d</w>"), ("d", "o"), ("do", "g</w>")]
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    return CLIPTokenizer(vocab=vocabulary, merges=merges)


def siglip_tokenizer():
    """A real tokenizer of SigLIP 2, over characters."""
    from transformers import Siglip2Tokenizer

    letters = [chr(code) for code in range(32, 127)]
    vocabulary = {piece: number for number, piece in enumerate(
        ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *letters,
         *(f"<0x{code:02X}>" for code in range(256))]
    )}  # fmt: skip
    return Siglip2Tokenizer(vocab=vocabulary, merges=[], model_input_names=["input_ids"])


def _model(kind: str, size: int):
    import transformers

    if kind == "xclip":
        config = transformers.XCLIPConfig(
            text_config={**_TEXT, "vocab_size": size},
            vision_config={**_VISION, "mit_hidden_size": 24, "mit_intermediate_size": 48,
                           "mit_num_attention_heads": 4, "num_frames": 8},
            projection_dim=24,
            prompt_num_attention_heads=4,
        )  # fmt: skip
        return transformers.XCLIPModel(config)
    if kind == "siglip2":
        config = transformers.Siglip2Config(
            text_config={**_TEXT, "vocab_size": size, "hidden_size": 48, "projection_size": 48,
                         "max_position_embeddings": 64},
            vision_config={**_VISION, "num_patches": 16},
        )  # fmt: skip
        return transformers.Siglip2Model(config)
    if kind == "siglip":
        config = transformers.SiglipConfig(
            text_config={**_TEXT, "vocab_size": size, "hidden_size": 48, "projection_size": 48,
                         "max_position_embeddings": 64},
            vision_config=_VISION,
        )  # fmt: skip
        return transformers.SiglipModel(config)
    names = {
        "clip": ("CLIPConfig", "CLIPModel"),
        "metaclip_2": ("MetaClip2Config", "MetaClip2Model"),
    }
    config_type, model_type = (getattr(transformers, name) for name in names[kind])
    config = config_type(
        text_config={**_TEXT, "vocab_size": size, "eos_token_id": size - 1},
        vision_config=_VISION,
        projection_dim=24,
    )
    return model_type(config)


_PROCESSORS = {
    "xclip": {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32},
              "do_center_crop": True, "resample": 2,
              "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]},
    "clip": {"size": {"shortest_edge": 32}, "crop_size": 32, "do_center_crop": True,
             "resample": 3, "image_mean": [0.48145466, 0.4578275, 0.40821073],
             "image_std": [0.26862954, 0.26130258, 0.27577711]},
    "siglip": {"size": {"height": 32, "width": 32}, "resample": 3,
               "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]},
    "siglip2": {"max_num_patches": 12, "patch_size": 16, "resample": 2,
                "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]},
}  # fmt: skip
_PROCESSORS["metaclip_2"] = _PROCESSORS["clip"]


@pytest.fixture(scope="session", autouse=True)
def _single_precision():
    """Everywhere the same numbers: elsewhere a tower may run in bfloat16."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("moviola.encode.precision.bfloat16_is_faster", lambda _: False)
        patch.setattr(torch.backends.cudnn, "allow_tf32", False)
        yield


@pytest.fixture(scope="session")
def make_checkpoint(tmp_path_factory):
    """A function `(kind, seed=0)` to a folder: a tiny model, its tokenizer and its processor."""
    made: dict[tuple[str, int], Path] = {}

    def make(kind: str, seed: int = 0) -> Path:
        if (kind, seed) not in made:
            torch.manual_seed(seed)
            folder = tmp_path_factory.mktemp("checkpoints") / f"tiny-{kind}-{seed}"
            tokenizer = siglip_tokenizer() if kind.startswith("siglip") else clip_tokenizer()
            model = _model(kind, len(tokenizer))
            with torch.no_grad():  # initial weights are so small that features hardly differ
                for value in model.parameters():
                    if value.ndim > 1:
                        value.normal_(std=0.2)
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            (folder / "preprocessor_config.json").write_text(json.dumps(_PROCESSORS[kind]))
            made[kind, seed] = folder
        return made[kind, seed]

    return make
