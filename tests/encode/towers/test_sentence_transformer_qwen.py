"""A real video model of sentence-transformers: Qwen3-VL, tiny and random."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fixtures.damages import DAMAGES, damaged
from moviola.core import RateSampler, UniformSampler, WeightsUnavailableError
from moviola.encode.sentence_transformer.encoder import load
from moviola.testing import check_encoder

pytest.importorskip("torchvision", reason="processors of video in transformers need torchvision")
sentence_transformers = pytest.importorskip("sentence_transformers")
pytestmark = pytest.mark.slow

SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
)


def _config(tokenizer):
    from transformers import Qwen3VLConfig

    names = ("image_pad", "video_pad", "vision_start", "vision_end")
    ids = [tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in names]
    rope = {
        "rope_type": "default",
        "mrope_section": [2, 1, 1],
        "mrope_interleaved": True,
        "rope_theta": 10_000,
    }
    return Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "rope_parameters": rope,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 4,
            "patch_size": 8,
            "out_hidden_size": 32,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=ids[0],
        video_token_id=ids[1],
        vision_start_token_id=ids[2],
        vision_end_token_id=ids[3],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """As sentence-transformers saves it."""
    import transformers
    from tokenizers import pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: number for number, piece in enumerate(alphabet)}
    tokenizer = transformers.Qwen2Tokenizer(vocab=vocabulary, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL})
    torch.manual_seed(0)
    model = transformers.Qwen3VLModel(_config(tokenizer)).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:
                weights.normal_(std=0.2)
    made, saved = (tmp_path_factory.mktemp(name) for name in ("qwen", "saved"))
    model.save_pretrained(made)
    shared = {"patch_size": 8, "temporal_patch_size": 2, "merge_size": 2}
    transformers.Qwen3VLProcessor(
        transformers.Qwen2VLImageProcessor(**shared),
        tokenizer,
        transformers.Qwen3VLVideoProcessor(
            **shared, size={"shortest_edge": 1024, "longest_edge": 65_536}
        ),
        chat_template=TEMPLATE,
    ).save_pretrained(made)
    modules = sentence_transformers.sentence_transformer.modules
    parts = [modules.Transformer(str(made)), modules.Pooling(32, pooling_mode="lasttoken")]
    sentence_transformers.SentenceTransformer(modules=parts).save(str(saved))
    return saved


def test_vectors_are_those_of_sentence_transformers(folder, make_clips):
    encoder = load(str(folder))
    assert encoder.sampler == RateSampler(1.0, 64)
    check_encoder(encoder, tolerance=1e-4)
    model = sentence_transformers.SentenceTransformer(str(folder))
    facts = {"total_num_frames": 4, "fps": 2.0, "frames_indices": [0, 1, 2, 3], "duration": 2.0}
    for clip in make_clips(UniformSampler(4)):
        wanted = model.encode(
            [{"array": clip.pixels.transpose(0, 3, 1, 2), "video_metadata": facts}],
            normalize_embeddings=True,
            processing_kwargs={"video": {"do_sample_frames": False}},
        )
        assert np.abs(encoder.encode_videos([clip])[0] - wanted).max() < 1e-5
    wanted = model.encode(["a dog"], normalize_embeddings=True)
    assert np.abs(encoder.encode_texts(["a dog"])[0] - wanted).max() < 1e-5


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_whole_is_refused(folder, damage, tmp_path):
    with pytest.raises(WeightsUnavailableError, match="some"):
        load(str(damaged(folder, damage, tmp_path / "some")))
