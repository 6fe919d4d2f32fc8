"""The golden sets of Qwen3-VL, and a tiny random model with a tokenizer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration

from moviola.core import Frames

UNKNOWN, END = "<unk>", "<|endoftext|>"
MARKS = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>")
PADS = ("<|image_pad|>", "<|video_pad|>")
WORDS = "yes no a red square moves left NULL Represent the user ' s input . system assistant 1 2 3"


@dataclass
class Golden:
    """A golden set: the checkpoint's folder, its cases, and their tensors."""

    folder: Path
    cases: dict
    texts: list
    tensors: dict

    def frames(self, video, indices, rate):
        native = self.tensors[f"native.{video}.indices"].tolist()
        stored = self.tensors[f"native.{video}.frames"]
        pixels = np.stack([stored[native.index(number)] for number in indices])
        return Frames(pixels, np.array(indices, np.float64) / rate)

    def clip(self, case):
        """The frames of a case whose video is a file."""
        (video,) = self.cases[case]["videos"]
        name = video["video"].replace("v", "video").removesuffix(".mp4")
        return self.frames(name, video["frames_indices"], video["fps"])

    def listed(self):
        """Seven frames of a video, as a list of pictures."""
        return self.frames("video1", np.rint(np.linspace(0, 106, 7)).astype(int).tolist(), 25.0)

    def picture(self, number):
        return np.array(Image.open(self.folder / "images" / f"i{number}.png").convert("RGB"))


def read_golden(folder):
    told = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / "tensors.safetensors")
    return Golden(folder, told["cases"], told["texts"], tensors)


@pytest.fixture(scope="session")
def embedding_golden(shared_data):
    return read_golden(shared_data / "video_llm_golden" / "qwen3_vl_embedding")


@pytest.fixture(scope="session")
def reranker_golden(shared_data):
    return read_golden(shared_data / "video_llm_golden" / "qwen3_vl_reranker")


def write_tokenizer(place):
    vocabulary = {UNKNOWN: 0, END: 1}
    vocabulary |= {mark: at for at, mark in enumerate((*MARKS, *PADS), start=2)}
    vocabulary |= {word: at for at, word in enumerate(dict.fromkeys(WORDS.split()), start=8)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=UNKNOWN,
        pad_token=END,
        additional_special_tokens=[*MARKS, *PADS],
    ).save_pretrained(place)
    return vocabulary


@pytest.fixture(scope="session")
def stock(tmp_path_factory):
    """A tiny random Qwen3-VL of transformers, and the folder that it was saved to."""
    place = tmp_path_factory.mktemp("qwen3vl")
    vocabulary = write_tokenizer(place)
    torch.manual_seed(0)
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": len(vocabulary),
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "initializer_range": 0.2,
            "tie_word_embeddings": True,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [2, 1, 1],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 24,
            "depth": 3,
            "num_heads": 2,
            "patch_size": 4,
            "out_hidden_size": 32,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0, 1, 2],
            "initializer_range": 0.2,
        },
        image_token_id=vocabulary["<|image_pad|>"],
        video_token_id=vocabulary["<|video_pad|>"],
        vision_start_token_id=vocabulary["<|vision_start|>"],
        vision_end_token_id=vocabulary["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    model = Qwen3VLForConditionalGeneration(config).eval()
    model.save_pretrained(place)
    return model, place
